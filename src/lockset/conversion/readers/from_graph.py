"""From a dependency graph, or from stated conditions, to an imported lock: shared by all readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, replace
from lockset.conversion.model.foreign_graph import ForeignGraph
from lockset.conversion.model.imported_lock import ImportedLock, ImportedPackage, Loss, region_of_text, universe_of
from lockset.conversion.model.reference_selector import EntrySelector, GraphSelector, StatedEntry
from lockset.conversion.readers.inferred_roots import join_names
from lockset.conversion.readers.reachability import (
    Reachability,
    compute_reachability,
    dependencies_of,
    unmet_requirement,
)
from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.markers.environment import example_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from lockset.conversion.model.checked_table import Fields
    from lockset.conversion.model.foreign_graph import GraphNode
    from lockset.conversion.model.formats import Format
    from lockset.conversion.model.selection import Choice, ReferenceSelector, SelectableNames

__all__ = ["LockHeader", "hash_texts", "imported_from_graph", "imported_from_statements"]


def hash_texts(package: ImportedPackage) -> frozenset[str]:
    """The hashes and the commit of an entry in the input."""
    texts = {str(digest) for digests in (package.bare_hashes, *package.alternatives) for digest in digests}
    for hashes in [file.hashes for file in package.files] + [getattr(package.source, "hashes", None) or {}]:
        texts.update(f"{algorithm}:{value}" for algorithm, value in hashes.items())
    commit = getattr(package.source, "commit_id", None)
    return frozenset(texts | ({f"commit:{commit}"} if commit else set()))


@dataclass(frozen=True, slots=True, kw_only=True)
class LockHeader:
    """The facts about a whole imported lock.

    Attributes:
        shown: Name of the format, for messages.
        location: Name of the file, for messages.
        selectable: The extras and groups that can be selected.
        requires_python: `requires-python` of the lock.
        environments: Markers of the supported environments.
        losses: Losses so far.
    """

    shown: str
    location: str
    selectable: SelectableNames
    requires_python: SpecifierSet | None
    environments: tuple[str, ...] = ()
    losses: Sequence[Loss] = ()

    @classmethod
    def of(
        cls,
        format_: Format,
        top: Fields,
        selectable: SelectableNames,
        bounds: tuple[SpecifierSet | None, tuple[str, ...]],
        losses: Sequence[Loss],
    ) -> LockHeader:
        """The header of the file with the table `top`; `bounds` are `requires_python` and `environments`."""
        return cls(
            shown=format_.shown,
            location=top.location,
            selectable=selectable,
            requires_python=bounds[0],
            environments=bounds[1],
            losses=losses,
        )

    @property
    def universe(self) -> MarkerSet:
        """The environments that the lock supports."""
        return universe_of(self.requires_python, self.environments)

    def with_entries(
        self,
        packages: Iterable[ImportedPackage],
        selector: ReferenceSelector,
        evidence: dict[str, frozenset[str]],
        losses: Iterable[Loss],
    ) -> ImportedLock:
        """The whole lock; `losses` come after those so far."""
        return ImportedLock(
            format=self.shown,
            location=self.location,
            packages=tuple(packages),
            selector=selector,
            selectable=self.selectable,
            requires_python=self.requires_python,
            environments=self.environments,
            evidence=evidence,
            losses=(*self.losses, *losses),
        )


def imported_from_graph(
    header: LockHeader, graph: ForeignGraph, packages: Mapping[str, ImportedPackage]
) -> ImportedLock:
    """An imported lock whose entries apply where the graph reaches them.

    Args:
        header: What holds for the whole lock.
        graph: The dependency graph.
        packages: Entries by key of their node. The region of each is its own bound (everything if it has none).
    """
    universe = header.universe
    reached = compute_reachability(graph, header.selectable, universe)
    _refuse_unmet(graph, reached, header)
    versions = _versions(packages, reached)
    entries: list[ImportedPackage] = []
    evidence: dict[str, frozenset[str]] = {}
    unreached: list[ImportedPackage] = []
    for key, package in packages.items():
        node = graph.nodes[key]
        assert node.identity is not None, key
        evidence[node.identity] = evidence.get(node.identity, frozenset()) | hash_texts(package)
        region = reached.regions.get(key, MarkerSet.none()) & package.region & universe
        if region.is_empty:
            unreached.append(package)
            continue
        entries.append(replace(package, region=region, dependencies=dependencies_of(graph, key, reached, versions)))
    losses = [*_decision_losses(reached, header.shown), *map(_unreached, unreached)]
    return header.with_entries(entries, GraphSelector(graph=graph, selectable=header.selectable), evidence, losses)


def _refuse_unmet(graph: ForeignGraph, reached: Reachability, header: LockHeader) -> None:
    """Refuse a result that breaks a requirement: the file does not state enough to choose among its entries.

    Raises:
        LocksetError: `lock-ambiguous`, with an example.
    """
    broken = unmet_requirement(graph, reached)
    if broken is None:
        return
    key, edge, region = broken
    example = region.example()
    context: tuple[str, ...] = ()
    if example is not None:
        context = (f"for example: {example_in_words(example.environment)}",)
    raise LocksetError(
        "lock-ambiguous",
        f"The {header.shown} has several versions of {graph.nodes[edge.others[0]].name}, and does not state "
        f"which of them {graph.nodes[key].name} requires",
        location=header.location,
        context=context,
        hint="Name its pyproject.toml with `--pyproject`, or lock again with a newer version of its tool",
    )


def _decision_losses(reached: Reachability, shown: str) -> tuple[Loss, ...]:
    if not reached.decided:
        return ()
    message = (
        f"The {shown} does not always state which version of {join_names(sorted(reached.decided))} is meant: "
        "the newest that fits is used, as its tool does"
    )
    return (Loss(kind="newest-taken", message=message, note=True),)


def imported_from_statements(
    header: LockHeader,
    nodes: dict[str, GraphNode],
    packages: Mapping[str, ImportedPackage],
    statements: Mapping[str, Sequence[tuple[Choice, str | None]]],
) -> ImportedLock:
    """An imported lock whose entries apply where the input states: for which choice, and under which marker.

    The nodes only give the dependencies. Several keys may belong to one entry (same identity).
    """
    graph, selectable, universe = ForeignGraph(nodes=nodes, roots=()), header.selectable, header.universe
    first: dict[str, str] = {}
    joined: dict[str, list[tuple[Choice, str | None]]] = {}
    evidence: dict[str, frozenset[str]] = {}
    for key, package in packages.items():
        name = graph.nodes[key].identity
        assert name is not None, key
        first.setdefault(name, key)
        joined.setdefault(name, []).extend(statements[key])
        evidence[name] = evidence.get(name, frozenset()) | hash_texts(package)
    regions = {}
    for name, key in first.items():
        region = MarkerSet.none()
        for choice, marker in joined[name]:
            region |= selectable.region(choice) & region_of_text(marker)
        regions[key] = region & universe
    reached = Reachability(
        regions={key: region for key, region in regions.items() if not region.is_empty},
        extras=_requested_extras(graph, packages),
    )
    versions = _versions(packages, reached)
    entries = []
    for name, key in first.items():
        if key in reached.regions:
            needs = dependencies_of(graph, key, reached, versions)
            original = _only_marker(joined[name], selectable)
            entries.append(
                replace(packages[key], region=reached.regions[key], dependencies=needs, original_marker=original)
            )
    stated = tuple(StatedEntry(identity=name, when=tuple(when)) for name, when in joined.items())
    losses = [_unreached(packages[key]) for key in first.values() if key not in reached.regions]
    return header.with_entries(entries, EntrySelector(entries=stated, selectable=selectable), evidence, losses)


def _only_marker(when: Sequence[tuple[Choice, str | None]], selectable: SelectableNames) -> str | None:
    """The marker as written, if it alone decides."""
    if len(when) == 1 and when[0][0][0] == "project" and selectable.default is None:
        return when[0][1]
    return None


def _requested_extras(graph: ForeignGraph, packages: Mapping[str, ImportedPackage]) -> dict[str, dict[str, MarkerSet]]:
    """The extras that are requested of each entry, in any environment."""
    extras: dict[str, dict[str, MarkerSet]] = {key: {} for key in packages}
    for node in graph.nodes.values():
        for edge in (*node.edges, *(e for edges in node.optional.values() for e in edges)):
            for target in edge.targets:
                if target in extras:
                    extras[target].update(dict.fromkeys(edge.extras, MarkerSet.any()))
    return extras


def _versions(packages: Mapping[str, ImportedPackage], reached: Reachability) -> dict[str, tuple[str, str | None]]:
    """Name and version of every entry that is required, by key."""
    return {
        key: (package.name, None if package.version is None else str(package.version))
        for key, package in packages.items()
        if key in reached.regions
    }


def _unreached(package: ImportedPackage) -> Loss:
    message = f"{package.shown} is not required by anything that is converted, and is left out"
    return Loss(kind="not-reached", message=message, hashes=tuple(sorted(hash_texts(package))))
