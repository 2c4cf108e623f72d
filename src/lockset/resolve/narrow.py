"""Upper bounds of releases narrow the lock's own range of Pythons, where the project's range is open above.

Counted in the search, one `<4` would make the rest of the range unsolvable or drag a package years back; ignored, the
lock would promise Pythons that an installer must refuse. So the search goes without them, and the lock says which
Pythons it serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.version import Version

    from lockset.resolve.resolution import NodeKey, Resolution

__all__ = ["Narrowing", "narrowing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """The first Python that some release does not admit, and which.

    Attributes:
        below: The lock serves Pythons below this one, such as `3.15`.
        releases: Names and versions that set the bound, sorted.
    """

    below: str
    releases: tuple[NodeKey, ...]

    def apply(self, requires_python: SpecifierSet | None) -> SpecifierSet:
        """The narrowed range, without upper bounds that it makes needless."""
        bounds = requires_python or SpecifierSet()
        kept = [str(s) for s in bounds if s.operator not in {"<", "<="} or not s.contains(self.below)]
        return SpecifierSet(",".join([*kept, f"<{self.below}"]))

    @property
    def region(self) -> MarkerSet:
        """The Pythons that remain."""
        return MarkerSet.of_python(f"<{self.below}")


def narrowing(resolution: Resolution, admits: Callable[[str, Version], MarkerSet]) -> Narrowing | None:
    """The bound that the chosen releases set, None where they admit every Python of the universe.

    Args:
        resolution: What was found without regard to upper bounds.
        admits: Environments a release admits, upper bounds counted.

    Raises:
        LocksetError: `no-python-left`: nothing of the range remains.
    """
    lowest: tuple[int, ...] | None = None
    blamed: list[NodeKey] = []
    for key, node in resolution.nodes.items():
        start = (node.region - admits(*key)).python_minimum()
        if start is None:
            continue
        if lowest is None or start < lowest:
            lowest, blamed = start, []
        if start == lowest:
            blamed.append(key)
    if lowest is None:
        return None
    numbers = list(lowest)
    while len(numbers) > 2 and numbers[-1] == 0:  # noqa: PLR2004 - major and minor stay
        numbers.pop()
    found = Narrowing(below=".".join(map(str, numbers)), releases=tuple(blamed))
    if (resolution.universe & found.region).is_empty:
        name, version = blamed[0]
        raise LocksetError(
            "no-python-left",
            f"{name} {version} admits no Python of the range asked for",
            hint="Widen the range, or ask for another version of it",
        )
    return found
