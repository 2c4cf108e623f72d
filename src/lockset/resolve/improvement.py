"""Newer releases in the place of chosen ones, wherever everything else may stay as it is.

A search takes back choices that bounded others, and what was bounded stays as it was then: nothing makes a search look
at it again. So its answer is compared with its neighbours: no release, and no two releases together, could be newer
while all others stay. What is newer is what the search itself would try earlier, by all of its rules.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from lockset.markers import MarkerSet
from lockset.records import dataclass
from lockset.resolve.candidate import GuardedCandidate, SplitCandidate
from lockset.resolve.lean import lean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from lockset.resolve.candidate import Candidate
    from lockset.resolve.provider import Provider
    from lockset.resolve.requirement import Key, Requirement

__all__ = ["improved"]

# Newer releases of one project that are looked at beside another's, the newest first.
_MOST_NEWER = 8
# Replacements that are tried out in full; far above what any real project needs.
_MOST_TRIALS = 500

# A release and the cells it was chosen for.
Entry = tuple[str, "Version"]


def improved(chosen: Mapping[Key, Candidate], roots: Sequence[Requirement], provider: Provider) -> dict[Key, Candidate]:
    """`chosen`, with newer releases wherever one or two of them fit while all others stay as they are.

    Args:
        chosen: A whole answer to `roots`.
        roots: What the project asks for.
        provider: Knows the candidates of each cell, best first.
    """
    return _Improvement(roots, provider).of({key: candidate.choice for key, candidate in chosen.items()}, dict(chosen))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """Choices with just what the roots ask of them.

    Attributes:
        choices: What is chosen for each cell, whether the roots reach it or not.
        needed: The candidates of the cells that the roots reach, in the order in which they do.
        wanted: The requirements on each of these.
        entries: The cells of each release.
    """

    choices: Mapping[Key, object]
    needed: Mapping[Key, Candidate]
    wanted: Mapping[Key, tuple[Requirement, ...]]
    entries: Mapping[Entry, tuple[Key, ...]]

    def holds(self, requirement: Requirement) -> bool:
        """Whether what is chosen meets `requirement` just as it is."""
        return self._holds(requirement, requirement.key)

    def _holds(self, requirement: Requirement, key: Key) -> bool:
        candidate = self.needed.get(key)
        region = requirement.region & key[1]
        if isinstance(candidate, SplitCandidate):
            return all(
                region.is_disjoint(half) or self._holds(requirement, (key[0], half)) for half in candidate.halves
            )
        return (
            candidate is not None
            and requirement.specifier.admits(candidate.version)
            and region.implies(candidate.guard)
            and all(any(e == extra and region.implies(r) for e, r in candidate.extras) for extra in requirement.extras)
        )


class _Improvement:
    def __init__(self, roots: Sequence[Requirement], provider: Provider) -> None:
        self._roots = roots
        self._provider = provider
        self._splits: dict[tuple[Key, MarkerSet, tuple[Requirement, ...]], SplitCandidate] = {}
        self._trials = 0

    def of(self, choices: Mapping[Key, object], otherwise: dict[Key, Candidate]) -> dict[Key, Candidate]:
        """The best answer that `choices` lead to; `otherwise` where they are none."""
        answer = self._answer(choices)
        while answer is not None:
            otherwise = dict(answer.needed)
            answer = next(self._better(answer), None)
        return otherwise

    def _answer(self, choices: Mapping[Key, object]) -> _Answer | None:
        """`choices` as an answer; None where they leave something unmet."""

        def grown(key: Key, wanted: tuple[Requirement, ...]) -> Iterator[Candidate]:
            return self._grown(key, choices.get(key), wanted)

        needed = lean(self._roots, grown, self._provider.dependencies)
        wanted: dict[Key, dict[Requirement, None]] = {}
        for requirement in self._roots:
            wanted.setdefault(requirement.key, {})[requirement] = None
        for candidate in needed.values():
            for requirement in self._provider.dependencies(candidate):
                wanted.setdefault(requirement.key, {})[requirement] = None
        entries: dict[Entry, list[Key]] = {}
        for key, requirements in wanted.items():
            chosen = needed.get(key)
            if chosen is None or not all(map(chosen.meets, requirements)):
                return None
            if isinstance(chosen, GuardedCandidate):
                entries.setdefault((key[0], chosen.version), []).append(key)
        return _Answer(
            choices=choices,
            needed=needed,
            wanted={key: tuple(requirements) for key, requirements in wanted.items()},
            entries={entry: tuple(keys) for entry, keys in entries.items()},
        )

    def _grown(self, key: Key, choice: object, wanted: tuple[Requirement, ...]) -> Iterator[Candidate]:
        if choice is None:
            return
        if isinstance(choice, MarkerSet):
            memo = (key, choice, wanted)
            known = self._splits.get(memo)
            if known is None:
                known = SplitCandidate(key=key, boundary=choice, requirements=dict.fromkeys(wanted))
                self._splits[memo] = known
            yield known
            return
        yield from (c for c in self._provider.candidates(key, wanted) if c.choice == choice)

    # Answers that are better than one.

    def _better(self, answer: _Answer) -> Iterator[_Answer]:
        for key, candidate in answer.needed.items():
            for newer in self._newer(key, candidate, answer.wanted[key]):
                if all(map(answer.holds, self._provider.dependencies(newer))):
                    yield from self._tried(answer, {key: newer})
        behind = [entry for entry in answer.entries if self._provider.is_behind(*entry)]
        for entry in behind:
            freed = self._freed(answer, [entry])
            if not freed.isdisjoint(self._asking(answer, entry)):
                for changes in self._newer_of(answer, entry, freed, beside=None):
                    yield from self._tried(answer, changes)
        for entry in behind:
            for other in dict.fromkeys(self._partners(answer, entry)):
                if other in behind and other != entry:
                    yield from self._both(answer, entry, other)

    def _newer(self, key: Key, candidate: Candidate, wanted: tuple[Requirement, ...]) -> Iterator[GuardedCandidate]:
        """Releases that the search tries before `candidate`."""
        if isinstance(candidate, SplitCandidate):
            return
        for other in self._provider.candidates(key, wanted):
            if other.choice == candidate.choice:
                return
            if isinstance(other, GuardedCandidate):
                yield other

    def _tried(self, answer: _Answer, replacements: Mapping[Key, GuardedCandidate]) -> Iterator[_Answer]:
        if self._trials < _MOST_TRIALS:
            self._trials += 1
            found = self._answer({**answer.choices, **{key: c.choice for key, c in replacements.items()}})
            if found is not None:
                yield found

    def _asking(self, answer: _Answer, entry: Entry) -> Iterator[Entry]:
        """Who asks something of a release."""
        for key in answer.entries[entry]:
            for requirement in answer.wanted[key]:
                if requirement.origin.version is not None:
                    yield requirement.origin.name, requirement.origin.version

    def _partners(self, answer: _Answer, entry: Entry) -> Iterator[Entry]:
        """Who asks something of a release, and what newer ones of its project alone miss."""
        yield from self._asking(answer, entry)
        for key in answer.entries[entry]:
            for newer in islice(self._newer(key, answer.needed[key], answer.wanted[key]), _MOST_NEWER):
                missed = {r.name for r in self._provider.dependencies(newer) if not answer.holds(r)}
                if len(missed) == 1:
                    yield from (other for other in answer.entries if other[0] in missed)

    def _freed(self, answer: _Answer, leaving: Iterable[Entry]) -> set[Entry]:
        """What nobody asks for once the `leaving` are gone, these among them."""
        gone = {key for entry in leaving for key in answer.entries[entry]}
        waiting = [requirement.key for requirement in self._roots]
        reached: set[Key] = set()
        while waiting:
            key = waiting.pop()
            if key not in reached and key not in gone:
                reached.add(key)
                waiting += [requirement.key for requirement in self._provider.dependencies(answer.needed[key])]
        return {entry for entry, keys in answer.entries.items() if reached.isdisjoint(keys)}

    def _both(self, answer: _Answer, one: Entry, other: Entry) -> Iterator[_Answer]:
        freed = self._freed(answer, [one, other])
        ones = self._newer_of(answer, one, freed | {other}, beside=other)
        others = self._newer_of(answer, other, freed | {one}, beside=one) if ones else []
        for mine in ones:
            for theirs in others:
                if self._fit(mine, theirs) and self._fit(theirs, mine):
                    yield from self._tried(answer, {**mine, **theirs})

    def _newer_of(
        self, answer: _Answer, entry: Entry, freed: Collection[Entry], *, beside: Entry | None
    ) -> list[Mapping[Key, GuardedCandidate]]:
        """Newer releases for all cells of `entry` that all but the `freed` admit; they ask more of `beside` alone."""
        by_cell: list[dict[Version, GuardedCandidate]] = []
        for key in answer.entries[entry]:
            wanted = tuple(
                self._provider.relaxed(r) if (r.origin.name, r.origin.version) in freed else r
                for r in answer.wanted[key]
            )
            newer = islice(self._newer(key, answer.needed[key], tuple(dict.fromkeys(wanted))), _MOST_NEWER)
            by_cell.append({candidate.version: candidate for candidate in newer})
        found: list[Mapping[Key, GuardedCandidate]] = []
        for version in by_cell[0]:
            candidates = [cell[version] for cell in by_cell if version in cell]
            asked = [r for c in candidates for r in self._provider.dependencies(c)]
            if len(candidates) == len(by_cell) and all(
                (beside is not None and r.name == beside[0]) or answer.holds(r) for r in asked
            ):
                found.append({c.key: c for c in candidates})
        return found

    def _fit(self, mine: Mapping[Key, GuardedCandidate], theirs: Mapping[Key, GuardedCandidate]) -> bool:
        """Whether `theirs` are what `mine` ask for."""
        return all(
            requirement.name != key[0]
            or requirement.region.is_disjoint(other.guard)
            or requirement.specifier.admits(other.version)
            for candidate in mine.values()
            for requirement in self._provider.dependencies(candidate)
            for key, other in theirs.items()
        )
