"""The port through which the search learns of releases."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from lockset._dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from packaging.version import Version

    from lockset.errors import LocksetError
    from lockset.markers import MarkerSet
    from lockset.resolve.problem.file_policy import FileRules
    from lockset.resolve.problem.requirement import Dependency, Specifier

__all__ = ["AdjustableRepository", "ReleaseFacts", "Releases", "Repository"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """All releases of a project that may be considered.

    Attributes:
        name: Normalised name.
        versions: Newest first, each once; empty where no index knows the project.
        stable: Bit i is set where `versions[i]` is no pre-release.
        yanked: Bit i is set where all files of `versions[i]` are yanked.
        fitting: Memo: for a specifier, bit i is set where `versions[i]` fits it.
    """

    name: str
    versions: tuple[Version, ...]
    stable: int
    yanked: int
    fitting: dict[Specifier, int] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """What the metadata of one release says.

    Attributes:
        dependencies: In the order of the metadata.
        extras: Normalised names of the extras it provides.
        serves: Environments that its Requires-Python admits.
    """

    dependencies: tuple[Dependency, ...]
    extras: frozenset[str]
    serves: MarkerSet


class Repository(Protocol):
    """Knows releases. Answers are the same for the life of the object, whatever order they are asked in."""

    def hint(self, names: Iterable[str]) -> None:
        """These projects will probably be asked for; returns at once."""

    def hint_release(self, name: str, version: Version) -> None:
        """The facts of this release will probably be asked for; returns at once."""

    def releases(self, name: str) -> Releases:
        """Releases of `name`, empty when unknown. May wait for the network.

        Raises:
            LocksetError: the index cannot be reached or answers nonsense.
        """

    @property
    def target_region(self) -> MarkerSet:
        """Environments for which a release should have a usable file, if any release of its project has."""

    def serves(self, name: str, version: Version) -> MarkerSet:
        """Environments in which the release may be used: by Requires-Python, and by the wheels that it must have."""

    def lacks_files(self, name: str, version: Version) -> MarkerSet:
        """Environments in which the release must have a file and has none; no part of what it serves."""

    def has_static_metadata(self, name: str, version: Version) -> bool:
        """Whether the facts of the release can be had without building it. May wait for the network."""

    def strictly_serves(self, name: str, version: Version) -> MarkerSet:
        """Environments that Requires-Python admits, its upper bound counted also where `serves` leaves it aside."""

    def wheels_serve(self, name: str, version: Version) -> MarkerSet | None:
        """Environments in which one of its wheels can be used; None where an sdist serves wherever it may be used."""

    def facts(self, name: str, version: Version) -> ReleaseFacts | None:
        """What the metadata says; None where it cannot be used (the reason has been noted): step over the release."""


class AdjustableRepository(Repository, Protocol):
    """A repository that can be asked what it would answer under other rules."""

    @property
    def rules(self) -> FileRules:
        """Which files may be used."""

    @property
    def not_found(self) -> Mapping[str, LocksetError]:
        """Projects that are nowhere."""

    @property
    def unbuilt(self) -> AbstractSet[str]:
        """Projects of which releases were stepped over, since asked, for no other reason than that nothing is built."""

    def all_versions(self, name: str) -> tuple[Version, ...]:
        """Every version an index has, newest first, whatever rules leave out."""

    def left_out(self, name: str, version: Version) -> str | None:
        """Why rules on files leave nothing of a version that an index has; None where they leave some."""

    def empty_page(self, name: str) -> str | None:
        """The index whose page of the project has no link of a file; None where there is one, or no such page."""

    def under(self, rules: FileRules) -> AdjustableRepository:
        """The same releases under `rules`; what is known stays known, and nothing is built or told any more."""
