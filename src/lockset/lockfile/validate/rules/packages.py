"""Rules on each entry of `packages`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name, is_normalized_name

from lockset._pattern import lazy_pattern
from lockset.attestations.identity import KINDS
from lockset.lockfile.validate.rules.file_names import version_in_name
from lockset.lockfile.validate.rules.markers import check_package_marker, check_specifier
from lockset.lockfile.validate.rules.sources import NamedFile, check_sources
from lockset.lockfile.validate.rules.top_level import check_tool
from lockset.lockfile.validate.rules.urls import check_url
from lockset.lockfile.validate.typed_get import array_of, close_keys, require, string

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings

__all__ = ["check_packages"]

_KEYS = frozenset({
    "name", "version", "marker", "requires-python", "dependencies", "vcs", "directory", "archive", "index", "sdist",
    "wheels", "attestation-identities", "tool",
})  # fmt: skip
_VALID_NAME = lazy_pattern(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]", re.ASCII)


def check_packages(data: Mapping[str, Any], findings: Findings) -> dict[int, list[NamedFile]]:
    """Check every package on its own, and return its named files by the index of the package."""
    defaults = _names(data, "default-groups")
    declared = {"extras": _names(data, "extras"), "dependency_groups": _names(data, "dependency-groups") | defaults}
    named: set[str] = set()
    files: dict[int, list[NamedFile]] = {}
    for index, package in array_of(findings, data, "packages", dict, ()):
        path = ("packages", index)
        named |= _check_package(package, path, declared, findings)
        name = package.get("name")
        files[index] = check_sources(package, name if isinstance(name, str) else str(index), path, findings)
    if data.get("packages"):
        _check_unused_groups(data, defaults - named, findings)
    return files


def _names(data: Mapping[str, Any], key: str) -> frozenset[str]:
    value = data.get(key)
    names = value if isinstance(value, list) else []
    return frozenset(canonicalize_name(name) for name in names if isinstance(name, str))


def _check_unused_groups(data: Mapping[str, Any], unused: frozenset[str] | set[str], findings: Findings) -> None:
    value = data.get("default-groups")
    for index, name in enumerate(value if isinstance(value, list) else []):
        if isinstance(name, str) and canonicalize_name(name) in unused:
            message = f"The default group `{name}` is not used in any marker, so it selects nothing"
            findings.add("default-group-unused", ("default-groups", index), message)


def _check_package(
    package: Mapping[str, Any], path: KeyPath, declared: dict[str, frozenset[str]], findings: Findings
) -> frozenset[str]:
    """Check everything except the sources, and return the dependency groups that the marker names."""
    _name(package, path, findings)
    _version(package, path, findings)
    groups: frozenset[str] = frozenset()
    marker = string(findings, package, "marker", "package-marker-type", path)
    if marker is not None:
        groups = check_package_marker(marker, (*path, "marker"), declared, findings)
    requires = string(findings, package, "requires-python", "package-requires-python-type", path)
    if requires is not None:
        check_specifier(requires, "package-requires-python-specifier", (*path, "requires-python"), findings)
    index = string(findings, package, "index", "package-index-type", path)
    if index is not None:
        check_url(index, "package-index-url", (*path, "index"), findings)
    array_of(findings, package, "dependencies", dict, path)
    _attestations(package, path, findings)
    if "tool" in package:
        check_tool(package, "package-tool-type", path, findings)
    if not package.keys() <= _KEYS:
        close_keys(findings, package, _KEYS, path, where="A package")
    return groups


def _name(package: Mapping[str, Any], path: KeyPath, findings: Findings) -> None:
    require(findings, package, "name", "package-name-required", path, where=f"Package {path[-1]}")
    name = string(findings, package, "name", "package-name-type", path)
    if name is None or is_normalized_name(name):
        return
    if _VALID_NAME.fullmatch(name):
        message = f"The package name `{name}` is not normalized"
        findings.add("package-name-normalized", (*path, "name"), message, f"Write `{canonicalize_name(name)}`")
    else:
        findings.add("package-name-valid", (*path, "name"), f"`{name}` is not a valid package name")


def _version(package: Mapping[str, Any], path: KeyPath, findings: Findings) -> None:
    version = string(findings, package, "version", "package-version-type", path)
    name = package.get("name", "?")
    if "version" not in package:
        if package.get("sdist") or package.get("wheels"):
            message = f"`{name}` has no `version`, although its files have one"
            findings.add("package-version-recommended", (*path, "version"), message)
        return
    if version is not None and version_in_name(version) is None:
        findings.add("package-version-valid", (*path, "version"), f"`{version}` is not a valid version")
    tree = next((key for key in ("vcs", "directory") if key in package), None)
    if tree is not None:
        message = f"`{name}` has a `version` although it comes from a source tree ({tree}), whose version may change"
        findings.add("package-version-source-tree", (*path, "version"), message, "Remove `version`")


def _attestations(package: Mapping[str, Any], path: KeyPath, findings: Findings) -> None:
    for index, identity in array_of(findings, package, "attestation-identities", dict, path):
        below = (*path, "attestation-identities", index)
        require(findings, identity, "kind", "attestation-kind-required", below, where="An attestation identity")
        kind = string(findings, identity, "kind", "attestation-kind-type", below)
        if kind is not None:
            _attestation_keys(identity, kind, below, findings)


def _attestation_keys(identity: Mapping[str, Any], kind: str, path: KeyPath, findings: Findings) -> None:
    known = KINDS.get(kind)
    if known is None:
        message = f"`{kind}` is not a known kind of publisher"
        findings.add("attestation-kind-unknown", (*path, "kind"), message, f"Known kinds: {', '.join(KINDS)}")
        return
    for key in known.required:
        if key not in identity:
            hint = f"Lock again with `--attestations`, or add `{key}`"
            findings.add("attestation-keys", path, f"A publisher of the kind {kind} needs `{key}`", hint)
    for key in (*known.required, *known.optional):
        string(findings, identity, key, "attestation-keys", path)
