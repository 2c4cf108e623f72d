"""Connections of one run, apart from `wiring`: who only downloads need not import what resolves."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lockset.index.http.connection import Connection, connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lockset.events import Listener
    from lockset.index.options import IndexOptions

__all__ = ["connected"]


@contextmanager
def connected(options: IndexOptions, cache: Path | None, listener: Listener) -> Iterator[Connection]:
    """Connections for one run; nothing is opened before the first request, all is closed at the end."""
    connection = connect(options, cache=cache, clock=time.time, listener=listener)  # noqa: TID251 - the clock's door
    try:
        yield connection
    finally:
        connection.close()
