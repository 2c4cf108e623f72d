"""The region of one environment, and of one choice of extras and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.markers import MarkerSet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from lockset.markers import Environment

__all__ = ["choice_region", "environment_region"]

# Variables that every described environment has a value for. Others, such as the kernel release, stay open.
_FIXED = (
    "python_full_version",
    "sys_platform",
    "os_name",
    "platform_system",
    "platform_machine",
    "implementation_name",
    "platform_python_implementation",
)


def environment_region(
    environment: Environment,
    *,
    extras: Collection[str] = (),
    groups: Collection[str] = (),
    all_extras: Iterable[str] = (),
    all_groups: Iterable[str] = (),
) -> MarkerSet:
    """The set of just `environment`, with just these of all extras and groups chosen."""
    values = environment.as_dict()
    region = MarkerSet.parse(" and ".join(f'{name} == "{values[name]}"' for name in _FIXED))
    return region & choice_region(extras, groups, all_extras=all_extras, all_groups=all_groups)


def choice_region(
    extras: Collection[str], groups: Collection[str], *, all_extras: Iterable[str], all_groups: Iterable[str]
) -> MarkerSet:
    """Where just these of all extras and groups are chosen."""
    region = MarkerSet.any()
    for extra in all_extras:
        region &= MarkerSet.extra(extra) if extra in extras else ~MarkerSet.extra(extra)
    for group in all_groups:
        region &= MarkerSet.group(group) if group in groups else ~MarkerSet.group(group)
    return region
