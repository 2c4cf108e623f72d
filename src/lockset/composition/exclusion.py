"""Explain why a version is not chosen: the search of `lockset why-not`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, replace
from lockset.composition.lock_assembly import own_projects, requiring_own
from lockset.composition.lock_pipeline import problem_from_inputs
from lockset.dependency_specifiers import read_specifiers, read_version
from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.resolve.explain.explain import explain_failure
from lockset.resolve.explain.failure import WHY_NOT
from lockset.resolve.lock.lock_notes import environments_in_words
from lockset.resolve.lock.lock_resolution import lacking_files, resolution_of
from lockset.resolve.lock.newer_releases import pythons_do_not_fit
from lockset.resolve.problem.direct_source import DirectVersion
from lockset.resolve.problem.requirement import RequirementOrigin, RootRequirement, Specifier, parse_dependency
from lockset.resolve.releases.admission import Admission
from lockset.resolve.releases.direct_repository import DirectRepository, UrlRequirementDiscovered
from lockset.resolve.solver.search import ResolutionImpossible

if TYPE_CHECKING:
    from packaging.version import Version

    from lockset.composition.lock_inputs import LockInputs
    from lockset.errors import Diagnostic
    from lockset.lockfile.model import Pylock
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.resolve.solver.resolution import Resolution

__all__ = ["ChosenVersion", "WhyNot", "explain_exclusion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenVersion:
    """A chosen version, and the marker of where it is chosen (None for everywhere)."""

    version: str
    marker: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """Why a version is not chosen.

    Attributes:
        name: Normalised name of the project.
        version: The version in question.
        chosen: The versions of the project that are chosen.
        reason: Why the version is not chosen, in one sentence.
        conflict: The conflict, if the version is incompatible with the other requirements.
        hint: How to get the version.
    """

    name: str
    version: str
    chosen: tuple[ChosenVersion, ...]
    reason: str
    conflict: Diagnostic | None = None
    hint: str | None = None


def explain_exclusion(inputs: LockInputs, name: str, version: str | None) -> WhyNot:
    """Explain why `version` of `name` (None for the newest final release) would not be locked.

    Raises:
        LocksetError: `unknown-version`; `no-resolution` if the project cannot be locked at all; and as `lock`.
    """
    listener, old = inputs.context.heard, inputs.pins
    with problem_from_inputs(inputs) as (project, posed, opened):
        problem = requiring_own(posed, own_projects(posed, project))
        repository = DirectRepository(opened, problem.direct)
        release = _version(opened, name, version)
        while True:
            with suppress(UrlRequirementDiscovered):
                return _ExclusionSearch(problem, repository, opened, listener, old).answer(name, release)


def _version(repository: IndexRepository, name: str, version: str | None) -> Version:
    known = repository.all_versions(name)
    if not known:
        raise LocksetError("project-not-found", f"No index has a project named {name}", hint="Check the spelling")
    if version is None:
        return next((v for v in known if not v.is_prerelease), known[0])
    release = next((v for v in known if v == read_version(version)), None)
    if release is None:
        near = ", ".join(str(v) for v in known[:5])
        raise LocksetError("unknown-version", f"No index has {name} {version}", hint=f"The newest releases are {near}")
    return release


class _ExclusionSearch:
    def __init__(
        self,
        problem: ResolutionProblem,
        repository: DirectRepository,
        index: IndexRepository,
        listener: ProgressListener,
        old: Pylock | None,
    ) -> None:
        self._problem = problem
        self._request = problem.request
        self._repository = repository
        self._index = index
        self._listener = listener
        self._old = old

    def answer(self, name: str, version: Version) -> WhyNot:
        usual = self._resolved(self._request)
        if isinstance(usual, ResolutionImpossible):
            raise explain_failure(usual, self._request, self._repository)
        nodes = {v: node.region for (n, v), node in usual.nodes.items() if n == name}
        chosen = tuple(ChosenVersion(version=str(v), marker=self._marker(r)) for v, r in nodes.items())

        def because(reason: str, hint: str | None = None, conflict: Diagnostic | None = None) -> WhyNot:
            return WhyNot(name=name, version=str(version), chosen=chosen, reason=reason, hint=hint, conflict=conflict)

        if not nodes:
            return because(f"nothing that is locked requires {name}", f"Require it: `{name}=={version}`")
        if version in nodes and nodes[version] is MarkerSet.union(nodes.values()):
            return because("it is chosen wherever it is required")
        if any(isinstance(v, DirectVersion) for v in nodes):
            return because(f"{name} is required by URL or path", "Require a version instead")
        early = self._before_the_search(name, version, MarkerSet.union(nodes.values()))
        if early is not None:
            return because(*early)
        return because(*self._pinned(name, version, MarkerSet.union(nodes.values()), nodes.get(version), usual))

    def _marker(self, region: MarkerSet) -> str | None:
        """The shortest marker for a region of the lock; the default group is implied."""
        known, group = self._request.universe, self._request.default_group
        default = MarkerSet.any() if group is None else MarkerSet.group(group)
        return region.text(known & default if region.implies(default) else known)

    def _resolved(self, request: LockRequest) -> Resolution | ResolutionImpossible:
        problem = replace(self._problem, request=request)
        resolution = resolution_of(problem, self._repository, self._listener)
        if not isinstance(resolution, ResolutionImpossible):
            return resolution
        from lockset.resolve.lock.second_opinion import reconsider  # rarely needed

        return reconsider(resolution, problem, self._repository, self._listener)

    def _before_the_search(self, name: str, version: Version, region: MarkerSet) -> tuple[str, str] | None:
        """What excludes the version whatever else is required, in the order in which releases are excluded."""
        left_out = self._index.left_out(name, version)
        if left_out is not None:
            return left_out, self._allowing_files_of(name)
        for constraint, where in self._request.policy.constraints.get(name, ()):
            if not where.is_disjoint(region) and not constraint.admits(version):
                return f"{name}{constraint} is a constraint", f"Loosen the constraint {name}{constraint}"
        if self._repository.facts(name, version) is None:
            return self._repository.stepped_over[name, version], "Ask its maintainers for a corrected release"
        return self._by_policy(name, version, region)

    def _allowing_files_of(self, name: str) -> str:
        """The hint with the options that exclude files of the project."""
        rules = self._index.rules
        fixes = [*rules.undo_sources(name), *rules.undo_wheels(name)]
        if rules.cooldown_limit(name) is not None:
            fixes.insert(0, f"lift the cooldown for it: `--cooldown-package {name}='0 days'`")
        if rules.upload_limit(name) is not None:
            fixes.insert(0, f"lift the date limit for it: `--exclude-newer-package {name}=false`")
        if name in rules.hashes:
            fixes.append("add a hash of one of its files")
        return "To allow it: " + ", or ".join(fixes)

    def _by_policy(self, name: str, version: Version, region: MarkerSet) -> tuple[str, str] | None:
        serves = self._repository.serves(name, version)
        if serves.is_disjoint(region):
            marker = serves.without_extras_and_groups().text() or ""
            pythons = pythons_do_not_fit(self._index, name, version, region)
            return (
                pythons or f"it can only be used where {marker}",
                "Narrow `requires-python` (`--python`) or `--platform` to match",
            )
        releases = self._repository.releases(name)
        if releases.yanked >> releases.versions.index(version) & 1:
            return "it is yanked", f"To use it anyway, pin it: `{name}=={version}`"
        alone = Specifier.of(read_specifiers(f"<={version}"))
        admission = Admission(self._repository, self._request.policy)
        admitted = admission.foremost(releases, admission.admitted(releases, {alone}))
        if not admitted >> releases.versions.index(version) & 1:
            return (
                "it is a pre-release, and stable releases fit",
                f"Name it: `{name}>={version}`, or allow pre-releases with `--prerelease-package {name}=allow`",
            )
        return None

    def _pinned(
        self, name: str, version: Version, region: MarkerSet, mine: MarkerSet | None, usual: Resolution
    ) -> tuple[str, str | None, Diagnostic | None]:
        """What happens if the version is required."""
        dependency = parse_dependency(f"{name}=={version}")
        where = region & self._repository.serves(name, version)
        origin = RequirementOrigin(name=WHY_NOT, version=None, text=dependency.text)
        pin = RootRequirement(dependency=dependency, region=where, origin=origin)
        request = replace(self._request, roots=(*self._request.roots, pin))
        resolution = self._resolved(request)
        if isinstance(resolution, ResolutionImpossible):
            failure = explain_failure(resolution, request, self._repository).diagnostic
            return "it is incompatible with the other requirements", failure.hint, failure
        other = region if mine is None else region - mine
        lacking = self._without_file(resolution, name, other - lacking_files(usual, self._repository, other))
        if lacking is not None:
            return lacking, f"To use it anyway, pin it: `{name}=={version}`", None
        if mine is not None or not region.implies(where):
            marker = self._marker(where)
            pythons = pythons_do_not_fit(self._index, name, version, region)
            hint = "To lock it alone, narrow the Pythons: `requires-python` in pyproject.toml, or `--python`"
            if pythons is not None:
                return pythons, hint, None
            return f"it can be used only where {marker or 'it is chosen'}", None, None
        old = self._old.packages if self._old is not None else ()
        locked = sorted(p.version for p in old if p.name == name and p.version is not None)
        if locked and version > locked[-1]:
            pins = ", ".join(map(str, locked))
            hint = f"Upgrade it: `lockset lock -P {name}`"
            return f"the lock file has {pins}, although this version is compatible", hint, None
        moved = self._moved(resolution, name)
        reason = f"another version is preferred, although this one is compatible{moved}"
        return reason, f"Pin it: `{name}=={version}`", None

    def _without_file(self, resolution: Resolution, name: str, region: MarkerSet) -> str | None:
        """The release that has no file for a part of `region`, while with another version all have one."""
        wanted = region & self._repository.target_region
        for (n, version), node in sorted(resolution.nodes.items(), key=lambda item: item[0][0] != name):
            wheels = None if isinstance(version, DirectVersion) else self._repository.wheels_serve(n, version)
            missing = MarkerSet.none() if wheels is None else (node.region & wanted) - wheels
            missing = missing.without_extras_and_groups()
            samples = [s for s in self._problem.samples if missing.evaluate(s.environment)]
            if samples:
                subject = "it has" if n == name else f"{n} {version}, which it brings in, has"
                return f"{subject} no file for {environments_in_words(samples)}"
        return None

    def _moved(self, resolution: Resolution, name: str) -> str:
        """The other versions that change with it."""
        usual = self._resolved(self._request)
        if isinstance(usual, ResolutionImpossible):
            return ""
        other = [f"{n} {v}" for n, v in resolution.nodes if n != name and (n, v) not in usual.nodes]
        return f", with {', '.join(other[:5])}" if other else ""
