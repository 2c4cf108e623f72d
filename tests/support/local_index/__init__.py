"""A package index on loopback, for tests and for use by hand (`python -m support.local_index world.toml`)."""

from __future__ import annotations

from support.local_index.mode import BARE, MODERN, Fault, Mode
from support.local_index.server import LocalIndex, Seen
from support.local_index.world import World

__all__ = ["BARE", "MODERN", "Fault", "LocalIndex", "Mode", "Seen", "World"]
