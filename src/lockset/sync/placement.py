"""Which file of which distribution goes where in a target, and whether two of them want one place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from lockset.errors import LocksetError
from lockset.sync.wheel.record import Row
from lockset.sync.wheel.safe_path import is_within

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lockset.sync.installed import InstalledDistribution
    from lockset.sync.layout import Layout
    from lockset.sync.wheel.manifest import StoredFile

__all__ = ["Clash", "PlacedDistribution", "Placement", "check_locations", "collision", "record_path", "record_rows"]


class Placement(NamedTuple):
    """One file at its final, absolute `path`: linked from `stored`, or written with `content`.

    Neither where another distribution brings the file. `made_from` says in words what of the wheel it was made of.
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
        """What of its wheel it is, in words."""
        if self.stored is None:
            return self.made_from
        scheme, path = self.stored.scheme, self.stored.path
        return f"`{path}`" if scheme in {"purelib", "platlib"} else f"`.data/{scheme}/{path}`"


class PlacedDistribution(NamedTuple):
    """One distribution as it will be: `info` is the final path of its dist-info folder, RECORD not among `files`."""

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


def record_rows(placed: PlacedDistribution) -> tuple[Row, ...]:
    """The rows of its RECORD, paths relative to the folder that holds the dist-info folder."""
    root = os.path.dirname(placed.info)  # noqa: PTH120 (a value, not a file)
    own = f"{placed.info}{os.sep}RECORD"
    inside = root + os.sep if os.sep == "/" else "\0"  # nearly every file; no path has a NUL
    start = len(inside)
    rows = [
        Row(path[start:] if path.startswith(inside) else _relative(path, root), digest, size)
        for path, digest, size, *_ in placed.files
    ]
    return (*rows, Row(_relative(own, root), "", None))


def record_path(path: str, info: str) -> str:
    """`path` as a row of the RECORD in the dist-info folder `info` has it."""
    return _relative(path, os.path.dirname(info))  # noqa: PTH120 (a value, not a file)


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
    """Refuse what would overwrite a file of the environment itself or metadata; the paths that several own.

    Two distributions may have the same file where its bytes are the same: that is not a clash.

    Raises:
        LocksetError: `path-reserved`, `unsafe-path`; `path-conflict` where one brings a path twice, or a file and a
            folder need one path.
    """
    owners: dict[str, tuple[str, str]] = {}
    for distribution in kept:
        owners.update((path, (distribution.name, digest)) for path, digest, _ in distribution.files)
    libraries = tuple(f"{library}{os.sep}" for library in layout.libraries)
    # In these folders every name counts; of any other, one file tells about all.
    named = {*layout.roots, *layout.libraries}
    clashing: set[str] = set()
    folders: dict[str, PlacedDistribution] = {}
    for one in placed:
        checked: set[str] = set()
        name = one.name
        _refuse_twice(one)
        for path, digest, *_ in one.files:
            folder = path.rpartition(os.sep)[0]
            if folder not in checked:
                _check_location(one, path, libraries, layout)
                if folder not in named:
                    checked.add(folder)
                    folders.setdefault(folder, one)
            owner, there = owners.setdefault(path, (name, digest))
            if there != digest and owner != name:
                clashing.add(path)
    _refuse_folders(folders, owners, named, [*kept, *placed])
    return _clashes(clashing, [*kept, *placed]) if clashing else ()


def _refuse_twice(one: PlacedDistribution) -> None:
    """Refuse a distribution of which two files would have one path here."""
    # On Windows letters of either case are one name; elsewhere the file system decides when it is written.
    fold = os.path.normcase if os.name == "nt" else str
    if len({fold(path) for path, *_ in one.files}) == len(one.files):
        return
    seen: dict[str, Placement] = {}
    for file in one.files:
        other = seen.setdefault(fold(file.path), file)
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
    owners: Mapping[str, tuple[str, str]],
    roots: Collection[str],
    distributions: Sequence[InstalledDistribution | PlacedDistribution],
) -> None:
    """Refuse a file where another one needs a folder."""
    checked: set[str] = set()
    for start, one in folders.items():
        folder = start
        while folder and folder not in roots and folder not in checked:
            if folder in owners:
                name = owners[folder][0]
                label = next(str(other) for other in distributions if other.name == name)
                raise LocksetError(
                    "path-conflict",
                    f"{label} has a file `{folder}`, where {one} has a folder",
                    hint="Leave one of them out, or choose versions that do not collide",
                )
            checked.add(folder)
            folder = folder.rpartition(os.sep)[0]


def _clashes(paths: set[str], distributions: Sequence[InstalledDistribution | PlacedDistribution]) -> tuple[Clash, ...]:
    found: dict[str, list[tuple[str, str]]] = {path: [] for path in sorted(paths)}
    for one in distributions:
        for path, *_ in one.files:
            if path in paths:
                found[path].append((one.name, str(one)))
    return tuple(
        Clash(path, tuple(name for name, _ in rows), tuple(label for _, label in rows)) for path, rows in found.items()
    )


def _check_location(one: PlacedDistribution, path: str, libraries: Sequence[str], layout: Layout) -> None:
    if layout.is_reserved(path):
        raise LocksetError(
            "path-reserved",
            f"{one} wants to write `{path}`, which belongs to the environment itself",
            hint="Leave the package out, or lock another version",
        )
    folded, info = os.path.normcase(path), os.path.normcase(one.info)
    for library in map(os.path.normcase, libraries):
        if folded.startswith(library):
            top = folded[len(library) :].split(os.sep, 1)[0]
            if top.lower().endswith((".dist-info", ".egg-info", ".egg-link", ".egg")) and library + top != info:
                raise LocksetError(
                    "unsafe-path", f"{one} wants to write `{path}`, which is metadata of another distribution"
                )
