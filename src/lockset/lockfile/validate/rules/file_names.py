"""Rules on the file names of wheels and sdists."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
)
from packaging.version import InvalidVersion, Version

from lockset.dependency_specifiers import excess, read_sdist_name, read_version, read_wheel_name
from lockset.lockfile.model import last_component
from lockset.lockfile.read import MAX_WHEEL_TAGS, tag_count
from lockset.lockfile.validate.typed_get import string

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings

__all__ = ["check_name", "is_ordinary_name", "parsed_version"]

_TAG = r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*"
# What nearly all wheel names look like. Those that do not match are left to packaging.
_WHEEL = re.compile(rf"([A-Za-z0-9]+(?:[_.][A-Za-z0-9]+)*)-([^-]+)(?:-\d[^-]*)?-{_TAG}-{_TAG}-{_TAG}\.whl", re.ASCII)
# So few dots in a wheel name never stand for too many tags.
_FEW_DOTS = 12
# Parts of a wheel name with a variant label, which packaging refuses.
_VARIANT_DASHES = 6


class _FileName(NamedTuple):
    """A file name and the project and version in it, as written."""

    text: str
    project: str
    version: str


# Bounds the memory of versions; beyond it the oldest are parsed again.
@lru_cache(maxsize=4096)
def parsed_version(text: str) -> Version | None:
    """`text` as a version, or None where it is none."""
    try:
        return read_version(text)
    except (InvalidVersion, ValueError):  # ValueError: more digits than Python turns into a number
        return None


def check_name(
    source: Mapping[str, Any], kind: str, path: KeyPath, package: Mapping[str, Any], found: Findings
) -> str | None:
    """Rules on the file name of a wheel or an sdist of `package`; gives the file name."""
    name = string(found, source, "name", f"{kind}-name-type", path)
    if "name" in source and name is None:
        return None
    key, file_name = _told_by(source, name)
    where = (*path, key)
    if not file_name:
        if key != "name":
            message = f"The {kind} has no `name`, and its `{key}` does not end in a file name"
            found.add(f"{kind}-name-required", (*path, "name"), message)
        return None
    if name:
        _agree_with_location(name, source, where, found)
    parsed = _parsed(file_name, kind, where, found)
    if parsed is not None:
        _compare(parsed, kind, package, where, found)
    return file_name


def is_ordinary_name(name: str, package: Mapping[str, Any]) -> bool:
    """Whether `name` is the name of a wheel of `package` beyond doubt."""
    matched = _WHEEL.fullmatch(name)
    if matched is None or name.count(".") > _FEW_DOTS or excess(name) is not None:
        return False
    project, version = matched.group(1, 2)
    return (
        version == package.get("version")
        and project.replace("_", "-").replace(".", "-").lower() == package.get("name")
        and parsed_version(version) is not None
    )


def _told_by(source: Mapping[str, Any], name: str | None) -> tuple[str, str | None]:
    """The key that tells the file name, and the name: `name`, else the end of `path`, else of `url`."""
    if name:
        return "name", name
    for key in ("path", "url"):
        location = source.get(key)
        if location and isinstance(location, str):
            return key, last_component(**{"path": None, "url": None, key: location})
    return "name", None


def _agree_with_location(name: str, source: Mapping[str, Any], path: KeyPath, found: Findings) -> None:
    """`path` and `url` end in `name`, where they end in a name of a wheel or sdist at all."""
    for key in ("path", "url"):
        location = source.get(key)
        if not isinstance(location, str) or location.endswith(f"/{name}") or location == name:
            continue
        ending = last_component(**{"path": None, "url": None, key: location})
        if ending is None or not ending.endswith((".whl", ".tar.gz")):
            continue
        # Tools may write the project in another case or with other separators.
        if canonicalize_name(ending) != canonicalize_name(name):
            found.add("file-name-mismatch", path, f"`name` is `{name}`, but `{key}` ends in `{ending}`")


def _parsed(file_name: str, kind: str, path: KeyPath, found: Findings) -> _FileName | None:
    """The parts of a file name; None, with a finding, when it is none."""
    if kind == "sdist":
        return _parsed_sdist(file_name, path, found)
    matched = _WHEEL.fullmatch(file_name) if excess(file_name) is None else None
    if matched is not None and tag_count(file_name) <= MAX_WHEEL_TAGS and parsed_version(matched[2]) is not None:
        return _FileName(file_name, matched[1], matched[2])
    reason = _no_wheel(file_name)
    if reason is None:
        project, version = file_name.split("-", 2)[:2]
        return _FileName(file_name, project, version)
    found.add("wheel-file-name", path, f"`{file_name}` is no file name of a wheel: {reason}")
    return None


def _no_wheel(file_name: str) -> str | None:
    if not file_name.endswith(".whl"):
        return "it does not end in `.whl`"
    if file_name.count("-") == _VARIANT_DASHES:
        return "it has seven parts, as only the draft of wheel variants allows"
    if tag_count(file_name) > MAX_WHEEL_TAGS:
        return f"it stands for more than {MAX_WHEEL_TAGS} tags"
    try:
        read_wheel_name(file_name)
    except InvalidWheelFilename as error:
        return str(error).split(": ")[0].lower()
    except ValueError as error:
        return str(error).splitlines()[0]
    return None


def _parsed_sdist(file_name: str, path: KeyPath, found: Findings) -> _FileName | None:
    try:
        read_sdist_name(file_name)
    except (InvalidSdistFilename, ValueError):
        message = f"`{file_name}` is no file name of an sdist"
        found.add("sdist-file-name", path, message, "It has to be NAME-VERSION.tar.gz")
        return None
    if not file_name.endswith(".tar.gz"):
        found.add("sdist-legacy-format", path, f"The sdist `{file_name}` is not a `.tar.gz`")
    project, version = file_name.removesuffix(".tar.gz").removesuffix(".zip").rsplit("-", 1)
    return _FileName(file_name, project, version)


def _compare(parsed: _FileName, kind: str, package: Mapping[str, Any], path: KeyPath, found: Findings) -> None:
    """The file is one of the package and of its version."""
    file_name, project, version = parsed
    name, locked = package.get("name"), package.get("version")
    if isinstance(name, str) and project != name and canonicalize_name(project) != canonicalize_name(name):
        found.add(f"{kind}-name-matches-package", path, f"`{file_name}` is no file of `{name}`")
    if isinstance(locked, str) and version != locked:
        wanted = parsed_version(locked)
        if wanted is not None and parsed_version(version) != wanted:
            message = f"`{file_name}` is not version {locked} of `{name}`"
            found.add(f"{kind}-version-matches-package", path, message)
