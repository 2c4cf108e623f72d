"""Distribution files of indexes: their metadata, sizes and hashes."""

from __future__ import annotations

import io
import threading
from contextlib import contextmanager
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from lockset._dataclass import replace
from lockset.errors import DownloadFailedError, HashMismatchError, LocksetError, OfflineError
from lockset.hashes import STRONG_ALGORITHMS, WEAK_ALGORITHMS, Digest, Verifier
from lockset.index.credentials import redact
from lockset.index.http.local import local_path, read_local
from lockset.index.http.transport import Incoming, Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lockset.index.credentials import Scope
    from lockset.index.http.cache import DiskCache
    from lockset.index.http.transport import HttpDownloads, Transport
    from lockset.index.http.workers import Workers
    from lockset.index.pages.project_page import DistributionFile

__all__ = ["HttpFiles"]

# The most bytes of a `.metadata` file; the largest real ones have some 400 KB.
_METADATA_LIMIT = 8 * 1024 * 1024
# Statuses with which servers answer if there is no such file.
_ABSENT = frozenset({403, 404, 410})
_EVERY_STATUS = frozenset(range(200, 600))

# After this many misses, an index is no longer queried if less than a fifth of the requests were hits.
_ENOUGH_MISSES = 4
_HITS_FOR_A_MISS = 1 / 4
# The same where its files can be read in pieces. The first piece has most metadata: a miss costs a request, and a hit
# saves a part of one.
_HITS_FOR_A_MISS_WITH_RANGES = 3


class _Outcome(Enum):
    """The outcome of a request for a `.metadata` file."""

    HIT = "hit"
    MISS = "miss"
    ODD = "odd"  # an unexpected response: the index is not queried again


class _MetadataProbes:
    """Decides from which indexes to request `.metadata` files that pages do not announce.

    Plain mirrors often have them. Counts outcomes by index; safe to use from several threads. The first request to an
    index is made alone, so that an index which cannot handle it gets only one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._indexes: dict[Scope, _Index] = {}

    @contextmanager
    def asking(self, index: Scope) -> Iterator[_Index | None]:
        """An object to report the outcome to; None if the index should not be queried."""
        with self._lock:
            state = self._indexes.setdefault(index, _Index())
        if state.is_known:
            yield state if state.is_worth_asking else None
            return
        with state.first:
            yield state if state.is_worth_asking else None

    def has_ranges_alone(self, index: Scope) -> bool:
        """Whether the files of the index can be read in pieces, and it is not queried for metadata any more."""
        with self._lock:
            state = self._indexes.get(index)
        return state is not None and state.has_ranges and not state.is_worth_asking

    def answered_range(self, index: Scope) -> None:
        """Note that the files of the index can be read in pieces."""
        with self._lock:
            self._indexes.setdefault(index, _Index()).has_ranges = True


class _Index:
    """The outcomes of one index so far."""

    def __init__(self) -> None:
        self.first = threading.Lock()
        self.is_known = False
        self.has_ranges = False
        self._hits = 0
        self._misses = 0
        self._is_odd = False

    @property
    def is_worth_asking(self) -> bool:
        needed = self._misses * (_HITS_FOR_A_MISS_WITH_RANGES if self.has_ranges else _HITS_FOR_A_MISS)
        return not self._is_odd and (self._misses < _ENOUGH_MISSES or self._hits >= needed)

    def report(self, outcome: _Outcome) -> None:
        """Count the outcome of a request."""
        self._hits += outcome is _Outcome.HIT
        self._misses += outcome is _Outcome.MISS
        self._is_odd = self._is_odd or outcome is _Outcome.ODD
        self.is_known = True


class HttpFiles:
    """`lockset.metadata.ports.RemoteFiles` over HTTP and from disk; stores the sizes and hashes it comes across."""

    def __init__(self, transport: Transport, downloads: HttpDownloads, cache: DiskCache, workers: Workers) -> None:
        self._transport = transport
        self._downloads = downloads
        self._cache = cache
        self._workers = workers
        self._probes = _MetadataProbes()
        self._without_ranges: set[Scope] = set()
        self._digests: dict[str, str] = {}

    def metadata_file(self, file: DistributionFile) -> bytes | None:
        """The body of `<url>.metadata`: see the port."""
        if file.url.startswith("file:"):
            return _read_metadata_file(file)
        path, mark, query = file.url.partition("?")
        request = Request(url=f"{path}.metadata{mark}{query}", accepted=frozenset({200, *_ABSENT}), compressed=True)
        if file.metadata:
            return self._transport.exchange(request, _metadata_body)
        with self._probes.asking(self._transport.scope(file.url)) as probe:
            if probe is None:
                return None
            data, outcome = self._probed(replace(request, accepted=_EVERY_STATUS, retried=False))
            probe.report(outcome)
            return data

    def _probed(self, request: Request) -> tuple[bytes | None, _Outcome]:
        """Request once a `.metadata` file that the page does not announce: the metadata can be read in other ways."""

        def take(incoming: Incoming) -> tuple[bytes | None, _Outcome]:
            data = _metadata_body(incoming)
            if data is None:
                return None, _Outcome.MISS if incoming.status in _ABSENT else _Outcome.ODD
            # Some servers answer every address with an HTML page.
            return (None, _Outcome.ODD) if data.lstrip()[:1] == b"<" else (data, _Outcome.HIT)

        try:
            return self._transport.exchange(request, take)
        except OfflineError:
            raise
        except LocksetError:
            return None, _Outcome.ODD

    def open(self, file: DistributionFile) -> BinaryIO | None:
        """Open the file, to be read in pieces: see the port."""
        if file.url.startswith("file:"):
            return self._local(file)
        index = self._transport.scope(file.url)
        if index in self._without_ranges:
            return None
        from lockset.index.http.remote_file import open_remote  # most metadata have a file of their own

        try:
            remote = open_remote(self._transport, file.url)
        except LocksetError as error:
            # Servers answer range requests with anything. Only a request for the whole file must succeed.
            if isinstance(error, OfflineError) or self._transport.is_silent(file.url):
                raise
            if isinstance(error, DownloadFailedError):
                self._without_ranges.add(index)
            remote = None
        if remote is None:
            return None
        self._learn_size(file, remote.size)
        if remote.is_partial:
            self._probes.answered_range(index)
        whole = remote.whole()
        if whole is not None:  # a small file, or a server without ranges: it can be verified
            sink = _Verified(io.BytesIO(), file)
            sink.write(whole)
            if sink.mismatch() is not None:
                return None  # the server answers ranges badly, or the file is bad: a download shows which
        return cast("BinaryIO", remote)

    def has_pieces_alone(self, file: DistributionFile) -> bool:
        """Whether the index has no `.metadata` files, and answers ranges: see the port."""
        if file.metadata or file.url.startswith("file:"):
            return False
        index = self._transport.scope(file.url)
        return index not in self._without_ranges and self._probes.has_ranges_alone(index)

    @contextmanager
    def download(self, file: DistributionFile) -> Iterator[BinaryIO]:
        """Download and verify the whole file: see the port. Its hash is kept for `sha256`."""
        import tempfile  # slow to import, and needed only for whole downloads

        with cast("BinaryIO", tempfile.TemporaryFile(prefix="lockset-")) as held:
            sink = _Verified(held, file)
            if file.url.startswith("file:"):
                for chunk in read_local(file.url):
                    sink.write(chunk)
            else:
                self._downloads.fetch(file.url, sink, limit=file.size)
            self._digests[file.url] = sink.sha256()
            self._learn_size(file, sink.seen)
            held.seek(0)
            yield held

    def sha256(self, file: DistributionFile) -> str:
        """The file's sha256: from the index, from a download of this run, or from a download now."""
        promised = file.hashes.get("sha256") or self._digests.get(file.url)
        if promised is None:
            with self.download(file):
                promised = self._digests[file.url]
        return promised

    def size(self, file: DistributionFile) -> int | None:
        """Size in bytes, if the page, a transfer or an earlier run showed it."""
        if file.size is not None:
            return file.size
        return self._cache.known_size(_key(file))

    def sizes(self, files: Iterable[DistributionFile]) -> dict[str, int]:
        """Sizes by URL. Unknown sizes are requested from the servers in parallel, and missing if a server has none."""
        sizes: dict[str, int] = {}
        jobs = []
        for file in {file.url: file for file in files}.values():
            known = self.size(file)
            if known is not None:
                sizes[file.url] = known
            elif not self._transport.options.offline:
                jobs.append((file, self._workers.start(partial(self._ask_size, file))))
        measured = {file: size for file, job in jobs if (size := job.result()) is not None}
        self._cache.remember_sizes({_key(file): size for file, size in measured.items()})
        return sizes | {file.url: size for file, size in measured.items()}

    def _ask_size(self, file: DistributionFile) -> int | None:
        if file.url.startswith("file:"):
            return _stat_size(file)
        if self._transport.is_silent(file.url):
            return None
        try:
            return self._transport.exchange(Request(url=file.url, method="HEAD"), _content_length)
        except LocksetError:
            return None  # the lock is written without it; a download of the file reports what is wrong

    @property
    def is_offline(self) -> bool:
        """Whether the network may not be used."""
        return self._transport.options.offline

    def stamp(self, file: DistributionFile) -> str | None:
        """Strong ETag and size, which identify the file's bytes on its server; None if the server sends none."""
        if file.url.startswith("file:"):
            return None
        try:
            return self._transport.exchange(Request(url=file.url, method="HEAD"), _strong_tag)
        except LocksetError:
            return None

    def _learn_size(self, file: DistributionFile, size: int) -> None:
        if file.size is None:
            self._cache.remember_sizes({_key(file): size})

    @staticmethod
    def _local(file: DistributionFile) -> BinaryIO:
        path = local_path(file.url)
        try:
            return path.open("rb")
        except OSError as error:
            raise DownloadFailedError(f"The file cannot be read: {error}", location=str(path)) from error


def _new_sha256() -> Any:
    import hashlib  # OpenSSL takes milliseconds to load, and most runs download nothing

    return hashlib.sha256()


class _Verified:
    """A sink that checks the size and all known hashes of a file, and always computes its sha256."""

    def __init__(self, held: BinaryIO, file: DistributionFile) -> None:
        self._held = held
        self._file = file
        known = STRONG_ALGORITHMS.keys() | WEAK_ALGORITHMS.keys()
        digests = [Digest(algorithm=name, value=value) for name, value in file.hashes.items() if name in known]
        self._verifier = Verifier(digests, size=file.size)
        self._sha256 = _new_sha256()

    @property
    def seen(self) -> int:
        return self._verifier.seen

    def write(self, chunk: bytes) -> None:
        self._verifier.update(chunk)
        self._sha256.update(chunk)
        self._held.write(chunk)

    def restart(self) -> None:
        self._verifier.restart()
        self._sha256 = _new_sha256()
        self._held.seek(0)
        self._held.truncate()

    def mismatch(self) -> str | None:
        return self._verifier.mismatch()

    def sha256(self) -> str:
        """The hash of the complete file; LocksetError `hash-mismatch` if the file does not match its index."""
        wrong = self.mismatch()
        if wrong is not None:
            raise HashMismatchError(
                f"`{self._file.filename}` does not match its size and hashes: {wrong.replace('locked', 'expected')}",
                location=redact(self._file.url),
                hint="The file was changed or damaged on the way. Try again, or report it to the owner of the server",
            )
        return str(self._sha256.hexdigest())


def _key(file: DistributionFile) -> str:
    """The key of a size: the URL, and the hash if one is known, so that a replaced file has another key."""
    return f"{file.url}#{file.hashes.get('sha256', '')}"


def _metadata_body(incoming: Incoming) -> bytes | None:
    return incoming.body(_METADATA_LIMIT) if incoming.status == 200 else None


def _content_length(incoming: Incoming) -> int | None:
    text = incoming.headers.get("content-length", "")
    encoded = incoming.headers.get("content-encoding", "identity") != "identity"
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 and not encoded else None


def _strong_tag(incoming: Incoming) -> str | None:
    tag, size = incoming.headers.get("etag", ""), _content_length(incoming)
    return f"{tag} {size}" if tag.startswith('"') and len(tag) > len('""') and size is not None else None


def _read_metadata_file(file: DistributionFile) -> bytes | None:
    """The `.metadata` file next to a local file, if the page announces one."""
    if not file.metadata:
        return None
    path = local_path(file.url)
    try:
        return path.with_name(f"{path.name}.metadata").read_bytes()
    except OSError:
        return None


def _stat_size(file: DistributionFile) -> int | None:
    try:
        return local_path(file.url).stat().st_size
    except OSError:
        return None
