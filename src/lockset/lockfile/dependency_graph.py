"""The dependency graph of a lock file: its packages, and which requires which."""

from __future__ import annotations

from collections import deque
from functools import cached_property, partial
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from lockset._dataclass import dataclass
from lockset.dependency_specifiers import read_dependency
from lockset.errors import LocksetError
from lockset.lockfile.conflicts import met_within, refuse_conflicting_choice
from lockset.markers.marker_set import MarkerSet
from lockset.markers.universe import platform_region, possible
from lockset.package_names import canonicalize_name
from lockset.similar_names import known_names_hint, named_package

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from lockset.lockfile.model import Package, Pylock

__all__ = ["Chain", "LockEntry", "LockGraph", "build_graph", "chains_to", "covering_roots", "region_of"]

# Selected extras and groups.
_Selection = tuple["Collection[str]", "Collection[str]"]

# Limit for the number of chains; a longer list is reported as incomplete.
MOST_CHAINS = 100
# Limit for the search in graphs with many cycles.
_MOST_STEPS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LockEntry:
    """One entry of `packages` that can apply in the environments in question.

    Attributes:
        number: Its index in the lock file.
        name: Normalized name.
        version: The locked version, or None.
        region: The part of these environments in which it applies.
        condition: The shortest marker for `region`; None if it always applies.
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

    Every entry is reachable from `roots`. An edge connects two entries that can apply together.

    Attributes:
        entries: Index -> entry, in the order of the lock file.
        children: Index -> entries it depends on, by name and version.
        roots: The recorded top-level requirements, then entries that no other entry leads to.
        requested: The recorded ones among `roots`, each with the texts of its requirements.
        recorded: Whether the lock file records any dependencies.
        created_by: The tool that wrote the lock file.
        known: The region to which all conditions are relative.
        left_out: Names of packages of the lock file that none of `entries` has.
    """

    entries: Mapping[int, LockEntry]
    children: Mapping[int, tuple[int, ...]]
    roots: tuple[int, ...]
    requested: Mapping[int, tuple[str, ...]]
    recorded: bool
    created_by: str
    known: MarkerSet
    left_out: frozenset[str] = frozenset()

    @cached_property
    def parents(self) -> Mapping[int, tuple[int, ...]]:
        """Index -> entries that depend on it, by name and version."""
        parents_of: dict[int, list[int]] = {number: [] for number in self.entries}
        for number in self.in_order(self.entries):
            for child in self.children[number]:
                parents_of[child].append(number)
        return {number: tuple(parents) for number, parents in parents_of.items()}

    @property
    def leaves(self) -> tuple[int, ...]:
        """Entries that depend on nothing."""
        return self.in_order(number for number in self.entries if not self.children[number])

    def in_order(self, numbers: Iterable[int]) -> tuple[int, ...]:
        """The indexes sorted by name, then in the order of the lock file."""
        return tuple(sorted(numbers, key=lambda number: (self.entries[number].name, number)))

    def named(self, name: str) -> tuple[int, ...]:
        """The entries of the project `name`, in any spelling.

        Raises:
            LocksetError: `unknown-package`, with similar names.
        """
        normalized = canonicalize_name(name)
        numbers = tuple(number for number, entry in self.entries.items() if entry.name == normalized)
        if numbers:
            return numbers
        names = sorted({entry.name for entry in self.entries.values()})
        package = named_package(name)
        if package is not None and canonicalize_name(package) in names and normalized not in self.left_out:
            hint: str | None = f"Write the name alone: `{package}`"
            raise LocksetError("unknown-package", f"`{name}` is not the name of a package", hint=hint)
        from difflib import get_close_matches  # slow to import, and only needed for a name that is not there

        close = get_close_matches(normalized, names, n=3, cutoff=0.6)
        hint = "Did you mean " + " or ".join(f"`{each}`" for each in close) + "?" if close else None
        if normalized in self.left_out:
            message = f"The lock file has `{name}` for other environments, extras or groups only"
            raise LocksetError("unknown-package", message, hint="Leave out the options that select them")
        raise LocksetError("unknown-package", f"The lock file has no package `{name}`", hint=hint)

    def condition(self, region: MarkerSet) -> str | None:
        """The shortest marker for the non-empty `region`; None if it always holds."""
        return region.text(None if region.is_disjoint(self.known) else self.known)

    def condition_within(self, number: int, other: int) -> str | None:
        """The shortest marker for where the entry applies, given that `other` applies; None if it always does then."""
        own, given = self.entries[number].region, self.entries[other].region
        if not own.is_disjoint(given & self.known):
            given &= self.known
        return own.text(given)


def region_of(*, python: str | None = None, platform: str | None = None) -> MarkerSet:
    """The environments of one Python ("3.12", "3.12.4" or a range such as ">=3.12") and one platform.

    Raises:
        LocksetError: `python-version-invalid` or `unknown-platform`.
    """
    region = MarkerSet.any() if platform is None else platform_region(platform)
    if python is None:
        return region
    plain = python.replace(".", "").isdigit()
    specifier = python if not plain else f"=={python}.*" if python.count(".") < 2 else f"=={python}"
    try:
        return region & MarkerSet.of_python(specifier)
    except LocksetError as error:
        raise LocksetError(
            "python-version-invalid",
            f"`{python}` is not a valid Python version",
            hint='Write "3.12", "3.12.4" or a range such as ">=3.12"',
        ) from error


def build_graph(
    lock: Pylock,
    *,
    within: MarkerSet | None = None,
    extras: Collection[str] | None = None,
    groups: Collection[str] | None = None,
) -> LockGraph:
    """Build the graph of the entries that can apply.

    Args:
        lock: The lock file.
        within: The environments to consider (see `region_of`); None for all that the lock file supports.
        extras: Selected extras; None leaves extras open, unless groups are selected.
        groups: Selected dependency groups besides the default groups; None leaves groups open, unless extras are
            selected.

    Raises:
        LocksetError: `unknown-extra`, `unknown-group` or `conflicting-choice`.
    """
    selected = _selection(lock, extras, groups)
    known = _supported(lock) & (MarkerSet.any() if within is None else within)
    if selected is not None:
        refuse_conflicting_choice(lock, *selected, partial(met_within, known))
    # Conditions do not mention the default groups.
    usual = known
    for group in lock.default_groups or ():
        usual &= MarkerSet.group(group)
    entries = {
        entry.number: entry
        for number, package in enumerate(lock.packages)
        if (entry := _entry(number, package, known, usual, selected)) is not None
    }
    children = _children(lock, entries)
    requested = _requested(lock, entries, selected)
    return LockGraph(
        entries=entries,
        children=children,
        roots=covering_roots(
            tuple(requested), sorted(entries, key=lambda number: (entries[number].name, number)), children
        ),
        requested=requested,
        # A lock file of requirements that require nothing themselves has recorded that.
        recorded=any(package.dependencies for package in lock.packages) or len(requested) == len(lock.packages),
        created_by=lock.created_by,
        known=usual,
        left_out=frozenset(package.name for package in lock.packages) - {each.name for each in entries.values()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Entries from a root to a package, each depending on the next; `region` is where all of them apply."""

    entries: tuple[LockEntry, ...]
    region: MarkerSet


def chains_to(
    graph: LockGraph, number: int, *, most: int = MOST_CHAINS, steps: int = _MOST_STEPS
) -> tuple[tuple[Chain, ...], bool]:
    """The chains from roots to the entry, shortest first, and whether the list is complete.

    A chain has no entry twice, and its entries can all apply together. At most `most` are returned, after at most
    `steps` of the search.
    """
    roots = frozenset(graph.roots)
    chains: list[Chain] = []
    waiting: deque[tuple[tuple[int, ...], MarkerSet]] = deque([((number,), graph.entries[number].region)])
    for _ in range(steps):
        if not waiting:
            return tuple(chains), True
        path, region = waiting.popleft()
        if path[0] in roots:
            if len(chains) == most:
                return tuple(chains), False
            chains.append(Chain(entries=tuple(graph.entries[each] for each in path), region=region))
        for parent in graph.parents[path[0]]:
            both = region & graph.entries[parent].region
            if parent not in path and not both.is_empty:
                waiting.append(((parent, *path), both))
    return tuple(chains), False


def _supported(lock: Pylock) -> MarkerSet:
    """The environments that the lock file supports."""
    supported = possible()
    if lock.requires_python is not None:
        supported &= MarkerSet.of_python(lock.requires_python)
    if lock.environments is not None:
        either = MarkerSet.none()
        for marker in lock.environments:
            either |= MarkerSet.of_marker(marker)
        supported &= either
    return supported


def _selection(lock: Pylock, extras: Collection[str] | None, groups: Collection[str] | None) -> _Selection | None:
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
            code = "unknown-extra" if what == "extra" else "unknown-group"
            raise LocksetError(code, f"The lock file has no {what} `{name}`", hint=known_names_hint(name, known))
    return tuple(normalized[canonicalize_name(name)] for name in named)


def _entry(
    number: int,
    package: Package,
    known: MarkerSet,
    usual: MarkerSet,
    chosen: _Selection | None,
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
        targets = {
            child
            for dependency in lock.packages[number].dependencies or ()
            for child in _matching_entries(dependency, by_name, lock)
            if child != number and not entries[child].region.is_disjoint(entry.region)
        }
        children[number] = tuple(sorted(targets, key=lambda each: (entries[each].name, each)))
    return children


def _matching_entries(
    dependency: Mapping[str, object], by_name: Mapping[str, Sequence[int]], lock: Pylock
) -> Iterator[int]:
    """The entries that a table of `dependencies` identifies: those that match all of its keys (PEP 751)."""
    name = dependency.get("name")
    numbers = by_name.get(canonicalize_name(name), ()) if isinstance(name, str) else ()
    if len(numbers) == 1:
        yield numbers[0]
        return
    version = dependency.get("version")
    for number in numbers:
        package = lock.packages[number]
        same_version = version is None or version == str(package.version)
        if same_version and all(_matches(package, key, value) for key, value in dependency.items()):
            yield number


def _matches(package: Package, key: str, value: object) -> bool:
    if key in {"marker", "index", "requires-python"}:
        own = getattr(package, key.replace("-", "_"))
        # A marker may be written differently from packaging's form, so it neither identifies nor excludes an entry.
        return key == "marker" or own is None or str(own) == value
    if key in {"vcs", "directory", "archive"}:
        return getattr(package, key) is not None
    return True


def _requested(lock: Pylock, entries: Mapping[int, LockEntry], chosen: _Selection | None) -> dict[int, tuple[str, ...]]:
    """Entries for the top-level requirements that the lock file records, in order."""
    table = (lock.tool or {}).get("lockset")
    recorded = table.get("roots") if isinstance(table, dict) else None
    requested: dict[int, tuple[str, ...]] = {}
    numbers: dict[str, list[int]] = {}
    for number, entry in entries.items():
        numbers.setdefault(entry.name, []).append(number)
    for text in recorded if isinstance(recorded, list) else ():
        requirement = _requirement(text)
        if requirement is None:
            continue
        name = canonicalize_name(requirement.name)
        region = MarkerSet.any() if requirement.marker is None else MarkerSet.of_marker(requirement.marker)
        if chosen is not None:
            region = region.with_extras_and_groups(*chosen)
        for number in numbers.get(name, ()):
            if not entries[number].region.is_disjoint(region):
                requested[number] = (*requested.get(number, ()), text)
    return requested


def _requirement(text: object) -> Requirement | None:
    try:
        return read_dependency(text) if isinstance(text, str) else None
    except InvalidRequirement:
        return None


def covering_roots(
    requested: tuple[int, ...], in_order: Sequence[int], children: Mapping[int, tuple[int, ...]]
) -> tuple[int, ...]:
    """Roots that reach every entry: requested ones, those without parents, and one of each remaining cycle."""
    depended = {child for numbers in children.values() for child in numbers}
    roots = [*requested, *(number for number in in_order if number not in depended and number not in requested)]
    reached: set[int] = set()
    for root in roots:
        _mark_reachable(root, children, reached)
    # The remaining entries are in or below cycles. In reverse postorder, a member of a cycle comes before the entries
    # below the cycle.
    for number in reversed(_postorder(in_order, children)):
        if number not in reached:
            roots.append(number)
            _mark_reachable(number, children, reached)
    return tuple(roots)


def _mark_reachable(start: int, children: Mapping[int, tuple[int, ...]], reached: set[int]) -> None:
    waiting = [start]
    while waiting:
        number = waiting.pop()
        if number not in reached:
            reached.add(number)
            waiting.extend(children[number])


def _postorder(numbers: Iterable[int], children: Mapping[int, tuple[int, ...]]) -> list[int]:
    """All numbers in the postorder of a depth-first search."""
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
