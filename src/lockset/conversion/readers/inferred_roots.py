"""Infer the requirements of a project whose lock file does not state them and whose pyproject.toml is missing.

Every entry of a lock is required by the project or by another entry. An entry that no other entry requires is therefore
a requirement of the project. This infers the smallest such set. It cannot know the markers of these requirements, nor
that the project itself also requires what others require. Callers have to tell their users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, field
from lockset.conversion.model.foreign_graph import ForeignGraph, GraphEdge, GraphRoot
from lockset.conversion.model.imported_lock import Loss, region_of_text
from lockset.conversion.readers.reachability import compute_reachability
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lockset.conversion.model.foreign_graph import GraphNode
    from lockset.conversion.model.imported_lock import ImportedPackage
    from lockset.conversion.model.selection import Choice, SelectableNames
    from lockset.markers import MarkerSet

__all__ = [
    "InferredRoots",
    "infer_roots",
    "join_names",
    "report_inferred_roots",
    "single_system_markers",
    "unknown_group_losses",
]

# How many names a message lists.
_SHOWN = 8
# Prefixes of platform tags, and the system of each.
_SYSTEMS = (
    ("win", "win32"),
    ("macosx_", "darwin"),
    ("manylinux", "linux"),
    ("musllinux", "linux"),
    ("linux_", "linux"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InferredRoots:
    """Inferred requirements.

    Attributes:
        roots: All requirements, including those that were known.
        names: Names of the inferred requirements, sorted.
        extras: Inferred extras (`name[extra]`), sorted. Without them nothing would require what they add.
        forked: Names with several entries that would apply at once, sorted.
    """

    roots: tuple[GraphRoot, ...]
    names: tuple[str, ...]
    extras: tuple[str, ...]
    forked: tuple[str, ...]


def infer_roots(
    nodes: Mapping[str, GraphNode],
    members: Mapping[Choice, Sequence[str]],
    *,
    known: Sequence[GraphRoot] = (),
    optional: Sequence[str] = (),
    bounds: Mapping[str, str] | None = None,
    selectable: SelectableNames,
    universe: MarkerSet,
) -> InferredRoots:
    """Infer the fewest requirements that reach every member somewhere in `universe`.

    Args:
        nodes: The nodes of the graph by key.
        members: Keys of the entries that each choice installs.
        known: Requirements that the lock states.
        optional: Keys of entries that only known requirements reach, possibly with extras.
        bounds: Markers for entries that can be installed on one system only.
        selectable: The extras and groups that can be selected.
        universe: The environments that the lock supports.
    """
    inference = _RootInference(nodes=nodes, universe=universe, roots=list(known), bounds=bounds or {})
    inference.explain_optional(known, inference.unreached(optional, selectable))
    for choice, keys in members.items():
        inference.explain(choice, list(keys))
        while left := inference.unreached(keys, selectable):
            inference.require(choice, _tops(left, inference.needs()))
    names = sorted({nodes[key].name for key in inference.inferred_keys})
    extras = sorted({f"{nodes[key].name}[{extra}]" for key, extra in inference.extras})
    return InferredRoots(
        roots=tuple(inference.roots),
        names=tuple(names),
        extras=tuple(extras),
        forked=tuple(inference.forked(selectable)),
    )


@dataclass(slots=True, kw_only=True)
class _RootInference:
    """One inference. The set of requirements only grows."""

    nodes: Mapping[str, GraphNode]
    universe: MarkerSet
    roots: list[GraphRoot]
    bounds: Mapping[str, str]
    inferred_keys: list[str] = field(default_factory=list)
    extras: list[tuple[str, str]] = field(default_factory=list)

    def explain(self, choice: Choice, keys: Sequence[str]) -> None:
        """Require what nothing among `keys` requires, with the extras that bring in entries nothing else requires."""
        while True:
            tops = _tops(keys, self.needs())
            best = self._best_extra(keys, frozenset(tops))
            if best is None:
                self.require(choice, tops)
                return
            self.inferred_keys.append(best[0])
            self.roots.append(GraphRoot(choice=choice, edge=self._with_extra(*best)))

    def _with_extra(self, key: str, extra: str) -> GraphEdge:
        """A requirement of any entry of the name, with the extra."""
        name = self.nodes[key].name
        several = [k for k, node in self.nodes.items() if node.name == name]
        self.extras += [(k, extra) for k in several]
        targets = tuple(sorted(several, key=lambda k: self.nodes[k].rank))
        return GraphEdge(targets=targets, extras=frozenset({extra}))

    def explain_optional(self, known: Sequence[GraphRoot], left: Sequence[str]) -> None:
        """Add extras to known requirements if they bring in entries that nothing else requires."""
        named = dict.fromkeys(target for root in known for target in root.edge.targets)
        tops = frozenset(_tops(left, self.needs()))
        while best := self._best_extra(named, tops):
            edge = self._with_extra(*best)
            self.roots += [GraphRoot(choice=r.choice, edge=edge) for r in known if best[0] in r.edge.targets]

    def require(self, choice: Choice, keys: Iterable[str]) -> None:
        """Require the names of the entries."""
        by_name: dict[str, list[str]] = {}
        for key in keys:
            by_name.setdefault(self.nodes[key].name, []).append(key)
            self.inferred_keys.append(key)
        for several in by_name.values():
            targets = tuple(sorted(several, key=lambda key: self.nodes[key].rank))
            markers = {self.bounds.get(key) for key in several}
            marker = markers.pop() if len(markers) == 1 else None
            self.roots.append(GraphRoot(choice=choice, edge=GraphEdge(targets=targets, marker=marker)))

    def unreached(self, keys: Iterable[str], selectable: SelectableNames) -> list[str]:
        """Those of `keys` that no requirement reaches."""
        graph = ForeignGraph(nodes=self.nodes, roots=tuple(self.roots))
        regions = compute_reachability(graph, selectable, self.universe).regions
        return [key for key in keys if key not in regions]

    def needs(self) -> dict[str, frozenset[str]]:
        """The keys that each entry requires somewhere, with all requested extras."""
        return {key: frozenset(t for e in edges for t in e.targets) for key, edges in self._edges().items()}

    def _edges(self) -> dict[str, list[GraphEdge]]:
        extras: dict[str, set[str]] = {key: set() for key in self.nodes}
        queue = list(self.nodes)
        for root in self.roots:
            for target in root.edge.targets:
                extras[target] |= root.edge.extras
        edges: dict[str, list[GraphEdge]] = {}
        while queue:
            key = queue.pop()
            edges[key] = list(self._edges_in_use(self.nodes[key], extras[key]))
            for edge in edges[key]:
                for target in edge.targets:
                    if not edge.extras <= extras[target]:
                        extras[target] |= edge.extras
                        queue.append(target)
        return edges

    def _edges_in_use(self, node: GraphNode, extras: Iterable[str]) -> Iterator[GraphEdge]:
        for edge in node.edges:
            if self._applies(edge, None) or any(self._applies(edge, extra) for extra in extras):
                yield edge
        for extra in extras:
            yield from (edge for edge in node.optional.get(extra, ()) if self._applies(edge, extra))

    def _applies(self, edge: GraphEdge, extra: str | None) -> bool:
        return not (region_of_text(edge.marker).with_metadata_extra(extra) & self.universe).is_empty

    def _best_extra(self, keys: Iterable[str], tops: frozenset[str]) -> tuple[str, str] | None:
        """An entry with an extra whose requirements are all locked, and some of which nothing else requires.

        Of several, the one that accounts for most entries, then the one with the fewest requirements.
        """
        candidates: list[tuple[int, int, str, str]] = []
        chosen = frozenset(self.extras)
        for key in keys:
            node = self.nodes[key]
            for extra in sorted(_extras_of(node)):
                edges = [e for e in node.edges if not self._applies(e, None) and self._applies(e, extra)]
                edges += [e for e in node.optional.get(extra, ()) if self._applies(e, extra)]
                explained = tops & {t for edge in edges for t in edge.targets} - {key}
                if explained and all(edge.targets for edge in edges) and (key, extra) not in chosen:
                    candidates.append((-len(explained), len(edges), key, extra))
        return min(candidates)[2:] if candidates else None

    def forked(self, selectable: SelectableNames) -> list[str]:
        """Names with several entries that would be installed together."""
        by_name: dict[str, list[str]] = {}
        for key, node in self.nodes.items():
            if node.identity is not None:
                by_name.setdefault(node.name, []).append(key)
        several = {name: keys for name, keys in by_name.items() if len(keys) > 1}
        if not several:
            return []
        regions = compute_reachability(
            ForeignGraph(nodes=self.nodes, roots=tuple(self.roots)), selectable, self.universe
        ).regions
        names = []
        for name, keys in several.items():
            reached = [key for key in keys if key in regions]
            if not all(regions[a].is_disjoint(regions[b]) for i, a in enumerate(reached) for b in reached[:i]):
                names.append(name)
        return sorted(names)


def _extras_of(node: GraphNode) -> set[str]:
    extras = set(node.optional)
    for edge in node.edges:
        extras |= region_of_text(edge.marker).metadata_extras()
    return extras


def _tops(keys: Sequence[str], needs: Mapping[str, frozenset[str]]) -> list[str]:
    """Those of `keys` that no other of them requires; all members of a cycle that nothing else requires."""
    inside = frozenset(keys)
    needed = {target for key in keys for target in needs[key] if target != key}
    tops = [key for key in keys if key not in needed]
    seen = _below(tops, needs, inside)
    dependents: dict[str, set[str]] = {key: set() for key in keys}
    for key in keys:
        for target in needs[key] & inside:
            dependents[target].add(key)
    for key in keys:
        if key in seen:
            continue
        above, below = _below([key], dependents, inside), _below([key], needs, inside)
        if above <= below:
            tops += sorted(above)
            seen |= below
    return tops


def _below(keys: Iterable[str], needs: Mapping[str, Iterable[str]], inside: frozenset[str]) -> set[str]:
    reached: set[str] = set()
    queue = list(keys)
    while queue:
        key = queue.pop()
        if key in reached:
            continue
        reached.add(key)
        queue.extend(target for target in needs[key] if target in inside)
    return reached


def report_inferred_roots(inferred: InferredRoots, losses: list[Loss], *, shown: str, location: str) -> None:
    """Add what was inferred to `losses`.

    Raises:
        LocksetError: `pyproject-needed` if several entries of one name would apply at once.
    """
    if inferred.forked:
        names = join_names(inferred.forked)
        raise LocksetError(
            "pyproject-needed",
            f"{shown} has several versions of {names}, and only the project's pyproject.toml states where each applies",
            location=location,
            hint="Name the pyproject.toml with `--pyproject`, or lock again (with Poetry 2.1 or newer, or PDM with "
            "`-S inherit_metadata`)",
        )
    losses.append(
        Loss(
            kind="roots-assumed",
            message=f"{shown} does not state what the project requires, and there is no pyproject.toml next to it that "
            f"does (`--pyproject FILE` names it): it is assumed to require what no other package does, "
            f"{join_names(inferred.names)}",
        )
    )
    losses.append(
        Loss(
            kind="markers-assumed",
            message=f"{shown} does not state the markers of the project's requirements: they are installed "
            "everywhere, or on the only system for which they have files",
        )
    )
    if inferred.extras:
        names = join_names(inferred.extras)
        message = f"The file does not state which extras the project requires either: {names} are taken"
        losses.append(Loss(kind="extras-assumed", message=message))


def single_system_markers(packages: Mapping[str, ImportedPackage]) -> dict[str, str]:
    """Markers of entries that can be installed on one system only: all their files are wheels for it."""
    markers = {}
    for key, package in packages.items():
        systems = {_system_of(file.name or "") for file in package.files}
        if len(systems) == 1 and (system := systems.pop()) is not None:
            markers[key] = f"sys_platform == '{system}'"
    return markers


def _system_of(file: str) -> str | None:
    """The only system that a wheel is for; None for several, and for other files."""
    if not file.endswith(".whl"):
        return None
    tags = file.removesuffix(".whl").rpartition("-")[2].split(".")
    systems = {next((system for start, system in _SYSTEMS if tag.startswith(start)), None) for tag in tags}
    return systems.pop() if len(systems) == 1 else None


def unknown_group_losses(
    shown: str, *, dev: bool = False, states_development: bool = False, named: Sequence[str] = ()
) -> Iterator[Loss]:
    """The losses for what a file does not state about dependency groups.

    Args:
        shown: Name of the file's format.
        dev: Whether some packages are known to be for development.
        states_development: Whether the file states which packages are for development at all.
        named: Names of groups and extras whose members the file does not state.
    """
    if dev:
        message = f"{shown} does not state the dependency groups: all packages for development are in the group `dev`"
        yield Loss(kind="groups-joined", message=message)
        message = (
            "Only pyproject.toml states which groups Poetry installs by default, and there is none next to the file: "
            "the lock file installs no group by default"
        )
        yield Loss(kind="default-groups-unknown", message=message)
    elif not states_development:
        of = (
            f" which packages belong to {join_names(named)}" if named else " which packages belong to dependency groups"
        )
        message = f"{shown} does not state{of}: all packages are installed by default"
        yield Loss(kind="groups-unknown", message=message)


def join_names(names: Sequence[str]) -> str:
    """Join names with commas; beyond eight, count the rest."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
