"""The steps of a transaction, in order, and how each is undone.

A journal is written whole before the first step, never again: whether a step was done shows on the disk. Every move
goes from the target into a private folder (`MoveAside`) or out of one (`MoveIn`), and nobody else touches it, so
what lies in it tells which side of the move the file is on. Undoing goes backwards through all steps:

    step            done when               undone by
    Retire(p, k)    k exists                moving k back to p
    Place(s, p)     s is gone               moving p back to s
    MakeFolder(p)   (not needed)            removing p if it is empty
    RemoveFolder(p) (not needed)            making p if it is gone

so that undoing twice, or undoing what was never done, changes nothing.
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple, TypeAlias

from lockset.errors import LocksetError

__all__ = ["Journal", "JournalStep", "MakeFolder", "MoveAside", "MoveIn", "RemoveFolder"]

_FORMAT = 1


class MoveAside(NamedTuple):
    """Move `path` of the target to `kept` in a private folder."""

    path: str
    kept: str


class MoveIn(NamedTuple):
    """Move `staged` from a private folder to `path` in the target, where nothing is."""

    staged: str
    path: str


class MakeFolder(NamedTuple):
    """Make the folder `path`."""

    path: str


class RemoveFolder(NamedTuple):
    """Remove the folder `path`, which has become empty."""

    path: str


JournalStep: TypeAlias = MoveAside | MoveIn | MakeFolder | RemoveFolder
_KINDS: dict[str, type[MoveAside | MoveIn | MakeFolder | RemoveFolder]] = {
    "retire": MoveAside,
    "place": MoveIn,
    "make": MakeFolder,
    "remove": RemoveFolder,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


class Journal(NamedTuple):
    """All steps of one transaction, and the private folders that go when it has ended."""

    steps: tuple[JournalStep, ...]
    areas: tuple[str, ...]

    def dumps(self, base: str) -> bytes:
        """As text; paths relative to `base`, so that a target that was moved can still be healed."""
        rows = [[_NAMES[type(step)], *(os.path.relpath(path, base) for path in step)] for step in self.steps]
        areas = [os.path.relpath(area, base) for area in self.areas]
        return json.dumps({"format": _FORMAT, "areas": areas, "steps": rows}, indent=0).encode()

    @classmethod
    def loads(cls, data: bytes, base: str) -> Journal | None:
        """The journal of `dumps`; None for what was none, or is damaged.

        Raises:
            LocksetError: `journal-unreadable`: it is of another format.
        """
        try:
            table = json.loads(data)
            if table["format"] != _FORMAT:
                raise _unknown(base)
            steps = [_KINDS[kind](*(_absolute(path, base) for path in paths)) for kind, *paths in table["steps"]]
            areas = tuple(_absolute(area, base) for area in table["areas"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return cls(steps=tuple(steps), areas=areas) if areas else None


def _unknown(base: str) -> LocksetError:
    return LocksetError(
        "journal-unreadable",
        "The journal of an interrupted sync cannot be read",
        location=base,
        hint="It was written by another version of lockset: finish with that one, or make the target anew",
    )


def _absolute(path: str, base: str) -> str:
    return os.path.normpath(f"{base}{os.sep}{path}")
