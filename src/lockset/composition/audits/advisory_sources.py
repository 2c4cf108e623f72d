"""Where advisories come from: folders, archives, mirrors by URL, and OSV's service, as one source for an audit."""

from __future__ import annotations

import os
from contextlib import ExitStack
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO

from lockset.advisories.database import AdvisoryDatabase
from lockset.composition.audits.advisory_files import MOST_BYTES, read_advisory_files
from lockset.errors import LocksetError, OfflineError
from lockset.index.credentials import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from lockset.composition.audits.osv_service import OsvService
    from lockset.composition.connections import Connection
    from lockset.composition.run_context import RunContext
    from lockset.index.options import IndexOptions

__all__ = ["AdvisorySources"]


class AdvisorySources:
    """The advisories of an audit, as a context manager that closes connections.

    Args:
        locations: Paths and URLs.
        base: The folder of relative paths.
        osv: The address of OSV's service; None for none.
        options: Returns certificates, proxies and timeouts; called only if the network is used.
        context: Cache and listener.
    """

    def __init__(
        self,
        locations: Sequence[str],
        *,
        base: Path,
        osv: str | None,
        options: Callable[[], IndexOptions],
        context: RunContext,
    ) -> None:
        self._locations = locations
        self._base = base
        self._osv = osv
        self._options = options
        self._context = context
        self._stack = ExitStack()
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def advisories(self, pins: Iterable[tuple[str, str]]) -> AdvisoryDatabase:
        """The advisories about these versions, pairs of a normalized name and a version, and perhaps further ones.

        Raises:
            LocksetError: If a source does not exist, cannot be read or cannot be reached.
        """
        pins = list(pins)
        names = {name for name, _ in pins}
        database = AdvisoryDatabase((), ())
        for location in self._locations:
            database = database.joined(self._of_location(location, names))
        if self._osv is not None:
            database = database.joined(self._service(self._osv).advisories(pins))
        return database

    def _of_location(self, location: str, names: set[str]) -> AdvisoryDatabase:
        if not location.startswith(("http://", "https://")):
            return read_advisory_files(str(self._base / location), shown=location, names=names)
        shown = redact(location)
        stored = self._stored(location)
        import tempfile  # slow to import, and only needed for downloads

        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="lockset-")) if stored is None else None
        path = os.path.join(folder, "advisories") if folder is not None else str(stored)
        try:
            self._download(location, path)
        except OfflineError as error:
            if stored is None or not os.path.exists(stored):
                raise error.replaced(
                    hint="Run once without --offline, or name a folder or archive on this disk"
                ) from error
        return read_advisory_files(path, shown=shown, names=names)

    def _stored(self, url: str) -> Path | None:
        """The path in the cache; None without a cache."""
        folder = self._context.cache_folder
        if folder is None:
            return None
        (folder / "advisories").mkdir(parents=True, exist_ok=True)
        return folder / "advisories" / sha256(url.encode()).hexdigest()[:32]

    def _download(self, url: str, path: str) -> None:
        """Download the archive; the file at `path` is replaced only by a complete one."""
        self._context.heard.phase("Fetching advisories")
        partial = f"{path}.{os.urandom(8).hex()}.part"
        try:
            with open(partial, "wb") as file:
                self._connected().downloads.fetch(url, _FileSink(file), limit=MOST_BYTES)
            os.replace(partial, path)
        except OSError as error:
            raise LocksetError(
                "advisories-unreadable", f"The advisories cannot be stored: {error.strerror or error}", location=path
            ) from error
        finally:
            if os.path.exists(partial):
                os.remove(partial)

    def _service(self, address: str) -> OsvService:
        from lockset.composition.audits.osv_service import OsvService

        self._context.heard.phase("Querying OSV")
        return OsvService(self._connected(), address)

    def _connected(self) -> Connection:
        if self._connection is None:
            from lockset.composition.connections import connected

            context = self._context
            opened = connected(self._options(), context.cache_folder, context.heard)
            self._connection = self._stack.enter_context(opened)
        return self._connection


class _FileSink:
    """Writes a download to a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, chunk: bytes) -> None:
        """Append the next bytes."""
        self._file.write(chunk)

    def restart(self) -> None:
        """Discard all bytes so far."""
        self._file.seek(0)
        self._file.truncate()
