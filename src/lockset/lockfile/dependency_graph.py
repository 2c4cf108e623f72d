"""look(): the packages of a lock file and who asks for whom."""

from __future__ import annotations

from collections import deque
from difflib import get_close_matches
from functools import cached_property, partial
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from lockset._dataclass import dataclass
from lockset.dependency_specifiers import read_dependency
from lockset.errors import LocksetError
from lockset.lockfile.conflict_regions import met_within
from lockset.lockfile.declared_conflicts import refuse_conflicting_choice
from lockset.markers.marker_set import MarkerSet
from lockset.markers.universe import platform_region, possible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from lockset.lockfile.model import Package, Pylock

__all__ = ["Chain", "LockEntry", "LockGraph", "chains_to", "look", "region_of"]

# Extras and groups chosen.
_Choice = tuple["Collection[str]", "Collection[str]"]

# Chains that are looked for; beyond it the rest is left out, and said so.
MOST_CHAINS = 100
# Bounds the search for chains in graphs where most ways lead in circles.
_MOST_STEPS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LockEntry:
    """One entry of `packages` that can apply in what is looked at.

    Attributes:
        number: Its index in the lock file.
        name: Normalized name.
        version: As locked; None where the lock has none.
        region: Where it applies, within what is looked at.
        condition: The same as the shortest marker text that says it there; None where it always applies.
    """

    number: int
    name: str
    version: str | None
    region: MarkerSet
    condition: str | None

    def __str__(self) -> str:
        return self.name if self.version is None else f"{self.name} {self.version}"


@dataclass(frozen=True, kw_only=True)
class LockGraph:
    """Entries and the edges between them, all by index in the lock file.

    Every entry can be reached from `roots`. An edge joins two entries that can apply together.

    Attributes:
        entries: Index -> entry, in the lock's order.
        children: Index -> entries it depends on, by name and version.
        roots: Where looking begins: what the lock records as asked for, then entries nothing else leads to.
        asked: The recorded ones among `roots`, each with the requirement texts that ask for it.
        recorded: Whether the lock holds any dependencies at all.
        created_by: The tool that wrote the lock.
        known: The region all conditions are told within.
    """

    entries: Mapping[int, LockEntry]
    children: Mapping[int, tuple[int, ...]]
    roots: tuple[int, ...]
    asked: Mapping[int, tuple[str, ...]]
    recorded: bool
    created_by: str
    known: MarkerSet

    @cached_property
    def parents(self) -> Mapping[int, tuple[int, ...]]:
        """Index -> entries that depend on it, by name and version."""
        found: dict[int, list[int]] = {number: [] for number in self.entries}
        for number in self.in_order(self.entries):
            for child in self.children[number]:
                found[child].append(number)
        return {number: tuple(parents) for number, parents in found.items()}

    @property
    def leaves(self) -> tuple[int, ...]:
        """Entries that depend on nothing."""
        return self.in_order(number for number in self.entries if not self.children[number])

    def in_order(self, numbers: Iterable[int]) -> tuple[int, ...]:
        """The indexes by name, then in the lock's order."""
        return tuple(sorted(numbers, key=lambda number: (self.entries[number].name, number)))

    def named(self, name: str) -> tuple[int, ...]:
        """The entries of the project `name`, in any spelling.

        Raises:
            LocksetError: `package-unknown` where there is none, with names like it.
        """
        normalized = canonicalize_name(name)
        found = tuple(number for number, entry in self.entries.items() if entry.name == normalized)
        if found:
            return found
        names = sorted({entry.name for entry in self.entries.values()})
        close = get_close_matches(normalized, names, n=3, cutoff=0.6)
        hint = "Did you mean " + " or ".join(f"`{each}`" for each in close) + "?" if close else None
        raise LocksetError("package-unknown", f"The lock file holds no package `{name}` here", hint=hint)

    def condition(self, region: MarkerSet) -> str | None:
        """The shortest marker text for `region` (not empty); None where it says nothing new."""
        return region.text(None if region.is_disjoint(self.known) else self.known)

    def condition_beside(self, number: int, other: int) -> str | None:
        """The shortest text that says where the entry applies, where `other` does; None where everywhere there."""
        own, given = self.entries[number].region, self.entries[other].region
        if not own.is_disjoint(given & self.known):
            given &= self.known
        return own.text(given)


def region_of(*, python: str | None = None, platform: str | None = None) -> MarkerSet:
    """The environments of one Python ("3.12", "3.12.4" or a range such as ">=3.12") and one platform.

    Raises:
        LocksetError: `python-version-invalid` or `platform-unknown`.
    """
    region = MarkerSet.any() if platform is None else platform_region(platform)
    if python is None:
        return region
    plain = python.replace(".", "").isdigit()
    specifier = python if not plain else f"=={python}.*" if python.count(".") < 2 else f"=={python}"  # noqa: PLR2004
    try:
        return region & MarkerSet.of_python(specifier)
    except LocksetError as error:
        raise LocksetError(
            "python-version-invalid",
            f"`{python}` is no Python version",
            hint='Write "3.12", "3.12.4" or a range such as ">=3.12"',
        ) from error


def look(
    lock: Pylock,
    *,
    within: MarkerSet | None = None,
    extras: Collection[str] | None = None,
    groups: Collection[str] | None = None,
) -> LockGraph:
    """The graph of the entries that can apply.

    Args:
        lock: The lock file.
        within: The environments looked at (see `region_of`); all the lock serves when None.
        extras: The extras chosen; None leaves extras open, unless groups are chosen.
        groups: Dependency groups chosen besides the lock's default ones; None leaves groups open, unless extras
            are chosen.

    Raises:
        LocksetError: `extra-unknown`, `group-unknown` or `conflicting-choice`.
    """
    chosen = _chosen(lock, extras, groups)
    known = _served(lock) & (MarkerSet.any() if within is None else within)
    if chosen is not None:
        refuse_conflicting_choice(lock, *chosen, partial(met_within, known))
    # That the default groups are chosen goes without saying.
    usual = known
    for group in lock.default_groups or ():
        usual &= MarkerSet.group(group)
    entries = {
        entry.number: entry
        for number, package in enumerate(lock.packages)
        if (entry := _entry(number, package, known, usual, chosen)) is not None
    }
    children = _children(lock, entries)
    asked = _asked(lock, entries, chosen)
    return LockGraph(
        entries=entries,
        children=children,
        roots=_complete(tuple(asked), entries, children),
        asked=asked,
        recorded=any(package.dependencies for package in lock.packages),
        created_by=lock.created_by,
        known=usual,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Entries from a root to a package, each depending on the next; `region` is where all of them apply."""

    entries: tuple[LockEntry, ...]
    region: MarkerSet


def chains_to(graph: LockGraph, number: int) -> tuple[tuple[Chain, ...], bool]:
    """The chains from roots to the entry, shortest first, and whether these are all there are.

    No entry stands twice in a chain, and a chain is left out where its entries never apply together. At most
    MOST_CHAINS are found.
    """
    roots = frozenset(graph.roots)
    found: list[Chain] = []
    waiting: deque[tuple[tuple[int, ...], MarkerSet]] = deque([((number,), graph.entries[number].region)])
    for _ in range(_MOST_STEPS):
        if not waiting:
            return tuple(found), True
        path, region = waiting.popleft()
        if path[0] in roots:
            if len(found) == MOST_CHAINS:
                return tuple(found), False
            found.append(Chain(entries=tuple(graph.entries[each] for each in path), region=region))
        for parent in graph.parents[path[0]]:
            both = region & graph.entries[parent].region
            if parent not in path and not both.is_empty:
                waiting.append(((parent, *path), both))
    return tuple(found), False


def _served(lock: Pylock) -> MarkerSet:
    """The environments the lock is made for."""
    served = possible()
    if lock.requires_python is not None:
        served &= MarkerSet.of_python(lock.requires_python)
    if lock.environments is not None:
        either = MarkerSet.none()
        for marker in lock.environments:
            either |= MarkerSet.of_marker(marker)
        served &= either
    return served


def _chosen(lock: Pylock, extras: Collection[str] | None, groups: Collection[str] | None) -> _Choice | None:
    if extras is None and groups is None:
        return None
    defaults = tuple(lock.default_groups or ())
    return (
        _known_names(extras or (), lock.extras or (), what="extra"),
        (*defaults, *_known_names(groups or (), (*(lock.dependency_groups or ()), *defaults), what="group")),
    )


def _known_names(named: Collection[str], known: Collection[str], *, what: str) -> tuple[str, ...]:
    normalized = {canonicalize_name(each): each for each in known}
    for name in named:
        if canonicalize_name(name) not in normalized:
            hint = "It has " + ", ".join(f"`{each}`" for each in sorted(known)) if known else f"It has no {what}s"
            raise LocksetError(f"{what}-unknown", f"The lock file has no {what} `{name}`", hint=hint)
    return tuple(normalized[canonicalize_name(name)] for name in named)


def _entry(
    number: int,
    package: Package,
    known: MarkerSet,
    usual: MarkerSet,
    chosen: _Choice | None,
) -> LockEntry | None:
    region = known if package.marker is None else known & MarkerSet.of_marker(package.marker)
    if chosen is not None:
        region = region.with_extras_and_groups(*chosen)
    if region.is_empty:
        return None
    return LockEntry(
        number=number,
        name=package.name,
        version=None if package.version is None else str(package.version),
        region=region,
        condition=region.text(known if region.is_disjoint(usual) else usual),
    )


def _children(lock: Pylock, entries: Mapping[int, LockEntry]) -> dict[int, tuple[int, ...]]:
    by_name: dict[str, list[int]] = {}
    for number, entry in entries.items():
        by_name.setdefault(entry.name, []).append(number)
    children: dict[int, tuple[int, ...]] = {}
    for number, entry in entries.items():
        found = {
            child
            for dependency in lock.packages[number].dependencies or ()
            for child in _meant(dependency, by_name, lock)
            if child != number and not entries[child].region.is_disjoint(entry.region)
        }
        children[number] = tuple(sorted(found, key=lambda each: (entries[each].name, each)))
    return children


def _meant(dependency: Mapping[str, object], by_name: Mapping[str, Sequence[int]], lock: Pylock) -> Iterator[int]:
    """The entries that a table of `dependencies` identifies: those that agree with every key it has."""
    name = dependency.get("name")
    numbers = by_name.get(canonicalize_name(name), ()) if isinstance(name, str) else ()
    if len(numbers) == 1:
        yield numbers[0]
        return
    version = dependency.get("version")
    for number in numbers:
        package = lock.packages[number]
        same_version = version is None or version == str(package.version)
        if same_version and all(_agrees(package, key, value) for key, value in dependency.items()):
            yield number


def _agrees(package: Package, key: str, value: object) -> bool:
    if key in {"marker", "index", "requires-python"}:
        own = getattr(package, key.replace("-", "_"))
        # A marker may be spelled in other ways than packaging's: it then identifies nothing, and excludes nothing.
        return key == "marker" or own is None or str(own) == value
    if key in {"vcs", "directory", "archive"}:
        return getattr(package, key) is not None
    return True


def _asked(lock: Pylock, entries: Mapping[int, LockEntry], chosen: _Choice | None) -> dict[int, tuple[str, ...]]:
    """Entries that the lock records as asked for, in the order recorded."""
    table = (lock.tool or {}).get("lockset")
    recorded = table.get("roots") if isinstance(table, dict) else None
    asked: dict[int, tuple[str, ...]] = {}
    for text in recorded if isinstance(recorded, list) else ():
        requirement = _requirement(text)
        if requirement is None:
            continue
        name = canonicalize_name(requirement.name)
        region = MarkerSet.any() if requirement.marker is None else MarkerSet.of_marker(requirement.marker)
        if chosen is not None:
            region = region.with_extras_and_groups(*chosen)
        for number, entry in entries.items():
            if entry.name == name and not entry.region.is_disjoint(region):
                asked[number] = (*asked.get(number, ()), text)
    return asked


def _requirement(text: object) -> Requirement | None:
    try:
        return read_dependency(text) if isinstance(text, str) else None
    except InvalidRequirement:
        return None


def _complete(
    asked: tuple[int, ...], entries: Mapping[int, LockEntry], children: Mapping[int, tuple[int, ...]]
) -> tuple[int, ...]:
    """Roots from which every entry is reached: the asked ones, those nothing leads to, one of each remaining circle."""
    depended = {child for found in children.values() for child in found}
    by_name = sorted(entries, key=lambda number: (entries[number].name, number))
    roots = [*asked, *(number for number in by_name if number not in depended and number not in asked)]
    reached: set[int] = set()
    for root in roots:
        _reach(root, children, reached)
    # Whatever is left hangs below circles. Walking in the order in which a depth-first walk ends, backwards, meets
    # a member of a circle before what hangs below it.
    for number in reversed(_by_end(by_name, children)):
        if number not in reached:
            roots.append(number)
            _reach(number, children, reached)
    return tuple(roots)


def _reach(start: int, children: Mapping[int, tuple[int, ...]], reached: set[int]) -> None:
    waiting = [start]
    while waiting:
        number = waiting.pop()
        if number not in reached:
            reached.add(number)
            waiting.extend(children[number])


def _by_end(numbers: Iterable[int], children: Mapping[int, tuple[int, ...]]) -> list[int]:
    """All numbers in the order in which a depth-first walk leaves them."""
    seen: set[int] = set()
    ended: list[int] = []
    for start in numbers:
        stack = [(start, iter(children[start]))] if start not in seen else []
        seen.add(start)
        while stack:
            number, rest = stack[-1]
            child = next((each for each in rest if each not in seen), None)
            if child is None:
                ended.append(number)
                stack.pop()
            else:
                seen.add(child)
                stack.append((child, iter(children[child])))
    return ended
