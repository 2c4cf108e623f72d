"""Where each file of each distribution goes in a target, and which of them collide."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from lockset.errors import LocksetError
from lockset.sync.wheel.safe_path import is_within

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lockset.sync.installed import InstalledDistribution
    from lockset.sync.layout import Layout
    from lockset.sync.wheel.manifest import StoredFile

__all__ = ["Clash", "PlacedDistribution", "Placement", "check_locations", "collision", "record_path", "record_rows"]


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
    own = f"{placed.info}{os.sep}RECORD"
    inside = root + os.sep if os.sep == "/" else "\0"  # nearly every file; no path has a NUL
    start = len(inside)
    rows: list[tuple[str, str, int | None]] = [
        (path[start:] if path.startswith(inside) else _relative(path, root), digest, size)
        for path, digest, size, _, _, _, _ in placed.files
    ]
    rows.append((_relative(own, root), "", None))
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
    owners: dict[str, tuple[str, str]] = {}
    for distribution in kept:
        owners.update((path, (distribution.name, digest)) for path, digest, _ in distribution.files)
    libraries = tuple(os.path.normcase(f"{library}{os.sep}") for library in layout.libraries)
    # In these folders every name is checked; elsewhere one file per folder is enough.
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
    """Refuse a distribution with two files that would have the same path here."""
    # Windows ignores case; elsewhere the file system decides when the file is written.
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
    """Refuse a file at a path where another file needs a folder."""
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
    folded, info = os.path.normcase(path), os.path.normcase(one.info)
    for library in libraries:
        if folded.startswith(library):
            top = folded[len(library) :].partition(os.sep)[0]
            if top.lower().endswith((".dist-info", ".egg-info", ".egg-link", ".egg")) and library + top != info:
                raise LocksetError(
                    "unsafe-path", f"{one} would write `{path}`, which is metadata of another distribution"
                )
