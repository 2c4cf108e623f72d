"""The dependencies of a release; those of an extra are parsed on first use.

Two thirds of what releases require belongs to extras that nothing requires.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, SupportsIndex, overload

from lockset.resolve.problem.requirement import Dependency, parse_dependency

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["Dependencies"]


class Dependencies(Sequence[Dependency]):
    """Dependencies in the order of the metadata.

    Args:
        items: Each dependency, or an extra with the text of a dependency that belongs to it (`requirement.of_extra`).
    """

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[Dependency | tuple[str, str]] = ()) -> None:
        self._items = tuple(items)

    def with_extras(self, extras: Collection[str]) -> list[Dependency]:
        """The dependencies without those that belong to other extras than the normalized `extras`."""
        return [
            parse_dependency(item[1]) if isinstance(item, tuple) else item
            for item in self._items
            if not isinstance(item, tuple) or item[0] in extras
        ]

    @property
    def has_url(self) -> bool:
        """Whether a dependency has a direct URL."""
        return any(not isinstance(item, tuple) and item.url is not None for item in self._items)

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, at: SupportsIndex) -> Dependency: ...
    @overload
    def __getitem__(self, at: slice) -> Dependencies: ...
    def __getitem__(self, at: SupportsIndex | slice) -> Dependency | Dependencies:
        """The dependency at a position, or those of a slice."""
        if isinstance(at, slice):
            return Dependencies(self._items[at])
        item = self._items[at]
        return parse_dependency(item[1]) if isinstance(item, tuple) else item

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))
