"""Read a lock file with an unresolved merge conflict: the packages that each side has pinned.

git marks a conflict with lines of seven or more characters: `<<<<<<<`, `=======` and `>>>>>>>`. In the styles diff3 and
zdiff3 the common base follows `|||||||`. Conflicts may be nested.
"""

from __future__ import annotations

import os
import re
from itertools import product
from typing import TYPE_CHECKING

import tomli
from packaging.version import Version

from lockset._dataclass import replace
from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import read_marker, read_version
from lockset.errors import LocksetError
from lockset.lockfile.model import Package, Pylock
from lockset.lockfile.read import Document, load_bytes, open_conflict, read_document
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["OldLock", "old_lock", "sides_of"]

# Levels of nested conflicts at which the sides are distinguished; deeper levels follow the level above.
_LEVELS = 3
_MARKER = lazy_pattern(r"(<{7,}|>{7,}|\|{7,}|={7,})(?:[ \t].*)?\Z")
_OURS, _BASE, _THEIRS = "ours", "base", "theirs"
_FOLLOWING = {"|": _BASE, "=": _THEIRS}
_ENTRY = lazy_pattern(r"^\[\[\s*packages\s*\]\][^\n]*$", re.MULTILINE)
_PIN = lazy_pattern(r"(name|version|marker)\s*=")
_OLDEST = Version("0.dev0")


class OldLock(NamedTuple):
    """The lock file that a new one replaces.

    Attributes:
        pins: The locked packages; for a merge conflict the entries of both sides, preferred ones first.
        ours: The locked packages; for a merge conflict only those of the checked-out side, as far as it is readable.
        merged: Whether there is an unresolved merge conflict.
    """

    pins: Pylock
    ours: Pylock
    merged: bool = False


def old_lock(path: str | os.PathLike[str]) -> OldLock:
    """Read the lock file at `path`, which may have an unresolved merge conflict.

    Raises:
        LocksetError: `lock-not-found`, `lock-unreadable`, `toml-syntax`, `lock-invalid`, `lock-unsupported`.
    """
    data = load_bytes(path)
    try:
        lock = read_document(data, path=os.fspath(path)).lock
    except LocksetError:
        sides = sides_of(data.decode("utf-8", "replace"))
        if sides is None:
            raise
        return sides
    return OldLock(pins=lock, ours=lock)


def sides_of(text: str) -> OldLock | None:
    """The sides of a lock file with conflict markers; None if there are no markers, or no readable entries.

    If the file has the common base (diff3), entries that only one side has changed are preferred to those of the other
    side; otherwise newer versions are preferred.
    """
    if open_conflict(text) is None:
        return None
    lines = list(_lines_with_sides(text))
    levels = min(max((len(path) for path, _ in lines), default=1) or 1, _LEVELS)
    choices = list(product((_OURS, _THEIRS), repeat=levels))
    sides = [_lock_of(_side(lines, choice)) for choice in choices]
    base = _lock_of(_side(lines, (_BASE,) * levels)) if any(_BASE in path for path, _ in lines) else None
    ours, theirs = sides[0], sides[-1]
    entries = [*theirs.packages, *(p for side in sides[1:-1] for p in side.packages), *ours.packages]
    if not entries:
        return None
    unchanged = {} if base is None else _unchanged(base, ours, theirs)
    unique = list({_identity(package): package for package in entries}.values())
    unique.sort(key=lambda package: package.version or _OLDEST, reverse=True)
    unique.sort(key=lambda package: _identity(package) in unchanged.get(package.name, frozenset()))
    return OldLock(pins=replace(ours, packages=unique), ours=ours, merged=True)


def _lines_with_sides(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each line with its side in the surrounding conflicts, outermost first; without the marker lines."""
    path: list[str] = []
    for line in text.splitlines():
        marker = _MARKER.match(line)
        if marker is None:
            yield tuple(path), line
        elif marker[1][0] == "<":
            path.append(_OURS)
        elif marker[1][0] == ">":
            del path[-1:]
        elif path:
            path[-1] = _FOLLOWING[marker[1][0]]


def _side(lines: Iterable[tuple[tuple[str, ...], str]], choice: Sequence[str]) -> str:
    """The text of one side for each level of conflicts; deeper levels use the last one."""
    sides = (*choice, *([choice[-1]] * 100))
    return "".join(f"{line}\n" for path, line in lines if all(a == b for a, b in zip(path, sides, strict=False)))


def _lock_of(text: str) -> Pylock:
    """The lock file `text`; if it is not readable as a whole, its readable entries."""
    try:
        return read_document(text).lock
    except LocksetError:
        head, *entries = _ENTRY.split(text)
        whole = _lock(head) or Pylock(lock_version=Version("1.0"), created_by="unknown", packages=[])
        return replace(whole, packages=[p for entry in entries for p in _entry(entry)])


def _entry(text: str) -> Sequence[Package]:
    """The entry; if it is not valid, only its pin: git may join the version of one release with files of another."""
    # Tables after the last entry do not belong to it.
    own = re.split(r"^\[(?!\[?\s*packages\b)", text, maxsplit=1, flags=re.MULTILINE)[0]
    lock = _lock(f"[[packages]]\n{own}")
    if lock is not None:
        return lock.packages
    try:
        data = tomli.loads("\n".join(line for line in own.splitlines() if _PIN.match(line)))
        marker = read_marker(data["marker"]) if "marker" in data else None
        return (Package(name=canonicalize_name(data["name"]), version=read_version(data["version"]), marker=marker),)
    except (KeyError, TypeError, ValueError, RecursionError):
        return ()


def _lock(text: str) -> Pylock | None:
    try:
        data = {"lock-version": "1.0", "created-by": "unknown", "packages": [], **tomli.loads(text)}
        return Document(text=text, data=data, path=None).lock
    except (LocksetError, ValueError, RecursionError):
        return None


def _identity(package: Package) -> tuple[str, str, str, str]:
    location = package.vcs or package.directory or package.archive
    return package.name, str(package.version), str(package.marker), "" if location is None else str(location)


def _unchanged(base: Pylock, ours: Pylock, theirs: Pylock) -> dict[str, frozenset[tuple[str, str, str, str]]]:
    """The entries, by name, that one side left unchanged and the other changed."""
    began, one, other = (_by_name(side.packages) for side in (base, ours, theirs))
    return {
        name: entries for name, entries in began.items() if (one.get(name) == entries) != (other.get(name) == entries)
    }


def _by_name(packages: Iterable[Package]) -> dict[str, frozenset[tuple[str, str, str, str]]]:
    entries: dict[str, frozenset[tuple[str, str, str, str]]] = {}
    for package in packages:
        entries[package.name] = entries.get(package.name, frozenset()) | {_identity(package)}
    return entries
