"""Local improvement of a solution: newer releases, wherever all others may stay as they are.

The solver undoes choices that bounded others, and what they bounded stays as old as it was. So the solution is compared
with its neighbours, until no release, and no two releases together, could be newer while all others stay. "Newer" means
what the solver tries earlier, by all of its rules.
"""

from __future__ import annotations

from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.errors import LocksetError
from lockset.resolve.problem.requirement import ANY_VERSION, RequirementOrigin
from lockset.resolve.releases.admission import bits
from lockset.resolve.solver.candidate import ReleaseCandidate
from lockset.resolve.solver.opt_in_releases import all_opted_in
from lockset.resolve.solver.provider import Provider
from lockset.resolve.solver.resolution import Pins, resolution_graph

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from lockset.markers import MarkerSet
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.problem.requirement import Key, Requirement
    from lockset.resolve.releases.repository import Repository
    from lockset.resolve.solver.resolution import NodeKey, Resolution, ResolvedEdge

__all__ = ["improve"]

# Newer releases of one package to try, the newest first.
_MOST_NEWER = 8
# Replacements to try; far above what any real project needs.
_MOST_TRIALS = 100

# Releases by the decision they replace.
Replacements = dict["Key", "Version"]


def improve(pins: Pins, request: LockRequest, repository: Repository) -> Pins:
    """`pins`, with newer releases wherever one or two of them fit while all others stay as they are."""
    improvement = _Improvement(request, repository)
    answer: _Answer | None = _Answer(resolution_graph(pins, request.roots, request.universe, repository))
    while answer is not None:
        pins = answer.resolution.pins
        answer = next(improvement.of(answer), None)
    return pins


class _Answer:
    """A resolution, with the requirements on each release."""

    def __init__(self, resolution: Resolution) -> None:
        self.resolution = resolution

    @cached_property
    def regions_by_key(self) -> Mapping[NodeKey, Mapping[Key, MarkerSet]]:
        """For each release, its decisions, each with the region in which the release is needed there."""
        regions: dict[NodeKey, dict[Key, MarkerSet]] = {}
        for name in dict.fromkeys(name for name, _ in self.resolution.nodes):
            for decision, version in self.resolution.pins.leaves(name):
                node = self.resolution.nodes.get((name, version))
                if node is not None and not node.region.is_disjoint(decision):
                    regions.setdefault(node.key, {})[name, decision] = node.region & decision
        return regions

    @cached_property
    def edges_to(self) -> Mapping[NodeKey, Sequence[ResolvedEdge]]:
        """The edges to each release."""
        edges: dict[NodeKey, list[ResolvedEdge]] = {}
        for edge in self.resolution.edges:
            edges.setdefault(edge.target, []).append(edge)
        return edges

    @cached_property
    def _bits(self) -> Mapping[NodeKey, int]:
        return {key: 1 << number for number, key in enumerate(self.resolution.nodes)}

    @cached_property
    def _targets(self) -> tuple[Sequence[NodeKey], Sequence[int], int]:
        """The releases, the targets of each of them as bits, and the targets of the roots."""
        order = list(self.resolution.nodes)
        targets_of: dict[NodeKey | None, int] = {}
        for edge in self.resolution.edges:
            targets_of[edge.source] = targets_of.get(edge.source, 0) | self._bits[edge.target]
        return order, [targets_of.get(key, 0) for key in order], targets_of.get(None, 0)

    @cached_property
    def root_releases(self) -> Collection[NodeKey]:
        """Releases that roots require."""
        return {edge.target for edge in self.resolution.edges if edge.source is None}

    @cached_property
    def regions(self) -> Mapping[str, MarkerSet]:
        """Where each package is needed."""
        regions: dict[str, MarkerSet] = {}
        for (name, _), node in self.resolution.nodes.items():
            regions[name] = regions[name] | node.region if name in regions else node.region
        return regions

    def holds(self, requirement: Requirement) -> bool:
        """Whether the chosen releases meet `requirement` as they are."""
        left = requirement.region
        for version in (v for n, v in self._versions.get(requirement.name, ())):
            node = self.resolution.nodes[requirement.name, version]
            if not left.is_disjoint(node.region) and requirement.specifier.admits(version):
                regions = dict(node.extras)
                served = node.region
                for extra in requirement.extras:
                    if extra not in regions:
                        return False
                    served = served & regions[extra]
                left = left - served
        return left.is_empty

    @cached_property
    def _versions(self) -> Mapping[str, Sequence[NodeKey]]:
        releases: dict[str, list[NodeKey]] = {}
        for key in self.resolution.nodes:
            releases.setdefault(key[0], []).append(key)
        return releases

    def releases_of(self, name: str) -> Sequence[NodeKey]:
        """The chosen releases of a package."""
        return self._versions.get(name, ())

    def freed_by(self, leaving: Collection[NodeKey]) -> set[NodeKey]:
        """What nothing requires once the `leaving` are gone, these among them."""
        order, targets_of, waiting = self._targets
        left = (1 << len(order)) - 1
        for key in leaving:
            left ^= self._bits[key]
        waiting &= left
        while waiting:
            first = waiting & -waiting
            left ^= first
            waiting = (waiting | targets_of[first.bit_length() - 1]) & left
        return {order[number] for number in bits(left)}.union(leaving)


class _Improvement:
    def __init__(self, request: LockRequest, repository: Repository) -> None:
        self._request = request
        self._repository = repository
        self._provider = Provider(
            repository=repository,
            policy=request.policy,
            universe=request.universe,
            preferences=request.preferences,
            locked_for=request.locked_for,
        )
        self._trials = 0
        self._compared: set[NodeKey] = set()  # whose metadata was read here

    def of(self, answer: _Answer) -> Iterator[_Answer]:
        """Better answers than `answer`."""
        behind = [key for key in answer.regions_by_key if self._provider.is_behind(*key)]
        for key in behind:
            yield from self._improve_one(answer, key)
        for key in behind:
            for other in dict.fromkeys(self._partners(answer, key)):
                both = (key, other)
                if other in behind and other != key and all(self._may_be_free(answer, k, replacing=both) for k in both):
                    yield from self._improve_pair(answer, key, other)

    def _improve_one(self, answer: _Answer, key: NodeKey) -> Iterator[_Answer]:
        """Answers with a newer release for one decision, or for all of them if the release bounds itself."""
        decisions = answer.regions_by_key[key]
        if not any(self._blocking(answer, key)):
            for decision in decisions:
                for newer in self._satisfied(answer, self._newer(answer, key, [decision], freed=())):
                    yield from self._attempt(answer, newer)
        if self._may_be_free(answer, key, replacing=(key,)):
            freed = answer.freed_by((key,))
            if any(edge.source in freed for edge in answer.edges_to[key]):
                for newer in self._satisfied(answer, self._newer(answer, key, decisions, freed=freed)):
                    yield from self._attempt(answer, newer)

    def _blocking(self, answer: _Answer, key: NodeKey) -> Iterator[ResolvedEdge]:
        """The edges that alone exclude every newer release."""
        for edge in answer.edges_to[key]:
            if not self._provider.admits_newer(*key, edge.dependency.specifier):
                yield edge

    def _may_be_free(self, answer: _Answer, key: NodeKey, *, replacing: Collection[NodeKey]) -> bool:
        """Whether everything that bounds a release may go with the releases `replacing` it; roots never do."""
        roots = answer.root_releases
        return not any(
            edge.source is None or (edge.source in roots and edge.source not in replacing)
            for edge in self._blocking(answer, key)
        )

    def _newer(
        self, answer: _Answer, key: NodeKey, decisions: Collection[Key], *, freed: Collection[NodeKey]
    ) -> list[Sequence[ReleaseCandidate]]:
        """Newer releases for `decisions` that what requires them admits, but for the `freed`; by version."""
        by_decision = [
            {c.version: c for c in islice(self._candidates(answer, key, decision, freed), _MOST_NEWER)}
            for decision in decisions
        ]
        return [
            [decision[version] for decision in by_decision]
            for version in by_decision[0]
            if all(version in decision for decision in by_decision)
        ]

    def _satisfied(
        self, answer: _Answer, newer: Iterable[Sequence[ReleaseCandidate]], *, partner: str = ""
    ) -> Iterator[Sequence[ReleaseCandidate]]:
        """Those of the `newer` releases whose requirements hold, but for those on `partner`."""
        newer = list(newer)
        for candidates in newer:
            self._repository.hint_release(candidates[0].name, candidates[0].version)
        for candidates in newer:
            self._compared.add((candidates[0].name, candidates[0].version))
            if all(
                r.name == partner or answer.holds(r)
                for candidate in candidates
                for r in self._provider.dependencies(candidate)
            ):
                yield candidates

    def _candidates(
        self, answer: _Answer, key: NodeKey, decision: Key, freed: Collection[NodeKey]
    ) -> Iterator[ReleaseCandidate]:
        """Candidates that are tried before the release, without the requirements of the `freed`."""
        region = answer.regions_by_key[key][decision]
        requirements = [
            self._provider.require(
                decision,
                ANY_VERSION if edge.source in freed else edge.dependency.specifier,
                edge.dependency.extras,
                edge.region & region,
                _origin(edge),
            )
            for edge in answer.edges_to[key]
            if not edge.region.is_disjoint(region)
        ]
        for candidate in self._provider.candidates(decision, tuple(dict.fromkeys(requirements))):
            if candidate.choice == key[1]:
                return
            if isinstance(candidate, ReleaseCandidate):
                yield candidate

    def _partners(self, answer: _Answer, key: NodeKey) -> Iterator[NodeKey]:
        """Releases that require this one, and the one whose other version its newer releases need."""
        yield from (edge.source for edge in answer.edges_to[key] if edge.source is not None)
        if any(self._blocking(answer, key)):
            return
        for decision in answer.regions_by_key[key]:
            for newer in islice(self._candidates(answer, key, decision, ()), _MOST_NEWER):
                missed = {r.name for r in self._provider.dependencies(newer) if not answer.holds(r)}
                if len(missed) == 1:
                    yield from answer.releases_of(*missed)

    def _improve_pair(self, answer: _Answer, one: NodeKey, other: NodeKey) -> Iterator[_Answer]:
        freed = answer.freed_by((one, other))
        newer = {key: self._newer(answer, key, answer.regions_by_key[key], freed=freed) for key in (one, other)}
        # Metadata may have to be fetched, or even built. So the side with less to read is compared first, and of the
        # other side only what can go with it. The one that requires the other often excludes all of its releases.
        required = any(edge.source == other for edge in answer.edges_to[one])
        order = (other, one) if required else (one, other)
        first, second = order if self._unread(newer[order[0]]) <= self._unread(newer[order[1]]) else order[::-1]
        newer[first] = list(self._satisfied(answer, newer[first], partner=second[0]))
        usable = [mine for mine in newer[second] if any(self._fit(theirs, mine) for theirs in newer[first])]
        newer[second] = list(self._satisfied(answer, usable, partner=first[0]))
        for mine in newer[one]:
            for theirs in newer[other]:
                if self._fit(mine, theirs) and self._fit(theirs, mine):
                    yield from self._attempt(answer, [*mine, *theirs])

    def _unread(self, newer: Iterable[Sequence[ReleaseCandidate]]) -> int:
        """How many of the `newer` releases have not been compared before."""
        return sum((candidates[0].name, candidates[0].version) not in self._compared for candidates in newer)

    def _fit(self, mine: Iterable[ReleaseCandidate], theirs: Iterable[ReleaseCandidate]) -> bool:
        """Whether `theirs` meet the requirements of `mine`."""
        return all(
            requirement.name != other.name
            or requirement.region.is_disjoint(other.guard)
            or requirement.specifier.admits(other.version)
            for candidate in mine
            for requirement in self._provider.dependencies(candidate)
            for other in theirs
        )

    def _attempt(self, answer: _Answer, newer: Iterable[ReleaseCandidate]) -> Iterator[_Answer]:
        """The answer with the `newer` releases, if it is valid."""
        if self._trials >= _MOST_TRIALS:
            return
        self._trials += 1
        pins = _replace_versions(answer.resolution.pins, {c.key: c.version for c in newer})
        try:
            resolution = resolution_graph(pins, self._request.roots, self._request.universe, self._repository)
        except LocksetError:  # something is needed where nothing was chosen
            return
        attempt = _Answer(resolution)
        if (
            all(edge.dependency.specifier.admits(edge.target[1]) for edge in resolution.edges)
            and all(region.implies(answer.regions[name]) for name, region in attempt.regions.items())
            and all_opted_in(resolution, self._request, self._repository)
        ):
            yield attempt


def _origin(edge: ResolvedEdge) -> RequirementOrigin:
    name, version = edge.source or ("", None)
    return RequirementOrigin(name=name, version=version, text=edge.dependency.text)


def _replace_versions(pins: Pins, releases: Replacements) -> Pins:
    parts = []
    for universe, chosen in pins.parts:
        there = dict(chosen)
        for key, version in releases.items():
            candidate = there.get(key)
            if isinstance(candidate, ReleaseCandidate):
                there[key] = replace(candidate, version=version, met={})
        parts.append((universe, there))
    return Pins(parts=tuple(parts))
