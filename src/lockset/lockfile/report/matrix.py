"""The file that each package of a lock file has for each platform and Python (PEP 751, "Installation")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from lockset._dataclass import dataclass
from lockset.lockfile.model import PackageDirectory, PackageVcs, file_name
from lockset.lockfile.select import best_wheel
from lockset.markers import MarkerSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lockset.lockfile.model import Artifact, Package, Pylock
    from lockset.lockfile.report.environments import ReportEnvironment

__all__ = ["Cell", "CellKind", "EnvironmentSize", "Matrix", "MatrixRow", "Provision", "build_matrix"]

# What a package has for an environment: a wheel, an sdist to build, a source tree or an archive, or nothing to install.
CellKind: TypeAlias = Literal["wheel", "sdist", "source", "nothing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """The file of one entry of the lock file for one environment, or the lack of one.

    Attributes:
        entry: Index in `packages`.
        version: The locked version, or None.
        kind: What there is to install.
        by_default: Whether it is installed without any extra, and with the default groups only.
        extras: Extras that decide whether it is installed.
        groups: Dependency groups that decide whether it is installed, apart from default groups.
        file: Name of the file, or None.
        size: Bytes of the file, or None.
        reason: Why there is nothing to install, or None.
    """

    entry: int
    version: str | None
    kind: CellKind
    by_default: bool
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    file: str | None = None
    size: int | None = None
    reason: str | None = None


# Several where different extras and groups install different entries; empty if the package is not installed there.
Cell: TypeAlias = tuple[Provision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """One project: a cell for each environment of the matrix."""

    name: str
    cells: tuple[Cell, ...]

    @property
    def versions(self) -> tuple[str | None, ...]:
        """The distinct versions, in the order of the cells."""
        return tuple(dict.fromkeys(each.version for cell in self.cells for each in cell))

    @property
    def is_uniform(self) -> bool:
        """Whether all environments get the same version, as a wheel or from the same source."""
        kinds = {tuple((each.version, each.kind) for each in cell) for cell in self.cells}
        return len(kinds) <= 1 and not any(each.kind in {"sdist", "nothing"} for cell in self.cells for each in cell)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSize:
    """How much is downloaded for one environment.

    Attributes:
        packages: Number of packages.
        size: Bytes of the files whose size is locked.
        unknown: Number of packages whose size is not locked.
        missing: Number of packages with nothing to install.
        builds: Number of packages that are built from an sdist or a source.
    """

    packages: int
    size: int
    unknown: int
    missing: int
    builds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Packages by environments.

    Attributes:
        environments: The columns.
        rows: The packages, by name.
        default_sizes: For each environment, a default installation: no extras, the default groups.
        full_sizes: For each environment, all extras and groups; of several versions, the largest.
    """

    environments: tuple[ReportEnvironment, ...]
    rows: tuple[MatrixRow, ...]
    default_sizes: tuple[EnvironmentSize, ...]
    full_sizes: tuple[EnvironmentSize, ...]


def build_matrix(lock: Pylock, environments: tuple[ReportEnvironment, ...]) -> Matrix:
    """The matrix of a lock file; environments that it does not support have empty cells."""
    defaults = frozenset(lock.default_groups or ())
    ranks = [{str(tag): rank for rank, tag in reversed(list(enumerate(env.target.tags)))} for env in environments]
    by_name: dict[str, list[tuple[int, Package, MarkerSet]]] = {}
    for number, package in enumerate(lock.packages):
        region = MarkerSet.any() if package.marker is None else MarkerSet.of_marker(package.marker)
        by_name.setdefault(package.name, []).append((number, package, region))
    rows = []
    columns = range(len(environments))
    for name, entries in sorted(by_name.items()):
        cells = tuple(
            tuple(
                provision
                for entry in entries
                if (provision := _provision(entry, env, ranks[column], defaults)) is not None
            )
            if env.supported
            else ()
            for column, env in enumerate(environments)
        )
        rows.append(MatrixRow(name=name, cells=cells))
    return Matrix(
        environments=environments,
        rows=tuple(rows),
        default_sizes=tuple(_size(_default(row.cells[column]) for row in rows) for column in columns),
        full_sizes=tuple(_size(row.cells[column] for row in rows) for column in columns),
    )


def _provision(
    entry: tuple[int, Package, MarkerSet],
    env: ReportEnvironment,
    ranks: Mapping[str, int],
    defaults: frozenset[str],
) -> Provision | None:
    number, package, region = entry
    selections = region.at(env.target.environment)
    if selections.is_empty:
        return None
    version = None if package.version is None else str(package.version)
    by_default = selections.with_extras_and_groups((), defaults).is_full
    extras = tuple(sorted(selections.extras()))
    groups = tuple(sorted(selections.groups() - defaults))
    python = env.target.environment.python_full_version
    if package.requires_python is not None and not package.requires_python.contains(python):
        kind: CellKind = "nothing"
        artifact: Artifact | None = None
        reason: str | None = f"requires Python {package.requires_python}"
    else:
        kind, artifact = _artifact(package, ranks)
        reason = None if artifact is not None else "no wheel for this environment, and no sdist"
    return Provision(
        entry=number,
        version=version,
        kind=kind,
        by_default=by_default,
        extras=extras,
        groups=groups,
        file=None if artifact is None else file_name(artifact),
        size=None if artifact is None or isinstance(artifact, PackageVcs | PackageDirectory) else artifact.size,
        reason=reason,
    )


def _artifact(package: Package, ranks: Mapping[str, int]) -> tuple[CellKind, Artifact | None]:
    for source in (package.vcs, package.directory, package.archive):
        if source is not None:
            return "source", source
    wheel = best_wheel(package.wheels or (), ranks)
    if wheel is not None:
        return "wheel", wheel
    return ("nothing", None) if package.sdist is None else ("sdist", package.sdist)


def _default(cell: Cell) -> Cell:
    return tuple(each for each in cell if each.by_default)


def _size(cells: Iterable[Cell]) -> EnvironmentSize:
    packages = size = unknown = missing = builds = 0
    for cell in cells:
        if not cell:
            continue
        packages += 1
        sizes = [each.size for each in cell if each.size is not None]
        size += max(sizes, default=0)
        unknown += not sizes and any(each.kind != "nothing" for each in cell)
        missing += any(each.kind == "nothing" for each in cell)
        builds += any(each.kind in {"sdist", "source"} for each in cell)
    return EnvironmentSize(packages=packages, size=size, unknown=unknown, missing=missing, builds=builds)
