"""Extras and groups of an imported lock: which can be selected, and what one selection installs somewhere."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from lockset._dataclass import dataclass, field
from lockset.dependency_specifiers import composed_marker
from lockset.markers import MarkerSet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from packaging.markers import Marker


__all__ = ["Choice", "Conflict", "ReferenceSelector", "SelectableNames", "Situation", "default_group_name"]

# Where a requirement comes from: the project itself, one of its extras, or a dependency group.
Choice: TypeAlias = tuple[Literal["project", "extra", "group"], str]
# Two or more of these that exclude each other.
Conflict: TypeAlias = frozenset[Choice]
_DEFAULT_GROUP_NAMES = ("default", "project", "lockset-default")


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
