"""Marker sets: exact algebra of environments."""

from lockset.markers.environment import Environment
from lockset.markers.marker_set import MarkerSet, without_upper_bounds
from lockset.markers.sample import Example

__all__ = ["Environment", "Example", "MarkerSet", "without_upper_bounds"]
