"""The provider for resolvelib, which resolves for one environment in the way pip does.

Projects are identified by name. Extras are not separate projects: a candidate is a release together with its requested
extras, and one with too few of them is replaced by one with more. Releases are admitted by the same rules as in the
universal search (`lockset.resolve.releases.admission`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from resolvelib import AbstractProvider

from lockset._dataclass import dataclass
from lockset.resolve.problem.requirement import ANY_VERSION, Specifier
from lockset.resolve.releases.admission import Admission

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version
    from resolvelib.structs import RequirementInformation

    from lockset.markers import MarkerSet
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.problem.requirement import Dependency
    from lockset.resolve.releases.repository import ReleaseFacts, Releases, Repository

__all__ = ["ApplicableRequirement", "Candidate", "OneEnvironmentProvider"]

# A name that no project has: a candidate that cannot be used requires it.
_UNUSABLE = "!"
_BOUNDS_ABOVE = frozenset({"<", "<=", "~=", "=="})


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicableRequirement:
    """One requirement that applies.

    Attributes:
        name: Normalised name of the project.
        specifier: Versions that fit.
        extras: Normalised names of the requested extras.
        only: The version that a candidate requires of its own project; None for all other requirements.
    """

    name: str
    specifier: Specifier = ANY_VERSION
    extras: frozenset[str] = frozenset()
    only: Version | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One release with the extras that are requested of it."""

    name: str
    version: Version
    extras: frozenset[str]


if TYPE_CHECKING:
    Information: TypeAlias = RequirementInformation[ApplicableRequirement, Candidate]
    _Provider: TypeAlias = AbstractProvider[ApplicableRequirement, Candidate, str]
else:
    _Provider = AbstractProvider


class OneEnvironmentProvider(_Provider):
    """The provider for `region`: one environment with its choice of extras and groups.

    `opt_in` receives the projects that only have opt-in releases; releases in `left_out` are ignored. Without `jumps`,
    resolvelib backtracks one choice at a time.

    Values that no region of an environment fixes, such as the release of a kernel, stay open in it: a requirement that
    depends on one counts as applying.
    """

    def __init__(
        self,
        request: LockRequest,
        region: MarkerSet,
        repository: Repository,
        *,
        opt_in: set[str] | None = None,
        left_out: Collection[tuple[str, Version]] = (),
        jumps: bool = True,
    ) -> None:
        self._region = region
        self._policy = request.policy
        self._left_out = left_out
        self._jumps = jumps
        self._repository = repository
        self._admission = Admission(repository, request.policy, request.preferences, opt_in)
        self._constraints = {
            name: [s for s, where in held if self._applies(where)] for name, held in request.policy.constraints.items()
        }
        self._preferred = {
            name: [p.version for p in pins if self._applies(p.region)] for name, pins in request.preferences.items()
        }
        applying = [root.dependency for root in request.roots if self._applies(root.region)]
        self.roots = [ApplicableRequirement(name=d.name, specifier=d.specifier, extras=d.extras) for d in applying]
        self._order = {name: number for number, name in enumerate(dict.fromkeys(r.name for r in self.roots))}
        self._dependencies: dict[Candidate, list[ApplicableRequirement]] = {}
        self._hinted = {_UNUSABLE}
        self._hint(self.roots)

    def _applies(self, where: MarkerSet) -> bool:
        return not where.is_disjoint(self._region)

    # The methods that resolvelib calls.

    def identify(self, requirement_or_candidate: ApplicableRequirement | Candidate) -> str:
        """The project's name."""
        return requirement_or_candidate.name

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[str],
        resolutions: Mapping[str, Candidate],
        candidates: Mapping[str, Iterator[Candidate]],
        information: Mapping[str, Iterator[Information]],
        backtrack_causes: Sequence[Information],
    ) -> Iterable[str]:
        """The undecided projects of the last conflict: those that require something in it, otherwise those required.

        If the required project were decided first, each of its releases would be tried with all that exclude it.
        """
        del resolutions, candidates, information
        undecided = list(identifiers)
        required = {cause.requirement.name for cause in backtrack_causes}
        requiring = {cause.parent.name for cause in backtrack_causes if cause.parent is not None}
        return (
            [name for name in undecided if name in requiring]
            or [name for name in undecided if name in required]
            or undecided
        )

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, Candidate],
        candidates: Mapping[str, Iterator[Candidate]],
        information: Mapping[str, Iterator[Information]],
        backtrack_causes: Sequence[Information],
    ) -> tuple[bool, bool, bool, int, bool, str]:
        """The most tightly bound first, then the project's own requirements in their order."""
        del resolutions, candidates, backtrack_causes
        specifiers = [one.requirement.specifier for one in information[identifier]]
        operators = {one.operator for s in specifiers for one in s.specifiers}
        return (
            not any(s.source for s in specifiers),
            not any(s.exact for s in specifiers),
            operators.isdisjoint(_BOUNDS_ABOVE),
            self._order.get(identifier, len(self._order)),
            not operators,
            identifier,
        )

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[ApplicableRequirement]],
        incompatibilities: Mapping[str, Iterator[Candidate]],
    ) -> Callable[[], Iterator[Candidate]]:
        """Candidates that satisfy all requirements on the project, best first, computed on demand."""
        wanted = list(requirements[identifier])
        refused = list(incompatibilities[identifier])
        extras = frozenset(extra for one in wanted for extra in one.extras)
        only = {one.only for one in wanted if one.only is not None}

        def candidates() -> Iterator[Candidate]:
            for version in self.versions(identifier, {one.specifier for one in wanted}):
                # What is refused with some extras is refused with more of them.
                if only <= {version} and not any(bad.version == version and bad.extras <= extras for bad in refused):
                    yield Candidate(name=identifier, version=version, extras=extras)

        return candidates

    def is_satisfied_by(self, requirement: ApplicableRequirement, candidate: Candidate) -> bool:
        """Whether the version fits, and the candidate has the requested extras."""
        fits = requirement.only in {None, candidate.version} and requirement.specifier.admits(candidate.version)
        return fits and requirement.extras <= candidate.extras

    def get_dependencies(self, candidate: Candidate) -> list[ApplicableRequirement]:
        """The requirements of the release here; one that cannot be satisfied if the release cannot be used here."""
        known = self._dependencies.get(candidate)
        if known is None:
            facts = self._repository.facts(candidate.name, candidate.version)
            required = None if facts is None else self._requirements(candidate, facts)
            if required is None:
                required = [ApplicableRequirement(name=_UNUSABLE)]
            if not self._jumps:
                # A conflict then concerns each candidate's own project, which resolvelib does not jump over.
                required = [ApplicableRequirement(name=candidate.name, only=candidate.version), *required]
            known = self._dependencies[candidate] = required
            self._hint(known)
        return known

    # Helpers.

    def _hint(self, wanted: Iterable[ApplicableRequirement]) -> None:
        new = {one.name: None for one in wanted if one.name not in self._hinted}
        self._hinted.update(new)
        self._repository.hint(new)

    def versions(self, name: str, specifiers: set[Specifier]) -> Iterator[Version]:
        """Admitted releases that fit all `specifiers` and the constraints: preferred ones first, then in their order.

        As in the universal search, those without a usable file come last, and so do those that admit no Python here
        once upper bounds count that do not otherwise.
        """
        if name == _UNUSABLE:
            return
        releases = self._repository.releases(name)
        preferred = [releases.versions.index(v) for v in self._preferred.get(name, ()) if v in releases.versions]
        specifiers = specifiers.union(self._constraints.get(name, ()))
        mask = self._admission.admitted(
            releases, specifiers, self._region, preferred=sum(1 << p for p in set(preferred))
        )
        order = dict.fromkeys([*(p for p in preferred if mask >> p & 1), *self._admission.ordered(name, mask)])
        late: list[Version] = []
        outgrown: list[Version] = []
        for version in (releases.versions[position] for position in order):
            if (name, version) in self._left_out or not self._region.implies(self._repository.serves(name, version)):
                continue
            if self._region.is_disjoint(self._repository.strictly_serves(name, version)):
                outgrown.append(version)
            elif self._comes_late(releases, version, after=bool(late)):
                late.append(version)
            else:
                yield version
        yield from late
        if self._policy.outgrown:
            yield from outgrown

    def _comes_late(self, releases: Releases, version: Version, *, after: bool) -> bool:
        """Whether the release has no usable file here, or is older than one without and has no static metadata."""
        wheels = self._repository.wheels_serve(releases.name, version)
        if wheels is not None:
            return not (self._region & self._repository.target_region).implies(wheels)
        return after and not self._repository.has_static_metadata(releases.name, version)

    def _requirements(self, candidate: Candidate, facts: ReleaseFacts) -> list[ApplicableRequirement] | None:
        """The requirements of the release, including those of its own extras; None if it cannot be used."""
        if not self._region.implies(facts.serves):
            return None
        extras = candidate.extras
        while True:
            applying = [d for d in facts.dependencies.with_extras(extras) if self._is_required(d, extras)]
            own = [d for d in applying if d.name == candidate.name]
            more = extras.union(*(d.extras for d in own))
            if more == extras:
                break
            extras = more
        if any(d.url is not None for d in applying) or not all(d.specifier.admits(candidate.version) for d in own):
            return None
        others = [d for d in applying if d.name != candidate.name]
        return [ApplicableRequirement(name=d.name, specifier=d.specifier, extras=d.extras) for d in others]

    def _is_required(self, dependency: Dependency, extras: Iterable[str]) -> bool:
        if dependency.condition is None:
            return True
        return any(self._applies(dependency.marker.with_metadata_extra(extra)) for extra in (None, *extras))
