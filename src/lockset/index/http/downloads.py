"""Downloads over HTTP and from disk: the implementation of `lockset.index.ports.Downloads`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.errors import DownloadTooLargeError, LocksetError
from lockset.index.credentials import redact
from lockset.index.http.transport import Request, Transport

if TYPE_CHECKING:
    from lockset.index.http.transport import Incoming
    from lockset.index.ports import Sink

__all__ = ["DEFAULT_DOWNLOAD_LIMIT", "HttpDownloads"]

# The most bytes of a download without another limit, so that no server can fill the disk.
DEFAULT_DOWNLOAD_LIMIT = 16 * 1024**3


class HttpDownloads:
    """`lockset.index.ports.Downloads`; reads `file:` URLs only if `allow_files` is set."""

    def __init__(self, transport: Transport, *, allow_files: bool = False) -> None:
        self._transport = transport
        self._allow_files = allow_files

    def fetch(self, url: str, sink: Sink, *, limit: int | None = None) -> None:
        """Stream the file into `sink`: see the port."""
        bound = DEFAULT_DOWNLOAD_LIMIT if limit is None else limit
        if url.startswith("file:"):
            self._copy(url, sink, bound)
            return
        begun = False

        def take(incoming: Incoming) -> None:
            nonlocal begun
            if begun:
                sink.restart()
            begun = True
            received = 0
            for chunk in incoming.chunks():
                received += len(chunk)
                sink.write(chunk)
                if received > bound:
                    raise _too_large(url, bound)

        self._transport.exchange(Request(url=url), take)

    def _copy(self, url: str, sink: Sink, bound: int) -> None:
        if not self._allow_files:
            raise LocksetError("scheme-refused", f"A local file is not read here: {url}")
        received = 0
        # Imported here: most files are on servers.
        from lockset.index.http.local import read_local

        for chunk in read_local(url):
            received += len(chunk)
            sink.write(chunk)
            if received > bound:
                raise _too_large(url, bound)


def _too_large(url: str, bound: int) -> LocksetError:
    return DownloadTooLargeError(f"The file is larger than the {bound} bytes expected", location=redact(url))
