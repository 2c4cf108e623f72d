"""Where wheels can be used, by the tags of described interpreters: markers do not distinguish libcs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from lockset.markers import MarkerSet
from lockset.resolve.problem.regions import union

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from packaging.tags import Tag

    from lockset.markers.universe import TargetInterpreter

__all__ = ["distinguish_targets", "taken"]

# Tags of a wheel, and the environments in which markers allow it.
Wheel = tuple[frozenset["Tag"], MarkerSet]


def taken(wheels: Collection[Wheel], targets: Mapping[TargetInterpreter, MarkerSet]) -> MarkerSet:
    """The environments in which one of `wheels` can be used; in the region of each target, by the target's tags."""
    region = union(where for _, where in wheels)
    for target, here in targets.items():
        platform = _platform(target)
        if region.is_disjoint(platform):
            continue
        # Wheels for a newer libc are none there, whatever Python looks at them; then what this very Python takes.
        there = [(tags, where) for tags, where in wheels if not _ladder(target).isdisjoint(t.platform for t in tags)]
        region -= platform - union(where for _, where in there)
        region -= here - union(where for tags, where in there if not tags.isdisjoint(_accepted(target)))
    return region


def distinguish_targets(
    targets: Mapping[TargetInterpreter, MarkerSet], tags: frozenset[Tag]
) -> Mapping[TargetInterpreter, MarkerSet]:
    """`targets` without those that accept none of `tags`, where another one has the same markers and accepts some.

    What a project has no wheels for, such as a second libc, says nothing against a release.
    """
    served = {t.platform for t in targets if not tags.isdisjoint(_accepted(t))}
    with_files = {_platform(t) for t in targets if t.platform in served}
    return {
        target: where
        for target, where in targets.items()
        if target.platform in served or _platform(target) not in with_files
    }


@cache
def _platform(target: TargetInterpreter) -> MarkerSet:
    environment = target.environment
    system, machine = environment.sys_platform, environment.platform_machine
    return MarkerSet.parse(f"sys_platform == '{system}' and platform_machine == '{machine}'")


@cache
def _ladder(target: TargetInterpreter) -> frozenset[str]:
    return frozenset(tag.platform for tag in target.tags)


@cache
def _accepted(target: TargetInterpreter) -> frozenset[Tag]:
    return frozenset(target.tags)
