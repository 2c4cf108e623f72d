"""Resolve a problem, and assemble and verify its lock."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from lockset._dataclass import dataclass, field, replace
from lockset.errors import IndexUnreachableError, LocksetError, NoResolutionError
from lockset.files.output_file import write_lock_files, write_result
from lockset.lockfile.validate.report import validate_document
from lockset.lockfile.write import refuse_secrets, write
from lockset.markers.universe import targets_within
from lockset.resolve.lock.assemble import LockTerms, assemble_lock, with_project, without_package
from lockset.resolve.lock.lock_notes import LockNotes, gaps, list_few, note_missing_extras, note_sources, note_statuses
from lockset.resolve.lock.lock_resolution import later_pythons, narrowing, resolution_of
from lockset.resolve.lock.verify import verify_lock
from lockset.resolve.problem.dependencies import Dependencies
from lockset.resolve.problem.direct_source import DirectVersion
from lockset.resolve.problem.other_sources import refuse_of_needed
from lockset.resolve.problem.python_range import KNOWN
from lockset.resolve.problem.roots import line_settings
from lockset.resolve.releases.direct_repository import DirectRepository, UrlRequirementDiscovered
from lockset.resolve.releases.repository import OwnProjectRequired
from lockset.resolve.releases.upload_limits import held_back_versions
from lockset.resolve.solver.candidate import ForkCandidate
from lockset.resolve.solver.resolution import resolution_graph
from lockset.resolve.solver.search import ResolutionImpossible, extra_and_group_choices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from os import PathLike
    from pathlib import Path

    from packaging.version import Version

    from lockset.composition.lock_inputs import LockInputs
    from lockset.lockfile.model import Pylock
    from lockset.progress import ProgressListener
    from lockset.resolve.lock.lock_notes import Gap
    from lockset.resolve.lock.verify import MissingFile
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.problem.options import LockOptions
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.problem.requirement import Specifier
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.resolve.solver.resolution import Resolution
    from lockset.sources.project import RootProject

__all__ = [
    "Attest",
    "LockResult",
    "Solved",
    "assemble",
    "own_projects",
    "requiring_own",
    "resolve_and_assemble",
    "solve",
    "unknown_upgrades",
]

# Records the publishers of a lock's files: takes the lock, the releases of the index, and a receiver of notes.
Attest: TypeAlias = "Callable[[Pylock, IndexRepository, Callable[[str], object]], Pylock]"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockResult:
    """A resolved, verified and validated lock.

    Attributes:
        lock: The lock file.
        text: Its canonical text, byte for byte the same for the same problem and index.
        resolution: Which releases are needed where, by which others, and statistics of the search.
        gaps: Entries without a usable file in some environments.
        skipped: Releases that were skipped, as `name version`, and why.
        behind: Projects whose newest chosen version is not the newest final release, with both versions.
        held_back: Projects of which the cooldown holds back a newer version that the requirements admit: the version,
            and the day of its upload (None if the index does not say).
        notes: Notes for the user, which the same problem gives again.
        warnings: Warnings about the sources.
        inputs: The project, options, indexes and existing lock file that it was made from.
        build_requirements: The lock of what its sources are built with, if `LockOptions.build_requirements` is set;
            None if nothing is built.
        fresh_until: When the first page of an index expires, in seconds since the epoch; 0 if that is not known.
        members: In a workspace, the locks of its members besides the root's.
    """

    lock: Pylock
    text: str
    resolution: Resolution
    gaps: tuple[Gap, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    behind: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    held_back: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    inputs: LockInputs | None = None
    fresh_until: float = 0.0
    members: tuple[LockResult, ...] = ()
    build_requirements: LockResult | None = None

    def write(self, path: str | PathLike[str] | None = None) -> None:
        """Write the lock file atomically to `path`, or to the output that it was made for; with those of `members`.

        The lock of build requirements, if there is one, is written next to it first.

        Raises:
            LocksetError: `output-not-writable`; the file, or all of them, are unchanged.
        """
        files = [(one.path, one.text) for one in self._files()]
        if path is None and len(files) > 1:
            write_lock_files(files)
            return
        if self.build_requirements is not None and path is not None:
            from lockset.composition.builds.build_lock import build_lock_path  # few locks have one

            self.build_requirements.write(build_lock_path(path))
        write_result(path, self.text, made_for=self.path)

    def _files(self) -> Iterator[LockResult]:
        """All results that are written to files of their own."""
        for one in (self, *self.members):
            yield one
            if one.build_requirements is not None:
                yield one.build_requirements

    @property
    def path(self) -> Path | None:
        """The absolute path of the lock file that it was made for."""
        return None if self.inputs is None else self.inputs.target

    @property
    def splits(self) -> int:
        """How often one project got different versions for two parts of the environments."""
        return sum(isinstance(c, ForkCandidate) for _, pins in self.resolution.pins.parts for c in pins.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """A solved problem.

    Attributes:
        problem: The problem, for the Pythons that have a solution.
        resolution: The solution.
        terms: The top-level values of its lock.
        repository: The releases that were searched, and their files.
    """

    problem: ResolutionProblem
    resolution: Resolution
    terms: LockTerms
    repository: IndexRepository | DirectRepository


def resolve_and_assemble(
    project: RootProject,
    options: LockOptions,
    problem: ResolutionProblem,
    opened: IndexRepository,
    *,
    old: Pylock | None,
    verify: bool,
    one_environment: bool,
    listener: ProgressListener,
    attest: Attest | None = None,
) -> LockResult:
    """Resolve `problem` and assemble its lock; for the arguments and errors see `lockset.composition.lock_pipeline`."""
    notes = LockNotes(listener, (*problem.notes, *unknown_upgrades(options, old)))
    own = own_projects(problem, project)
    solved = solve(problem, opened, notes, old=old, projects=own, verify=verify, one_environment=one_environment)
    if attest is None:
        opened.end_search()
    return assemble(project, options, solved, opened, notes, old=old, attest=attest)


def solve(
    problem: ResolutionProblem,
    opened: IndexRepository,
    notes: LockNotes,
    *,
    old: Pylock | None,
    projects: Mapping[str, RootProject],
    verify: bool = False,
    one_environment: bool = False,
) -> Solved:
    """Resolve `problem`, and narrow its Pythons to those that the chosen releases support.

    Where a release requires one of `projects`, that is taken from its own tree. A conflict is only reported if the
    indexes confirm what the cache had of its packages.
    """
    while True:
        try:
            return _solve(problem, opened, notes, projects, old=old, verify=verify, one_environment=one_environment)
        except NoResolutionError as error:
            with suppress(IndexUnreachableError):
                if opened.renew(error.projects):
                    continue
            raise


def _solve(
    problem: ResolutionProblem,
    opened: IndexRepository,
    notes: LockNotes,
    projects: Mapping[str, RootProject],
    *,
    old: Pylock | None,
    verify: bool,
    one_environment: bool,
) -> Solved:
    notes.listener.phase("Resolving")
    opened.own_projects = projects
    try:
        repository = _repository(problem, opened)
        problem, resolution = _resolved(problem, repository, notes, one_environment=one_environment)
    except OwnProjectRequired:
        opened.own_projects = ()
        problem = requiring_own(problem, projects)
        repository = _repository(problem, opened)
        problem, resolution = _resolved(problem, repository, notes, one_environment=one_environment)
    finally:
        opened.own_projects = ()
    terms, resolution = _narrowed(problem, resolution, repository, notes, old=old)
    if verify:
        from lockset.resolve.lock.wheels_agree import verify_metadata

        notes.listener.phase("Comparing metadata")
        verify_metadata(resolution, opened)
    return Solved(problem=problem, resolution=resolution, terms=terms, repository=repository)


def own_projects(problem: ResolutionProblem, project: RootProject) -> Mapping[str, RootProject]:
    """`project` by its name, unless something else stands for it."""
    return {} if problem.direct.project is None else {problem.direct.project: project}


def requiring_own(problem: ResolutionProblem, projects: Mapping[str, RootProject]) -> ResolutionProblem:
    """`problem` with the trees of `projects` as their only releases."""
    if not projects:
        return problem
    from lockset.resolve.problem.project_itself import rules_with_own  # few projects need it

    direct, request = rules_with_own(projects, problem.direct, problem.request)
    return replace(problem, direct=direct, request=request)


def _repository(problem: ResolutionProblem, opened: IndexRepository) -> IndexRepository | DirectRepository:
    """Sources in front of the index only if there may be any: the search calls the repository very often."""
    return DirectRepository(opened, problem.direct) if problem.direct.concerned else opened


def assemble(
    project: RootProject,
    options: LockOptions,
    solved: Solved,
    opened: IndexRepository,
    notes: LockNotes,
    *,
    old: Pylock | None,
    attest: Attest | None = None,
) -> LockResult:
    """Assemble and verify the lock of a solved problem of `project`."""
    problem, resolution, terms, repository = solved.problem, solved.resolution, solved.terms, solved.repository
    lock = assemble_lock(resolution, problem.request, terms, repository)
    lacking = gaps(_prove(lock, problem, resolution, repository, terms), resolution, repository)
    note_missing_extras(resolution, repository, notes)
    note_statuses(resolution, repository, notes)
    behind = _behind(resolution, repository)
    if problem.direct.own:
        lock = _with_itself(lock, project, options, old, notes)
    lock = _with_settings(_with_entry(lock, project, problem, old, notes), line_settings(project, options))
    if problem.direct.guard is not None:
        refuse_of_needed(project, problem.direct.guard, lock)
    note_sources(lock, old, notes)
    if attest is not None:
        lock = attest(lock, opened, notes.note)
    if old is not None:
        from lockset.lockfile.publishers import keep_identities, note_publisher_changes

        lock = keep_identities(lock, old) if attest is None else lock
        note_publisher_changes(lock, old, notes.note, refuse=options.refuse_new_publisher)
    refuse_secrets(lock)
    return LockResult(
        lock=lock,
        text=_text(lock),
        resolution=resolution,
        gaps=lacking,
        skipped=_skipped(repository, notes),
        behind=behind,
        held_back=_held_back(resolution, opened),
        notes=tuple(notes.texts),
    )


def _skipped(repository: IndexRepository | DirectRepository, notes: LockNotes) -> Mapping[str, str]:
    skipped = {f"{name} {version}": why for (name, version), why in sorted(repository.stepped_over.items())}
    notes.texts += [
        text for release, why in skipped.items() if (text := f"{release} is skipped: {why}") not in notes.texts
    ]
    return skipped


def _with_entry(
    lock: Pylock, project: RootProject, problem: ResolutionProblem, old: Pylock | None, notes: LockNotes
) -> Pylock:
    if problem.entry is None or project.name is None:
        return lock
    if old is None or all(package.name != project.name for package in old.packages):
        notes.note(
            f"The project itself, {project.name}, is locked, and `lockset sync` installs it: as editable into an"
            " environment, as a copy into a folder. `--without-project` leaves it out"
        )
    return with_project(lock, project.name, problem.entry, problem.request)


def _with_itself(
    lock: Pylock, project: RootProject, options: LockOptions, old: Pylock | None, notes: LockNotes
) -> Pylock:
    """`lock` with the project itself where something requires it, unless the user leaves the project out."""
    chosen = project.settings.with_project if options.with_project is None else options.with_project
    if chosen is False:
        return without_package(lock, project.name)
    if chosen is None and (
        old is None or all(package.directory is None or package.name != project.name for package in old.packages)
    ):
        requiring = sorted(
            {p.name for p in lock.packages for edge in p.dependencies or () if edge["name"] == project.name}
        )
        notes.note(
            f"{list_few(requiring)} {'requires' if len(requiring) == 1 else 'require'} the project itself,"
            f" {project.name}: it is locked as an editable folder, not taken from an index. `--without-project` leaves"
            " it out"
        )
    return lock


def _with_settings(lock: Pylock, settings: Mapping[str, Mapping[str, str]]) -> Pylock:
    """`lock` with the config settings of requirement lines, with which a sync builds, too."""
    if not settings:
        return lock
    packages = [
        package
        if (own := settings.get(package.name)) is None
        else replace(package, tool={**(package.tool or {}), "lockset": {"config-settings": dict(own)}})
        for package in lock.packages
    ]
    return replace(lock, packages=packages)


def unknown_upgrades(options: LockOptions, old: Pylock | None) -> Iterator[str]:
    """Notes on packages to upgrade that the existing lock does not have."""
    known = {package.name for package in old.packages} if old is not None else set()
    for name in sorted(options.upgrade_packages - known):
        yield f"{name} cannot be upgraded: the existing lock does not have it"


def _resolved(
    problem: ResolutionProblem,
    repository: IndexRepository | DirectRepository,
    listener: LockNotes,
    *,
    one_environment: bool,
) -> tuple[ResolutionProblem, Resolution]:
    """The resolution and its problem. If the range of Pythons is open above, Pythons without resolution are left out.

    The search is restarted for each requirement by URL that is discovered on the way.
    """
    while True:
        with suppress(UrlRequirementDiscovered):
            result = _resolve(problem, repository, listener.listener, one_environment=one_environment)
            if not isinstance(result, ResolutionImpossible):
                return problem, result
            problem = _without_later_pythons(problem, result, listener)


def _resolve(
    problem: ResolutionProblem,
    repository: IndexRepository | DirectRepository,
    listener: ProgressListener,
    *,
    one_environment: bool,
) -> Resolution | ResolutionImpossible:
    """The resolution, or a failure that concerns only later Pythons.

    Raises:
        LocksetError: `no-resolution`, if a second engine does not find one either.
    """
    if one_environment:
        from lockset.resolve.lock.one_environment_resolution import resolution_in_one_environment

        decided = resolution_in_one_environment(problem, repository)
        if decided is not None:
            return decided
    result = resolution_of(problem, repository, listener)
    if not isinstance(result, ResolutionImpossible) or later_pythons(result, problem.request) is not None:
        return result
    # Imported here: the second engine and the explanation take milliseconds to import.
    from lockset.resolve.lock.second_opinion import reconsider

    result = reconsider(result, problem, repository, listener)
    if not isinstance(result, ResolutionImpossible) or later_pythons(result, problem.request) is not None:
        return result
    from lockset.resolve.explain.explain import explain_failure

    raise explain_failure(result, problem.request, repository) from None


def _without_later_pythons(
    problem: ResolutionProblem, impossible: ResolutionImpossible, listener: LockNotes
) -> ResolutionProblem:
    bound = later_pythons(impossible, problem.request)
    assert bound is not None
    requested = sorted({cause.origin.text for cause in impossible.causes})
    listener.note(
        f"The lock only supports Python below {bound.below}: for newer ones, nothing satisfies {list_few(requested)}"
    )
    return replace(problem, request=bound.of(problem.request))


def _behind(resolution: Resolution, repository: IndexRepository | DirectRepository) -> Mapping[str, tuple[str, str]]:
    """Chosen versions that are not the newest final release, with that release."""
    newest: dict[str, Version] = {}
    chosen: dict[str, Version] = {}
    for name, version in resolution.nodes:
        if isinstance(version, DirectVersion):
            continue
        chosen[name] = max(version, chosen.get(name, version))
        releases = repository.releases(name)
        for position, release in enumerate(releases.versions):
            if releases.stable >> position & 1 and not releases.yanked >> position & 1:
                newest[name] = release
                break
    return {n: (str(v), str(newest[n])) for n, v in sorted(chosen.items()) if n in newest and v < newest[n]}


def _held_back(resolution: Resolution, repository: IndexRepository) -> Mapping[str, tuple[str, str | None]]:
    """The newest version of each project that only the cooldown keeps from those that its requirements admit."""
    rules = repository.rules
    if rules.cooldown is None and not rules.cooldown_of:
        return {}
    chosen: dict[str, Version] = {}
    for name, version in resolution.nodes:
        if not isinstance(version, DirectVersion):
            chosen[name] = max(version, chosen.get(name, version))
    specifiers: dict[str, list[Specifier]] = {}
    for edge in resolution.edges:
        specifiers.setdefault(edge.target[0], []).append(edge.dependency.specifier)
    held: dict[str, tuple[str, str | None]] = {}
    for name, version in sorted(chosen.items()):
        for newer, uploaded in held_back_versions(repository, name):
            is_usual = newer > version and (version.is_prerelease or not newer.is_prerelease)
            if is_usual and all(one.admits(newer) for one in specifiers.get(name, ())):
                held[name] = (str(newer), None if uploaded is None else f"{uploaded:%Y-%m-%d}")
                break
    return held


def _narrowed(
    problem: ResolutionProblem,
    resolution: Resolution,
    repository: IndexRepository | DirectRepository,
    listener: LockNotes,
    *,
    old: Pylock | None,
) -> tuple[LockTerms, Resolution]:
    """The lock's Python range within the upper bounds of the chosen releases, and the resolution inside it.

    A note reports the range if it is new and excludes a known Python; `<4` excludes none.
    """
    request = problem.request
    bound = narrowing(resolution, repository.strictly_serves) if request.open_above else None
    if bound is None:
        return _terms(problem, request), resolution
    inside = bound.of(request)
    is_new = old is None or old.requires_python != inside.requires_python
    if is_new and not (KNOWN & request.universe).implies(inside.universe):
        names = list_few([f"{name} {version}" for name, version in bound.releases])
        verb = "supports" if len(bound.releases) == 1 else "support"
        listener.note(f"The lock only supports Python below {bound.below}: {names} {verb} no newer one")
    return _terms(problem, inside), resolution_graph(
        resolution.pins, request.roots, inside.universe, repository, resolution.statistics
    )


def _terms(problem: ResolutionProblem, request: LockRequest) -> LockTerms:
    return LockTerms(
        requires_python=request.requires_python,
        universe=request.universe,
        conflicts=request.conflicts,
        folder=problem.direct.folder,
        sdists=problem.sdists,
    )


def _prove(
    lock: Pylock,
    problem: ResolutionProblem,
    resolution: Resolution,
    repository: IndexRepository | DirectRepository,
    terms: LockTerms,
) -> tuple[MissingFile, ...]:
    @cache  # called for each of many environments
    def dependencies(name: str, version: Version) -> Dependencies:
        facts = repository.facts(name, version)
        return facts.dependencies if facts is not None else Dependencies()

    request = problem.request
    return verify_lock(
        lock,
        versions=[version for _, version in resolution.nodes],
        roots=request.roots,
        dependencies=dependencies,
        samples=targets_within(terms.universe.without_extras_and_groups(), problem.samples),
        choices=extra_and_group_choices(request),
        universe=terms.universe,
    )


def _text(lock: Pylock) -> str:
    """The text of the lock, validated."""
    text = write(lock)
    errors = validate_document(text).errors
    if errors:
        raise LocksetError(
            "internal-invalid",
            f"The lock is not a valid lock file: {errors[0].message}",
            hint="Nothing was written. This is a bug in lockset: report it with the project",
        )
    return text
