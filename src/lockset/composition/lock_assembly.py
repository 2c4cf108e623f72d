"""Resolve a problem, and assemble and verify its lock."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import field, replace
from functools import cache
from os.path import isabs
from typing import TYPE_CHECKING, TypeAlias

from lockset._dataclass import dataclass
from lockset.errors import LocksetError
from lockset.files.output_file import write_result
from lockset.lockfile.publishers import keep_identities, note_publisher_changes
from lockset.lockfile.secrets import refuse_secrets
from lockset.lockfile.validate.report import validate_document
from lockset.lockfile.write import write
from lockset.markers.universe import targets_within
from lockset.resolve.lock.assemble import LockTerms, assemble_lock, with_project
from lockset.resolve.lock.lock_resolution import later_pythons, narrowing, resolution_of
from lockset.resolve.lock.verify import verify_lock
from lockset.resolve.lock.wheel_gaps import gaps
from lockset.resolve.lock.wheels_agree import verify_metadata
from lockset.resolve.problem.direct_source import DirectVersion
from lockset.resolve.problem.other_sources import refuse_of_needed
from lockset.resolve.problem.python_range import KNOWN
from lockset.resolve.problem.roots import line_settings
from lockset.resolve.releases.direct_repository import DirectRepository, UrlRequirementDiscovered
from lockset.resolve.releases.upload_limits import held_back_versions
from lockset.resolve.solver.candidate import ForkCandidate
from lockset.resolve.solver.resolution import resolution_graph
from lockset.resolve.solver.search import ResolutionImpossible, extra_and_group_choices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from os import PathLike
    from pathlib import Path

    from packaging.version import Version

    from lockset.composition.lock_inputs import LockInputs
    from lockset.lockfile.model import Pylock
    from lockset.progress import ProgressListener
    from lockset.resolve.lock.verify import MissingFile
    from lockset.resolve.lock.wheel_gaps import Gap
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.problem.options import LockOptions
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.problem.requirement import Dependency, Specifier
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.resolve.solver.resolution import Resolution
    from lockset.sources.project import RootProject

__all__ = ["Attest", "LockResult", "resolve_and_assemble"]

# Records the publishers of a lock's files: takes the lock, the releases of the index, and a receiver of notes.
Attest: TypeAlias = "Callable[[Pylock, IndexRepository, Callable[[str], object]], Pylock]"

# Names in one note; further ones are counted.
_SHOWN = 10


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
    build_requirements: LockResult | None = None

    def write(self, path: str | PathLike[str] | None = None) -> None:
        """Write the lock file atomically to `path`, or to the output that it was made for.

        The lock of build requirements, if there is one, is written next to it first.

        Raises:
            LocksetError: `output-not-writable`; the file is unchanged.
        """
        if self.build_requirements is not None:
            from lockset.composition.builds.build_lock import build_lock_path  # few locks have one

            self.build_requirements.write(None if path is None else build_lock_path(path))
        write_result(path, self.text, made_for=self.path)

    @property
    def path(self) -> Path | None:
        """The absolute path of the lock file that it was made for."""
        return None if self.inputs is None else self.inputs.target

    @property
    def splits(self) -> int:
        """How often one project got different versions for two parts of the environments."""
        return sum(isinstance(c, ForkCandidate) for _, pins in self.resolution.pins.parts for c in pins.values())


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
    notes = _Notes(listener, (*problem.notes, *_unknown_upgrades(options, old)))
    # Sources in front of the index, for the search only if there may be any: it calls the repository very often.
    artifacts = DirectRepository(opened, problem.direct)
    repository = artifacts if problem.direct.concerned else opened
    listener.phase("Resolving")
    problem, resolution = _resolved(problem, repository, notes, one_environment=one_environment)
    terms, resolution = _narrowed(problem, resolution, repository, notes, old=old)
    if verify:
        listener.phase("Comparing metadata")
        verify_metadata(resolution, opened)
    lock = assemble_lock(resolution, problem.request, terms, artifacts)
    lacking = gaps(_prove(lock, problem, resolution, repository, terms), resolution, repository)
    _note_missing_extras(resolution, repository, notes)
    _note_statuses(resolution, repository, notes)
    behind = _behind(resolution, repository)
    lock = _with_settings(_with_entry(lock, project, problem), line_settings(project, options))
    refuse_of_needed(project, problem.direct.guard, lock)
    _note_sources(lock, old, notes)
    lock = keep_identities(lock, old) if attest is None else attest(lock, opened, notes.note)
    if old is not None:
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


def _skipped(repository: IndexRepository | DirectRepository, notes: _Notes) -> Mapping[str, str]:
    skipped = {f"{name} {version}": why for (name, version), why in sorted(repository.stepped_over.items())}
    notes.texts += [f"{release} is skipped: {why}" for release, why in skipped.items()]
    return skipped


def _with_entry(lock: Pylock, project: RootProject, problem: ResolutionProblem) -> Pylock:
    if problem.entry is None or project.name is None:
        return lock
    return with_project(lock, project.name, problem.entry, problem.request)


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


def _unknown_upgrades(options: LockOptions, old: Pylock | None) -> Iterator[str]:
    known = {package.name for package in old.packages} if old is not None else set()
    for name in sorted(options.upgrade_packages - known):
        yield f"{name} is to be upgraded, and the lock there is has none"


class _Notes:
    """Hands notes on to the listener, and keeps them."""

    def __init__(self, listener: ProgressListener, first: Iterable[str]) -> None:
        self.listener = listener
        self.texts: list[str] = []
        for text in first:
            self.note(text)

    def note(self, text: str) -> None:
        self.texts.append(text)
        self.listener.note(text)


def _resolved(
    problem: ResolutionProblem,
    repository: IndexRepository | DirectRepository,
    listener: _Notes,
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
    problem: ResolutionProblem, impossible: ResolutionImpossible, listener: _Notes
) -> ResolutionProblem:
    bound = later_pythons(impossible, problem.request)
    assert bound is not None
    requested = sorted({cause.origin.text for cause in impossible.causes})
    listener.note(f"The lock supports Python below {bound.below} only: later, nothing meets {_listed(requested)}")
    return replace(problem, request=bound.of(problem.request))


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return f"{', '.join(texts[:3])}{more}"


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
    listener: _Notes,
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
        names = _listed([f"{name} {version}" for name, version in bound.releases])
        verb = "supports" if len(bound.releases) == 1 else "support"
        listener.note(f"The lock supports Python below {bound.below} only: {names} {verb} no later one")
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


def _note_missing_extras(
    resolution: Resolution, repository: IndexRepository | DirectRepository, listener: _Notes
) -> None:
    """Report extras that the chosen release does not provide: they have no requirements, and are not an error."""
    for (name, version), node in resolution.nodes.items():
        facts = repository.facts(name, version)
        provided = facts.extras if facts is not None else frozenset()
        missing = sorted({extra for extra, _ in node.extras} - provided)
        if missing:
            more = f" and {len(missing) - _SHOWN} others" if len(missing) > _SHOWN else ""
            listener.note(f"{name} {version} has no extra named {', '.join(missing[:_SHOWN])}{more}")


def _note_statuses(resolution: Resolution, repository: IndexRepository | DirectRepository, listener: _Notes) -> None:
    """Report projects that their index marks as archived or deprecated (PEP 792)."""
    for name in sorted({name for name, version in resolution.nodes if not isinstance(version, DirectVersion)}):
        status = repository.project_status(name)
        if status is not None:
            listener.note(status.text)


def _note_sources(lock: Pylock, old: Pylock | None, listener: _Notes) -> None:
    _note_changed_archives(lock, old, listener)
    _note_outside_paths(lock, listener)


def _note_changed_archives(lock: Pylock, old: Pylock | None, listener: _Notes) -> None:
    """Report archives whose content has changed although their URL is the same."""
    known = {p.archive.url: p.archive for p in (old.packages if old is not None else ()) if p.archive and p.archive.url}
    for package in lock.packages:
        before = known.get(package.archive.url or "") if package.archive is not None else None
        if before is not None and package.archive is not None and _differ(before.hashes, package.archive.hashes):
            listener.note(f"{package.archive.url} has changed since it was locked: review the change")


def _note_outside_paths(lock: Pylock, listener: _Notes) -> None:
    """Report paths outside the lock file's folder, which a sync refuses by default."""
    locations = [
        location for p in lock.packages for location in (p.archive, p.directory, p.vcs) if location is not None
    ]
    files = [file for p in lock.packages for file in (p.sdist, *(p.wheels or ())) if file is not None]
    outside = _outside(location.path for location in locations)
    folders = _outside(f.path and f.path.rpartition("/")[0] + "/" for f in files)
    if outside or folders:
        way = f" or `-f {folders[0]}`" if folders and not outside else " only"
        listener.note(
            f"The lock refers to paths outside its folder, {_listed([*outside, *folders])}:"
            f" `lockset sync` installs them with `--allow-outside-path`{way}"
        )


def _outside(paths: Iterable[str | None]) -> list[str]:
    return sorted({path for path in paths if path and (path.split("/")[0] == ".." or isabs(path))})


def _differ(before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    common = before.keys() & now.keys()
    return any(before[a].lower() != now[a].lower() for a in common)


def _prove(
    lock: Pylock,
    problem: ResolutionProblem,
    resolution: Resolution,
    repository: IndexRepository | DirectRepository,
    terms: LockTerms,
) -> tuple[MissingFile, ...]:
    @cache  # called for each of many environments
    def dependencies(name: str, version: Version) -> Iterable[Dependency]:
        facts = repository.facts(name, version)
        return facts.dependencies if facts is not None else ()

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
    report = validate_document(text, path="pylock.toml")
    errors = [issue for issue in report.issues if issue.severity == "error"]
    if errors:
        raise LocksetError(
            "internal-invalid",
            f"The lock is not a valid lock file: {errors[0].message}",
            hint="Nothing was written. This is a bug in lockset: report it with the project",
        )
    return text
