"""Where each file of each distribution goes in a target, and which of them collide.

Where the user allows it, packages may own the same path with different content. The package that the user names last
provides the file. The others list it in RECORD with that content, and note in their dist-info which package provides
it. When that package changes or is removed, they are installed again, with their own file.
"""

from __future__ import annotations

import os

from lockset._named_tuple import NamedTuple
from lockset.errors import LocksetError
from lockset.hashes import hash_text, quick_sha256
from lockset.sync.installed import SOURCE_FILE
from lockset.sync.target import is_within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lockset.sync.installed import InstalledDistribution
    from lockset.sync.plan import Step
    from lockset.sync.target import Layout
    from lockset.sync.wheel.file_lists import StoredFile

__all__ = [
    "Clash",
    "Overlap",
    "PlacedDistribution",
    "Placement",
    "check_locations",
    "collision",
    "overlapped_of",
    "overlaps_of",
    "record_path",
    "record_rows",
    "refuse_clashes",
    "settle_clashes",
]


class Placement(NamedTuple):
    """One file at its final, absolute `path`: linked from `stored`, or written with `content`.

    Neither where another distribution provides the file. `made_from` names the part of the wheel that it comes from,
    for messages.
    """

    path: str
    hash: str
    size: int
    stored: StoredFile | None
    content: bytes | None
    executable: bool
    made_from: str = ""

    @property
    def member(self) -> str:
        """The part of the wheel that it comes from, for messages."""
        if self.stored is None:
            return self.made_from
        scheme, path = self.stored.scheme, self.stored.path
        return f"`{path}`" if scheme in {"purelib", "platlib"} else f"`.data/{scheme}/{path}`"


class PlacedDistribution(NamedTuple):
    """One distribution after the sync: `info` is the final path of its dist-info folder; `files` omits RECORD."""

    name: str
    version: str
    info: str
    files: tuple[Placement, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Clash(NamedTuple):
    """Distributions that own `path` with different content: their names, and with their versions."""

    path: str
    owners: tuple[str, ...]
    labels: tuple[str, ...]


def record_rows(placed: PlacedDistribution) -> list[tuple[str, str, int | None]]:
    """The rows of its RECORD (as `Row`); paths are relative to the folder that contains the dist-info folder."""
    root = os.path.dirname(placed.info)
    inside = root + os.sep if os.sep == "/" else "\0"  # nearly every file; no path has a NUL
    start = len(inside)
    rows: list[tuple[str, str, int | None]] = [
        (path[start:] if path.startswith(inside) else _relative(path, root), digest, size)
        for path, digest, size, _, _, _, _ in placed.files
    ]
    rows.append((f"{os.path.basename(placed.info)}/RECORD", "", None))
    return rows


def record_path(path: str, info: str) -> str:
    """`path` as written in the RECORD of the dist-info folder `info`."""
    return _relative(path, os.path.dirname(info))


def _relative(path: str, root: str) -> str:
    if is_within(path, root, separator=os.sep):
        relative = path[len(root) + 1 :]
    else:
        try:
            relative = os.path.relpath(path, root)
        except ValueError:  # another drive
            relative = path
    return relative.replace(os.sep, "/") if os.sep != "/" else relative


def check_locations(
    placed: Sequence[PlacedDistribution], kept: Sequence[InstalledDistribution], *, layout: Layout
) -> tuple[Clash, ...]:
    """Refuse files that would overwrite the environment itself or metadata; return the paths that several own.

    Two distributions may own the same file with the same bytes: that is not a clash.

    Raises:
        LocksetError: `path-reserved`, `unsafe-path`; `path-conflict` where one distribution has a path twice, or a
            file and a folder need the same path.
    """
    digests = {path: digest for distribution in kept for path, digest, _ in distribution.files}
    libraries = tuple(os.path.normcase(f"{library}{os.sep}") for library in layout.libraries)
    # In these folders every name is checked; elsewhere one file per folder is enough.
    named = {*layout.roots, *layout.libraries}
    clashing: set[str] = set()
    folders: dict[str, PlacedDistribution] = {}
    for one in placed:
        checked: set[str] = set()
        own = {path: digest for path, digest, _, _, _, _, _ in one.files}
        _refuse_twice(one, own)
        for path in own:
            folder = path.rpartition(os.sep)[0]
            if folder not in checked:
                _check_location(one, path, libraries, layout)
                if folder not in named:
                    checked.add(folder)
                    folders.setdefault(folder, one)
        clashing.update([path for path in digests.keys() & own.keys() if digests[path] != own[path]])
        digests |= own
    _refuse_folders(folders, digests, named, [*kept, *placed])
    return _clashes(clashing, [*kept, *placed]) if clashing else ()


def _refuse_twice(one: PlacedDistribution, paths: Collection[str]) -> None:
    """Refuse a distribution with two files that would have the same path here; `paths` are the distinct paths."""
    # Windows ignores case; elsewhere the file system decides when the file is written.
    if os.name == "nt":
        paths = {os.path.normcase(path) for path in paths}
    if len(paths) == len(one.files):
        return
    seen: dict[str, Placement] = {}
    for file in one.files:
        other = seen.setdefault(os.path.normcase(file.path), file)
        if other is not file:
            raise collision(one, file, other)


def collision(one: PlacedDistribution, file: Placement, other: Placement) -> LocksetError:
    """The error that two files of `one` would have the same path."""
    return LocksetError(
        "path-conflict",
        f"{one} cannot be installed here: {other.member} and {file.member} would both be `{file.path}`",
        hint="Report it to the project, or lock another version",
    )


def _refuse_folders(
    folders: Mapping[str, PlacedDistribution],
    files: Collection[str],
    roots: Collection[str],
    distributions: Sequence[InstalledDistribution | PlacedDistribution],
) -> None:
    """Refuse a file at a path where another file needs a folder."""
    checked: set[str] = set()
    for start, one in folders.items():
        folder = start
        while folder and folder not in roots and folder not in checked:
            if folder in files:
                label = next(str(other) for other in distributions if any(path == folder for path, *_ in other.files))
                raise LocksetError(
                    "path-conflict",
                    f"{label} has a file `{folder}`, where {one} has a folder",
                    hint="Leave one of them out, or choose versions that do not collide",
                )
            checked.add(folder)
            folder = folder.rpartition(os.sep)[0]


def _clashes(paths: set[str], distributions: Sequence[InstalledDistribution | PlacedDistribution]) -> tuple[Clash, ...]:
    owners: dict[str, list[tuple[str, str]]] = {path: [] for path in sorted(paths)}
    for one in distributions:
        for path, *_ in one.files:
            if path in paths:
                owners[path].append((one.name, str(one)))
    return tuple(
        Clash(path, tuple(name for name, _ in rows), tuple(label for _, label in rows)) for path, rows in owners.items()
    )


def _check_location(one: PlacedDistribution, path: str, libraries: Sequence[str], layout: Layout) -> None:
    if layout.is_reserved(path):
        raise LocksetError(
            "path-reserved",
            f"{one} would write `{path}`, which belongs to the environment itself",
            hint="Leave the package out, or lock another version",
        )
    folded = os.path.normcase(path)
    for library in libraries:
        if folded.startswith(library):
            top = folded[len(library) :].partition(os.sep)[0]
            is_metadata = top.lower().endswith((".dist-info", ".egg-info", ".egg-link", ".egg"))
            if is_metadata and library + top != os.path.normcase(one.info):
                raise LocksetError(
                    "unsafe-path", f"{one} would write `{path}`, which is metadata of another distribution"
                )


class Overlap(NamedTuple):
    """`path` (as in RECORD) of `owner` has the content of `winner`, another package."""

    owner: str
    winner: str
    path: str


def refuse_clashes(clashes: Sequence[Clash], order: Sequence[str], replaceable: Iterable[str]) -> None:
    """Refuse clashes that the user has not allowed, and those of packages that cannot be installed together.

    Raises:
        LocksetError: `path-conflict`.
    """
    known = frozenset(replaceable)
    for clash in clashes:
        if set(clash.owners) <= set(order) and set(clash.owners) <= known:
            continue
        first, second = clash.labels[:2]
        options = " ".join(f"--allow-overlap {name}" for name in clash.owners)
        alternative = f", or allow it with `{options}`: the file of the package named last is used"
        if not set(clash.owners) <= known:
            alternative = ""  # the lock file does not have both
        raise LocksetError(
            "path-conflict",
            f"{first} and {second} both own `{clash.path}`, with different content",
            hint=f"Leave one of them out, or choose versions that do not collide{alternative}",
        )


def settle_clashes(
    placed: Mapping[str, PlacedDistribution], clashes: Sequence[Clash], order: Sequence[str]
) -> dict[str, PlacedDistribution]:
    """`placed`, where only the winner of each clash provides the file. Every owner must be in `placed`."""
    last = {name: number for number, name in enumerate(order)}
    taken: dict[str, dict[str, tuple[str, Placement]]] = {}
    for clash in clashes:
        winner = max(clash.owners, key=last.__getitem__)
        file_of_winner = next(file for file in placed[winner].files if file.path == clash.path)
        for owner in clash.owners:
            taken.setdefault(owner, {})[clash.path] = winner, file_of_winner
    return {name: _without_files(one, taken.get(name, {})) for name, one in placed.items()}


def _without_files(one: PlacedDistribution, taken: Mapping[str, tuple[str, Placement]]) -> PlacedDistribution:
    lost: dict[str, str] = {}
    files: list[Placement] = []
    for file in one.files:
        winner, file_of_winner = taken.get(file.path, (one.name, file))
        if winner != one.name and file_of_winner.hash != file.hash:
            lost[record_path(file.path, one.info)] = winner
            files.append(
                Placement(file.path, file_of_winner.hash, file_of_winner.size, None, None, file_of_winner.executable)
            )
        else:
            files.append(file)
    if not lost:
        return one
    import json  # here and below, since few packages overlap

    note = f"{one.info}{os.sep}{SOURCE_FILE}"
    facts: Mapping[str, object] = next((json.loads(f.content or b"{}") for f in files if f.path == note), {})
    content = json.dumps({**facts, "overlapped": lost}).encode()
    files = [file for file in files if file.path != note]
    files.append(Placement(note, hash_text("sha256", quick_sha256(content)), len(content), None, content, False))  # noqa: FBT003 (a field of a tuple)
    return one._replace(files=tuple(files))


def overlaps_of(steps: Iterable[Step], placed: Iterable[PlacedDistribution] = ()) -> tuple[Overlap, ...]:
    """Every overlap among the kept and the `placed` distributions, sorted."""
    overlaps = [
        Overlap(one.name, winner, path)
        for step in steps
        if step.action == "keep"
        for one in step.installed
        for path, winner in one.overlapped.items()
    ]
    overlaps += [Overlap(one.name, winner, path) for one in placed for path, winner in overlapped_of(one).items()]
    return tuple(sorted(overlaps))


def overlapped_of(one: PlacedDistribution) -> Mapping[str, str]:
    """The overlaps that `settle_clashes` noted in `one`: path as in RECORD to the name of the owner."""
    note = f"{one.info}{os.sep}{SOURCE_FILE}"
    content = next((file.content for file in one.files if file.path == note), None)
    if not content:
        return {}
    import json

    facts: Mapping[str, Mapping[str, str]] = json.loads(content)
    return facts.get("overlapped", {})
