"""From a dependency graph, or from stated conditions, to an imported lock: shared by all readers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.conversion.model.graph import region_of_text, universe_of
from lockset.conversion.model.imported_lock import ImportedLock, ImportedPackage, Loss
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
    from collections.abc import Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from lockset.conversion.model.graph import ForeignGraph
    from lockset.conversion.model.selectable import Choice, SelectableNames

__all__ = ["hash_texts", "imported_from_graph", "imported_from_statements"]


def hash_texts(package: ImportedPackage) -> frozenset[str]:
    """The hashes and the commit of an entry in the input."""
    texts = {str(digest) for digests in (package.bare_hashes, *package.alternatives) for digest in digests}
    for hashes in [file.hashes for file in package.files] + [getattr(package.source, "hashes", None) or {}]:
        texts.update(f"{algorithm}:{value}" for algorithm, value in hashes.items())
    commit = getattr(package.source, "commit_id", None)
    return frozenset(texts | ({f"commit:{commit}"} if commit else set()))


def imported_from_graph(
    *,
    shown: str,
    location: str,
    graph: ForeignGraph,
    packages: Mapping[str, ImportedPackage],
    selectable: SelectableNames,
    requires_python: SpecifierSet | None,
    environments: Sequence[str] = (),
    losses: Sequence[Loss] = (),
) -> ImportedLock:
    """An imported lock whose entries apply where the graph reaches them.

    Args:
        shown: Name of the format, for messages.
        location: Name of the file, for messages.
        graph: The dependency graph.
        packages: Entries by key of their node. The region of each is its own bound (everything if it has none).
        selectable: The extras and groups that can be selected.
        requires_python: `requires-python` of the lock.
        environments: Markers of the supported environments.
        losses: Losses so far.
    """
    universe = universe_of(requires_python, environments)
    reached = compute_reachability(graph, selectable, universe)
    _refuse_unmet(graph, reached, shown=shown, location=location)
    versions = _versions(packages, reached)
    entries: list[ImportedPackage] = []
    all_losses = [*losses, *_decision_losses(reached, shown)]
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
    all_losses.extend(_unreached(package) for package in unreached)
    return ImportedLock(
        format=shown,
        location=location,
        packages=tuple(entries),
        selector=GraphSelector(graph=graph, selectable=selectable),
        selectable=selectable,
        requires_python=requires_python,
        environments=tuple(environments),
        evidence=evidence,
        losses=tuple(all_losses),
    )


def _refuse_unmet(graph: ForeignGraph, reached: Reachability, *, shown: str, location: str) -> None:
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
        f"The {shown} has several versions of {graph.nodes[edge.others[0]].name}, and does not state "
        f"which of them {graph.nodes[key].name} requires",
        location=location,
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
    *,
    shown: str,
    location: str,
    graph: ForeignGraph,
    packages: Mapping[str, ImportedPackage],
    statements: Mapping[str, Sequence[tuple[Choice, str | None]]],
    selectable: SelectableNames,
    requires_python: SpecifierSet | None,
    environments: Sequence[str] = (),
    losses: Sequence[Loss] = (),
) -> ImportedLock:
    """An imported lock whose entries apply where the input states: for which choice, and under which marker.

    The graph only gives the dependencies. Several keys may belong to one entry (same identity).
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
            region |= selectable.region(choice) & region_of_text(marker)
        regions[key] = region & universe
    reached = Reachability(
        regions={key: region for key, region in regions.items() if not region.is_empty},
        extras=_requested_extras(graph, packages),
    )
    versions = _versions(packages, reached)
    all_losses = list(losses)
    all_losses.extend(_unreached(packages[key]) for key in first.values() if key not in reached.regions)
    entries = []
    for name, key in first.items():
        if key in reached.regions:
            needs = dependencies_of(graph, key, reached, versions)
            original = _only_marker(joined[name], selectable)
            entries.append(
                replace(packages[key], region=reached.regions[key], dependencies=needs, original_marker=original)
            )
    stated = tuple(StatedEntry(identity=name, when=tuple(when)) for name, when in joined.items())
    return ImportedLock(
        format=shown,
        location=location,
        packages=tuple(entries),
        selector=EntrySelector(entries=stated, selectable=selectable),
        selectable=selectable,
        requires_python=requires_python,
        environments=tuple(environments),
        evidence=evidence,
        losses=tuple(all_losses),
    )


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
