"""Determine what is removed with distributions: files without another owner, their bytecode, emptied folders.

An install without a complete list of files is removed only if no file that may belong to it would stay.
"""

# Paths are strings here: there are thousands of them a run.
from __future__ import annotations

import os
import stat

from lockset.errors import LocksetError
from lockset.files.atomic import is_straight
from lockset.files.system import is_fixed
from lockset.sync.plan import unremovable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from typing import NoReturn

    from packaging.version import Version

    from lockset.sync.installed import InstalledDistribution
    from lockset.sync.plan import Plan, Step
    from lockset.sync.target import Layout

__all__ = [
    "emptied_folders",
    "files_to_remove",
    "refuse_blocked",
    "refuse_immutable",
    "refuse_left_over",
    "rewrite_path_file",
]


def files_to_remove(
    distributions: Sequence[InstalledDistribution], *, owned: Collection[str], layout: Layout
) -> tuple[list[str], list[str]]:
    """The dist-info folders and the files to remove with `distributions`.

    Only regular files and symbolic links inside the target; none in `owned` (files of other distributions), none that
    belongs to the environment itself, none below a symbolic link.
    """
    infos = [one.info for one in distributions if os.path.lexists(one.info)]
    leaving = frozenset(infos)
    going: dict[str, None] = {}
    straight: dict[str, bool] = {}
    for one in distributions:
        for file in one.files:
            path = file.path
            if path in owned or path in going:
                continue
            if layout.is_reserved(path) or not layout.holds(path):
                continue
            folder = path.rpartition(os.sep)[0]
            if folder not in straight:
                # The files of a dist-info folder are removed with it.
                straight[folder] = is_straight(folder) and not _is_in(folder, leaving)
            if straight[folder] and _is_file_or_link(path):
                going[path] = None
    going |= dict.fromkeys(path for path in _bytecode(going) if path not in owned)
    return infos, list(going)


def rewrite_path_file(
    distributions: Iterable[InstalledDistribution], kept: Iterable[InstalledDistribution]
) -> dict[str, str | None]:
    """The .pth files that change when `distributions` are removed and `kept` stay; new content, or None to remove."""
    leaving: dict[str, list[str]] = {}
    staying = {line for one in kept for line in one.lines}
    for line in (line for one in distributions for line in one.lines if line not in staying):
        leaving.setdefault(line.file, []).append(line.line)
    if not leaving:
        return {}
    from lockset.sync.disk.inspect.eggs import without_lines
    from lockset.sync.disk.inspect.metadata_text import read_text

    contents = {file: read_text(os.path.dirname(file), os.path.basename(file)) or "" for file in leaving}
    return {file: without_lines(contents[file], lines) for file, lines in leaving.items()}


def refuse_blocked(plan: Plan) -> NoReturn:
    """Refuse a `plan` with steps that cannot be carried out; it has some.

    Raises:
        LocksetError: `not-removable`.
    """
    keep = " ".join(f"--keep {step.name}" for step in plan.blocked)
    raise _not_removable([(step.installed[0], step.blocked) for step in plan.blocked], f"keep them with `{keep}`, ")


def refuse_left_over(steps: Sequence[Step], *, placed: Collection[str], owned: Collection[str]) -> None:
    """Refuse to replace a distribution that would leave files behind, other than those that are `placed` again.

    Raises:
        LocksetError: `not-removable`.
    """
    for one, desired in ((one, step.desired) for step in steps for one in step.installed):
        if one.info.lower().endswith(".egg") and any(path.startswith(one.info + os.sep) for path in owned):
            raise _not_removable([(one, "another distribution has files inside it")])
        if one.unlisted and desired is not None:
            if one.is_dist_info and desired.version is not None and _is_version(one.version, desired.version):
                continue  # the same files are installed again
            left = [path for path in one.suspects if path not in placed]
            if left:
                raise _not_removable([(one, unremovable(one, left))])


def _is_version(text: str, version: Version) -> bool:
    from lockset.dependency_specifiers import read_version  # here, since few lists of files are incomplete

    try:
        return read_version(text) == version
    except ValueError:
        return False


def _not_removable(reasons: Sequence[tuple[InstalledDistribution, str]], alternative: str = "") -> LocksetError:
    names = ", ".join(str(one) for one, _ in reasons)
    return LocksetError(
        "not-removable",
        f"{names} cannot be removed without leaving files behind that would still be imported",
        location=reasons[0][0].location,
        context=tuple(f"{one}: {why}" for one, why in reasons),
        hint=f"Remove these files by hand, {alternative}or recreate the environment",
    )


def _is_in(folder: str, others: Collection[str]) -> bool:
    """Whether `folder` is one of `others`, or below one."""
    while folder not in others:
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above
    return True


def refuse_immutable(infos: Iterable[str]) -> None:
    """Refuse dist-info folders with immutable files: the folder could be moved aside, but not deleted.

    Raises:
        LocksetError: `target-not-writable`.
    """
    for path in (path for info in infos if not os.path.islink(info) for path in _regular_files(info)):
        if is_fixed(path):
            raise LocksetError("target-not-writable", "A file in the target is immutable", location=path)


def _regular_files(folder: str) -> Iterator[str]:
    for above, _, names in os.walk(folder):
        yield from (f"{above}{os.sep}{name}" for name in names)


def _is_file_or_link(path: str) -> bool:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def _bytecode(paths: Iterable[str]) -> Iterator[str]:
    """Bytecode of the modules among `paths`, which RECORD need not list."""
    modules: dict[str, set[str]] = {}
    for path in paths:
        if path.endswith(".py"):
            folder, _, name = path.rpartition(os.sep)
            modules.setdefault(folder, set()).add(name[:-3])
    for folder, names in modules.items():
        for name in _listed(folder):
            # Bytecode next to its module would still be imported after the module is removed.
            if name.endswith((".pyc", ".pyo")) and name[:-4] in names:
                yield f"{folder}{os.sep}{name}"
        cached = f"{folder}{os.sep}__pycache__"
        if os.path.islink(cached):
            continue
        for name in _listed(cached):
            if name.endswith(".pyc") and name.split(".", 1)[0] in names:
                yield f"{cached}{os.sep}{name}"


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def emptied_folders(paths: Iterable[str], *, layout: Layout, needed: Collection[str] = ()) -> list[str]:
    """Folders that are empty once `paths` are removed, deepest first; never a root or a folder in `needed`."""
    gone = set(paths)
    roots = {layout.base, *layout.libraries, layout.scripts}
    waiting = {os.path.dirname(path) for path in gone}
    emptied: list[str] = []
    while waiting:
        # Deepest first: removing it may empty the folder above.
        folder = max(waiting, key=lambda one: (one.count(os.sep), one))
        waiting.discard(folder)
        if folder in roots or folder in needed or not layout.holds(folder) or os.path.islink(folder):
            continue
        try:
            left = [name for name in os.listdir(folder) if f"{folder}{os.sep}{name}" not in gone]
        except OSError:
            continue
        if not left:
            emptied.append(folder)
            gone.add(folder)
            waiting.add(os.path.dirname(folder))
    return emptied
