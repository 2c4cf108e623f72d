"""When something in the cache was last used: its modification time, which is set at most once a day."""

# Paths are strings here, as in all that a sync imports at its start.
from __future__ import annotations

import os
import time

__all__ = ["record_use"]

# Seconds for which a recorded use is exact enough, so that most uses cost one comparison.
_EXACT = 24 * 60 * 60


def record_use(entry: str | int, recorded: float) -> None:
    """Record that a cache entry, a path or an open file, is used now; `recorded` is its modification time so far."""
    if time.time() - recorded > _EXACT:
        try:
            os.utime(entry)
        except (OSError, TypeError, NotImplementedError):
            return  # a cache that is only read, or a system that needs a path
