"""The environments that a lock file claims to support, and where each entry applies, as marker sets.

Only imported for lock files that need it: importing `lockset.markers` takes longer than all other rules.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass
from lockset.errors import LocksetError
from lockset.lockfile.conflicts import conflicting_region, pairs_of, read_conflicts
from lockset.markers import Example, MarkerSet, possible
from lockset.markers.diagram import FULL, NODES
from lockset.markers.environment import UNNAMED_SYSTEM
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Coverage", "bounded_union", "example_text", "is_small", "python_set", "read_coverage"]

# Limit for the diagrams that are compared, which takes at most the square of their size. Real markers have tens of
# nodes; larger entries and environments are skipped.
MAX_NODES = 200
# Limit for the nodes that are created for one file, and so for time and memory; the rest is skipped.
MAX_MADE = 100_000
# Limit for the environments that are checked; the largest real files have a few dozen.
MAX_ENVIRONMENTS = 64
# Limit for the pairs of conflicting extras and groups that are considered.
_MOST_PAIRS = 1000

_SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The environments of one lock file.

    Attributes:
        pythons: The possible environments that `requires-python` allows.
        has_python: Whether `requires-python` is present and valid.
        environments: The valid declared environments, by index.
        region: `pythons` and `environments` together, without undeclared extras and groups.
        entries: Where each package applies within `region`, by index; only those that are small enough to compare.
        markers: The packages' markers as sets, by index, for packages that have one.
        began: How many nodes there were before.
    """

    pythons: MarkerSet
    has_python: bool
    environments: Mapping[int, MarkerSet]
    region: MarkerSet
    entries: Mapping[int, MarkerSet]
    markers: Mapping[int, MarkerSet]
    nodes_before: int

    @property
    def is_exhausted(self) -> bool:
        """Whether the limit for this file is reached, so that the rest is skipped."""
        return len(NODES) - self.nodes_before > MAX_MADE


def read_coverage(data: Mapping[str, Any]) -> Coverage:
    """The coverage that `data` claims; invalid markers and specifiers count as absent."""
    nodes_before = len(NODES)
    pythons, requires = possible(), data.get("requires-python")
    required = python_set(requires) if isinstance(requires, str) else None
    if required is not None:
        pythons &= required
    declared = _parse_all(data.get("environments"), MAX_ENVIRONMENTS)
    within = bounded_union(declared.values()) if declared or data.get("environments") == [] else None
    region = pythons if within is None else pythons & within
    packages = data.get("packages")
    tables = packages if isinstance(packages, list) else []
    markers = _parse_all([table.get("marker") if isinstance(table, dict) else None for table in tables], len(tables))
    region = _without_conflicts(region & _selectable(data, markers.values()), data)
    entries: dict[int, MarkerSet] = {}
    for index, table in enumerate(tables):
        if isinstance(table, dict) and table.get("marker") is None:
            entries[index] = region
        elif index in markers and is_small(region) and len(NODES) - nodes_before < MAX_MADE:
            entries[index] = region & markers[index]
    return Coverage(
        pythons=pythons,
        has_python=required is not None,
        environments=declared,
        region=region,
        entries={index: one for index, one in entries.items() if is_small(one)},
        markers=markers,
        nodes_before=nodes_before,
    )


def bounded_union(regions: Iterable[MarkerSet]) -> MarkerSet | None:
    """The union, or None if it becomes too large to compare."""
    union = MarkerSet.none()
    for region in regions:
        union |= region
        if not is_small(union):
            return None
    return union


def _parse_all(texts: Any, limit: int) -> dict[int, MarkerSet]:
    markers: dict[int, MarkerSet] = {}
    for index, text in enumerate(texts[:limit] if isinstance(texts, list) else ()):
        one = _marker(text) if isinstance(text, str) else None
        if one is not None:
            markers[index] = one
    return markers


@lru_cache(maxsize=4096)
def _marker(text: str) -> MarkerSet | None:
    try:
        region = MarkerSet.parse(text)
    except (LocksetError, ValueError, RecursionError):
        return None  # other rules report what is wrong with it
    return region if is_small(region) else None


@lru_cache(maxsize=4096)
def python_set(text: str) -> MarkerSet | None:
    """The Pythons of a `requires-python`, or None if it is not valid or has too many parts."""
    try:
        region = MarkerSet.of_python(text)
    except (LocksetError, ValueError, RecursionError):
        return None
    return region if is_small(region) else None


def _selectable(data: Mapping[str, Any], markers: Iterable[MarkerSet]) -> MarkerSet:
    """All selections without undeclared extras and groups, which cannot be selected."""
    extras = _names(data, "extras")
    groups = _names(data, "dependency-groups") | _names(data, "default-groups")
    region = MarkerSet.any()
    for marker in dict.fromkeys(markers):
        if not is_small(region):
            break
        for name in sorted(marker.extras() - extras):
            region -= MarkerSet.extra(name)
        for name in sorted(marker.groups() - groups):
            region -= MarkerSet.group(name)
    return region


def _without_conflicts(region: MarkerSet, data: Mapping[str, Any]) -> MarkerSet:
    """`region` without the selections that the file declares as conflicting."""
    for pair in islice(pairs_of(read_conflicts(data.get("tool"))), _MOST_PAIRS):
        try:
            left = region - conflicting_region([pair])
        except (LocksetError, ValueError, RecursionError):
            continue
        if not is_small(left):
            break
        region = left
    return region


def _names(data: Mapping[str, Any], key: str) -> frozenset[str]:
    value = data.get(key)
    names = value if isinstance(value, list) else []
    return frozenset({canonicalize_name(name) for name in names if isinstance(name, str)})


@lru_cache(maxsize=8192)
def is_small(region: MarkerSet) -> bool:
    """Whether the diagram of `region` has at most MAX_NODES nodes."""
    seen: set[int] = set()
    waiting = [region.id]
    while waiting and len(seen) <= MAX_NODES:
        node = waiting.pop()
        if node > FULL and node not in seen:
            seen.add(node)
            waiting.extend(NODES[node][2])
    return len(seen) <= MAX_NODES


def example_text(example: Example) -> str:
    """A description of an environment, such as `Python 3.12.0 on Linux x86_64 with the extra docs`."""
    values = example.environment
    implementation = values["platform_python_implementation"]
    python = "Python" if implementation == "CPython" else implementation
    system = _SYSTEMS.get(values["sys_platform"], values["sys_platform"] or UNNAMED_SYSTEM)
    text = f"{python} {values['python_full_version']} on {system} {values['platform_machine']}".rstrip()
    chosen = [f"the extra {name}" for name in sorted(example.extras)]
    chosen += [f"the group {name}" for name in sorted(example.groups)]
    return f"{text} with {' and '.join(chosen)}" if chosen else text
