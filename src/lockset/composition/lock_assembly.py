"""Resolve a problem, and verify and write the lock that answers it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import field, replace
from functools import cache
from os.path import isabs
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.errors import LocksetError, UsageError
from lockset.files.output_file import write_lock_file
from lockset.lockfile.secrets import refuse_secrets
from lockset.lockfile.validate.report import validate_document
from lockset.lockfile.write import write
from lockset.resolve.lock.assemble import LockTerms, assemble_lock, with_project
from lockset.resolve.lock.lock_resolution import resolution_of
from lockset.resolve.lock.missing_files import gaps
from lockset.resolve.lock.python_bounds import later_pythons, narrowing
from lockset.resolve.lock.verify import verify_lock
from lockset.resolve.lock.wheels_agree import verify_metadata
from lockset.resolve.problem.direct_source import DirectVersion
from lockset.resolve.problem.other_sources import refuse_of_needed
from lockset.resolve.problem.python_range import KNOWN
from lockset.resolve.releases.direct_repository import DirectRepository, UrlRequirementDiscovered
from lockset.resolve.solver.candidate import ForkCandidate
from lockset.resolve.solver.resolution_graph import resolution_graph
from lockset.resolve.solver.search import ResolutionImpossible, extra_and_group_choices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from os import PathLike
    from pathlib import Path

    from packaging.version import Version

    from lockset.composition.lock_inputs import LockInputs
    from lockset.lockfile.model import Pylock
    from lockset.progress import ProgressListener
    from lockset.resolve.lock.missing_files import Gap
    from lockset.resolve.lock.verify import MissingFile
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.problem.options import LockOptions
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.problem.requirement import Dependency
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.resolve.solver.resolution import Resolution
    from lockset.sources.project import RootProject

__all__ = ["LockResult", "resolve_and_assemble"]

# Names in one note; further ones are counted.
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LockResult:
    """A lock that was found, proved and validated.

    Attributes:
        lock: The lock file.
        text: Its canonical text, byte for byte the same for the same question and index.
        resolution: Who needs what where, and how the search went.
        gaps: Entries without a usable file in some environments, and these.
        skipped: Releases that were stepped over, as `name version`, and why.
        behind: Projects whose newest chosen version is not the newest there is: both versions.
        notes: What the user should know and would be told again by the same question.
        warnings: What in the sources is probably not what was meant.
        inputs: What it was made of: project, options, indexes, and the lock file that was there.
        fresh_until: When the first page of an index has to be asked for again, in seconds since the epoch; 0 where
            nobody knows.
    """

    lock: Pylock
    text: str
    resolution: Resolution
    gaps: tuple[Gap, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    behind: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    inputs: LockInputs | None = None
    fresh_until: float = 0.0

    def write(self, path: str | PathLike[str] | None = None) -> None:
        """Write the lock file, whole or not at all, at `path`, or at the output that it was made for.

        Raises:
            LocksetError: `output-not-writable`; the file is as it was.
        """
        location = path if path is not None else self.path
        if location is None:
            raise UsageError("output-missing", "The lock was made for no file", hint="Give `write` a path")
        write_lock_file(location, self.text)

    @property
    def path(self) -> Path | None:
        """The lock file that it was made for, absolute."""
        return None if self.inputs is None else self.inputs.target

    @property
    def splits(self) -> int:
        """How often one project was decided apart for two parts of the environments."""
        return sum(isinstance(c, ForkCandidate) for _, found in self.resolution.pins.parts for c in found.values())


def resolve_and_assemble(
    project: RootProject,
    choices: LockOptions,
    problem: ResolutionProblem,
    opened: IndexRepository,
    *,
    old: Pylock | None,
    verify: bool,
    one_environment: bool,
    listener: ProgressListener,
) -> LockResult:
    """The lock that answers `problem`; for the arguments and errors see `lockset.composition.lock_pipeline`."""
    notes = _Notes(listener, (*problem.notes, *_unknown_upgrades(choices, old)))
    # Sources in front of the index, for the search only where there may be any: it asks very often.
    artifacts = DirectRepository(opened, problem.direct)
    repository = artifacts if problem.direct.concerned else opened
    listener.phase("Resolving")
    question, resolution = _resolved(problem, repository, notes, one_environment=one_environment)
    terms, resolution = _narrowed(question, resolution, repository, notes, old=old)
    if verify:
        listener.phase("Comparing metadata")
        verify_metadata(resolution, opened)
    lock = assemble_lock(resolution, question.request, terms, artifacts)
    lacking = gaps(_prove(lock, question, resolution, repository, terms), resolution, repository)
    _tell_missing_extras(resolution, repository, notes)
    behind = _behind(resolution, repository)
    lock = _with_entry(lock, project, question)
    refuse_of_needed(project, question.direct.guard, lock)
    _tell_sources(lock, old, notes)
    refuse_secrets(lock)
    return LockResult(
        lock=lock,
        text=_text(lock),
        resolution=resolution,
        gaps=lacking,
        skipped=_skipped(repository, notes),
        behind=behind,
        notes=tuple(notes.texts),
    )


def _skipped(repository: IndexRepository | DirectRepository, notes: _Notes) -> Mapping[str, str]:
    skipped = {f"{name} {version}": why for (name, version), why in sorted(repository.stepped_over.items())}
    notes.texts += [f"{release} is skipped: {why}" for release, why in skipped.items()]
    return skipped


def _with_entry(found: Pylock, project: RootProject, question: ResolutionProblem) -> Pylock:
    if question.entry is None or project.name is None:
        return found
    return with_project(found, project.name, question.entry, question.request)


def _unknown_upgrades(choices: LockOptions, old: Pylock | None) -> Iterator[str]:
    known = {package.name for package in old.packages} if old is not None else set()
    for name in sorted(choices.upgrade_packages - known):
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
    question: ResolutionProblem,
    repository: IndexRepository | DirectRepository,
    listener: _Notes,
    *,
    one_environment: bool,
) -> tuple[ResolutionProblem, Resolution]:
    """The answer, and the question that it answers: without later Pythons on which there is none, where it was open.

    Begun anew, at most once for each source there is, where one is found on the way.
    """
    while True:
        with suppress(UrlRequirementDiscovered):
            found = _found(question, repository, listener.listener, one_environment=one_environment)
            if not isinstance(found, ResolutionImpossible):
                return question, found
            question = _without_later_pythons(question, found, listener)


def _found(
    question: ResolutionProblem,
    repository: IndexRepository | DirectRepository,
    listener: ProgressListener,
    *,
    one_environment: bool,
) -> Resolution | ResolutionImpossible:
    """The answer, or a failure on later Pythons alone.

    Raises:
        LocksetError: `no-resolution`, once a second engine was asked.
    """
    if one_environment:
        from lockset.resolve.lock.one_environment_resolution import resolution_in_one_environment

        decided = resolution_in_one_environment(question, repository)
        if decided is not None:
            return decided
    found = resolution_of(question, repository, listener)
    if not isinstance(found, ResolutionImpossible) or later_pythons(found, question.request) is not None:
        return found
    # What asks again and what tries remedies costs milliseconds to import.
    from lockset.resolve.lock.second_opinion import reconsider

    found = reconsider(found, question, repository, listener)
    if not isinstance(found, ResolutionImpossible) or later_pythons(found, question.request) is not None:
        return found
    from lockset.resolve.explain.explain import explain_failure

    raise explain_failure(found, question.request, repository) from None


def _without_later_pythons(
    question: ResolutionProblem, impossible: ResolutionImpossible, listener: _Notes
) -> ResolutionProblem:
    bound = later_pythons(impossible, question.request)
    assert bound is not None
    requested = sorted({cause.origin.text for cause in impossible.causes})
    listener.note(f"The lock serves Pythons below {bound.below}: nothing there meets {_listed(requested)}")
    return replace(question, request=bound.of(question.request))


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return f"{', '.join(texts[:3])}{more}"


def _behind(resolution: Resolution, repository: IndexRepository | DirectRepository) -> Mapping[str, tuple[str, str]]:
    """Chosen versions that are not the newest final ones there are, with these."""
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


def _narrowed(
    question: ResolutionProblem,
    resolution: Resolution,
    repository: IndexRepository | DirectRepository,
    listener: _Notes,
    *,
    old: Pylock | None,
) -> tuple[LockTerms, Resolution]:
    """The lock's own range after the upper bounds of what was chosen, and the resolution inside it.

    That is said where it is new, and some Python that is known is left out: `<4` leaves out none.
    """
    request = question.request
    bound = narrowing(resolution, repository.strictly_serves) if request.open_above else None
    if bound is None:
        return _terms(question, request), resolution
    inside = bound.of(request)
    is_new = old is None or old.requires_python != inside.requires_python
    if is_new and not (KNOWN & request.universe).implies(inside.universe):
        names = _listed([f"{name} {version}" for name, version in bound.releases])
        verb = "admits" if len(bound.releases) == 1 else "admit"
        listener.note(f"The lock serves Pythons below {bound.below}: {names} {verb} no later one")
    return _terms(question, inside), resolution_graph(
        resolution.pins, request.roots, inside.universe, repository, resolution.statistics
    )


def _terms(question: ResolutionProblem, request: LockRequest) -> LockTerms:
    return LockTerms(
        requires_python=request.requires_python,
        universe=request.universe,
        conflicts=request.conflicts,
        folder=question.direct.folder,
        sdists=question.sdists,
    )


def _tell_missing_extras(
    resolution: Resolution, repository: IndexRepository | DirectRepository, listener: _Notes
) -> None:
    """An extra that the chosen release does not provide asks for nothing: worth a word, never an older release."""
    for (name, version), node in resolution.nodes.items():
        facts = repository.facts(name, version)
        provided = facts.extras if facts is not None else frozenset()
        missing = sorted({extra for extra, _ in node.extras} - provided)
        if missing:
            more = f" and {len(missing) - _SHOWN} others" if len(missing) > _SHOWN else ""
            listener.note(f"{name} {version} has no extra named {', '.join(missing[:_SHOWN])}{more}")


def _tell_sources(found: Pylock, old: Pylock | None, listener: _Notes) -> None:
    _tell_changed_archives(found, old, listener)
    _tell_outside_paths(found, listener)


def _tell_changed_archives(found: Pylock, old: Pylock | None, listener: _Notes) -> None:
    """An archive that is another one than before, though its address is the same: worth a word."""
    known = {p.archive.url: p.archive for p in (old.packages if old is not None else ()) if p.archive and p.archive.url}
    for package in found.packages:
        before = known.get(package.archive.url or "") if package.archive is not None else None
        if before is not None and package.archive is not None and _differ(before.hashes, package.archive.hashes):
            listener.note(f"{package.archive.url} has changed since it was locked: look at what is new")


def _tell_outside_paths(found: Pylock, listener: _Notes) -> None:
    """Paths that lead out of the lock's folder, which a sync wants to be allowed."""
    locations = [
        location for p in found.packages for location in (p.archive, p.directory, p.vcs) if location is not None
    ]
    files = [file for p in found.packages for file in (p.sdist, *(p.wheels or ())) if file is not None]
    outside = _outside(location.path for location in locations)
    folders = _outside(f.path and f.path.rpartition("/")[0] + "/" for f in files)
    if outside or folders:
        way = f" or `-f {folders[0]}`" if folders and not outside else " only"
        listener.note(
            f"The lock points out of its folder, to {_listed([*outside, *folders])}:"
            f" `lockset sync` installs that with `--allow-outside-path`{way}"
        )


def _outside(paths: Iterable[str | None]) -> list[str]:
    return sorted({path for path in paths if path and (path.split("/")[0] == ".." or isabs(path))})


def _differ(before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    common = before.keys() & now.keys()
    return any(before[a].lower() != now[a].lower() for a in common)


def _prove(
    found: Pylock,
    question: ResolutionProblem,
    resolution: Resolution,
    repository: IndexRepository | DirectRepository,
    terms: LockTerms,
) -> tuple[MissingFile, ...]:
    @cache  # asked for each of many environments
    def dependencies(name: str, version: Version) -> Iterable[Dependency]:
        facts = repository.facts(name, version)
        return facts.dependencies if facts is not None else ()

    inside = terms.universe.without_extras_and_groups()
    samples = [s for s in question.samples if inside.evaluate(s.environment)]
    request = question.request
    return verify_lock(
        found,
        versions=[version for _, version in resolution.nodes],
        roots=request.roots,
        dependencies=dependencies,
        samples=samples,
        choices=extra_and_group_choices(request),
        universe=terms.universe,
    )


def _text(lock: Pylock) -> str:
    """The text of the lock, which keeps the standard."""
    text = write(lock)
    report = validate_document(text, path="pylock.toml")
    errors = [issue for issue in report.issues if issue.severity == "error"]
    if errors:
        raise LocksetError(
            "internal-invalid",
            f"The lock that was made breaks the standard: {errors[0].message}",
            hint="Nothing was written; this is a bug in lockset: report it with the project that shows it",
        )
    return text
