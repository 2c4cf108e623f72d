"""Upper bounds of releases narrow the lock's own range of Pythons, where the project's range is open above.

Counted in the search, one `<4` would make the rest of the range unsolvable or drag a package years back; ignored, the
lock would promise Pythons that an installer must refuse. So the search goes without them, and the lock says which
Pythons it serves. What cannot be had on Pythons in development narrows it as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from lockset._dataclass import dataclass
from lockset.dependency_specifiers import read_specifiers
from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.resolve.problem.python_range import SETTLED

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.version import Version

    from lockset.markers.domains import Release
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.solver.resolution import Node, NodeKey, Resolution
    from lockset.resolve.solver.search import ResolutionImpossible

__all__ = ["ExcludedPython", "PythonBound", "first_refused", "is_outgrown", "later_pythons", "narrowing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonBound:
    """The first Python that is not served, and which releases do not admit it.

    Attributes:
        below: The lock serves Pythons below this one, such as `3.15`.
        releases: Names and versions that set the bound, sorted; none where nothing fits beyond it.
    """

    below: str
    releases: tuple[NodeKey, ...]

    def apply(self, requires_python: SpecifierSet | None) -> SpecifierSet:
        """The narrowed range, without upper bounds that it makes needless."""
        bounds = requires_python or SpecifierSet()
        kept = [str(s) for s in bounds if s.operator not in {"<", "<="} or not s.contains(self.below)]
        return read_specifiers(",".join([*kept, f"<{self.below}"]))

    @property
    def region(self) -> MarkerSet:
        """The Pythons that remain."""
        return MarkerSet.of_python(f"<{self.below}")

    def of(self, request: LockRequest) -> LockRequest:
        """The request for the Pythons that remain."""
        pythons = self.apply(request.requires_python)
        return replace(request, universe=request.universe & self.region, requires_python=pythons)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludedPython:
    """A Python that chosen releases do not admit.

    Attributes:
        python: None where they admit every Python on which they are needed.
        releases: Those that do not.
    """

    python: Release | None
    releases: tuple[NodeKey, ...]


def narrowing(resolution: Resolution, admits: Callable[[str, Version], MarkerSet]) -> PythonBound | None:
    """The bound that the chosen releases set, None where they admit every Python of the universe.

    Args:
        resolution: What was found without regard to upper bounds.
        admits: Environments a release admits, upper bounds counted.

    Raises:
        LocksetError: `no-python-left`: nothing of the range remains.
    """
    excluded = first_refused(resolution, admits)
    if excluded.python is None:
        return None
    bound = PythonBound(below=_version_text(excluded.python), releases=excluded.releases)
    if (resolution.universe & bound.region).is_empty:
        name, version = excluded.releases[0]
        raise LocksetError(
            "no-python-left",
            f"{name} {version} does not support any Python of the requested range",
            hint="Widen the range, or require another version of it",
        )
    return bound


def first_refused(resolution: Resolution, admits: Callable[[str, Version], MarkerSet]) -> ExcludedPython:
    """The first Python on which a chosen release is needed that does not admit it."""
    lowest: Release | None = None
    releases: list[NodeKey] = []
    for key, node in resolution.nodes.items():
        start = (node.region - admits(*key)).python_minimum()
        if start is None:
            continue
        if lowest is None or start < lowest:
            lowest, releases = start, []
        if start == lowest:
            releases.append(key)
    return ExcludedPython(python=lowest, releases=tuple(releases))


def is_outgrown(node: Node, admits: Callable[[str, Version], MarkerSet]) -> bool:
    """Whether a release admits no Python where it is needed, though not only Pythons in development are there."""
    return node.region.is_disjoint(admits(*node.key)) and not node.region.is_disjoint(SETTLED)


def later_pythons(impossible: ResolutionImpossible, request: LockRequest) -> PythonBound | None:
    """The bound that leaves out a failure on Pythons in development or to come; None where it is not just theirs.

    Where the project's range is open above, what cannot be had there yet says nothing against the Pythons that are.
    """
    start = impossible.universe.python_minimum()
    if not request.open_above or start is None or not impossible.universe.is_disjoint(SETTLED):
        return None
    bound = PythonBound(below=_version_text(start), releases=())
    return None if (request.universe & bound.region).is_empty else bound


def _version_text(release: Release) -> str:
    numbers = list(release)
    while len(numbers) > 2 and numbers[-1] == 0:  # noqa: PLR2004 - major and minor stay
        numbers.pop()
    return ".".join(map(str, numbers))
