"""Carry out the steps of a journal, all or none, and recover from an interrupted sync.

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

# Paths are strings here: there are thousands of them a run.

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress

from lockset._named_tuple import NamedTuple
from lockset.errors import LocksetError
from lockset.files.atomic import is_straight, remove_tree, sync_folder, write_durably
from lockset.files.system import rename, rmdir, unlink
from lockset.sync.disk.apply.remove import emptied_folders, files_to_remove, refuse_immutable
from lockset.sync.json_text import json_array
from lockset.sync.target import LOCK_FILE, STATE_FOLDER, is_within, relative_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from typing import TypeAlias

    from lockset.sync.disk.apply.stage import Stage
    from lockset.sync.installed import InstalledDistribution
    from lockset.sync.target import Layout

__all__ = [
    "Journal",
    "JournalStep",
    "MakeFolder",
    "MoveAside",
    "MoveIn",
    "RemoveFolder",
    "commit",
    "discard",
    "finish",
    "is_interrupted",
    "journal_of",
    "recover",
    "undo",
]

_FORMAT = 1
_JOURNAL = "journal"
_DONE = "done"
# Limit for a journal; one for 100,000 files has about ten megabytes.
_LONGEST_JOURNAL = 256 << 20


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
        rows = [json_array([_NAMES[type(step)], *[relative_to(path, base) for path in step]]) for step in self.steps]
        areas = json_array([relative_to(area, base) for area in self.areas])
        lines = ",\n".join(rows)
        return f'{{"format": {_FORMAT}, "areas": {areas}, "steps": [\n{lines}\n]}}'.encode()

    @classmethod
    def loads(cls, data: bytes, base: str) -> Journal | None:
        """Read the output of `dumps`; None for anything else, or a damaged journal.

        Raises:
            LocksetError: `journal-unreadable`: it has another format.
        """
        import json  # here, since few syncs are interrupted

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


def journal_of(
    stage: Stage,
    removed: Sequence[InstalledDistribution],
    *,
    owned: Collection[str],
    layout: Layout,
    replaced: Collection[str] = (),
) -> Journal:
    """The steps from the current state of the target to the planned one; files in `replaced` are moved aside.

    The dist-info folder of a distribution is removed first and installed last, so that no tool ever sees an incomplete
    distribution. Reads the target and changes nothing.

    Raises:
        LocksetError: `path-blocked`: something that lockset must not move is at the path of a new file;
            `target-not-writable`: a file is immutable.
    """
    infos, files = files_to_remove(removed, owned=owned, layout=layout) if removed else ([], [])
    if infos:
        refuse_immutable(infos)
    taken = dict.fromkeys([*infos, *files, *replaced])
    emptied = emptied_folders(taken, layout=layout, needed=stage.folders) if taken else []
    # A folder that is removed does not block a file with the same path.
    taken |= dict.fromkeys(emptied)
    making: list[JournalStep] = []
    placing: list[JournalStep] = []
    for staged, final in stage.trees():
        making += [MakeFolder(folder) for folder in _missing_above(final) if MakeFolder(folder) not in making]
        placing += _moves(staged, final, taken, layout)
    seen: set[str] = set()
    for staged, final in stage.infos():
        root = os.path.dirname(final)
        if root not in seen:
            seen.add(root)
            making += [MakeFolder(f) for f in (*_missing_above(root), root) if _is_missing(f, making, placing)]
        if os.path.lexists(final):
            taken.setdefault(final)
        placing.append(MoveIn(staged, final))
    going = frozenset(emptied)
    steps: list[JournalStep] = [
        *(MoveAside(path, stage.kept_path(path, number)) for number, path in enumerate(taken) if path not in going),
        *(RemoveFolder(folder) for folder in emptied),
        *making,
        *placing,
    ]
    return Journal(steps=tuple(steps), areas=stage.areas)


def _missing_above(path: str) -> list[str]:
    missing: list[str] = []
    above = os.path.dirname(path)
    while not os.path.isdir(above):
        missing.append(above)
        above = os.path.dirname(above)
    return missing[::-1]


def _is_missing(folder: str, making: list[JournalStep], placing: list[JournalStep]) -> bool:
    if os.path.isdir(folder) or MakeFolder(folder) in making:
        return False
    return not any(isinstance(step, MoveIn) and step.path == folder for step in placing)


def _moves(staged: str, final: str, taken: dict[str, None], layout: Layout) -> Iterator[JournalStep]:
    """Moves from the folder `staged` to `final`: whole folders where nothing is in the way."""
    if not _lexists(final, taken):
        yield MoveIn(staged, final)
        return
    if os.path.islink(final) or not os.path.isdir(final):
        _make_way(final, taken, layout)
        yield MoveIn(staged, final)
        return
    with os.scandir(staged) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        goal = f"{final}{os.sep}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _moves(entry.path, goal, taken, layout)
            continue
        if _lexists(goal, taken):
            _make_way(goal, taken, layout)
        yield MoveIn(entry.path, goal)


def _lexists(path: str, taken: dict[str, None]) -> bool:
    return path not in taken and os.path.lexists(path)


def _make_way(path: str, taken: dict[str, None], layout: Layout) -> None:
    """Mark an unowned file or symbolic link at `path` to be moved aside; it is neither followed nor kept."""
    mode = os.lstat(path).st_mode
    in_library = any(is_within(path, library, separator=os.sep) for library in layout.libraries)
    # Outside site-packages, users may have replaced a folder with a symbolic link.
    movable = stat.S_ISREG(mode) or (stat.S_ISLNK(mode) and (in_library or not os.path.isdir(path)))
    if layout.is_reserved(path) or not movable:
        what = "folder" if stat.S_ISDIR(mode) else "file"
        raise LocksetError(
            "path-blocked",
            f"A {what} that belongs to no distribution is at the path of a new file: `{path}`",
            hint="Move it elsewhere, then sync again",
        )
    taken[path] = None


def commit(journal: Journal, *, base: str, on_step: Callable[[JournalStep], None] | None = None) -> None:
    """Carry out every step of `journal`; if one fails, or the run is interrupted, undo all of them and raise.

    `on_step` is called before every step. Call `finish` afterwards.
    """
    location = f"{journal.areas[0]}{os.sep}{_JOURNAL}"
    try:
        write_durably(location, journal.dumps(base))
        for step in journal.steps:
            if on_step is not None:
                on_step(step)
            _do(step)
        _mark_done(location)
    except BaseException:
        if os.path.lexists(location):
            undo(journal)
            _mark_done(location)
        finish(journal)
        raise


def finish(journal: Journal) -> None:
    """Remove the private folders of a transaction that was completed or undone."""
    # Its end must be on the disk before anything that is needed to undo it is removed.
    sync_folder(journal.areas[0])
    discard(journal.areas)


def _do(step: JournalStep) -> None:
    if isinstance(step, MoveAside):
        _move(step.path, step.kept)
    elif isinstance(step, MoveIn):
        _rename_new(step.staged, step.path)
    elif isinstance(step, MakeFolder):
        os.mkdir(step.path)
    else:
        try:
            rmdir(step.path)
        except OSError as error:
            # Another program has created a file there meanwhile: the folder stays.
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT}:
                raise


def _rename_new(staged: str, path: str) -> None:
    """Rename to a path that was free; a file that has appeared there since is not overwritten."""
    if os.path.lexists(path):
        raise LocksetError("path-blocked", "A file appeared in the target during the sync", location=path)
    rename(staged, path)


def _move(path: str, goal: str) -> None:
    """Rename `path` to `goal`.

    A folder in a lower layer of an overlay, as in container images, cannot be renamed: its content is moved instead.
    """
    try:
        rename(path, goal)
    except OSError as error:
        if error.errno != errno.EXDEV or not _is_folder(path):
            raise
        os.mkdir(goal)
        _move_content(path, goal)


def _move_content(folder: str, goal: str) -> None:
    """Move everything from `folder` to the folder `goal`, and remove `folder`; folders in both become one."""
    for name in sorted(os.listdir(folder)):
        path, new = f"{folder}{os.sep}{name}", f"{goal}{os.sep}{name}"
        if _is_folder(path) and _is_folder(new):
            _move_content(path, new)
        else:
            _move(path, new)
    rmdir(folder)


def _is_folder(path: str) -> bool:
    return stat.S_ISDIR(_mode(path))


def undo(journal: Journal) -> None:
    """Restore the target to its state before `journal`, however many steps were carried out. Safe to repeat."""
    for step in reversed(journal.steps):
        if isinstance(step, MoveAside):
            _move_back(step.kept, step.path)
        elif isinstance(step, MoveIn):
            if not os.path.lexists(step.staged) and os.path.lexists(step.path):
                os.makedirs(os.path.dirname(step.staged), exist_ok=True)
                _move(step.path, step.staged)
        elif isinstance(step, MakeFolder):
            try:
                rmdir(step.path)
            except OSError:
                continue  # not created, or in use
        elif not os.path.lexists(step.path):
            os.mkdir(step.path)


def _move_back(kept: str, path: str) -> None:
    """Undo `_move(path, kept)`, also in part. What another program has put at `path` stays: the next plan decides."""
    if os.path.lexists(kept) and not os.path.lexists(path):
        _move(kept, path)
    elif _is_folder(kept) and _is_folder(path) and _is_halved(kept, path):
        _move_content(kept, path)


def _is_halved(kept: str, path: str) -> bool:
    """Whether the folders `kept` and `path` are parts of one: both have only folders in common that are such parts."""
    common = set(os.listdir(kept)) & set(os.listdir(path))
    pairs = [(f"{kept}{os.sep}{name}", f"{path}{os.sep}{name}") for name in common]
    return all(_is_folder(one) and _is_folder(other) and _is_halved(one, other) for one, other in pairs)


def _mark_done(location: str) -> None:
    """Mark the transaction as ended: the private folders are no longer needed."""
    rename(location, f"{os.path.dirname(location)}{os.sep}{_DONE}")


def discard(areas: Sequence[str]) -> None:
    """Remove private folders that are no longer needed, the one with the journal last."""
    for area in reversed(areas):
        remove_tree(area)


def is_interrupted(layout: Layout) -> bool:
    """Whether an earlier sync of this target was interrupted, or another one is running."""
    return any(os.path.lexists(f"{layout.base}{os.sep}{name}") for name in (STATE_FOLDER, LOCK_FILE))


def recover(layout: Layout) -> bool:
    """Recover from an interrupted sync: undo its transaction, remove staged files. True if something was undone.

    The caller holds the lock of the target.

    Raises:
        LocksetError: `journal-unreadable`, `journal-foreign`.
    """
    area = f"{layout.base}{os.sep}{STATE_FOLDER}"
    if not stat.S_ISDIR(_mode(area)):
        with suppress(FileNotFoundError):
            unlink(area)
        return False
    location = f"{area}{os.sep}{_JOURNAL}"
    journal = Journal.loads(_content(location), layout.base)
    if journal is None:
        # No journal, or a damaged one; a sync only writes complete journals, by renaming.
        remove_tree(area)
        return False
    _check_foreign(journal, layout)
    undo(journal)
    _mark_done(location)
    finish(journal)
    return True


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return 0


def _content(location: str) -> bytes:
    """The bytes of the regular file `location`; empty if there is no such file."""
    if not stat.S_ISREG(_mode(location)):
        return b""
    with open(location, "rb") as file:
        return file.read(_LONGEST_JOURNAL)


def _check_foreign(journal: Journal, layout: Layout) -> None:
    """Refuse a journal with paths outside the target: no sync of this target wrote it."""
    for area in journal.areas:
        above, _, name = area.rpartition(os.sep)
        if name != STATE_FOLDER or not (above in layout.roots or _is_above(above, layout)):
            raise _foreign(area)
    straight: set[str] = set()
    for step in journal.steps:
        for path in step:
            inside = layout.holds(path) or path in layout.roots or _is_private(path, journal)
            leading = isinstance(step, MakeFolder) and _is_above(path, layout)
            if not (inside or leading) or (layout.is_reserved(path) and not _is_private(path, journal)):
                raise _foreign(path)
            folder = os.path.dirname(path)
            if folder not in straight and not is_straight(folder):
                raise _foreign(path)
            straight.add(folder)


def _is_private(path: str, journal: Journal) -> bool:
    return any(is_within(path, area, separator=os.sep) for area in journal.areas)


def _is_above(path: str, layout: Layout) -> bool:
    return any(is_within(root, path, separator=os.sep) for root in layout.roots)


def _foreign(path: str) -> LocksetError:
    return LocksetError(
        "journal-foreign",
        "The journal of an interrupted sync names a path outside the target",
        location=path,
        hint=f"Remove the folder {STATE_FOLDER} in the target if lockset did not create it",
    )
