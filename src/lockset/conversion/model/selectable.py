"""Offers: which extras and groups a converted lock lets its users choose, and how markers say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from lockset._dataclass import dataclass
from lockset.markers import MarkerSet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["Choice", "SelectableNames", "default_group_name"]

# Who asks: the project itself, one of its extras, or a dependency group.
Choice: TypeAlias = tuple[Literal["project", "extra", "group"], str]

_DEFAULT_GROUP_NAMES = ("default", "project", "lockset-default")


def default_group_name(groups: Collection[str]) -> str | None:
    """The synthetic group that stands for the project itself; None where no groups exist, so that none is needed."""
    if not groups:
        return None
    return next(name for name in _DEFAULT_GROUP_NAMES if name not in groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectableNames:
    """What can be chosen. Names are normalised.

    A group that is installed by default besides being offered gets a synthetic twin, since groups listed under
    `default-groups` are not to be listed for users (and so the project alone can still be chosen).

    Attributes:
        extras: Extras of the project.
        groups: Dependency groups.
        by_default: Those of `groups` that are installed unless other groups are chosen.
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
        """For the key `default-groups`."""
        if self.default is None:
            return ()
        return (self.default, *(self.twin(group) for group in self.by_default))

    def region(self, choice: Choice) -> MarkerSet:
        """Where `choice` has been made."""
        kind, name = choice
        if kind == "extra":
            return MarkerSet.extra(name)
        if kind == "project":
            return MarkerSet.any() if self.default is None else MarkerSet.group(self.default)
        found = MarkerSet.group(name)
        return found | MarkerSet.group(self.twin(name)) if name in self.by_default else found

    def names(self, choice: Choice) -> tuple[tuple[str, str], ...]:
        """The extras and groups of the lock file by which `choice` is made, each with its kind."""
        kind, name = choice
        if kind == "project":
            return (("group", self.default),) if self.default is not None else ()
        return (
            ((kind, name), (kind, self.twin(name))) if kind == "group" and name in self.by_default else ((kind, name),)
        )

    def holds(self, choice: Choice, extras: Collection[str], groups: Collection[str]) -> bool:
        """Whether `choice` has been made by who chose these extras and groups."""
        kind, name = choice
        if kind == "extra":
            return name in extras
        if kind == "project":
            return self.default is None or self.default in groups
        return name in groups or (name in self.by_default and self.twin(name) in groups)

    def choices(self) -> Iterable[tuple[frozenset[str], frozenset[str]]]:
        """Extras and groups to try: the defaults, each one alone, nothing, everything."""
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
