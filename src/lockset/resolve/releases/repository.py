"""The port through which the solver reads releases."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from lockset._dataclass import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from packaging.version import Version

    from lockset.errors import LocksetError
    from lockset.index.pages.project_status import ProjectStatus
    from lockset.markers import MarkerSet
    from lockset.resolve.problem.dependencies import Dependencies
    from lockset.resolve.problem.file_policy import FileRules
    from lockset.resolve.problem.requirement import Specifier

__all__ = ["AdjustableRepository", "OwnProjectRequired", "ReleaseFacts", "Releases", "Repository"]


class OwnProjectRequired(Exception):
    """A release requires a project that is locked: the search must begin again, with its tree as a source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """All releases of a project that may be considered, with facts about them as bit masks.

    Attributes:
        name: Normalised name.
        versions: Newest first, each once; empty where no index knows the project. With the index strategy
            `unsafe-first-match`, those of the first index come first.
        stable: Bit i is set where `versions[i]` is not a pre-release.
        yanked: Bit i is set where all files of `versions[i]` are yanked.
        starts: Positions in `versions` at which those of another index begin, with that strategy.
        fitting: Memo: for a specifier, bit i is set where `versions[i]` matches it.
    """

    name: str
    versions: Sequence[Version]
    stable: int
    yanked: int
    starts: tuple[int, ...] = ()
    fitting: dict[Specifier, int] = field(default_factory=dict, compare=False, repr=False)

    def lowest_first(self, positions: Sequence[int]) -> list[int]:
        """Ascending `positions` in the order for the lowest versions first: index by index."""
        if not self.starts:
            return list(reversed(positions))
        bounds = (0, *self.starts, len(self.versions))
        parts = ([p for p in positions if low <= p < high] for low, high in pairwise(bounds))
        return [p for part in parts for p in reversed(part)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """The metadata of one release, as the solver needs it.

    Attributes:
        dependencies: In the order of the metadata.
        extras: Normalised names of the extras it provides.
        serves: Environments that its Requires-Python admits.
    """

    dependencies: Dependencies
    extras: frozenset[str]
    serves: MarkerSet


class Repository(Protocol):
    """A source of releases. Results are the same for the life of the object, in whatever order they are requested."""

    def hint(self, names: Iterable[str]) -> None:
        """Announce that these projects will probably be needed; returns at once."""

    def hint_release(self, name: str, version: Version) -> None:
        """Announce that the facts of this release will probably be needed; returns at once."""

    def hint_matching(self, name: str, specifiers: Collection[Specifier]) -> None:
        """Announce that the newest release that all `specifiers` admit will probably be needed; returns at once."""

    def releases(self, name: str) -> Releases:
        """Releases of `name`, empty when unknown. May wait for the network.

        Raises:
            LocksetError: the index cannot be reached, or its response is not valid.
        """

    @property
    def target_region(self) -> MarkerSet:
        """Environments in which a release should have a usable file, if any release of its project has one."""

    def serves(self, name: str, version: Version) -> MarkerSet:
        """Environments in which the release may be used, by its Requires-Python and the wheels that it must have."""

    def lacks_files(self, name: str, version: Version) -> MarkerSet:
        """Environments in which the release must have a file and has none; disjoint from `serves`."""

    def has_static_metadata(self, name: str, version: Version) -> bool:
        """Whether the facts of the release can be read without building it. May wait for the network."""

    def strictly_serves(self, name: str, version: Version) -> MarkerSet:
        """Environments that Requires-Python admits, with the upper bound that `serves` may ignore."""

    def wheels_serve(self, name: str, version: Version) -> MarkerSet | None:
        """Environments in which one of its wheels can be used; None if it has a usable sdist."""

    def facts(self, name: str, version: Version) -> ReleaseFacts | None:
        """The facts; None where the metadata cannot be used (with a note): the release is skipped."""


class AdjustableRepository(Repository, Protocol):
    """A repository that can be opened again under other rules."""

    @property
    def rules(self) -> FileRules:
        """Which files may be used."""

    @property
    def not_found(self) -> Mapping[str, LocksetError]:
        """Projects that no index has."""

    @property
    def unbuilt(self) -> AbstractSet[str]:
        """Projects with releases that were skipped only because nothing is built."""

    def all_versions(self, name: str) -> Sequence[Version]:
        """Every version of an index, newest first, those that rules leave out included."""

    def left_out(self, name: str, version: Version) -> str | None:
        """Why rules leave no file of a version of the index; None where they leave one."""

    def empty_page(self, name: str) -> str | None:
        """The index whose page of the project links no file; None where it links one, or there is no page."""

    def project_status(self, name: str) -> ProjectStatus | None:
        """The status of the project on its index; None where it is active, and where no index has it."""

    def under(self, rules: FileRules) -> AdjustableRepository:
        """The same releases under `rules`, with what was read so far; builds nothing and gives no notes."""
