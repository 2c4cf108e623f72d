"""Rules on the file's name and on what stands at its top."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name, is_normalized_name

from lockset.dependency_specifiers import excess
from lockset.lockfile.file_name import is_lock_file_name
from lockset.lockfile.sniff import kind_of_table
from lockset.lockfile.validate.rules.markers import check_environment_marker, check_specifier
from lockset.lockfile.validate.typed_get import array_of, close_keys, require, string, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.lockfile.validate.finding import Findings

__all__ = ["check_file_name", "check_top"]

_KEYS = frozenset({
    "lock-version", "environments", "requires-python", "extras", "dependency-groups", "default-groups", "created-by",
    "packages", "tool",
})  # fmt: skip
_LOCK_VERSION = re.compile(r"([0-9]+)\.([0-9]+)", re.ASCII)
_VALID_NAME = re.compile(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]", re.ASCII)


def check_file_name(name: str, found: Findings) -> None:
    """Rules on `name`, the file's name without folders."""
    if is_lock_file_name(name):
        return
    if is_lock_file_name(name.lower()):
        message = f"The file name `{name}` has upper case in `pylock.` or `.toml`"
        found.add("file-name-lowercase", (), message, "Name the file pylock.toml or pylock.NAME.toml")
        return
    hint = "Name the file pylock.toml or pylock.NAME.toml, with one NAME that has no dot"
    found.add("file-name", (), f"A lock file cannot be named `{name}`", hint)


def check_top(data: Mapping[str, Any], found: Findings) -> None:
    """Rules on every key at the top but `packages`."""
    kind = kind_of_table(data)
    for key in ("lock-version", "created-by", "packages"):
        require(found, data, key, f"{key}-required", (), where="The file", hint=kind)
        kind = None  # once is enough
    _lock_version(data, found)
    _created_by(data, found)
    _environments(data, found)
    requires_python = string(found, data, "requires-python", "requires-python-type", ())
    if requires_python is not None:
        check_specifier(requires_python, "requires-python-specifier", ("requires-python",), found)
    _extras(data, found)
    _groups(data, found)
    check_tool(data, "tool-type", (), found)
    close_keys(found, data, _KEYS, (), where="The file")


def _lock_version(data: Mapping[str, Any], found: Findings) -> None:
    version = string(found, data, "lock-version", "lock-version-type", ())
    if version is None:
        return
    path = ("lock-version",)
    matched = _LOCK_VERSION.fullmatch(version) if excess(version) is None else None
    if matched is None:
        message = f"`lock-version` is `{version}`, which is not two numbers with a dot between them"
        found.add("lock-version-value", path, message, 'The version of today is "1.0"')
        return
    major, minor = (digits.lstrip("0") for digits in matched.groups())
    if major != "1":
        message = f"`lock-version` is `{version}`; only version 1 is known"
        found.add("lock-version-major", path, message, "Use a newer lockset, or lock again with a tool that writes 1.0")
    elif minor:
        message = f"`lock-version` is `{version}`, newer than the known 1.0: what is new in it is not checked"
        found.add("lock-version-minor", path, message)


def _created_by(data: Mapping[str, Any], found: Findings) -> None:
    creator = string(found, data, "created-by", "created-by-type", ())
    if creator == "":
        found.add("created-by-empty", ("created-by",), "`created-by` is empty", "Name the tool that wrote the file")
    elif creator is not None and not is_normalized_name(creator):
        hint = f"Write `{canonicalize_name(creator)}`" if _VALID_NAME.fullmatch(creator) else None
        message = f"`created-by` is `{creator}`, which is no normalized package name"
        found.add("created-by-normalized", ("created-by",), message, hint)


def _environments(data: Mapping[str, Any], found: Findings) -> None:
    seen: dict[str, int] = {}
    for index, marker in array_of(found, data, "environments", str, ()):
        path = ("environments", index)
        first = seen.setdefault(marker, index)
        if first != index:
            found.add("environment-overlap", path, f"The environment `{marker}` is listed twice", "Remove one of them")
        check_environment_marker(marker, path, found)
    if data.get("environments") == []:
        message = "`environments` is empty, so the file can be installed in no environment"
        found.add("environments-empty", ("environments",), message, "Remove the key if the file is for all of them")


def _extras(data: Mapping[str, Any], found: Findings) -> None:
    names = array_of(found, data, "extras", str, ())
    for index, name in names:
        if is_normalized_name(name):
            continue
        path = ("extras", index)
        if _VALID_NAME.fullmatch(name):
            normal = canonicalize_name(name)
            message = f"The extra `{name}` is not normalized"
            found.add("extras-name-normalized", path, message, f"Write `{normal}`, and adapt the markers that name it")
        else:
            found.add("extras-name-valid", path, f"`{name}` is no valid name for an extra")
    _listed_twice("extras", "The extra", names, found)


def _groups(data: Mapping[str, Any], found: Findings) -> None:
    declared: set[str] = set()
    for key, what in (("dependency-groups", "The dependency group"), ("default-groups", "The default group")):
        names = array_of(found, data, key, str, ())
        for index, name in names:
            if not _VALID_NAME.fullmatch(name):
                found.add(f"{key}-name-valid", (key, index), f"`{name}` is no valid name for a dependency group")
            elif key == "default-groups" and canonicalize_name(name) in declared:
                message = f"The default group `{name}` is also listed in `dependency-groups`"
                found.add("default-group-public", (key, index), message, "List it in `default-groups` only")
        declared.update(canonicalize_name(name) for _, name in names)
        _listed_twice(key, what, names, found)


def _listed_twice(key: str, what: str, names: list[tuple[int, str]], found: Findings) -> None:
    seen: dict[str, tuple[int, str]] = {}
    for index, name in names:
        location, first = seen.setdefault(canonicalize_name(name), (index, name))
        if location != index:
            same = "twice" if first == name else f"also as `{first}`"
            found.add("name-duplicate", (key, index), f"{what} `{name}` is listed {same}", "Remove one of them")


def check_tool(holder: Mapping[str, Any], code: str, path: tuple[str | int, ...], found: Findings) -> None:
    """Rules on a `tool` table, of the file or of a package."""
    for name, value in (table(found, holder, "tool", code, path) or {}).items():
        if not isinstance(value, dict):
            message = f"`{name}` stands right below `tool`, where each tool has a table of its own"
            found.add("tool-entry-type", (*path, "tool", name), message)
