"""Requirements files by URL: fetched over a run's own connection, with its credentials, within bounds."""

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

# Files of one run; beyond it they are not meant for people.
MOST_FILES = 100


class SourceFetcher:
    """Fetches files by URL: `lockset.sources.discover.Fetch`.

    `options` tells what goes for every request of the run: certificates, proxies, time limits, credentials, and
    whether the network is off. It is called when the first file is fetched.

    Attributes:
        count: How many files were fetched.
    """

    def __init__(self, options: Callable[[], IndexOptions]) -> None:
        self._options = options
        self.count = 0

    def __call__(self, url: str) -> bytes:
        """The content of the file.

        Raises:
            LocksetError: the network is off, the file cannot be had, is too large, or is one of too many.
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
        """Take the next bytes."""
        self.data += chunk

    def restart(self) -> None:
        """Forget all bytes."""
        self.data.clear()
