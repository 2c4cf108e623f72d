"""What a lock file claims to serve, as marker sets: its environments, and where each entry applies.

Only imported for lock files that have something to compare: `lockset.markers` costs more than all other rules.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from lockset._dataclass import dataclass
from lockset.errors import LocksetError
from lockset.lockfile.conflict_regions import conflicting_region
from lockset.lockfile.declared_conflicts import pairs_of, read_conflicts
from lockset.markers import Example, MarkerSet, possible
from lockset.markers.diagram import FULL, NODES
from lockset.markers.environment import UNNAMED_SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Coverage", "example_text", "python_set", "served", "small", "united"]

# Bounds the diagrams that are compared: two of this size meet in at most its square of steps. Real markers have tens
# of nodes; entries and environments beyond it are passed over.
MAX_NODES = 200
# Bounds the nodes that are made for one file, and with them time and memory; what comes later is passed over.
MAX_MADE = 100_000
# Bounds how many environments are looked at; the largest real files have some dozens.
MAX_ENVIRONMENTS = 64
# Bounds how many pairs of conflicting extras and groups are taken into account.
_MOST_PAIRS = 1000

_SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The environments of one lock file.

    Attributes:
        pythons: What `requires-python` admits, among what can occur at all.
        has_python: Whether `requires-python` is there and can be read.
        environments: The declared ones by their place, each as it stands, those that can be read.
        region: Pythons and environments together, without extras and groups that the file does not declare.
        entries: Where each package applies, within `region`, by its place; those that can be compared.
        markers: The same before anything is taken off, for packages that have a marker.
        began: How many nodes there were before.
    """

    pythons: MarkerSet
    has_python: bool
    environments: Mapping[int, MarkerSet]
    region: MarkerSet
    entries: Mapping[int, MarkerSet]
    markers: Mapping[int, MarkerSet]
    began: int

    @property
    def spent(self) -> bool:
        """Whether so much has been computed for this file that the rest is passed over."""
        return len(NODES) - self.began > MAX_MADE


def served(data: Mapping[str, Any]) -> Coverage:
    """What `data` claims; values that are no markers and no specifiers count as absent."""
    began = len(NODES)
    pythons, requires = possible(), data.get("requires-python")
    wanted = python_set(requires) if isinstance(requires, str) else None
    if wanted is not None:
        pythons &= wanted
    declared = _parsed(data.get("environments"), MAX_ENVIRONMENTS)
    within = united(declared.values()) if declared or data.get("environments") == [] else None
    region = pythons if within is None else pythons & within
    packages = data.get("packages")
    tables = packages if isinstance(packages, list) else []
    markers = _parsed([table.get("marker") if isinstance(table, dict) else None for table in tables], len(tables))
    region = _without_conflicts(region & _choosable(data, markers.values()), data)
    entries: dict[int, MarkerSet] = {}
    for index, table in enumerate(tables):
        if isinstance(table, dict) and table.get("marker") is None:
            entries[index] = region
        elif index in markers and small(region) and len(NODES) - began < MAX_MADE:
            entries[index] = region & markers[index]
    return Coverage(
        pythons=pythons,
        has_python=wanted is not None,
        environments=declared,
        region=region,
        entries={index: one for index, one in entries.items() if small(one)},
        markers=markers,
        began=began,
    )


def united(regions: Iterable[MarkerSet]) -> MarkerSet | None:
    """The union, or None where it grows beyond what is compared."""
    found = MarkerSet.none()
    for region in regions:
        found |= region
        if not small(found):
            return None
    return found


def _parsed(texts: Any, limit: int) -> dict[int, MarkerSet]:
    found: dict[int, MarkerSet] = {}
    for index, text in enumerate(texts[:limit] if isinstance(texts, list) else ()):
        one = _marker(text) if isinstance(text, str) else None
        if one is not None:
            found[index] = one
    return found


@lru_cache(maxsize=4096)
def _marker(text: str) -> MarkerSet | None:
    try:
        found = MarkerSet.parse(text)
    except (LocksetError, ValueError, RecursionError):
        return None  # other rules tell what is wrong with it
    return found if small(found) else None


@lru_cache(maxsize=4096)
def python_set(text: str) -> MarkerSet | None:
    """The Pythons of a `requires-python`, or None where it is no specifier or has too many parts."""
    try:
        found = MarkerSet.of_python(text)
    except (LocksetError, ValueError, RecursionError):
        return None
    return found if small(found) else None


def _choosable(data: Mapping[str, Any], markers: Iterable[MarkerSet]) -> MarkerSet:
    """All choices but those of undeclared extras and groups, which nobody can make."""
    extras = _names(data, "extras")
    groups = _names(data, "dependency-groups") | _names(data, "default-groups")
    found = MarkerSet.any()
    for marker in dict.fromkeys(markers):
        if not small(found):
            break
        for name in sorted(marker.extras() - extras):
            found -= MarkerSet.extra(name)
        for name in sorted(marker.groups() - groups):
            found -= MarkerSet.group(name)
    return found


def _without_conflicts(region: MarkerSet, data: Mapping[str, Any]) -> MarkerSet:
    """`region` without the choices that lockset refuses, as the file declares them."""
    for pair in islice(pairs_of(read_conflicts(data.get("tool"))), _MOST_PAIRS):
        try:
            left = region - conflicting_region([pair])
        except (LocksetError, ValueError, RecursionError):
            continue
        if not small(left):
            break
        region = left
    return region


def _names(data: Mapping[str, Any], key: str) -> frozenset[str]:
    value = data.get(key)
    names = value if isinstance(value, list) else []
    return frozenset(canonicalize_name(name) for name in names if isinstance(name, str))


@lru_cache(maxsize=8192)
def small(region: MarkerSet) -> bool:
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
    """An environment in words: `Python 3.12.0 on Linux x86_64 with the extra docs`."""
    values = example.environment
    implementation = values["platform_python_implementation"]
    python = "Python" if implementation == "CPython" else implementation
    system = _SYSTEMS.get(values["sys_platform"], values["sys_platform"] or UNNAMED_SYSTEM)
    text = f"{python} {values['python_full_version']} on {system} {values['platform_machine']}".rstrip()
    chosen = [f"the extra {name}" for name in sorted(example.extras)]
    chosen += [f"the group {name}" for name in sorted(example.groups)]
    return f"{text} with {' and '.join(chosen)}" if chosen else text
