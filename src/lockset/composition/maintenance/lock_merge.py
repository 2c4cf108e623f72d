"""Merge two versions of a lock file: lock the merged project, with the pins of both sides as preferences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, replace
from lockset.build.git import run_in_repository
from lockset.composition.lock_inputs import read_lock_inputs
from lockset.composition.lock_pipeline import lock_from_inputs
from lockset.composition.maintenance.merge_sides import MergeSides
from lockset.composition.sources.names import with_all_names
from lockset.errors import LocksetError
from lockset.lockfile.file_name import PLAIN_NAME, is_lock_file_name
from lockset.lockfile.merge_conflict import OldLock, sides_of
from lockset.lockfile.read import read_document
from lockset.resolve.problem.choices import is_made_by_lock, recorded_table
from lockset.resolve.problem.options import LockOptions
from lockset.sources.requirements.requirement_line import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from lockset.composition.lock_assembly import LockResult
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.lockfile.model import Pylock
    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = ["LockMerge", "merge_lock_files", "text_with_markers"]

# Settings that decide on versions, as a lock of lockset records them.
_DECIDING = ("constraints", "overrides", "excludes", "prerelease", "resolution", "fork-strategy", "python")


@dataclass(frozen=True, slots=True, kw_only=True)
class LockMerge:
    """A merge of a lock file, as git requests it.

    Attributes:
        path: The lock file, relative to the top folder of the repository.
        base: Its content in the common base; empty if that has none.
        ours: Its content on the side that is checked out.
        theirs: Its content on the other side.
        label: How git calls the other side; may be empty.
    """

    path: str
    base: bytes
    ours: bytes
    theirs: bytes
    label: str = ""


def merge_lock_files(
    merge: LockMerge, indexes: IndexOptions | IndexOverrides | None, context: RunContext
) -> LockResult:
    """Lock the merged project. The pins of both sides are tried first; nothing is written.

    Raises:
        LocksetError: If the sides or the project cannot be merged, `merge-settings` if the lock file was made with
            options that the project does not have, and as `lock`.
    """
    root = _top_folder(context.here)
    if not is_lock_file_name(Path(merge.path).name):
        raise LocksetError("file-name", f"{merge.path} does not have the name of a lock file")
    ours, theirs = (read_document(side, path=merge.path).lock for side in (merge.ours, merge.theirs))
    if not (is_made_by_lock(ours) and is_made_by_lock(theirs)):
        raise LocksetError(
            "merge-other-tool",
            f"{merge.path} was not written by `lockset lock` on both sides",
            hint="Merge it with the tool that wrote it",
        )
    sides = MergeSides(root, merge.path, (merge.base, merge.ours, merge.theirs), merge.label, context.process_variables)
    folder = (root / merge.path).parent
    inside = replace(context, folder=folder)
    target = str(root / merge.path)
    inputs = with_all_names(
        read_lock_inputs(
            list(_sources(merge.path, folder, ours, sides)),
            _common_options(recorded_table(ours), recorded_table(theirs)),
            indexes,
            target,
            inside,
            replaced=sides.content,
        )
    )
    inputs = replace(inputs, old=_pins(merge, ours))
    result = lock_from_inputs(inputs)
    _refuse_other_settings(ours, theirs, result.lock)
    return replace(result, inputs=inputs)


def _sources(path: str, folder: Path, lock: Pylock, sides: MergeSides) -> Iterator[str]:
    """The source files of the lock: those that it records, else the script or pyproject.toml next to it."""
    if "members" in recorded_table(lock) or "workspace" in recorded_table(lock):
        raise LocksetError(
            "merge-settings",
            "The lock file is one of a workspace, whose lock files are made together",
            hint="Finish the merge of the other files, and run `lockset lock`: the pins of both sides are tried first",
        )
    recorded = recorded_table(lock).get("sources")
    if isinstance(recorded, list) and recorded:
        for name in recorded:
            if not isinstance(name, str) or name == "-" or "/" in name or "\\" in name:
                raise _settings("sources outside of its folder")
            yield name
        return
    name = Path(path).name
    if name != PLAIN_NAME:
        script = f"{name.removeprefix('pylock.').removesuffix('.toml')}.py"
        if sides.content(folder / script) is not None:
            yield script
            return
    yield "pyproject.toml"


def _common_options(ours: Mapping[str, object], theirs: Mapping[str, object]) -> LockOptions:
    """The settings that both sides record, which may have been options of the command that locked."""

    def texts(key: str) -> tuple[str, ...]:
        mine, yours = ours.get(key), theirs.get(key)
        both = [one for one in mine if one in yours] if isinstance(mine, list) and isinstance(yours, list) else []
        return tuple(one for one in both if isinstance(one, str))

    def lines(key: str) -> tuple[RequirementLine, ...]:
        return tuple(parse_requirement(one, origin=PLAIN_NAME) for one in texts(key) if "@" not in one)

    def value(key: str) -> Any:
        return ours.get(key) if ours.get(key) == theirs.get(key) else None

    return LockOptions(
        python=value("python"),
        constraints=lines("constraints"),
        overrides=lines("overrides"),
        excludes=texts("excludes"),
        prerelease=value("prerelease"),
        resolution=value("resolution"),
        fork=value("fork-strategy"),
    )


def _pins(merge: LockMerge, ours: Pylock) -> OldLock:
    """The pins of both sides; a package that one side alone has changed comes from that side."""
    text = "".join(
        f"{marker}\n{side.decode('utf-8', 'replace').rstrip()}\n"
        for marker, side in (("<<<<<<<", merge.ours), ("|||||||", merge.base), ("=======", merge.theirs))
    )
    sides = sides_of(f"{text}>>>>>>>\n")
    return sides if sides is not None else OldLock(pins=ours, ours=ours, merged=True)


def _refuse_other_settings(ours: Pylock, theirs: Pylock, merged: Pylock) -> None:
    """Refuse a result without a setting that both sides have: it was an option of a command that is not known."""
    one, other, now = map(recorded_table, (ours, theirs, merged))
    for key in _DECIDING:
        mine, yours, new = one.get(key), other.get(key), now.get(key)
        if isinstance(mine, list) and isinstance(yours, list):
            kept = new if isinstance(new, list) else []
            lost = [value for value in mine if value in yours and value not in kept]
        else:
            lost = [] if mine != yours or mine == new else [mine]
        if lost:
            raise _settings(key)


def _settings(what: str) -> LocksetError:
    return LocksetError(
        "merge-settings",
        f"The lock file was made with {what} that the project file does not have",
        hint="Finish the merge of the other files, and lock again with the same options; or write them in "
        "[tool.lockset]",
    )


def _top_folder(here: Path) -> Path:
    done = run_in_repository("rev-parse", "--show-toplevel", folder=here)
    if done.returncode != 0:
        raise LocksetError("git-failed", f"{here} is not in a git working tree")
    return Path(done.stdout.decode("utf-8", "surrogateescape").rstrip("\n"))


def text_with_markers(paths: tuple[str, str, str], labels: tuple[str, str, str], size: int, here: Path) -> bytes | None:
    """The text merge of the files `paths` (ours, base, theirs) with git's conflict markers; None if git fails."""
    options = [f"--marker-size={size}", *(part for label in labels for part in ("-L", label))]
    done = run_in_repository("merge-file", "-p", "-q", *options, *paths, folder=here)
    # The exit code is the number of conflicts; more than 127 are errors.
    return done.stdout if 0 <= done.returncode <= 127 else None
