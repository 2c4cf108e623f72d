"""Whether versions without known vulnerabilities fit a lock, tried by searches; and the lock that has them.

A search is the one of `lockset lock` with the existing pins, in which the affected package may not have an affected
version: everything else stays where it can.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from packaging.version import Version

from lockset._dataclass import dataclass, replace
from lockset.advisories.vulnerabilities import vulnerabilities_of
from lockset.composition.audits.report import AuditFix, FixOutlook
from lockset.composition.lock_assembly import own_projects, requiring_own, resolve_and_assemble
from lockset.composition.lock_inputs import read_lock_inputs
from lockset.composition.lock_pipeline import lock_repository, problem_from_inputs
from lockset.composition.sources.names import with_all_names
from lockset.dependency_specifiers import read_specifiers, read_version
from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.progress import NullListener
from lockset.resolve.explain.explain import explain_failure
from lockset.resolve.lock.lock_resolution import resolution_of
from lockset.resolve.lock.second_opinion import reconsider
from lockset.resolve.lock.staleness import outdated_parts
from lockset.resolve.problem.choices import refuse_lost_groups
from lockset.resolve.problem.direct_source import DirectVersion
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
    from lockset.resolve.problem.options import LockOptions
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
                "Fixes cannot be compared with requirements: there is neither a pyproject.toml nor a"
                f" requirements.in next to {path.name}",
                location=str(path),
                hint="Audit without --online and --fix, or put the lock file next to its project",
            )
        self._context = replace(context, folder=path.parent)
        inputs = with_all_names(read_lock_inputs([source.name], None, indexes, path.name, self._context))
        self._inputs = replace(inputs, options=_for_same_environments(inputs))

    def run(self, names: Sequence[str], database: AdvisoryDatabase, *, apply: bool) -> SearchedFixes:
        """Search for fixes of the packages `names`; with `apply`, also make the lock that has those that fit.

        Raises:
            LocksetError: As `lockset lock`.
        """
        inputs = self._inputs
        refuse_lost_groups(inputs.project, inputs.options, inputs.pins)
        with problem_from_inputs(self._inputs) as (project, problem, opened), ExitStack() as stack:
            search = _OpenSearch(
                auditor=self._auditor,
                inputs=inputs,
                project=project,
                problem=requiring_own(problem, own_projects(problem, project)),
                opened=opened,
                names=tuple(names),
            )
            outlooks: Mapping[str, FixOutlook] = {name: search.outlook(name, database) for name in names}
            for first_only in (True, False):
                search, outlooks = self._lifted(search, outlooks, database, stack, first_only=first_only)
            fix = search.fix(database, outlooks) if apply else None
        return SearchedFixes(outlooks=outlooks, fix=fix, notes=tuple(self._notes()))

    def _lifted(
        self,
        search: _OpenSearch,
        outlooks: Mapping[str, FixOutlook],
        database: AdvisoryDatabase,
        stack: ExitStack,
        *,
        first_only: bool,
    ) -> tuple[_OpenSearch, Mapping[str, FixOutlook]]:
        """Search again for packages without a fix that fits, with the fixes that the cooldown holds back.

        With `first_only`, only the first fixing version of each package is released from the cooldown.
        """
        rules = search.opened.rules
        releases = _FixingReleases(auditor=self._auditor, database=database)
        lifted = dict(rules.cooldown_lifted)
        for name in (n for n, outlook in outlooks.items() if not outlook.fits):
            fixing = [v for v in releases.fixing(name, search.opened) if not v.is_prerelease]
            if rules.cooldown_limit(name) is not None and fixing:
                lifted[name] = frozenset(fixing[:1] if first_only else fixing)
        if lifted == rules.cooldown_lifted:
            return search, outlooks
        problem = replace(search.problem, rules=replace(rules, cooldown_lifted=lifted))
        opened = stack.enter_context(lock_repository(self._inputs)(problem.rules, self._context.heard))
        wider = replace(search, problem=problem, opened=opened)
        again = {name: wider.outlook(name, database) for name, outlook in outlooks.items() if not outlook.fits}
        # The cooldown stays for what does not fit anyway.
        if not any(outlook.fits for outlook in again.values()):
            return search, outlooks
        return wider, {**outlooks, **again}

    def _notes(self) -> Iterator[str]:
        inputs = self._inputs
        if inputs.pins is not None and outdated_parts(
            inputs.project, inputs.options, inputs.pins, now=inputs.context.moment, folder=inputs.folder
        ):
            name = os.path.basename(self._auditor.subject.location)
            yield f"The project has changed since {name} was locked: fixes are searched for its current requirements"


@dataclass(frozen=True, kw_only=True)
class _FixingReleases:
    """The releases that fix a package: those after the locked one without vulnerabilities that count."""

    auditor: Auditor
    database: AdvisoryDatabase

    def fixing(self, name: str, repository: IndexRepository) -> list[Version]:
        """The later versions of a package without counted vulnerabilities, the first one first."""
        known = sorted(v for v in repository.all_versions(name) if not isinstance(v, DirectVersion))
        locked = [one.version for one in self.auditor.subject.packages if one.name == name]
        affected = [v for v in locked if isinstance(v, Version) and self.counts(name, v)]
        return [v for v in known if (not affected or v > min(affected)) and not self.counts(name, v)]

    def counts(self, name: str, version: Version) -> bool:
        """Whether a vulnerability of this version counts."""
        entries = self.auditor.entries
        return any(entries.current(one) is None for one in vulnerabilities_of(self.database, name, version))


@dataclass(frozen=True, kw_only=True)
class _OpenSearch:
    """The searches over one open repository."""

    auditor: Auditor
    inputs: LockInputs
    project: RootProject
    problem: ResolutionProblem
    opened: IndexRepository
    names: tuple[str, ...]

    def outlook(self, name: str, database: AdvisoryDatabase) -> FixOutlook:
        """Whether a fix of this package alone fits."""
        specifier = self._specifier(name, database)
        if specifier is None:
            releases = _FixingReleases(auditor=self.auditor, database=database)
            which = "Only pre-releases" if releases.fixing(name, self.opened) else "No later version"
            verb = "are" if which.startswith("Only") else "on the index is"
            return FixOutlook(reason=f"{which} of {name} {verb} without known vulnerabilities")
        resolution = self._resolved({name: specifier})
        if isinstance(resolution, ResolutionImpossible):
            return self._failure(resolution, name, specifier)
        versions = sorted(v for n, v in resolution.nodes if n == name and not isinstance(v, DirectVersion))
        changes = self._changes(resolution, besides=name)
        lifted = [str(v) for v in versions if self._is_lifted(name, v)]
        return FixOutlook(
            versions=tuple(map(str, versions)), is_removed=not versions, changes=changes, lifted=tuple(lifted)
        )

    def _is_lifted(self, name: str, version: Version) -> bool:
        """Whether only the fix keeps the cooldown from holding this release back."""
        rules = self.opened.rules
        if version not in rules.cooldown_lifted.get(name, ()):
            return False
        usual = replace(rules, cooldown_lifted={})
        return not any(usual.admits_upload(name, file) for file in self.opened.files(name, version))

    def _failure(self, impossible: ResolutionImpossible, name: str, specifier: Specifier) -> FixOutlook:
        problem, repository = self._problem({name: specifier}), self._repository()
        one = explain_failure(impossible, problem.request, repository).diagnostic
        # Lines about the constraint of this search, and hints to loosen it, say nothing of the project.
        lines = [line for line in one.context if _WHERE not in line and not line.startswith("It fails on every ")]
        hint = one.hint if one.hint is not None and f"`{name}{specifier}`" not in one.hint else None
        return FixOutlook(
            reason=f"{name}{specifier} is incompatible with the other requirements",
            context=(*lines[:_LINES], *([hint] if hint is not None else ())),
        )

    def _specifier(self, name: str, database: AdvisoryDatabase) -> Specifier | None:
        """The versions from the first one without counted vulnerabilities on; None if there is none.

        Versions before the locked one are no fix: they may lack what the project needs.
        """
        releases = _FixingReleases(auditor=self.auditor, database=database)
        fixing = releases.fixing(name, self.opened)
        first = next((v for v in fixing if not v.is_prerelease), None)
        if first is None:
            return None
        affected = [v for v in sorted(self.opened.all_versions(name)) if v > first and v not in fixing]
        return Specifier.of(read_specifiers(",".join([f">={first}", *(f"!={v}" for v in affected)])))

    def _problem(self, specifiers: Mapping[str, Specifier]) -> ResolutionProblem:
        request = self.problem.request
        policy, universe = request.policy, request.universe
        constraints = {
            **policy.constraints,
            **{name: (*policy.constraints.get(name, ()), (one, universe)) for name, one in specifiers.items()},
        }
        locations = {**policy.locations, **dict.fromkeys(specifiers.items(), _WHERE)}
        changed = replace(policy, constraints=constraints, locations=locations)
        pins = {name: pin for name, pin in request.preferences.items() if name not in specifiers}
        return replace(self.problem, request=replace(request, policy=changed, preferences=pins))

    def _repository(self) -> DirectRepository:
        return DirectRepository(self.opened, self.problem.direct)

    def _resolved(self, specifiers: Mapping[str, Specifier]) -> Resolution | ResolutionImpossible:
        problem, repository, listener = self._problem(specifiers), self._repository(), NullListener()
        while True:
            with suppress(UrlRequirementDiscovered):
                resolution = resolution_of(problem, repository, listener)
                if isinstance(resolution, ResolutionImpossible):
                    return reconsider(resolution, problem, repository, listener)
                return resolution

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
            chosen = [(n, read_version(v)) for n, v in pins if n in specifiers]
            releases = _FixingReleases(auditor=self.auditor, database=database)
            if not any(releases.counts(name, version) for name, version in chosen):
                break
        remaining = self.auditor.of_lock(result.text if result is not None else None).report(database).findings
        changed = result is not None and (self._old is None or _versions(result.lock) != _versions(self._old))
        return AuditFix(
            result=result if changed else None,
            changes=tuple(_changed(self._old, result.lock)) if result is not None and changed else (),
            remaining=remaining,
            lifted=tuple(
                f"{one.name} {one.version}"
                for one in (result.lock.packages if result is not None and changed else ())
                if one.version is not None and self._is_lifted(one.name, one.version)
            ),
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
            *(self.project, inputs.options, self._problem(specifiers), self.opened),
            old=inputs.pins,
            verify=False,
            one_environment=False,
            listener=inputs.context.heard,
        )
        return replace(result, warnings=inputs.warnings, inputs=inputs)


def _for_same_environments(inputs: LockInputs) -> LockOptions:
    """The options that keep the Pythons and environments of the lock, which may have come from the command line."""
    options, settings, old = inputs.options, inputs.project.settings, inputs.pins
    if old is None:
        return options
    if old.environments and not (settings.platforms or settings.environments):
        options = replace(options, environments=tuple(map(str, old.environments)))
    requested = settings.python or inputs.project.requires_python
    if old.requires_python is not None:
        locked = MarkerSet.of_python(old.requires_python).without_python_cap()
        if requested is None or not MarkerSet.of_python(requested).implies(locked):
            options = replace(options, python=str(old.requires_python))
    return options


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
