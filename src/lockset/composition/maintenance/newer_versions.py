"""Compare a lock file with the indexes: the work of `lockset outdated`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, replace
from lockset.composition.lock_inputs import read_lock_inputs
from lockset.composition.lock_pipeline import lock_from_inputs, problem_from_inputs
from lockset.composition.maintenance.locked_requirements import covered_pythons, of_lock, of_resolution
from lockset.composition.sources.names import with_all_names
from lockset.dependency_specifiers import read_version
from lockset.errors import IndexUnreachableError, LocksetError
from lockset.lockfile.dependency_graph import build_graph
from lockset.lockfile.file_name import PLAIN_NAME
from lockset.progress import NullListener
from lockset.resolve.lock.newer_releases import HeldBack, NewerReleases
from lockset.resolve.problem.choices import recorded_table
from lockset.resolve.problem.direct_source import DirectVersion
from lockset.resolve.problem.options import option_requirements
from lockset.sources.requirements.requirement_line import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.version import Version

    from lockset.composition.lock_inputs import LockInputs
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.lockfile.dependency_graph import LockEntry, LockGraph
    from lockset.lockfile.model import Pylock
    from lockset.lockfile.read import Document
    from lockset.markers import MarkerSet
    from lockset.resolve.problem.options import LockOptions
    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = ["HeldBack", "OutdatedPackage", "OutdatedReport", "compare_with_indexes"]

# Settings that decide on versions, as a lock of lockset records them.
_DECIDING = ("constraints", "overrides", "excludes", "prerelease", "resolution", "fork-strategy")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutdatedPackage:
    """One entry of a lock file, compared with the indexes.

    Attributes:
        name: Normalised name.
        version: The locked version.
        marker: Where the entry applies; None for everywhere.
        is_direct: Whether the project itself requires it.
        fits: The newest version that fits; None if that is not known, or the package is no longer required.
        newest: The newest version; None if that is not known.
        held_back: Why `newest` does not fit.
        yanked: Why the locked version was yanked, "" if no reason is given; None if it was not.
        status: The project's status on its index, such as `archived`; None for `active`.
        problem: Why the package could not be compared; None if it was.
    """

    name: str
    version: str
    marker: str | None
    is_direct: bool
    fits: str | None = None
    newest: str | None = None
    held_back: tuple[HeldBack, ...] = ()
    yanked: str | None = None
    status: str | None = None
    problem: str | None = None

    @property
    def can_upgrade(self) -> bool:
        """Whether a newer version fits."""
        return self.fits is not None and self.fits != self.version

    @property
    def is_outdated(self) -> bool:
        """Whether there is a newer version, whether it fits or not, or the locked one was yanked."""
        newer = self.newest is not None and self.newest != self.version and not self._is_newest
        return newer or self.can_upgrade or self.yanked is not None

    @property
    def _is_newest(self) -> bool:
        return self.newest is None or read_version(self.newest) <= read_version(self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutdatedReport:
    """A lock file compared with the indexes.

    Attributes:
        path: The lock file; None for the standard input.
        source: The source files whose requirements were used, joined by commas; None if those of the lock file were.
        packages: The entries with a version of an index: direct ones first, then by name.
        not_compared: Entries of a URL, a path or a repository, which no index has.
        is_offline: Whether only the cache was used.
    """

    path: str | None
    source: str | None
    packages: tuple[OutdatedPackage, ...]
    not_compared: tuple[str, ...]
    is_offline: bool

    def can_upgrade_any(self, *, only_direct: bool = False) -> bool:
        """Whether a package (or a direct one) has a newer version that fits, or its locked version was yanked."""
        packages = (package for package in self.packages if package.is_direct or not only_direct)
        return any(package.can_upgrade or package.yanked is not None for package in packages)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """The inputs of a comparison: a lock file with its graph and path, and the indexes, options and surroundings."""

    graph: LockGraph
    lock: Pylock
    path: str | None
    indexes: IndexOptions | IndexOverrides | None
    options: LockOptions
    context: RunContext


def compare_with_indexes(
    document: Document,
    source: str | None,
    indexes: IndexOptions | IndexOverrides | None,
    options: LockOptions,
    context: RunContext,
) -> OutdatedReport:
    """Compare a lock file with the indexes.

    Args:
        document: The lock file.
        source: The project file; None for the pyproject.toml or script next to the lock file, if there is one.
        indexes: As for `lock`.
        options: Options on versions.
        context: The surroundings.

    Raises:
        LocksetError: If the lock file is not valid, the index cannot be reached, or no package could be compared.
    """
    lock = document.lock
    if not lock.environments:
        lock = replace(lock, environments=None)  # pipenv writes an empty list, which would mean no environment at all
    path = None if document.path in {None, "<stdin>"} else str(context.here / str(document.path))
    named = (source,) if source is not None else _sources_next_to(lock, path, context.here)
    comparison = _Comparison(
        graph=build_graph(lock), lock=lock, path=path, indexes=indexes, options=options, context=context
    )
    report = None
    if named:
        try:
            report = _with_project(comparison, named)
        except IndexUnreachableError:
            raise
        except LocksetError as error:
            if source is not None:
                raise
            reason = error.diagnostic.message
            names = ", ".join(Path(name).name for name in named)
            context.heard.note(f"Compared with the requirements of the lock file, without {names}: {reason}")
    if report is None:
        report = _lock_alone(comparison)
    problems = [package.problem for package in report.packages]
    if problems and all(problem is not None for problem in problems):
        raise LocksetError(
            "nothing-compared",
            "No package of the lock file could be compared with an index",
            context=tuple(dict.fromkeys(str(problem) for problem in problems))[:3],
            hint="Run it once without `--offline`" if context.offline else "Name the index with `--default-index`",
        )
    return report


def _sources_next_to(lock: Pylock, path: str | None, here: Path) -> tuple[str, ...]:
    """The source files that the lock file at `path` probably belongs to, relative to `here` if they are inside.

    They are those that it records, else the script or pyproject.toml next to it; empty if they do not exist.
    """
    if path is None:
        return ()
    file, recorded = Path(path), recorded_table(lock).get("sources")
    names = ["pyproject.toml"]
    if isinstance(recorded, list) and recorded:
        names = [name for name in recorded if isinstance(name, str)]
    elif file.name != PLAIN_NAME:
        script = f"{file.name.removeprefix('pylock.').removesuffix('.toml')}.py"
        names = [script] if file.with_name(script).is_file() else names
    if any(Path(name).name != name or not file.with_name(name).is_file() for name in names):
        return ()
    paths = [file.with_name(name) for name in names]
    return tuple(str(one.relative_to(here) if one.is_relative_to(here) else one) for one in paths)


def _with_project(one: _Comparison, sources: tuple[str, ...]) -> OutdatedReport:
    """Compare with a new lock of the project in which everything is upgraded, as `lockset lock -U` would make it."""
    lock, quiet = one.lock, replace(one.context, listener=_ProgressOnly(one.context))
    python = recorded_table(lock).get("python")
    options = replace(one.options, upgrade=True, python=python if isinstance(python, str) else None)
    inputs = with_all_names(read_lock_inputs(sources, options, one.indexes, one.path or "-", quiet))
    _refuse_other_terms(lock, inputs)
    result = lock_from_inputs(inputs, old=lock)
    requirements = of_resolution(result.resolution)
    regions: dict[str, list[tuple[Version, MarkerSet]]] = {}
    for (name, version), node in result.resolution.nodes.items():
        if not isinstance(version, DirectVersion):
            regions.setdefault(name, []).append((version, node.region))
    direct = {edge.target[0] for edge in result.resolution.edges if edge.source is None}
    with problem_from_inputs(inputs, old=lock, listener=NullListener()) as (_, problem, repository):
        newer = NewerReleases(
            repository, problem.request.policy, requirements, regions, problem.samples, is_upgraded=True
        )
        return _report(one, newer, direct, source=", ".join(sources), upgraded=regions)


def _refuse_other_terms(lock: Pylock, inputs: LockInputs) -> None:
    """Refuse a project that this lock was not made from, or not with its settings alone.

    Raises:
        LocksetError: `source-other`.
    """
    recorded = recorded_table(lock)
    if not recorded:
        return
    from lockset.resolve.problem.build_problem import build_problem

    if inputs.project.unbuilt:
        return
    now = build_problem(
        inputs.project, inputs.options, old=lock, now=inputs.context.moment, folder=inputs.folder
    ).request.recorded
    other = [key for key in (*_DECIDING, "sources") if recorded.get(key) != now.get(key)]
    if other:
        raise LocksetError("source-other", f"the lock file was made with other {', '.join(other)}")


def _lock_alone(one: _Comparison) -> OutdatedReport:
    """Compare with the requirements that the lock file records, and those of the locked releases."""
    graph, lock, quiet = one.graph, one.lock, replace(one.context, listener=_ProgressOnly(one.context))
    inputs = _inputs_of(one, replace(_recorded_options(lock, one.options), build_nothing=True), quiet)
    chosen: dict[str, list[tuple[Version, MarkerSet]]] = {}
    for number, entry in graph.entries.items():
        package = lock.packages[number]
        if package.version is not None:
            chosen.setdefault(entry.name, []).append((package.version, entry.region))
    with problem_from_inputs(inputs, old=lock, listener=NullListener()) as (_, problem, repository):
        names = [entry.name for number, entry in graph.entries.items() if not lock.packages[number].is_direct]
        repository.hint(names)
        quiet.heard.phase("Comparing", total=len(names))
        requirements = of_lock(graph, lock, repository)
        required = {name for name, them in requirements.items() if any(each.by != PLAIN_NAME for each in them)}
        direct = {name for name, them in requirements.items() if any(each.by == PLAIN_NAME for each in them)}
        direct = direct or {entry.name for entry in graph.entries.values()} - required
        newer = NewerReleases(
            repository, problem.request.policy, requirements, chosen, problem.samples, is_upgraded=False
        )
        within = covered_pythons(graph, lock, repository)
        return _report(one, newer, direct, source=None, upgraded=None, within=within)


def _recorded_options(lock: Pylock, options: LockOptions) -> LockOptions:
    """`options` with the terms that the lock file itself has or records."""
    recorded = recorded_table(lock)
    mode = recorded.get("prerelease")

    def texts(key: str) -> tuple[str, ...]:
        value = recorded.get(key)
        return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()

    def lines(key: str) -> tuple[RequirementLine, ...]:
        return tuple(parse_requirement(one, origin=PLAIN_NAME) for one in texts(key) if "@" not in one)

    given = options.prerelease
    allowed = mode if given is None and mode in {"allow", "disallow", "if-necessary"} else given
    return replace(
        options,
        environments=tuple(str(marker) for marker in lock.environments or ()),
        constraints=(*option_requirements(options.constraints), *lines("constraints")),
        overrides=(*option_requirements(options.overrides), *lines("overrides")),
        excludes=(*options.excludes, *texts("excludes")),
        prerelease=allowed,
    )


def _inputs_of(one: _Comparison, options: LockOptions, context: RunContext) -> LockInputs:
    """The inputs of a lock without a project: only Pythons, platforms and settings."""
    from lockset.composition.indexes import project_around, resolve_indexes
    from lockset.composition.lock_inputs import LockInputs
    from lockset.sources.project import RootProject

    folder = Path(one.path).parent if one.path is not None else context.here
    around = project_around(folder, context)
    project = RootProject(base=folder, requires_python=one.lock.requires_python)
    if around is not None:
        project = replace(project, settings=around.settings)
    # Where packages come from is recorded for each of them, and credentials and mirrors are options.
    return LockInputs(
        project=project,
        options=options,
        indexes=resolve_indexes(one.indexes, around, context),
        context=context,
        target=None if one.path is None else Path(one.path),
        old=None,
        before=None,
        warnings=(),
        hint=None,
        build_constraints=(),
        fetched=0,
    )


def _report(
    one: _Comparison,
    newer: NewerReleases,
    direct: set[str],
    *,
    source: str | None,
    upgraded: Mapping[str, Sequence[tuple[Version, MarkerSet]]] | None,
    within: MarkerSet | None = None,
) -> OutdatedReport:
    packages = []
    not_compared = []
    for number, entry in one.graph.entries.items():
        package = one.lock.packages[number]
        if package.is_direct or package.version is None:
            not_compared.append(str(entry))
            continue
        region = entry.region if within is None else entry.region & within
        packages.append(_compared(entry, package.version, region, newer, upgraded, is_direct=entry.name in direct))
        one.context.heard.step(entry.name)
    return OutdatedReport(
        path=one.path,
        source=source,
        packages=tuple(sorted(packages, key=lambda each: (not each.is_direct, each.name))),
        not_compared=tuple(not_compared),
        is_offline=one.context.offline,
    )


def _compared(
    entry: LockEntry,
    version: Version,
    region: MarkerSet,
    newer: NewerReleases,
    upgraded: Mapping[str, Sequence[tuple[Version, MarkerSet]]] | None,
    *,
    is_direct: bool,
) -> OutdatedPackage:
    one = OutdatedPackage(name=entry.name, version=str(version), marker=entry.condition, is_direct=is_direct)
    there = [v for v, where in (upgraded or {}).get(entry.name, ()) if not where.is_disjoint(region)]
    is_required = upgraded is None or bool(there)
    fitting = None if upgraded is None else max(there, default=version)
    try:
        news = newer.news(entry.name, version, region, upgraded=fitting)
    except IndexUnreachableError:
        raise
    except LocksetError as error:
        return replace(one, problem=error.diagnostic.message)
    return replace(
        one,
        fits=str(news.fits) if is_required and news.fits is not None else None,
        newest=None if news.newest is None else str(news.newest),
        held_back=news.held_back if is_required else (),
        yanked=news.yanked,
        status=news.status,
    )


class _ProgressOnly(NullListener):
    """Passes progress on, but no notes: they are about the lock that is not written."""

    def __init__(self, context: RunContext) -> None:
        self._listener = context.heard

    def phase(self, name: str, *, total: int | None = None) -> None:
        self._listener.phase(name, total=total)

    def step(self, what: str, *, done: int = 1) -> None:
        self._listener.step(what, done=done)

    def transferred(self, amount: int) -> None:
        self._listener.transferred(amount)
