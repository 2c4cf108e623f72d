"""The dependency graph of another tool's lock file, the regions of its markers, and the extras and groups to select."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from lockset._dataclass import dataclass, field, replace
from lockset.errors import LocksetError
from lockset.markers import MarkerSet, possible
from lockset.markers.environment import example_in_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

__all__ = [
    "ROUNDS",
    "Choice",
    "ForeignGraph",
    "GraphEdge",
    "GraphNode",
    "GraphRoot",
    "SelectableNames",
    "default_group_name",
    "order_of",
    "refuse_overlap",
    "region_of_text",
    "universe_of",
]

# How often a graph is walked again with the extras of the walk before; the input is refused after that.
ROUNDS = 8
# Where a requirement comes from: the project itself, one of its extras, or a dependency group.
Choice: TypeAlias = tuple[Literal["project", "extra", "group"], str]

_DEFAULT_GROUP_NAMES = ("default", "project", "lockset-default")


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphEdge:
    """One requirement. It is satisfied by one of `targets` (keys of nodes, best first).

    `others`: entries of the same name that do not satisfy it, if the format states which versions do.
    """

    targets: tuple[str, ...]
    extras: frozenset[str] = frozenset()
    marker: str | None = None
    others: tuple[str, ...] = ()

    def towards(self, target: str) -> GraphEdge:
        """The same requirement with one target."""
        return replace(self, targets=(target,))


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode:
    """One entry of the lock file.

    Attributes:
        key: Unique within the graph.
        name: Normalized name.
        identity: What it installs; None for a project that is not installed itself.
        edges: Its requirements. Markers may compare `extra`.
        optional: The requirements that each extra adds.
        forks: Markers of which one must hold for the entry to apply; empty if it always may.
        rank: Among several entries of one name that fit, the one with the smallest rank is taken.
    """

    key: str
    name: str
    identity: str | None
    edges: tuple[GraphEdge, ...] = ()
    optional: Mapping[str, tuple[GraphEdge, ...]] = field(default_factory=dict)
    forks: tuple[str, ...] = ()
    rank: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRoot:
    """A requirement of the project, an extra or a group."""

    choice: Choice
    edge: GraphEdge


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignGraph:
    """Nodes by key, and the requirements at which a walk begins.

    `activations`: synthetic extras in markers. Each holds where the package is reached with the extra.
    """

    nodes: Mapping[str, GraphNode]
    roots: tuple[GraphRoot, ...]
    activations: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def turns(self) -> Mapping[str, int]:
        """The order in which names with several entries are decided: dependents before their dependencies."""
        order: dict[str, int] = {}
        for key, number in order_of(self).items():
            name = self.nodes[key].name
            order[name] = min(number, order.get(name, number))
        return order


@lru_cache(maxsize=4096)
def region_of_text(marker: str | None) -> MarkerSet:
    """The environments in which a marker holds; all of them for None."""
    return MarkerSet.any() if marker is None else MarkerSet.parse(marker)


def universe_of(requires_python: SpecifierSet | None, environments: Sequence[str]) -> MarkerSet:
    """The environments that a lock file with these bounds supports (`requires-python` and `environments`)."""
    universe = possible()
    if requires_python is not None:
        universe &= MarkerSet.of_python(requires_python)
    if environments:
        declared = MarkerSet.none()
        for text in environments:
            declared |= MarkerSet.parse(text)
        universe &= declared
    return universe


def order_of(graph: ForeignGraph) -> dict[str, int]:
    """Number the nodes in topological order (cycles apart), so that a walk follows each about once."""
    finished: list[str] = []
    seen: set[str] = set()
    for root in graph.nodes:
        if root in seen:
            continue
        seen.add(root)
        path = [(root, iter(_targets(graph, root)))]
        while path:
            key, targets = path[-1]
            following = next((target for target in targets if target not in seen), None)
            if following is None:
                finished.append(key)
                path.pop()
            else:
                seen.add(following)
                path.append((following, iter(_targets(graph, following))))
    return {key: -number for number, key in enumerate(finished)}


def _targets(graph: ForeignGraph, key: str) -> list[str]:
    node = graph.nodes[key]
    edges = [*node.edges, *(edge for group in node.optional.values() for edge in group)]
    return [target for edge in edges for target in edge.targets if target in graph.nodes]


def refuse_overlap(
    name: str, first: str, second: str, both: MarkerSet, *, location: str, hint: str | None = None
) -> LocksetError:
    """The error for two entries that apply at once, with an environment in which they do."""
    example = both.example()
    context: tuple[str, ...] = ()
    if example is not None:
        environment = example_in_words(example.environment)
        chosen = ", ".join(sorted(example.extras | example.groups))
        context = (f"for example: {environment}" + (f" with {chosen}" if chosen else ""),)
    return LocksetError(
        "pins-overlap",
        f"`{name}` is pinned twice ({first}, {second}), and both pins apply in the same environment",
        location=location,
        context=context,
        hint=hint or "Give them markers that do not overlap, or remove one",
    )


def default_group_name(groups: Collection[str]) -> str | None:
    """The synthetic group that stands for the project itself; None if there are no groups, so that none is needed."""
    if not groups:
        return None
    return next(name for name in _DEFAULT_GROUP_NAMES if name not in groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectableNames:
    """The extras and groups that can be selected. Names are normalized.

    PEP 751 keeps `default-groups` apart from the groups that users select. A group that is in both therefore gets a
    synthetic twin in `default-groups`, and the project alone can still be selected.

    Attributes:
        extras: Extras of the project.
        groups: Dependency groups.
        by_default: Those of `groups` that are installed unless other groups are selected.
    """

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    by_default: tuple[str, ...] = ()

    @property
    def default(self) -> str | None:
        """The group that stands for the project itself."""
        return default_group_name(self.groups)

    def twin(self, group: str) -> str:
        """The synthetic name under which a group is installed by default."""
        name = f"{self.default}-{group}"
        while name in self.groups:
            name = f"{name}-too"
        return name

    @property
    def default_groups(self) -> tuple[str, ...]:
        """The value of the key `default-groups`."""
        if self.default is None:
            return ()
        return (self.default, *(self.twin(group) for group in self.by_default))

    def region(self, choice: Choice) -> MarkerSet:
        """The set of environments in which `choice` is made."""
        kind, name = choice
        if kind == "extra":
            return MarkerSet.extra(name)
        if kind == "project":
            return MarkerSet.any() if self.default is None else MarkerSet.group(self.default)
        region = MarkerSet.group(name)
        return region | MarkerSet.group(self.twin(name)) if name in self.by_default else region

    def names(self, choice: Choice) -> tuple[tuple[str, str], ...]:
        """The extras and groups of the lock file that express `choice`, each with its kind."""
        kind, name = choice
        if kind == "project":
            return (("group", self.default),) if self.default is not None else ()
        return (
            ((kind, name), (kind, self.twin(name))) if kind == "group" and name in self.by_default else ((kind, name),)
        )

    def holds(self, choice: Choice, extras: Collection[str], groups: Collection[str]) -> bool:
        """Whether these selected extras and groups include `choice`."""
        kind, name = choice
        if kind == "extra":
            return name in extras
        if kind == "project":
            return self.default is None or self.default in groups
        return name in groups or (name in self.by_default and self.twin(name) in groups)

    def choices(self) -> Iterable[tuple[frozenset[str], frozenset[str]]]:
        """The selections to compare: the defaults, each extra and group alone, everything, nothing."""
        default = frozenset(self.default_groups)
        yield frozenset(), default
        for extra in self.extras:
            yield frozenset({extra}), default
        for group in self.groups:
            yield frozenset(), frozenset({group})
        if self.by_default and self.default is not None:
            yield frozenset(), frozenset({self.default})
        if self.extras or self.groups:
            yield frozenset(self.extras), default | frozenset(self.groups)
            yield frozenset(), frozenset()
