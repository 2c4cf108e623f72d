"""The journal of a transaction: its steps in order, and how each is undone.

A journal is written once, in full, before the first step. Whether a step was carried out is read from the disk: every
move goes into a private folder (`MoveAside`) or out of one (`MoveIn`), and no other program touches these folders, so
their content shows which side of the move the file is on. Undoing goes backwards through all steps:

    step             done when       undone by
    MoveAside(p, k)  k exists        moving k back to p
    MoveIn(s, p)     s is gone       moving p back to s
    MakeFolder(p)    (not needed)    removing p if it is empty
    RemoveFolder(p)  (not needed)    making p if it is gone

Undoing a step twice, or a step that was never carried out, changes nothing.
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
    """Move `staged` from a private folder to the free path `path` in the target."""

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
    """All steps of one transaction, and the private folders that are removed at its end."""

    steps: tuple[JournalStep, ...]
    areas: tuple[str, ...]

    def dumps(self, base: str) -> bytes:
        """JSON text with paths relative to `base`, so that a target that was moved can still be recovered."""
        rows = [[_NAMES[type(step)], *(os.path.relpath(path, base) for path in step)] for step in self.steps]
        areas = [os.path.relpath(area, base) for area in self.areas]
        return json.dumps({"format": _FORMAT, "areas": areas, "steps": rows}, indent=0).encode()

    @classmethod
    def loads(cls, data: bytes, base: str) -> Journal | None:
        """Read the output of `dumps`; None for anything else, or a damaged journal.

        Raises:
            LocksetError: `journal-unreadable`: it has another format.
        """
        try:
            table = json.loads(data)
            if table["format"] != _FORMAT:
                raise _unreadable(base)
            steps = [_KINDS[kind](*(_absolute(path, base) for path in paths)) for kind, *paths in table["steps"]]
            areas = tuple(_absolute(area, base) for area in table["areas"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return cls(steps=tuple(steps), areas=areas) if areas else None


def _unreadable(base: str) -> LocksetError:
    return LocksetError(
        "journal-unreadable",
        "The journal of an interrupted sync cannot be read",
        location=base,
        hint="Another version of lockset wrote it: run sync with that version, or recreate the target",
    )


def _absolute(path: str, base: str) -> str:
    return os.path.normpath(f"{base}{os.sep}{path}")
