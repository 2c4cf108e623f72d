"""Rules on the file's name and on its top-level keys; version specifiers, which packages have, too."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lockset import dependency_specifiers
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import excess, read_specifiers
from lockset.lockfile.file_name import is_lock_file_name
from lockset.lockfile.read import kind_of_table
from lockset.lockfile.validate.rules.markers import check_environment_marker
from lockset.lockfile.validate.typed_get import array_of, close_keys, require, string, table
from lockset.package_names import canonicalize_name, is_normalized_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings

__all__ = ["check_file_name", "check_specifier", "check_top"]

_KEYS = frozenset({
    "lock-version", "environments", "requires-python", "extras", "dependency-groups", "default-groups", "created-by",
    "packages", "tool",
})  # fmt: skip
# Limit for the search for a version that satisfies a set, which takes more than linear time; larger sets are assumed
# to have one.
_MOST_SPECIFIERS = 32
_LOCK_VERSION = lazy_pattern(r"([0-9]+)\.([0-9]+)", re.ASCII)
_VALID_NAME = lazy_pattern(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]", re.ASCII)


def check_file_name(name: str, findings: Findings) -> None:
    """Check `name`, the file's name without folders."""
    if is_lock_file_name(name):
        return
    if is_lock_file_name(name.lower()):
        message = f"The file name `{name}` has upper case in `pylock.` or `.toml`"
        findings.add("file-name-lowercase", (), message, "Name the file pylock.toml or pylock.NAME.toml")
        return
    hint = "Name the file pylock.toml or pylock.NAME.toml, where NAME has no dot"
    findings.add("file-name", (), f"A lock file cannot be named `{name}`", hint)


def check_top(data: Mapping[str, Any], findings: Findings) -> None:
    """Check every top-level key except `packages`."""
    kind = kind_of_table(data)
    for key in ("lock-version", "created-by", "packages"):
        require(findings, data, key, f"{key}-required", (), where="The file", hint=kind)
        kind = None  # give the hint once
    _lock_version(data, findings)
    _created_by(data, findings)
    _environments(data, findings)
    requires_python = string(findings, data, "requires-python", "requires-python-type", ())
    if requires_python is not None:
        check_specifier(requires_python, "requires-python-specifier", ("requires-python",), findings)
    _extras(data, findings)
    _groups(data, findings)
    check_tool(data, "tool-type", (), findings)
    close_keys(findings, data, _KEYS, (), where="The file")


def _lock_version(data: Mapping[str, Any], findings: Findings) -> None:
    version = string(findings, data, "lock-version", "lock-version-type", ())
    if version is None:
        return
    path = ("lock-version",)
    matched = _LOCK_VERSION.fullmatch(version) if excess(version) is None else None
    if matched is None:
        message = f"`lock-version` is `{version}`, which is not of the form MAJOR.MINOR"
        findings.add("lock-version-value", path, message, 'The current version is "1.0"')
        return
    major, minor = (digits.lstrip("0") for digits in matched.groups())
    if major != "1":
        message = f"`lock-version` is `{version}`, but only version 1 is supported"
        findings.add(
            "lock-version-major", path, message, "Use a newer lockset, or lock again with a tool that writes 1.0"
        )
    elif minor:
        message = f"`lock-version` is `{version}`, newer than the supported 1.0: new features are not checked"
        findings.add("lock-version-minor", path, message)


def _created_by(data: Mapping[str, Any], findings: Findings) -> None:
    creator = string(findings, data, "created-by", "created-by-type", ())
    if creator == "":
        findings.add("created-by-empty", ("created-by",), "`created-by` is empty", "Name the tool that wrote the file")
    elif creator is not None and not is_normalized_name(creator):
        hint = f"Write `{canonicalize_name(creator)}`" if _VALID_NAME.fullmatch(creator) else None
        message = f"`created-by` is `{creator}`, which is not a normalized package name"
        findings.add("created-by-normalized", ("created-by",), message, hint)


def _environments(data: Mapping[str, Any], findings: Findings) -> None:
    seen: dict[str, int] = {}
    for index, marker in array_of(findings, data, "environments", str, ()):
        path = ("environments", index)
        first = seen.setdefault(marker, index)
        if first != index:
            findings.add(
                "environment-overlap", path, f"The environment `{marker}` is listed twice", "Remove one of them"
            )
        check_environment_marker(marker, path, findings)
    if data.get("environments") == []:
        message = "`environments` is empty, so the file cannot be installed in any environment"
        findings.add(
            "environments-empty", ("environments",), message, "Remove the key if the file is for all environments"
        )


def _extras(data: Mapping[str, Any], findings: Findings) -> None:
    names = array_of(findings, data, "extras", str, ())
    for index, name in names:
        if is_normalized_name(name):
            continue
        path = ("extras", index)
        if _VALID_NAME.fullmatch(name):
            normal = canonicalize_name(name)
            message = f"The extra `{name}` is not normalized"
            findings.add(
                "extras-name-normalized", path, message, f"Write `{normal}`, and update the markers that use it"
            )
        else:
            findings.add("extras-name-valid", path, f"`{name}` is not a valid extra name")
    _check_duplicates("extras", "The extra", names, findings)


def _groups(data: Mapping[str, Any], findings: Findings) -> None:
    declared: set[str] = set()
    for key, what in (("dependency-groups", "The dependency group"), ("default-groups", "The default group")):
        names = array_of(findings, data, key, str, ())
        for index, name in names:
            if not _VALID_NAME.fullmatch(name):
                findings.add(f"{key}-name-valid", (key, index), f"`{name}` is not a valid dependency group name")
            elif key == "default-groups" and canonicalize_name(name) in declared:
                message = f"The default group `{name}` is also listed in `dependency-groups`"
                findings.add("default-group-public", (key, index), message, "List it in `default-groups` only")
        declared.update(_check_duplicates(key, what, names, findings))


def _check_duplicates(key: str, what: str, names: list[tuple[int, str]], findings: Findings) -> Collection[str]:
    """Report names that are listed twice, and return all of them, normalized."""
    seen: dict[str, tuple[int, str]] = {}
    for index, name in names:
        location, first = seen.setdefault(canonicalize_name(name), (index, name))
        if location != index:
            same = "twice" if first == name else f"also as `{first}`"
            findings.add("name-duplicate", (key, index), f"{what} `{name}` is listed {same}", "Remove one of them")
    return seen.keys()


def check_tool(holder: Mapping[str, Any], code: str, path: tuple[str | int, ...], findings: Findings) -> None:
    """Check a `tool` table, of the file or of a package."""
    for name, value in (table(findings, holder, "tool", code, path) or {}).items():
        if not isinstance(value, dict):
            message = f"`{name}` is a value directly in `tool`, which should only have one table per tool"
            findings.add("tool-entry-type", (*path, "tool", name), message)


def check_specifier(text: str, code: str, path: KeyPath, findings: Findings) -> None:
    """Check that `text` is a valid set of version specifiers, and that some version satisfies it."""
    meaning = _specifier(text)
    if meaning is _Specifier.NONE:
        hint = None
        if text[:1].isdigit():
            hint = f"Write `=={text}` for exactly this version, `>={text}` for this one and later ones"
        elif text.startswith("^"):
            hint = "`^` is not an operator here: write a range, such as `>=3.9,<4`"
        findings.add(code, path, f"`{text}` is not a valid version specifier", hint)
    elif meaning is _Specifier.EMPTY:
        findings.add("requires-python-empty", path, f"No Python version satisfies `{text}`")


class _Specifier(Enum):
    NONE = "no specifier at all"
    EMPTY = "one that no version meets"
    SOME = "one that some version meets"


@lru_cache(maxsize=1024)
def _specifier(text: str) -> _Specifier:
    try:
        specifiers = read_specifiers(text)
        searched = len(specifiers) <= _MOST_SPECIFIERS
        return _Specifier.EMPTY if searched and specifiers.is_unsatisfiable() else _Specifier.SOME
    except (dependency_specifiers.InvalidSpecifier, ValueError):
        return _Specifier.NONE
