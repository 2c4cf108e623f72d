"""Foreign graphs to drafts: what every format with a graph has in common."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.conversion.model.graph import region_of_text
from lockset.conversion.model.imported_lock import ImportedLock, ImportedPackage, Loss
from lockset.conversion.model.reference_selector import EntrySelector, GraphSelector, StatedEntry
from lockset.conversion.model.universe import universe_of
from lockset.conversion.readers.inferred_messages import join_some_names
from lockset.conversion.readers.reachability import Reachability, dependencies_of, reach, unanswered
from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.markers.environment import example_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from lockset.conversion.model.graph import ForeignGraph
    from lockset.conversion.model.selectable import Choice, SelectableNames

__all__ = ["draft_of_graph", "draft_of_statements", "hash_texts"]


def hash_texts(package: ImportedPackage) -> frozenset[str]:
    """Hashes and the commit that the input has for an entry."""
    found = {str(digest) for digests in (package.loose, *package.alternatives) for digest in digests}
    for hashes in [file.hashes for file in package.files] + [getattr(package.source, "hashes", None) or {}]:
        found.update(f"{algorithm}:{value}" for algorithm, value in hashes.items())
    commit = getattr(package.source, "commit_id", None)
    return frozenset(found | ({f"commit:{commit}"} if commit else set()))


def draft_of_graph(
    *,
    shown: str,
    location: str,
    graph: ForeignGraph,
    packages: Mapping[str, ImportedPackage],
    offers: SelectableNames,
    requires_python: SpecifierSet | None,
    environments: Sequence[str] = (),
    losses: Sequence[Loss] = (),
) -> ImportedLock:
    """A draft whose regions are those in which the entries are reached.

    Args:
        shown: Name of the format.
        location: Name of the file in messages.
        graph: Who needs whom.
        packages: Entries by key of their node, with their own bound as region (full where there is none).
        offers: What can be chosen.
        requires_python: Of the lock.
        environments: Of the lock.
        losses: What was lost so far.
    """
    universe = universe_of(requires_python, environments)
    found = reach(graph, offers, universe)
    _refuse_unanswered(graph, found, shown=shown, location=location)
    versions = {
        key: (package.name, None if package.version is None else str(package.version))
        for key, package in packages.items()
        if key in found.regions
    }
    placed: list[ImportedPackage] = []
    told = [*losses, *_decided(found, shown)]
    evidence: dict[str, frozenset[str]] = {}
    unreached: list[ImportedPackage] = []
    for key, package in packages.items():
        node = graph.nodes[key]
        assert node.identity is not None, key
        evidence[node.identity] = evidence.get(node.identity, frozenset()) | hash_texts(package)
        region = found.regions.get(key, MarkerSet.none()) & package.region & universe
        if region.is_empty:
            unreached.append(package)
            continue
        placed.append(replace(package, region=region, dependencies=dependencies_of(graph, key, found, versions)))
    told.extend(_unreached(package) for package in unreached)
    return ImportedLock(
        format=shown,
        location=location,
        packages=tuple(placed),
        judge=GraphSelector(graph=graph, offers=offers),
        offers=offers,
        requires_python=requires_python,
        environments=tuple(environments),
        evidence=evidence,
        losses=tuple(told),
    )


def _refuse_unanswered(graph: ForeignGraph, found: Reachability, *, shown: str, location: str) -> None:
    """Refuse an answer that breaks a requirement: the file does not tell enough to choose among its entries.

    Raises:
        LocksetError: `lock-ambiguous` with one environment.
    """
    broken = unanswered(graph, found)
    if broken is None:
        return
    key, edge, region = broken
    example = region.example()
    context: tuple[str, ...] = ()
    if example is not None:
        context = (f"for example: {example_in_words(example.environment)}",)
    raise LocksetError(
        "lock-ambiguous",
        f"The {shown} has several versions of {graph.nodes[edge.others[0]].name}, and does not say enough to tell "
        f"which of them is for {graph.nodes[key].name}",
        location=location,
        context=context,
        hint="Give the pyproject.toml it was made from (`--pyproject`), or lock again with a newer version of its tool",
    )


def _decided(found: Reachability, shown: str) -> tuple[Loss, ...]:
    if not found.decided:
        return ()
    message = (
        f"The {shown} does not say everywhere which version of {join_some_names(sorted(found.decided))} is meant: "
        "the newest that fits is taken, as its tool does"
    )
    return (Loss(kind="newest-taken", message=message, note=True),)


def draft_of_statements(
    *,
    shown: str,
    location: str,
    graph: ForeignGraph,
    packages: Mapping[str, ImportedPackage],
    statements: Mapping[str, Sequence[tuple[Choice, str | None]]],
    offers: SelectableNames,
    requires_python: SpecifierSet | None,
    environments: Sequence[str] = (),
    losses: Sequence[Loss] = (),
) -> ImportedLock:
    """A draft whose regions are stated by the input: for whom, and under which marker; the graph tells who needs whom.

    Several keys may stand for one entry (same identity): their statements are joined.
    """
    universe = universe_of(requires_python, environments)
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
            region |= offers.region(choice) & region_of_text(marker)
        regions[key] = region & universe
    found = Reachability(
        regions={key: region for key, region in regions.items() if not region.is_empty},
        extras=_asked_extras(graph, packages),
    )
    versions = {
        key: (packages[key].name, None if packages[key].version is None else str(packages[key].version))
        for key in found.regions
    }
    told = list(losses)
    told.extend(_unreached(packages[key]) for key in first.values() if key not in found.regions)
    placed = []
    for name, key in first.items():
        if key in found.regions:
            needs = dependencies_of(graph, key, found, versions)
            said = _only_marker(joined[name], offers)
            placed.append(replace(packages[key], region=found.regions[key], dependencies=needs, said=said))
    entries = tuple(StatedEntry(identity=name, when=tuple(when)) for name, when in joined.items())
    return ImportedLock(
        format=shown,
        location=location,
        packages=tuple(placed),
        judge=EntrySelector(entries=entries, offers=offers),
        offers=offers,
        requires_python=requires_python,
        environments=tuple(environments),
        evidence=evidence,
        losses=tuple(told),
    )


def _only_marker(when: Sequence[tuple[Choice, str | None]], offers: SelectableNames) -> str | None:
    """The marker as written, where it alone decides."""
    if len(when) == 1 and when[0][0][0] == "project" and offers.default is None:
        return when[0][1]
    return None


def _asked_extras(graph: ForeignGraph, packages: Mapping[str, ImportedPackage]) -> dict[str, dict[str, MarkerSet]]:
    """The extras with which others ask for each entry; where does not matter here."""
    found: dict[str, dict[str, MarkerSet]] = {key: {} for key in packages}
    for node in graph.nodes.values():
        for edge in (*node.edges, *(e for edges in node.optional.values() for e in edges)):
            for target in edge.targets:
                if target in found:
                    found[target].update(dict.fromkeys(edge.extras, MarkerSet.any()))
    return found


def _unreached(package: ImportedPackage) -> Loss:
    message = f"{package.shown} is needed by nothing that is converted, and is left out"
    return Loss(kind="not-reached", message=message, hashes=tuple(sorted(hash_texts(package))))
