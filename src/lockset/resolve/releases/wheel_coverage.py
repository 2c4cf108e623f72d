"""Where the wheels of a release can be used: by the tags of described interpreters, and the markers of the wheels."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.markers import MarkerSet, default_build_region
from lockset.markers.tags import is_for_every_python3

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from packaging.tags import Tag

    from lockset.markers.universe import TargetInterpreter

__all__ = ["WheelCoverage", "distinguish_targets"]

# Tags of a wheel, and the environments in which markers allow it.
Wheel = tuple[frozenset["Tag"], MarkerSet]


class _Platform(NamedTuple):
    """The interpreters of one platform, and the environments that each stands for."""

    region: MarkerSet
    platform_tags: frozenset[str]
    interpreters: Sequence[tuple[TargetInterpreter, MarkerSet]]


class WheelCoverage:
    """Where wheels can be used, for `targets`: described interpreters, and the environments that each stands for."""

    def __init__(self, targets: Mapping[TargetInterpreter, MarkerSet]) -> None:
        self._targets = targets

    @cached_property
    def _is_python3(self) -> bool:
        return all(target.python.startswith("3.") for target in self._targets)

    @cached_property
    def _platforms(self) -> Sequence[_Platform]:
        groups: dict[str, list[tuple[TargetInterpreter, MarkerSet]]] = {}
        for target, here in self._targets.items():
            groups.setdefault(target.platform, []).append((target, here))
        return [_platform(group) for group in groups.values()]

    def of(self, wheels: Collection[Wheel]) -> MarkerSet:
        """The environments in which one of `wheels` can be used.

        In the region of a target, by the target's tags. Elsewhere by those of default builds.
        """
        region = MarkerSet.union([where for _, where in wheels])
        # Most releases without an sdist have one wheel for all; the tags of the targets are thousands.
        usual = MarkerSet.union([where for tags, where in wheels if is_for_every_python3(tags)])
        if self._is_python3 and region.implies(usual):
            return region
        targeted = MarkerSet.none()
        for platform in self._platforms:
            if region.is_disjoint(platform.region):
                continue
            # Wheels for a newer libc are none there, whatever Python looks at them; then what each Python takes.
            there = [(tags, where) for tags, where in wheels if _has_tag(tags, platform.platform_tags)]
            region -= platform.region - MarkerSet.union([where for _, where in there])
            for usable, here in _by_usable_wheels(there, platform.interpreters).items():
                regions = MarkerSet.union(here)
                targeted |= regions
                region -= regions - MarkerSet.union([there[number][1] for number in usable])
        default = MarkerSet.union([where & default_build_region(tags) for tags, where in wheels])
        return region & (targeted | default)


def _platform(group: Sequence[tuple[TargetInterpreter, MarkerSet]]) -> _Platform:
    target = group[0][0]
    system, machine = target.environment.sys_platform, target.environment.platform_machine
    return _Platform(
        MarkerSet.parse(f"sys_platform == '{system}' and platform_machine == '{machine}'"),
        target.platform_tags,
        group,
    )


def _has_tag(tags: frozenset[Tag], platforms: frozenset[str]) -> bool:
    return any(tag.platform in platforms for tag in tags)


def _by_usable_wheels(
    wheels: Sequence[Wheel], interpreters: Sequence[tuple[TargetInterpreter, MarkerSet]]
) -> Mapping[tuple[int, ...], list[MarkerSet]]:
    """The regions of the interpreters, grouped by which of `wheels` they accept."""
    groups: dict[tuple[int, ...], list[MarkerSet]] = {}
    for interpreter, here in interpreters:
        usable = tuple([number for number, (tags, _) in enumerate(wheels) if interpreter.accepts(tags)])
        groups.setdefault(usable, []).append(here)
    return groups


def distinguish_targets(
    targets: Mapping[TargetInterpreter, MarkerSet], tags: frozenset[Tag]
) -> Mapping[TargetInterpreter, MarkerSet]:
    """`targets` without those that accept none of `tags`, where another one has the same markers and accepts some.

    What a project has no wheels for, such as a second libc, says nothing against a release.
    """
    markers = {t: (t.environment.sys_platform, t.environment.platform_machine) for t in targets}
    served = {t.platform for t in targets if t.accepts(tags)}
    with_files = {markers[t] for t in targets if t.platform in served}
    return {
        target: where
        for target, where in targets.items()
        if target.platform in served or markers[target] not in with_files
    }
