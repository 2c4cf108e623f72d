"""Marker sets: exact set operations on environments."""

from lockset.markers.environment import Environment, Example
from lockset.markers.marker_set import MarkerSet, without_upper_bounds
from lockset.markers.tags import default_build_region, described_tags, tag_set_region, wheel_region
from lockset.markers.universe import (
    DEFAULT_PLATFORMS,
    KNOWN_PYTHONS,
    TargetInterpreter,
    Universe,
    described_target,
    known_pythons,
    platform_region,
    possible,
)

__all__ = [
    "DEFAULT_PLATFORMS",
    "KNOWN_PYTHONS",
    "Environment",
    "Example",
    "MarkerSet",
    "TargetInterpreter",
    "Universe",
    "default_build_region",
    "described_tags",
    "described_target",
    "known_pythons",
    "platform_region",
    "possible",
    "tag_set_region",
    "wheel_region",
    "without_upper_bounds",
]
