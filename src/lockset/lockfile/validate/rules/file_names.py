"""Rules on the file names of wheels and sdists."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from lockset import dependency_specifiers
from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import excess, read_sdist_name, read_version, read_wheel_name
from lockset.lockfile.last_component import last_component
from lockset.lockfile.read import MAX_WHEEL_TAGS, tag_count
from lockset.lockfile.validate.typed_get import string
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings

__all__ = ["check_name", "is_ordinary_name", "version_in_name"]

_TAG = r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*"
# Nearly all names match these. The others are parsed by packaging.
_WHEEL = lazy_pattern(rf"([A-Za-z0-9]+(?:[_.][A-Za-z0-9]+)*)-([^-]+)(?:-\d[^-]*)?-{_TAG}-{_TAG}-{_TAG}\.whl", re.ASCII)
_SDIST = lazy_pattern(r"([A-Za-z0-9]+(?:[_.-][A-Za-z0-9]+)*)-([0-9][A-Za-z0-9.+!]*)\.tar\.gz", re.ASCII)
# A wheel name with so few dots never expands to too many tags.
_FEW_DOTS = 12
# Dashes in a wheel name with a variant label, which packaging refuses.
_VARIANT_DASHES = 6


class _FileName(NamedTuple):
    """A file name and the project and version in it, as written."""

    text: str
    project: str
    version: str


# Limits the cache of versions; beyond it the oldest are parsed again.
@lru_cache(maxsize=4096)
def version_in_name(text: str) -> Version | None:
    """`text` as a version, or None if it is not valid."""
    try:
        return read_version(text)
    except (InvalidVersion, ValueError):  # ValueError: more digits than Python converts
        return None


def check_name(
    source: Mapping[str, Any], kind: str, path: KeyPath, package: Mapping[str, Any], findings: Findings
) -> str | None:
    """Check the file name of a wheel or an sdist of `package`, and return it."""
    name = string(findings, source, "name", f"{kind}-name-type", path)
    if "name" in source and name is None:
        return None
    key, file_name = _file_name_of(source, name)
    where = (*path, key)
    if not file_name:
        if key != "name":
            message = f"The {kind} has no `name`, and its `{key}` does not end in a file name"
            findings.add(f"{kind}-name-required", (*path, "name"), message)
        return None
    if name:
        _agree_with_location(name, source, where, findings)
    parsed = _parse(file_name, kind, where, findings)
    if parsed is not None:
        _compare(parsed, kind, package, where, findings)
    return file_name


def is_ordinary_name(name: str, package: Mapping[str, Any]) -> bool:
    """Whether `name` is certainly a valid wheel name of `package`; only false negatives are possible."""
    matched = _WHEEL.fullmatch(name)
    if matched is None or name.count(".") > _FEW_DOTS or excess(name) is not None:
        return False
    project, version = matched.group(1, 2)
    return (
        version == package.get("version")
        and project.replace("_", "-").replace(".", "-").lower() == package.get("name")
        and version_in_name(version) is not None
    )


def _file_name_of(source: Mapping[str, Any], name: str | None) -> tuple[str, str | None]:
    """The key with the file name, and the name: `name`, or the end of `path` or `url`."""
    if name:
        return "name", name
    for key in ("path", "url"):
        location = source.get(key)
        if location and isinstance(location, str):
            return key, last_component(**{"path": None, "url": None, key: location})
    return "name", None


def _agree_with_location(name: str, source: Mapping[str, Any], path: KeyPath, findings: Findings) -> None:
    """Check that `path` and `url` end in `name`, if they end in the name of a wheel or sdist."""
    for key in ("path", "url"):
        location = source.get(key)
        if not isinstance(location, str) or location.endswith(f"/{name}") or location == name:
            continue
        ending = last_component(**{"path": None, "url": None, key: location})
        if ending is None or not ending.endswith((".whl", ".tar.gz")):
            continue
        # Tools may write the project name with another case or other separators.
        if canonicalize_name(ending) != canonicalize_name(name):
            findings.add("file-name-mismatch", path, f"`name` is `{name}`, but `{key}` ends in `{ending}`")


def _parse(file_name: str, kind: str, path: KeyPath, findings: Findings) -> _FileName | None:
    """The parts of a file name; None, with a finding, if it is not valid."""
    if kind == "sdist":
        return _parse_sdist(file_name, path, findings)
    matched = _WHEEL.fullmatch(file_name) if excess(file_name) is None else None
    if matched is not None and tag_count(file_name) <= MAX_WHEEL_TAGS and version_in_name(matched[2]) is not None:
        return _FileName(file_name, matched[1], matched[2])
    reason = _wheel_problem(file_name)
    if reason is None:
        project, version = file_name.split("-", 2)[:2]
        return _FileName(file_name, project, version)
    findings.add("wheel-file-name", path, f"`{file_name}` is not a valid wheel file name: {reason}")
    return None


def _wheel_problem(file_name: str) -> str | None:
    if not file_name.endswith(".whl"):
        return "it does not end in `.whl`"
    if file_name.count("-") == _VARIANT_DASHES:
        return "it has seven parts, which only the draft of wheel variants allows"
    if tag_count(file_name) > MAX_WHEEL_TAGS:
        return f"it expands to more than {MAX_WHEEL_TAGS} tags"
    try:
        read_wheel_name(file_name)
    except dependency_specifiers.InvalidWheelFilename as error:
        return str(error).split(": ")[0].lower()
    except ValueError as error:
        return str(error).splitlines()[0]
    return None


def _parse_sdist(file_name: str, path: KeyPath, findings: Findings) -> _FileName | None:
    matched = _SDIST.fullmatch(file_name) if excess(file_name) is None else None
    if matched is not None and version_in_name(matched[2]) is not None:
        return _FileName(file_name, matched[1], matched[2])
    try:
        read_sdist_name(file_name)
    except (dependency_specifiers.InvalidSdistFilename, ValueError):
        message = f"`{file_name}` is not a valid sdist file name"
        findings.add("sdist-file-name", path, message, "Write NAME-VERSION.tar.gz")
        return None
    if not file_name.endswith(".tar.gz"):
        findings.add("sdist-legacy-format", path, f"The sdist `{file_name}` is not a `.tar.gz`")
    project, version = file_name.removesuffix(".tar.gz").removesuffix(".zip").rsplit("-", 1)
    return _FileName(file_name, project, version)


def _compare(parsed: _FileName, kind: str, package: Mapping[str, Any], path: KeyPath, findings: Findings) -> None:
    """Check that the file name has the name and version of the package."""
    file_name, project, version = parsed
    name, locked = package.get("name"), package.get("version")
    if isinstance(name, str) and project != name and canonicalize_name(project) != canonicalize_name(name):
        findings.add(f"{kind}-name-matches-package", path, f"`{file_name}` is not a file of `{name}`")
    if isinstance(locked, str) and version != locked:
        expected = version_in_name(locked)
        if expected is not None and version_in_name(version) != expected:
            message = f"`{file_name}` is not version {locked} of `{name}`"
            findings.add(f"{kind}-version-matches-package", path, message)
