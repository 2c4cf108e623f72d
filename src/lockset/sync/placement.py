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
from lockset.sync.wheel.file_lists import StoredGroup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lockset.sync.installed import InstalledDistribution
    from lockset.sync.plan import Step
    from lockset.sync.target import Layout
    from lockset.sync.wheel.file_lists import StoredFile

__all__ = [
    "Clash",
    "Locations",
    "Overlap",
    "PlacedDistribution",
    "PlacedGroup",
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


class PlacedGroup(NamedTuple):
    """Files that are linked from the store to paths below `folder`, an absolute path.

    It is the dist-info folder, or the deepest root of the target (below that of the headers, the distribution's own
    folder) that contains each of them.
    """

    folder: str
    stored: StoredGroup

    @property
    def above(self) -> str:
        """The start of their paths."""
        return f"{self.folder}{os.sep}"

    @property
    def names(self) -> str:
        """The ends of their paths, each but the first after a NUL character."""
        return _native(self.stored.names)

    def paths(self) -> list[str]:
        """Their absolute paths."""
        above = self.above
        return [above + name for name in self.names.split("\0")]

    def folders(self) -> list[str]:
        """The absolute paths of the folders below `folder` that they need."""
        above = self.above
        return [above + name for name in _native(self.stored.folders).split("\0")] if self.stored.folders else []

    def files(self) -> list[Placement]:
        """The files one by one."""
        rows = zip(self.paths(), self.stored.rows(), strict=True)
        return [Placement(path, row.hash, row.size, row, None, row.executable) for path, row in rows]


class PlacedDistribution(NamedTuple):
    """One distribution after the sync; RECORD is not listed.

    Attributes:
        info: The final path of its dist-info folder.
        groups: The files that come from the store.
        others: The files that are written for this target, or that another distribution provides.
    """

    name: str
    version: str
    info: str
    groups: tuple[PlacedGroup, ...]
    others: tuple[Placement, ...]

    @property
    def files(self) -> list[Placement]:
        """The files one by one."""
        return [*(file for group in self.groups for file in group.files()), *self.others]

    def paths(self) -> list[str]:
        """The paths of `files`, in the same order."""
        return [*(path for group in self.groups for path in group.paths()), *(file.path for file in self.others)]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Locations(NamedTuple):
    """What `check_locations` found.

    Attributes:
        shared: The new paths that more than one distribution owns.
        clashes: Those whose owners do not have the same content for them.
    """

    shared: frozenset[str]
    clashes: tuple[Clash, ...]


class Clash(NamedTuple):
    """Distributions that own `path` with different content: their names, and with their versions."""

    path: str
    owners: tuple[str, ...]
    labels: tuple[str, ...]


def _native(relative: str) -> str:
    return relative if os.sep == "/" else relative.replace("/", os.sep)


def record_rows(placed: PlacedDistribution) -> list[tuple[str, str, int | None]]:
    """The rows of its RECORD (as `Row`); paths are relative to the folder that contains the dist-info folder."""
    root = os.path.dirname(placed.info)
    rows: list[tuple[str, str, int | None]] = []
    for folder, stored in placed.groups:
        names = stored.names
        if folder != root:
            above = os.path.basename(folder) if folder == placed.info else _relative(folder, root)
            names = f"{above}/{names}".replace("\0", f"\0{above}/")
        rows += zip(names.split("\0"), stored.hashes.split("\0"), stored.sizes, strict=True)
    inside = root + os.sep if os.sep == "/" else "\0"  # nearly every file; no path has a NUL
    for path, digest, size, *_ in placed.others:
        rows.append((path[len(inside) :] if path.startswith(inside) else _relative(path, root), digest, size))
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
) -> Locations:
    """Refuse files that would overwrite the environment itself or metadata; return the paths that several own.

    Two distributions may own the same file with the same bytes: that is not a clash.

    Raises:
        LocksetError: `path-reserved`, `unsafe-path`; `path-conflict` where one distribution has a path twice, or a
            file and a folder need the same path.
    """
    libraries = tuple(os.path.normcase(f"{library}{os.sep}") for library in layout.libraries)
    # Nearly all paths are below this folder, and are compared without it.
    start = f"{layout.purelib}{os.sep}"
    paths = {path.removeprefix(start) for one in kept for path, _, _ in one.files}
    roots = {root.removeprefix(start) for root in (*layout.roots, *layout.libraries)}
    folders: set[str] = set()
    above: set[str] = set()
    count = len(paths)
    for one in placed:
        for group in one.groups:
            names = group.names.split("\0")
            _check_group(one, group, names, libraries, layout)
            inside = group.above.removeprefix(start)
            paths.update(names if not inside else [inside + name for name in names])
            count += len(names)
            above.add(group.folder.removeprefix(start))
            needed = _native(group.stored.folders).split("\0") if group.stored.folders else []
            folders.update(needed if not inside else [inside + folder for folder in needed])
        for file in one.others:
            folder = file.path.rpartition(os.sep)[0]
            above.add(folder.removeprefix(start))
            if folder != one.info:
                _check_location(one, file.path, libraries, layout)
        paths.update([file.path.removeprefix(start) for file in one.others])
        count += len(one.others)
    for lowest in above:
        folder = lowest
        while folder and folder not in roots and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition(os.sep)[0]
    _refuse_folders([os.path.join(start, folder) for folder in (folders - roots) & paths], placed, kept)
    # Windows ignores case; elsewhere the file system decides when a file is written.
    shared = _shared_paths(placed, kept) if len(paths) < count or os.name == "nt" else frozenset()
    return Locations(shared, _clashes(shared, _all(kept, placed)) if shared else ())


def _check_group(
    one: PlacedDistribution, group: PlacedGroup, names: Sequence[str], libraries: Sequence[str], layout: Layout
) -> None:
    """Check the locations of `names`, those of `group`: of files at the top of a root, and of folders there.

    No location below has a meaning of its own. On Windows another spelling may have, so that all are checked.
    """
    if os.name == "nt":
        for name in names:
            _check_location(one, group.above + name, libraries, layout)
    if os.name == "nt" or group.folder not in layout.roots:
        return
    for folder in group.stored.folders.split("\0") if group.stored.folders else ():
        if "/" not in folder:
            try:
                _check_location(one, f"{group.above}{folder}/", libraries, layout)
            except LocksetError:
                # The message is about a file.
                first = next((name for name in names if name.startswith(f"{folder}/")), f"{folder}/")
                _check_location(one, group.above + first, libraries, layout)
                raise
    for name in names:
        if "/" not in name:
            _check_location(one, group.above + name, libraries, layout)


def _shared_paths(placed: Sequence[PlacedDistribution], kept: Sequence[InstalledDistribution]) -> frozenset[str]:
    """The paths of `placed` that more than one distribution owns."""
    before = {path for one in kept for path, _, _ in one.files}
    shared: set[str] = set()
    for one in placed:
        _refuse_twice(one)
        own = set(one.paths())
        shared |= before & own
        before |= own
    return frozenset(shared)


def _refuse_twice(one: PlacedDistribution) -> None:
    """Refuse a distribution with two files that would have the same path here."""
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
    folders: Iterable[str], placed: Sequence[PlacedDistribution], kept: Sequence[InstalledDistribution]
) -> None:
    """Refuse those of the `folders`, at whose paths there are files, that another file needs."""
    for folder in sorted(folders):
        label = next(str(one) for one in _all(kept, placed) if any(path == folder for path, *_ in one.files))
        inside = folder + os.sep
        needing = next((one for one in placed if any(path.startswith(inside) for path in one.paths())), None)
        if needing is not None:
            raise LocksetError(
                "path-conflict",
                f"{label} has a file `{folder}`, where {needing} has a folder",
                hint="Leave one of them out, or choose versions that do not collide",
            )


def _all(
    kept: Iterable[InstalledDistribution], placed: Iterable[PlacedDistribution]
) -> list[InstalledDistribution | PlacedDistribution]:
    return [*kept, *placed]


def _clashes(
    shared: Collection[str], distributions: Sequence[InstalledDistribution | PlacedDistribution]
) -> tuple[Clash, ...]:
    """The paths in `shared` whose owners do not all have the same hash for them."""
    owners: dict[str, list[tuple[str, str, str]]] = {path: [] for path in sorted(shared)}
    for one in distributions:
        for path, digest, *_ in one.files:
            if path in shared:
                owners[path].append((one.name, str(one), digest))
    return tuple(
        Clash(path, tuple(name for name, _, _ in rows), tuple(label for _, label, _ in rows))
        for path, rows in owners.items()
        if len({digest for _, _, digest in rows}) > 1
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
    lost: dict[str, tuple[str, Placement]] = {}
    for file in one.files:
        winner, file_of_winner = taken.get(file.path, (one.name, file))
        if winner != one.name and file_of_winner.hash != file.hash:
            lost[file.path] = winner, file_of_winner
    if not lost:
        return one
    import json  # here and below, since few packages overlap

    groups: list[PlacedGroup] = []
    for group in one.groups:
        own = [file.stored for file in group.files() if file.path not in lost and file.stored is not None]
        if own:
            groups.append(group._replace(stored=StoredGroup.of_rows(group.stored.scheme, group.stored.inside, own)))
    note = f"{one.info}{os.sep}{SOURCE_FILE}"
    others = [file for file in one.others if file.path not in lost]
    facts: Mapping[str, object] = next((json.loads(f.content or b"{}") for f in others if f.path == note), {})
    overlapped = {record_path(path, one.info): winner for path, (winner, _) in lost.items()}
    content = json.dumps({**facts, "overlapped": overlapped}).encode()
    others = [file for file in others if file.path != note]
    others += [Placement(path, its.hash, its.size, None, None, its.executable) for path, (_, its) in lost.items()]
    others.append(Placement(note, hash_text("sha256", quick_sha256(content)), len(content), None, content, False))  # noqa: FBT003 (a field of a tuple)
    return one._replace(groups=tuple(groups), others=tuple(others))


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
    content = next((file.content for file in one.others if file.path == note), None)
    if not content:
        return {}
    import json

    facts: Mapping[str, Mapping[str, str]] = json.loads(content)
    return facts.get("overlapped", {})
