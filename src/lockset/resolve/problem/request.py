"""The request to the solver: everything a resolution depends on, as one value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from lockset._dataclass import dataclass, field
from lockset.markers import MarkerSet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from lockset.lockfile.conflicts import DeclaredConflict
    from lockset.markers import Environment
    from lockset.resolve.problem.requirement import RootRequirement, Specifier

__all__ = ["LockRequest", "Preference", "ReleasePolicy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A version to try first.

    Attributes:
        version: The version.
        region: Where it was chosen before.
        binding: True for a pin of the old lock, whose region may also be a fork point. False for a pin of a probe,
            which is only tried first where that environment is concerned.
    """

    version: Version
    region: MarkerSet
    binding: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePolicy:
    """Which releases are admitted, and in which order.

    Attributes:
        prerelease: `if-necessary`: where a specifier names one, or no final release matches; final releases first.
        prerelease_of: The same for single projects, where it differs.
        order: `highest` versions first, or `lowest`.
        lowest: Projects whose lowest versions come first whatever `order` says.
        fork: `newest`: fork where a newer version serves only a part; `fewest`: only where nothing else fits.
        constraints: Specifiers that every release of a package must match, wherever it is required.
        locations: Where constraints are written, for messages.
        conflict_regions: For each extra and group of a declared conflict, the environments in which it is chosen.
        opted_in: Packages whose pre-releases and yanked releases are admitted without an opt-in.
        outgrown: Whether to admit releases whose upper bounds exclude every Python on which they are needed.
    """

    prerelease: Literal["if-necessary", "allow", "disallow"] = "if-necessary"
    prerelease_of: Mapping[str, str] = field(default_factory=dict)
    order: Literal["highest", "lowest"] = "highest"
    lowest: frozenset[str] = frozenset()
    fork: Literal["newest", "fewest"] = "newest"
    constraints: Mapping[str, tuple[tuple[Specifier, MarkerSet], ...]] = field(default_factory=dict)
    locations: Mapping[tuple[str, Specifier], str] = field(default_factory=dict)
    conflict_regions: tuple[MarkerSet, ...] = ()
    opted_in: frozenset[str] = frozenset()
    outgrown: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRequest:
    """One request to the solver.

    Attributes:
        roots: The requirements of the project.
        universe: The environments to lock for, with choices of extras and groups.
        requires_python: The requested Pythons, None for all.
        open_above: Whether Pythons newer than all known ones are requested: upper bounds of releases then narrow the
            lock instead of excluding releases.
        environments: Further markers that bound the universe; empty for none.
        extras: Names of the extras the lock offers; None for a lock without extras and groups.
        groups: Names of the dependency groups the lock offers.
        default_group: Name of the group that stands for the project's own dependencies, None in a single-use lock.
        default_groups: Groups installed unless others are chosen, besides the default one.
        conflicts: Extras and groups that are never chosen together; `universe` holds no such choice.
        policy: Which releases, in which order.
        preferences: Versions to try first, per name; the first that concerns an environment wins.
        locked_for: Environments of the old lock in which its pins do not give way to releases with more files.
        recorded: Other settings the resolution depends on, as recorded under `[tool.lockset]` of the lock.
        probes: Environments to solve first.
        samples: Environments at which the lock is verified.
    """

    roots: tuple[RootRequirement, ...]
    universe: MarkerSet
    requires_python: SpecifierSet | None
    open_above: bool
    environments: tuple[str, ...] = ()
    extras: tuple[str, ...] | None = None
    groups: tuple[str, ...] = ()
    default_group: str | None = None
    default_groups: tuple[str, ...] = ()
    conflicts: tuple[DeclaredConflict, ...] = ()
    policy: ReleasePolicy = field(default_factory=ReleasePolicy)
    preferences: Mapping[str, tuple[Preference, ...]] = field(default_factory=dict)
    locked_for: MarkerSet = field(default_factory=MarkerSet.none)
    recorded: Mapping[str, Any] = field(default_factory=dict)
    probes: tuple[Environment, ...] = ()
    samples: tuple[Environment, ...] = ()

    @property
    def all_groups(self) -> tuple[str, ...]:
        """Every group the lock offers, the default one included."""
        return self.groups if self.default_group is None else (self.default_group, *self.groups)
