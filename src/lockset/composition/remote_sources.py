"""Fetch requirements files by URL, with the index options of the run, limited in number and size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.composition.connections import connected
from lockset.errors import LocksetError
from lockset.files.read_file import MAX_BYTES
from lockset.index.credentials import redact
from lockset.progress import NullListener

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.index.options import IndexOptions

__all__ = ["SourceFetcher"]

# The most files of one run.
MOST_FILES = 100


class SourceFetcher:
    """Fetches files by URL: `lockset.sources.discover.Fetch`.

    `options` returns the certificates, proxies, timeouts and credentials of the run. It is called for the first file.

    Attributes:
        count: Number of fetched files.
    """

    def __init__(self, options: Callable[[], IndexOptions]) -> None:
        self._options = options
        self.count = 0

    def __call__(self, url: str) -> bytes:
        """Fetch a file and return its content.

        Raises:
            LocksetError: If lockset is offline, the file is not available or too large, or there are too many files.
        """
        self.count += 1
        if self.count > MOST_FILES:
            message = f"More than {MOST_FILES} requirements files would be fetched"
            raise LocksetError("requirements-depth", message, location=redact(url))
        content = _Content()
        with connected(self._options(), None, NullListener()) as connection:
            connection.downloads.fetch(url, content, limit=MAX_BYTES)
        return bytes(content.data)


class _Content:
    """A sink in memory."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, chunk: bytes) -> None:
        """Append the next bytes."""
        self.data += chunk

    def restart(self) -> None:
        """Discard all bytes so far."""
        self.data.clear()
