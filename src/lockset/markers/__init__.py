"""Marker sets: exact algebra of environments."""

from lockset.markers.environment import Environment
from lockset.markers.marker_set import MarkerSet, without_upper_bounds
from lockset.markers.sample import Example
from lockset.markers.tags import tags_of, wheel_region
from lockset.markers.universe import (
    DEFAULT_PLATFORMS,
    KNOWN_PYTHONS,
    Target,
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
    "Target",
    "Universe",
    "described_target",
    "known_pythons",
    "platform_region",
    "possible",
    "tags_of",
    "wheel_region",
    "without_upper_bounds",
]
