"""Rules on each entry of `packages`, and on several entries together, independent of environments."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from packaging.version import Version

from lockset._pattern import lazy_pattern
from lockset.attestations.identity import KINDS
from lockset.lockfile.validate.rules.file_names import version_in_name
from lockset.lockfile.validate.rules.markers import check_package_marker
from lockset.lockfile.validate.rules.sources import NamedFile, check_sources, check_url
from lockset.lockfile.validate.rules.top_level import check_specifier, check_tool
from lockset.lockfile.validate.typed_get import array_of, close_keys, require, string
from lockset.package_names import canonicalize_name, is_normalized_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings

__all__ = ["check_across", "check_future", "check_packages", "depends_on_environments"]

_KEYS = frozenset({
    "name", "version", "marker", "requires-python", "dependencies", "vcs", "directory", "archive", "index", "sdist",
    "wheels", "attestation-identities", "tool",
})  # fmt: skip
_VALID_NAME = lazy_pattern(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]", re.ASCII)
_Files: TypeAlias = "Mapping[int, Sequence[NamedFile]]"
_NO_VERSION = Version("0")
# Limit for the entries that one dependency is compared with; names with more entries are skipped.
_MOST_ENTRIES = 200
# Clocks of index and user may differ by this much before an upload counts as in the future.
_CLOCK_SKEW = timedelta(days=1)


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
    return frozenset({canonicalize_name(name) for name in names if isinstance(name, str)})


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


def check_across(data: Mapping[str, Any], files: _Files, findings: Findings) -> None:
    """Check entries of the same name, dependencies, duplicate files, and order."""
    packages = [
        (index, package)
        for index, package in enumerate(data["packages"] if isinstance(data.get("packages"), list) else [])
        if isinstance(package, dict) and isinstance(package.get("name"), str)
    ]
    by_name: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for index, package in packages:
        by_name.setdefault(package["name"], []).append((index, package))
    for entries in by_name.values():
        if len(entries) > 1:
            _check_same_name(entries, findings)
    for index, package in packages:
        _check_dependencies(index, package, by_name, findings)
        _check_duplicate_files(package, files.get(index, ()), findings)
    _check_order(data, packages, files, findings)


def depends_on_environments(data: Mapping[str, Any]) -> bool:
    """Whether anything in the file depends on environments, so that the rules with marker diagrams are needed."""
    packages = [package for package in data["packages"] if isinstance(package, dict)] if _has_packages(data) else []
    if data.get("environments") or any("marker" in package for package in packages):
        return True
    return bool(data.get("requires-python")) and any(
        "requires-python" in package or _has_platform_wheels(package) for package in packages
    )


def _has_packages(data: Mapping[str, Any]) -> bool:
    return isinstance(data.get("packages"), list)


def _has_platform_wheels(package: Mapping[str, Any]) -> bool:
    wheels = package.get("wheels")
    return any(
        not str(wheel.get("name") or wheel.get("url") or wheel.get("path")).endswith("py3-none-any.whl")
        for wheel in (wheels if isinstance(wheels, list) else ())
        if isinstance(wheel, dict)
    )


def check_future(files: _Files, now: datetime, findings: Findings) -> None:
    """Report files that were uploaded after `now`, allowing for clock skew."""
    for listed in (listed for entries in files.values() for listed in entries):
        time = listed.file.get("upload-time")
        if isinstance(time, datetime) and time.tzinfo is not None and time > now + _CLOCK_SKEW:
            findings.add(
                "upload-time-future", (*listed.path, "upload-time"), f"`{listed.name}` was uploaded in the future"
            )


def _check_same_name(entries: list[tuple[int, dict[str, Any]]], findings: Findings) -> None:
    """Report entries of one name without a marker, which apply everywhere. Markers are compared with diagrams."""
    first = next((index for index, package in entries if package.get("marker") is None), None)
    for index, package in entries:
        if package.get("marker") is None and index != first:
            message = f"`{package['name']}` has two entries that apply in every environment"
            where = f"{message} (the other is packages[{first}])"
            findings.add("packages-narrow-to-one", ("packages", index), where, "Give them markers that do not overlap")


def _check_dependencies(
    index: int, package: Mapping[str, Any], by_name: Mapping[str, list[tuple[int, dict[str, Any]]]], findings: Findings
) -> None:
    tables = package.get("dependencies")
    for location, table in enumerate(tables if isinstance(tables, list) else ()):
        if not isinstance(table, dict):
            continue
        path: KeyPath = ("packages", index, "dependencies", location)
        name = table.get("name")
        if not isinstance(name, str):
            findings.add("dependency-ambiguous", path, f"A dependency of `{package['name']}` does not name a package")
            continue
        entries = by_name.get(name, [])
        if len(entries) > _MOST_ENTRIES:
            continue
        try:
            fitting = [entry for entry, other in entries if _fits(table, other)]
        except RecursionError:  # nested to the limit of the reader
            continue
        if not fitting:
            message = f"`{package['name']}` depends on `{_shown(table)}`, which is not in the file"
            findings.add("dependency-unresolved", path, message)
        elif len(fitting) > 1:
            message = f"`{package['name']}` depends on `{_shown(table)}`, which matches {len(fitting)} entries"
            findings.add("dependency-ambiguous", path, message, "Add the version or the source that distinguishes them")
        elif fitting == [index]:
            findings.add("dependency-self", path, f"`{package['name']}` depends on itself")


def _fits(dependency: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether `entry` matches all keys of `dependency`; versions compare as versions, tables by their keys."""
    for key, value in dependency.items():
        actual = entry.get(key)
        if isinstance(value, dict) and isinstance(actual, dict):
            if not _fits(value, actual):
                return False
        elif key == "version" and isinstance(value, str) and isinstance(actual, str):
            if version_in_name(value) != version_in_name(actual):
                return False
        elif value != actual:
            return False
    return True


def _shown(table: Mapping[str, Any]) -> str:
    version = table.get("version")
    return f"{table['name']} {version}" if isinstance(version, str) else str(table["name"])


def _check_duplicate_files(package: Mapping[str, Any], files: Sequence[NamedFile], findings: Findings) -> None:
    names: set[str] = set()
    hashes: dict[str, str] = {}
    for path, name, file in files:
        if name in names:
            findings.add("duplicate-file", path, f"`{package['name']}` lists the file `{name}` twice")
            continue
        names.add(name)
        table = file.get("hashes")
        digest = table.get("sha256") if isinstance(table, dict) else None
        if isinstance(digest, str):
            other = hashes.setdefault(digest, name)
            if other != name:
                findings.add("duplicate-file", path, f"`{name}` and `{other}` have the same hash")


def _check_order(
    data: Mapping[str, Any], packages: list[tuple[int, dict[str, Any]]], files: _Files, findings: Findings
) -> None:
    """Report each array that is out of order, for wheels only the first one: sorting only keeps diffs small."""
    keys = [(package["name"], _version_of(package)) for _, package in packages]
    out = next((location for location in range(1, len(keys)) if keys[location] < keys[location - 1]), None)
    if out is not None:
        message = f"`packages` is not sorted by name and version: `{keys[out][0]}` comes after `{keys[out - 1][0]}`"
        findings.add("packages-unsorted", ("packages", packages[out][0]), message)
    for key in ("extras", "dependency-groups", "default-groups"):
        names = data.get(key)
        if isinstance(names, list) and all(isinstance(name, str) for name in names) and names != sorted(names):
            findings.add("packages-unsorted", (key,), f"`{key}` is not sorted")
    for entries in files.values():
        wheels = [listed for listed in entries if "wheels" in listed.path]
        names = [listed.name for listed in wheels]
        if names != sorted(names):
            path = next(left.path for left, right in zip(wheels, sorted(names), strict=True) if left.name != right)
            findings.add("packages-unsorted", path, "Wheels are not sorted by file name")
            return


def _version_of(package: Mapping[str, Any]) -> Version:
    version = package.get("version")
    return (version_in_name(version) if isinstance(version, str) else None) or _NO_VERSION
