"""Whether versions without known vulnerabilities fit a lock, tried by searches; and the lock that has them.

A search is the one of `lockset lock` with the existing pins, in which the affected package may not have an affected
version: everything else stays where it can.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from lockset._dataclass import dataclass
from lockset.advisories.vulnerabilities import vulnerabilities_of
from lockset.composition.audits.report import AuditFix, FixOutlook
from lockset.composition.dynamic_project import posed_problem
from lockset.composition.lock_assembly import resolve_and_assemble
from lockset.composition.lock_inputs import read_lock_inputs
from lockset.errors import LocksetError
from lockset.progress import NullListener
from lockset.resolve.explain.explain import explain_failure
from lockset.resolve.lock.lock_resolution import resolution_of
from lockset.resolve.lock.staleness import outdated_parts
from lockset.resolve.problem.direct_source import DirectVersion
from lockset.resolve.problem.lasting_choices import refuse_lost_groups
from lockset.resolve.problem.options import LockOptions
from lockset.resolve.problem.requirement import Specifier
from lockset.resolve.releases.direct_repository import DirectRepository, UrlRequirementDiscovered
from lockset.resolve.solver.search import ResolutionImpossible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from lockset.advisories.database import AdvisoryDatabase
    from lockset.composition.audits.audit_pipeline import Auditor
    from lockset.composition.lock_assembly import LockResult
    from lockset.composition.lock_inputs import LockInputs
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.lockfile.model import Pylock
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.resolve.solver.resolution import Resolution
    from lockset.sources.project import RootProject

__all__ = ["FixSearch", "SearchedFixes", "source_of_lock"]

# How often the advisories of newly chosen versions are looked up and the search is repeated.
_ROUNDS = 5
# Lines of an explanation that are shown.
_LINES = 4
_WHERE = "the versions without known vulnerabilities"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedFixes:
    """The outlook for each affected package, the fixed lock if it was requested, and notes."""

    outlooks: Mapping[str, FixOutlook]
    fix: AuditFix | None
    notes: tuple[str, ...] = ()


def source_of_lock(path: Path) -> Path | None:
    """The source of the lock file at `path`: a script of its name, or pyproject.toml or requirements.in next to it."""
    name = path.name.removeprefix("pylock").removesuffix(".toml").removeprefix(".")
    names = [f"{name}.py"] if name else []
    names += ["pyproject.toml", "requirements.in"]
    return next((path.parent / one for one in names if (path.parent / one).is_file()), None)


class FixSearch:
    """Searches for fixes of a lock file.

    Args:
        auditor: The audit of the lock file at `path`.
        path: The absolute path of the lock file.
        indexes: The indexes to use.
        context: The surroundings.
    """

    def __init__(
        self, auditor: Auditor, path: Path, indexes: IndexOptions | IndexOverrides | None, context: RunContext
    ) -> None:
        self._auditor = auditor
        source = source_of_lock(path)
        if source is None:
            raise LocksetError(
                "source-missing",
                "Whether a fix fits depends on the requirements, and there is neither a pyproject.toml nor a"
                f" requirements.in next to {path.name}",
                location=str(path),
                hint="Audit without --online and --fix, or put the lock file next to its project",
            )
        self._context = replace(context, folder=path.parent)
        self._inputs = read_lock_inputs([str(source)], None, indexes, str(path), self._context)

    def run(self, names: Sequence[str], database: AdvisoryDatabase, *, apply: bool) -> SearchedFixes:
        """Search for fixes of the packages `names`; with `apply`, also make the lock that has those that fit.

        Raises:
            LocksetError: As `lockset lock`.
        """
        inputs = self._inputs
        options = replace(inputs.options, upgrade_packages=frozenset(names))
        refuse_lost_groups(inputs.project, options, inputs.pins)
        with self._posed(options) as (project, problem, opened):
            search = _OpenSearch(
                auditor=self._auditor,
                inputs=inputs,
                options=options,
                project=project,
                problem=problem,
                opened=opened,
                names=tuple(names),
            )
            outlooks = {name: search.outlook(name, database) for name in names}
            fix = search.fix(database, outlooks) if apply else None
        return SearchedFixes(outlooks=outlooks, fix=fix, notes=tuple(self._notes()))

    def _posed(self, options: LockOptions):  # type: ignore[no-untyped-def]  # noqa: ANN202
        inputs = self._inputs
        return posed_problem(
            inputs.project,
            options,
            open_repository=inputs.repository(),
            now=inputs.context.moment,
            old=inputs.pins,
            folder=inputs.folder,
            listener=inputs.context.heard,
        )

    def _notes(self) -> Iterator[str]:
        inputs = self._inputs
        if inputs.pins is not None and outdated_parts(
            inputs.project, LockOptions(), inputs.pins, now=inputs.context.moment, folder=inputs.folder
        ):
            name = os.path.basename(self._auditor.subject.location)
            yield f"The project has changed since {name} was made: the search is for the project as it is now"


@dataclass(frozen=True, kw_only=True)
class _OpenSearch:
    """The searches over one open repository."""

    auditor: Auditor
    inputs: LockInputs
    options: LockOptions
    project: RootProject
    problem: ResolutionProblem
    opened: IndexRepository
    names: tuple[str, ...]

    def outlook(self, name: str, database: AdvisoryDatabase) -> FixOutlook:
        """Whether a fix of this package alone fits."""
        specifier = self._specifier(name, database)
        if specifier is None:
            return FixOutlook(reason=f"No version of {name} on the index is without known vulnerabilities")
        resolution = self._resolved({name: specifier})
        if isinstance(resolution, ResolutionImpossible):
            return self._failure(resolution, {name: specifier})
        versions = sorted(v for n, v in resolution.nodes if n == name and not isinstance(v, DirectVersion))
        changes = self._changes(resolution, besides=name)
        return FixOutlook(versions=tuple(map(str, versions)), is_removed=not versions, changes=changes)

    def _failure(self, impossible: ResolutionImpossible, specifiers: Mapping[str, Specifier]) -> FixOutlook:
        problem, repository = self._problem(specifiers), self._repository()
        one = explain_failure(impossible, problem.request, repository).diagnostic
        return FixOutlook(reason=one.message, context=one.context[:_LINES])

    def _specifier(self, name: str, database: AdvisoryDatabase) -> Specifier | None:
        """The versions from the first one without counted vulnerabilities on; None if there is none.

        Versions before the locked one are no fix: they may lack what the project needs.
        """
        known = sorted(v for v in self.opened.all_versions(name) if not isinstance(v, DirectVersion))
        locked = [
            one.version
            for one in self.auditor.subject.packages
            if one.name == name and isinstance(one.version, Version) and self._counts(name, one.version, database)
        ]
        later = [v for v in known if not locked or v > min(locked)]
        affected = {v for v in later if self._counts(name, v, database)}
        first = next((v for v in later if v not in affected and not v.is_prerelease), None)
        if first is None:
            return None
        texts = [f">={first}", *(f"!={v}" for v in later if v > first and v in affected)]
        return Specifier.of(SpecifierSet(",".join(texts)))

    def _counts(self, name: str, version: Version, database: AdvisoryDatabase) -> bool:
        return any(self.auditor.entries.current(one) is None for one in vulnerabilities_of(database, name, version))

    def _problem(self, specifiers: Mapping[str, Specifier]) -> ResolutionProblem:
        request = self.problem.request
        policy, universe = request.policy, request.universe
        constraints = {
            **policy.constraints,
            **{name: (*policy.constraints.get(name, ()), (one, universe)) for name, one in specifiers.items()},
        }
        locations = {**policy.locations, **dict.fromkeys(specifiers.items(), _WHERE)}
        changed = replace(policy, constraints=constraints, locations=locations)
        return replace(self.problem, request=replace(request, policy=changed))

    def _repository(self) -> DirectRepository:
        return DirectRepository(self.opened, self.problem.direct)

    def _resolved(self, specifiers: Mapping[str, Specifier]) -> Resolution | ResolutionImpossible:
        problem, repository = self._problem(specifiers), self._repository()
        while True:
            with suppress(UrlRequirementDiscovered):
                return resolution_of(problem, repository, NullListener())

    def _changes(self, resolution: Resolution, *, besides: str) -> tuple[str, ...]:
        """Other packages whose versions are not those of the lock."""
        before = {(one.name, str(one.version)) for one in (self._old.packages if self._old is not None else ())}
        return tuple(
            f"{name} {version}"
            for name, version in resolution.nodes
            if name != besides and not isinstance(version, DirectVersion) and (name, str(version)) not in before
        )

    @property
    def _old(self) -> Pylock | None:
        return self.inputs.pins

    def fix(self, database: AdvisoryDatabase, outlooks: Mapping[str, FixOutlook]) -> AuditFix:
        """The lock with all fixes that fit together; fixes that exclude each other are tried in the given order."""
        result: LockResult | None = None
        for _ in range(_ROUNDS):
            specifiers = self._compatible([n for n in self.names if outlooks[n].fits], database)
            if not specifiers:
                break
            result = self._assembled(specifiers)
            pins = [(one.name, str(one.version)) for one in result.lock.packages if one.version is not None]
            database = database.joined(self.auditor.sources.advisories(pins))
            chosen = [(n, Version(v)) for n, v in pins if n in specifiers]
            if not any(self._counts(name, version, database) for name, version in chosen):
                break
        remaining = self.auditor.of_lock(result.text if result is not None else None).report(database).findings
        changed = result is not None and (self._old is None or _versions(result.lock) != _versions(self._old))
        return AuditFix(
            result=result if changed else None,
            changes=tuple(_changed(self._old, result.lock)) if result is not None and changed else (),
            remaining=remaining,
        )

    def _compatible(self, names: Sequence[str], database: AdvisoryDatabase) -> dict[str, Specifier]:
        specifiers: dict[str, Specifier] = {}
        for name in names:
            specifier = self._specifier(name, database)
            if specifier is None:
                continue
            more = {**specifiers, name: specifier}
            if not isinstance(self._resolved(more), ResolutionImpossible):
                specifiers = more
        return specifiers

    def _assembled(self, specifiers: Mapping[str, Specifier]) -> LockResult:
        inputs = self.inputs
        result = resolve_and_assemble(
            *(self.project, self.options, self._problem(specifiers), self.opened),
            old=inputs.pins,
            verify=False,
            one_environment=False,
            listener=inputs.context.heard,
        )
        return replace(result, warnings=inputs.warnings, inputs=inputs)


def _versions(lock: Pylock) -> dict[str, tuple[str, ...]]:
    versions: dict[str, list[str]] = {}
    for package in lock.packages:
        versions.setdefault(package.name, []).append(str(package.version))
    return {name: tuple(sorted(set(each))) for name, each in versions.items()}


def _changed(old: Pylock | None, new: Pylock) -> Iterator[str]:
    before, after = _versions(old) if old is not None else {}, _versions(new)
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        if one != other:
            yield f"{name} {', '.join(one) if one else 'none'} -> {', '.join(other) if other else 'none'}"
