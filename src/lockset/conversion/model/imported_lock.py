"""A lock file of another tool as it was read: entries that may lack files or hashes, and what is lost.

Also its dependency graph, the regions of its markers, and the extras and groups to select.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from lockset._dataclass import dataclass, field, replace
from lockset.dependency_specifiers import composed_marker
from lockset.errors import LocksetError
from lockset.markers import MarkerSet, possible
from lockset.markers.environment import example_in_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from lockset.hashes import Digest
    from lockset.lockfile.model import PackageArchive, PackageDirectory, PackageVcs

__all__ = [
    "ROUNDS",
    "Choice",
    "Conflict",
    "ForeignGraph",
    "GraphEdge",
    "GraphNode",
    "GraphRoot",
    "ImportedFile",
    "ImportedLock",
    "ImportedPackage",
    "Loss",
    "ReferenceSelector",
    "SelectableNames",
    "Situation",
    "default_group_name",
    "dropped_credentials",
    "identity",
    "identity_of_source",
    "order_of",
    "refuse_losses",
    "refuse_overlap",
    "region_of_text",
    "universe_of",
]

# How often a graph is walked again with the extras of the walk before; the input is refused after that.
ROUNDS = 8
# Where a requirement comes from: the project itself, one of its extras, or a dependency group.
Choice: TypeAlias = tuple[Literal["project", "extra", "group"], str]
# Two or more of these that exclude each other.
Conflict: TypeAlias = frozenset[Choice]

_DEFAULT_GROUP_NAMES = ("default", "project", "lockset-default")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Something that the lock file does not keep of the input, or takes on trust. Fatal with `--strict`.

    Attributes:
        kind: Kebab-case name of the kind, such as `hash-unmatched`.
        message: One sentence that names the package.
        hashes: Hashes of the input that the output therefore lacks.
        note: Only a note, never fatal.
    """

    kind: str
    message: str
    hashes: tuple[str, ...] = ()
    note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """One file of a release. Without `url` and `path` it is looked up on an index."""

    name: str | None
    hashes: Mapping[str, str]
    url: str | None = None
    path: str | None = None
    size: int | None = None
    upload_time: datetime | None = None

    @property
    def is_located(self) -> bool:
        """Whether the file has a location and a hash."""
        return (self.url is not None or self.path is not None) and bool(self.hashes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPackage:
    """One entry of the imported lock.

    Attributes:
        name: Normalized name.
        version: None for a source tree, whose version may change.
        region: The environments, extras and groups for which the entry applies.
        original_marker: The marker as the input wrote it, if it means exactly `region`.
        dependencies: Names (and versions, if several are locked); None if the input does not state them.
        index: The index that the input names.
        files: The files that the input names.
        bare_hashes: Hashes of files that the input does not name.
        every_file: The input names neither files nor hashes, so that every file of the release is meant.
        wheels: Whether wheels may be used.
        sdists: Whether source distributions may be used.
        source: A source tree or archive, instead of files of an index.
        requires_python: `Requires-Python` of the release, if the input states it.
        origin: Location in the input, for messages (`requirements.txt:3`).
        config_settings: Settings for the build backend.
        extras: Extras that the input requests.
        admits: The versions that the pin admits: `==2.6.0` also admits 2.6.0+cpu. None admits `version` only.
        alternatives: Lists of hashes. The archive must match one of each list.
    """

    name: str
    version: Version | None
    region: MarkerSet
    original_marker: str | None = None
    dependencies: tuple[tuple[str, str | None], ...] | None = None
    index: str | None = None
    files: tuple[ImportedFile, ...] = ()
    bare_hashes: tuple[Digest, ...] = ()
    every_file: bool = False
    wheels: bool = True
    sdists: bool = True
    source: PackageVcs | PackageDirectory | PackageArchive | None = None
    requires_python: str | None = None
    origin: str = ""
    config_settings: tuple[tuple[str, str], ...] = ()
    extras: frozenset[str] = frozenset()
    admits: SpecifierSet | None = None
    alternatives: tuple[tuple[Digest, ...], ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether no index has to be queried."""
        if self.source is not None:
            return True
        return (
            not self.bare_hashes and not self.every_file and bool(self.files) and all(f.is_located for f in self.files)
        )

    @property
    def shown(self) -> str:
        """`name version`, for messages."""
        return self.name if self.version is None else f"{self.name} {self.version}"

    @property
    def identity(self) -> str:
        """The identity of the entry: equal for entries that install the same."""
        if self.source is not None:
            return identity_of_source(self.name, self.source)
        return identity(self.name, self.version, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedLock:
    """A lock file of another tool, read.

    Attributes:
        format: Name of the format, for messages.
        location: Name of the file, for messages.
        packages: In the order of the input.
        selector: What the input installs in one environment, evaluated without `MarkerSet`.
        selectable: Extras and groups that can be selected, and the default groups.
        requires_python: `requires-python` of the lock.
        environments: Markers of the supported environments.
        evidence: Hashes of the input by identity of the entry.
        losses: What the output will not contain.
        conflicts: Extras and groups that the input declares as conflicting.
        may_be_partial: The pins may be written by hand, without the dependencies of what they pin.
        stand_ins: Identity of an entry of the input to the entries of the lock that replace it.
        unhashed: Identities of entries that the input pins without a hash, so that any file is accepted.
    """

    format: str
    location: str
    packages: tuple[ImportedPackage, ...]
    selector: ReferenceSelector
    selectable: SelectableNames
    requires_python: SpecifierSet | None = None
    environments: tuple[str, ...] = ()
    evidence: Mapping[str, frozenset[str]] = field(default_factory=dict)
    losses: tuple[Loss, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    may_be_partial: bool = False
    stand_ins: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unhashed: frozenset[str] = frozenset()


def identity(name: str, version: Version | str | None, kind: str | None) -> str:
    """The identity of a package: `name==version`, or `name @ kind` if the version is not fixed."""
    return f"{name}=={version}" if kind is None else f"{name} @ {kind}"


def identity_of_source(name: str, source: PackageVcs | PackageDirectory | PackageArchive) -> str:
    """The identity of an entry with a direct source: its location and commit, without hashes."""
    location = getattr(source, "url", None) or source.path or ""
    revision = getattr(source, "commit_id", None) or getattr(source, "requested_revision", None)
    commit = f"@{revision}" if revision else ""
    subdirectory = f"#{source.subdirectory}" if source.subdirectory else ""
    return identity(name, None, f"{location}{commit}{subdirectory}")


def refuse_losses(losses: Sequence[Loss], *, strict: bool, location: str) -> None:
    """Refuse losses if `strict`; notes are not losses.

    Raises:
        LocksetError: `lossy`, with all losses.
    """
    real = [loss for loss in losses if not loss.note]
    if strict and real:
        raise LocksetError(
            "lossy",
            f"{len(real)} {'thing' if len(real) == 1 else 'things'} would be lost, and `--strict` allows none",
            location=location,
            context=tuple(loss.message for loss in real),
            hint="Nothing was written. Run again without `--strict` to accept this",
        )


def dropped_credentials(names: Iterable[str]) -> tuple[Loss, ...]:
    """The note for packages whose URLs were written without their user info."""
    listed = ", ".join(names)
    message = f"The credentials in the URLs of {listed} are not written: installers take them from netrc or git"
    return (Loss(kind="credentials-dropped", message=message, note=True),) if listed else ()


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


@dataclass(slots=True, kw_only=True)
class Situation:
    """One environment with selected extras and groups. Caches the markers it has evaluated."""

    environment: Mapping[str, str]
    extras: frozenset[str]
    groups: frozenset[str]
    _known: dict[tuple[str, str], bool] = field(default_factory=dict)

    def holds(self, marker: str | None, *, extra: str = "") -> bool:
        """Whether the marker holds, with `extra` as the value of the variable `extra`."""
        if marker is None:
            return True
        truth = self._known.get((marker, extra))
        if truth is None:
            values: dict[str, Any] = {
                **self.environment,
                "extra": extra,
                "extras": set(self.extras),
                "dependency_groups": set(self.groups),
            }
            truth = self._known[marker, extra] = bool(_parsed(marker).evaluate(values, context="lock_file"))
        return truth


@lru_cache(maxsize=16384)
def _parsed(marker: str) -> Marker:
    return composed_marker(marker)


class ReferenceSelector(Protocol):
    """Selects what the input installs."""

    def select(self, situation: Situation) -> frozenset[str]:
        """Identities (`lockset.conversion.model.imported_lock.identity`) of the installed entries."""
