"""Retrieve metadata: try the strategies, cheapest first, and cache the results and failed builds."""

from __future__ import annotations

import json
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass
from lockset.errors import (
    BuildFailedError,
    BuildNeededError,
    HashMismatchError,
    KnownError,
    LocksetError,
    MetadataInvalidError,
    RangeRefusedError,
)
from lockset.hashes import STRONG_ALGORITHMS, Verifier, quick_sha256, strong_digests
from lockset.index.credentials import redact
from lockset.index.filenames import wheel_triple
from lockset.index.pages.project_page import file_of_values
from lockset.index.ports import RemoteCall
from lockset.metadata.core import CoreMetadata, check_identity, parse_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lockset.index.pages.project_page import DistributionFile
    from lockset.metadata.ports import Builder, BytesStore, Pending, RemoteFiles, Tasks

__all__ = ["BuildFailures", "MetadataStrategy", "Retriever", "StrategyKind", "best_file", "strategies"]

_FAILURE_KIND = "build-failures"
# Increment with every change of the records.
_FAILURE_FORMAT = 1
# Seconds for which a failure is cached.
_LIFE = 24 * 3600
# Failures of the package itself. Others (no network, no space) may not occur again.
_REMEMBERED: dict[str, type[KnownError]] = {error.code: error for error in (BuildFailedError, MetadataInvalidError)}


class BuildFailures:
    """Failed builds in `store`, so that the same build is not repeated by the next run.

    The key is everything that decides the result: the archive's hash, the interpreter and the build settings
    (`fingerprint`, "" if they are not known). Build requirements are resolved again each time, and compilers may be
    installed meanwhile, so a failure is cached for one day, and `--refresh` builds again.

    With `refresh`, earlier failures are ignored. `now` is in seconds since the epoch.
    """

    def __init__(self, store: BytesStore, *, fingerprint: Callable[[], str], now: float, refresh: bool = False) -> None:
        self._store = store
        self._fingerprint = fingerprint
        self._now = now
        self._refresh = refresh

    def refuse_known(self, file: DistributionFile) -> None:
        """Raise the cached failure of a build of this file, if there is one."""
        key = None if self._refresh else self._key(file)
        data = None if key is None else self._store.get(_FAILURE_KIND, key)
        if data is not None:
            _raise_again(data, self._now)

    def put(self, file: DistributionFile, error: LocksetError) -> None:
        """Store the failure of a build of this file."""
        failure = error.diagnostic
        key = self._key(file) if isinstance(error, tuple(_REMEMBERED.values())) else None
        if key is not None:
            record = [self._now, failure.code, failure.message, list(failure.context), failure.hint]
            self._store.put(_FAILURE_KIND, key, json.dumps(record).encode())

    def _key(self, file: DistributionFile) -> str | None:
        """The key of a failure; None if a part of it is not known."""
        hashes = sorted(f"{a}:{v}" for a, v in file.hashes.items() if a in STRONG_ALGORITHMS)
        fingerprint = self._fingerprint() if hashes else ""
        if not fingerprint:
            return None
        return quick_sha256(json.dumps([_FAILURE_FORMAT, file.filename, hashes, fingerprint]).encode()).hex()


def _raise_again(data: bytes, now: float) -> None:
    """Raise the failure in the record, unless it is too old or malformed."""
    try:
        since, code, message, context, hint = json.loads(data)
        known = code in _REMEMBERED and 0 <= now - since < _LIFE
        texts = [message, *context, *([] if hint is None else [hint])]
    except (ValueError, TypeError):
        return
    if known and all(isinstance(text, str) for text in texts):
        message = f"{message} (in an earlier run; `--refresh` tries again)"
        raise _REMEMBERED[code](message, context=tuple(context), hint=hint)


_KIND = "metadata"
# Increment with every change of the stored metadata.
_FORMAT = 1


class Retriever:
    """`lockset.metadata.ports.MetadataSource` for the files of indexes.

    Without a `builder`, builds are off. `failures` caches failed builds across runs. `build_key` takes the name of a
    project, and returns what the result of its builds depends on besides the archive: "" for nothing, None if it may
    not be stored. `hint` only uses cheap strategies: it neither downloads whole archives nor builds. `builds` runs what
    `build_ahead` starts; without it, that does nothing.
    """

    def __init__(
        self,
        files: RemoteFiles,
        *,
        store: BytesStore,
        tasks: Tasks,
        builder: Builder | None = None,
        failures: BuildFailures | None = None,
        build_key: Callable[[str], str | None] | None = None,
        builds: Tasks | None = None,
    ) -> None:
        self._files = files
        self._store = store
        self._tasks = tasks
        self._builder = builder
        self._failures = failures
        self._build_key = build_key or _independent
        self._known: dict[str, CoreMetadata] = {}
        self._keys: dict[int, tuple[Sequence[DistributionFile], str]] = {}
        self._pending: dict[str, Pending[CoreMetadata | None]] = {}
        self._builds = builds
        self._built: dict[str, Pending[CoreMetadata]] = {}
        tasks.offer(_KIND, self._plain_prefetch)

    def hint(self, files: Sequence[DistributionFile]) -> None:
        """Start to retrieve the metadata of this version; see `MetadataSource`."""
        self.fetch(files, None)

    def fetch(self, files: Sequence[DistributionFile], when_done: Callable[[], object] | None) -> None:
        """Like `hint`, with a callback; see `lockset.resolve.releases.prefetch.PrefetchingMetadata`."""
        if not files:
            return
        key = self._key(files)
        if key not in self._known and key not in self._pending and not self._load_stored(key, files):
            self._start(key, tuple(files), when_done)

    def _start(self, key: str, files: Sequence[DistributionFile], when_done: Callable[[], object] | None) -> None:
        remote = self._remote_call(key, files)
        self._pending[key] = self._tasks.start(lambda: self._prefetch(key, files), when_done, remote)

    def known(self, files: Sequence[DistributionFile]) -> CoreMetadata | None:
        """The metadata if it is available; see `lockset.resolve.releases.prefetch.PrefetchingMetadata`."""
        if not files:
            return None
        key = self._key(files)
        pending = self._pending.get(key)
        if key not in self._known and pending is not None and pending.done:
            try:
                metadata = pending.result()
            except LocksetError:
                return None  # `metadata` raises it
            if metadata is not None:
                self._known[key] = metadata
        return self._known.get(key)

    def is_coming(self, files: Sequence[DistributionFile]) -> bool:
        """Whether it is being fetched; see `lockset.resolve.releases.prefetch.PrefetchingMetadata`."""
        if not files:
            return False
        key = self._key(files)
        pending, built = self._pending.get(key), self._built.get(key)
        return (pending is not None and pending.under_way) or (built is not None and not built.done)

    def build_ahead(self, files: Sequence[DistributionFile]) -> None:
        """Start to obtain metadata by any strategy; see `lockset.resolve.releases.prefetch.PrefetchingMetadata`."""
        if self._builds is None or self._builder is None or not files:
            return
        key = self._key(files)
        if key in self._known or key in self._built or (key not in self._pending and self._load_stored(key, files)):
            return
        several, pending = tuple(files), self._pending.get(key)
        self._built[key] = self._builds.start(lambda: self._obtain(key, several, pending))

    def metadata(self, files: Sequence[DistributionFile]) -> CoreMetadata:
        """The metadata of this version; see `MetadataSource`."""
        if not files:
            raise MetadataInvalidError("A version without usable files has no metadata")
        key = self._key(files)
        known = self._known.get(key)
        if known is None and (key in self._pending or not self._load_stored(key, files)):
            self._retrieve(key, files)
            known = self._known[key]
        return known or self._known[key]

    def unbuilt(self) -> Retriever:
        """A source with the same metadata that never builds; see `MetadataSource`."""
        other = Retriever(self._files, store=self._store, tasks=self._tasks, build_key=self._build_key)
        other._known, other._pending = self._known, self._pending
        return other

    def _retrieve(self, key: str, files: Sequence[DistributionFile]) -> None:
        if key not in self._pending and key not in self._built and self._tasks.is_shared:
            self._start(key, files, None)  # so that this process need not open a connection, or import what does
        built = self._built.get(key)
        pending = self._pending.get(key)
        self._known[key] = self._obtain(key, files, pending) if built is None else built.result()

    def _obtain(
        self, key: str, files: Sequence[DistributionFile], pending: Pending[CoreMetadata | None] | None
    ) -> CoreMetadata:
        """The metadata by the first strategy that has them, stored for the next run; `pending` are the cheap ones."""
        metadata = None if pending is None else pending.result()
        if metadata is None:
            metadata = self._try_all(files, cheap_only=False, tried_cheap=pending is not None)
            if metadata is None:
                raise _build_needed(files[0])
            stored_key = self._built_key(key, files[0]) if metadata.origin == "built" else key
            if stored_key is not None:
                self._store.put(_KIND, stored_key, json.dumps(metadata.record()).encode())
        return metadata

    def _prefetch(self, key: str, files: Sequence[DistributionFile]) -> CoreMetadata | None:
        """Try the cheap strategies and store the result, in another thread."""
        metadata = self._try_all(files, cheap_only=True)
        if metadata is not None:
            self._store.put(_KIND, key, json.dumps(metadata.record()).encode())
        return metadata

    def _remote_call(self, key: str, files: Sequence[DistributionFile]) -> RemoteCall[CoreMetadata | None] | None:
        """`_prefetch` for another process; None where it is not known yet which strategy works.

        What the servers of others can do is determined by this process alone, and sizes that the page lacks are stored
        by it.
        """
        file = next(strategies(files, build=False)).file
        in_pieces = file.is_wheel and _has_strong_hash(file) and file.size is not None
        if not file.metadata and not (in_pieces and self._files.has_pieces_alone(file)):
            return None
        read = CoreMetadata.of_record
        return RemoteCall(kind=_KIND, argument=(key, file.values()), read=lambda record: record and read(record))

    def _plain_prefetch(self, argument: tuple[str, tuple[Any, ...]]) -> dict[str, Any] | None:
        """`_prefetch` for another process: see `_remote_call`."""
        key, values = argument
        file = file_of_values(values)
        metadata = self._try_all((file,), cheap_only=True) if file.metadata else self._by_pieces(file)
        if metadata is None:
            return None
        record = metadata.record()
        self._store.put(_KIND, key, json.dumps(record).encode())
        return record

    def _key(self, files: Sequence[DistributionFile]) -> str:
        """The key of the metadata; cached, since the same sequence is used many times."""
        known = self._keys.get(id(files))
        if known is None or known[0] is not files:
            known = self._keys[id(files)] = (files, _key_of(files))
        return known[1]

    def _load_stored(self, key: str, files: Sequence[DistributionFile]) -> bool:
        metadata = self._stored(key)
        if metadata is None or metadata.origin == "built":
            built_key = self._built_key(key, files[0])
            if built_key != key:
                metadata = None if built_key is None else self._stored(built_key)
        if metadata is not None:
            self._known[key] = metadata
        return metadata is not None

    def _stored(self, key: str) -> CoreMetadata | None:
        data = self._store.get(_KIND, key)
        return None if data is None else _load(data)

    def _failures_of(self, file: DistributionFile) -> BuildFailures | None:
        """The store of failed builds; None where the next build may succeed, as its environment may change."""
        return None if self._build_key(file.project) is None else self._failures

    def _built_key(self, key: str, file: DistributionFile) -> str | None:
        """The key of metadata that is built; None if it may not be stored."""
        more = self._build_key(file.project)
        return f"{key}-{more}" if more else more if more is None else key

    def _try_all(
        self, files: Sequence[DistributionFile], *, cheap_only: bool, tried_cheap: bool = False
    ) -> CoreMetadata | None:
        """The result of the first strategy that has one; None if all fail."""
        for strategy in strategies(files, build=self._builder is not None):
            if strategy.kind.is_cheap if tried_cheap else (cheap_only and not strategy.kind.is_cheap):
                continue
            metadata = self._try(strategy)
            if metadata is not None:
                return metadata
        return None

    def _try(self, strategy: MetadataStrategy) -> CoreMetadata | None:
        match strategy.kind:
            case StrategyKind.METADATA_FILE:
                return self._by_metadata_file(strategy.file)
            case StrategyKind.PIECES:
                return self._by_pieces(strategy.file)
            case StrategyKind.WHOLE_WHEEL:
                from lockset.metadata.wheel import wheel_metadata  # most metadata have a file of their own

                with self._files.download(strategy.file) as file:
                    return wheel_metadata(file, strategy.file)
            case StrategyKind.SDIST:
                from lockset.metadata.sdist import sdist_metadata  # zip and tar are slow to import, rarely needed

                failures = self._failures_of(strategy.file)
                if failures is not None:  # only sdists without static metadata are ever built
                    failures.refuse_known(strategy.file)
                with self._files.download(strategy.file) as file:
                    return sdist_metadata(file, strategy.file)
            case StrategyKind.BUILD:
                return self._by_build(strategy.file)

    def _by_metadata_file(self, file: DistributionFile) -> CoreMetadata | None:
        """Use the `.metadata` file (PEP 658). A promised one must exist and match its hash.

        One that the index did not promise has no hash, like ranges of a wheel. It comes from the same server as the
        file, and is only used if it is valid metadata of this release: a server may return anything.
        """
        data = self._files.metadata_file(file)
        if data is None:
            return None
        if file.metadata_hashes:
            _verify(data, file)
        try:
            metadata = parse_metadata(data, origin="metadata-file", what=file.filename)
            check_identity(metadata, file)
        except LocksetError:
            if file.metadata:
                raise
            return None
        return metadata

    def _by_pieces(self, file: DistributionFile) -> CoreMetadata | None:
        opened = self._files.open(file)
        if opened is None:
            return None
        from lockset.metadata.wheel import wheel_metadata

        try:
            with opened:
                return wheel_metadata(opened, file)
        except (MetadataInvalidError, RangeRefusedError):
            return None  # ranges cannot be verified, so only the whole file can prove an error

    def _by_build(self, file: DistributionFile) -> CoreMetadata:
        assert self._builder is not None, "this strategy is only used if builds are on"
        failures = self._failures_of(file)
        with self._files.download(file) as archive:
            try:
                data = self._builder.archive_metadata(archive, file.filename, package=file.project)
                metadata = parse_metadata(data, origin="built", what=file.filename)
                check_identity(metadata, file)
            except LocksetError as error:
                if failures is not None:
                    failures.put(file, error)
                raise
        return metadata


def _independent(_name: str) -> str:
    """The `build_key` for builds that depend on their archives alone."""
    return ""


def _verify(data: bytes, file: DistributionFile) -> None:
    what = f"{file.filename}.metadata"
    verifier = Verifier(strong_digests(file.metadata_hashes, what=what))
    verifier.update(data)
    wrong = verifier.mismatch()
    if wrong is not None:
        raise HashMismatchError(
            f"`{what}` does not match the hash from its index: {wrong.replace('locked', 'promised')}",
            location=redact(f"{file.url}.metadata"),
            hint="The file was changed or damaged in transit; try again, or report it to the operators of the index",
        )


def _build_needed(file: DistributionFile) -> LocksetError:
    return BuildNeededError(
        f"The dependencies of `{file.filename}` can only be determined by a build, but builds are off",
        location=redact(file.url),
        hint="Allow builds for it, or use a release that has a wheel",
    )


def _key_of(files: Sequence[DistributionFile]) -> str:
    """The key of the metadata: the URL of the file and its promised hashes.

    The URL is included so that one index cannot provide the metadata of another index's file.
    """
    wheels = [file for file in files if file.is_wheel]
    file = best_file(wheels) if wheels else files[0]
    promised = sorted((*file.hashes.items(), *(("metadata", value) for value in file.metadata_hashes.values())))
    return quick_sha256(json.dumps([_FORMAT, file.url, promised]).encode()).hex()


def _load(data: bytes) -> CoreMetadata | None:
    try:
        return CoreMetadata.of_record(json.loads(data))
    except (ValueError, KeyError, TypeError):
        return None


class StrategyKind(Enum):
    """How to obtain the metadata of one file, in order of cost."""

    METADATA_FILE = "metadata-file"
    PIECES = "pieces"
    WHOLE_WHEEL = "whole-wheel"
    SDIST = "sdist"
    BUILD = "build"

    @property
    def is_cheap(self) -> bool:
        """Whether it is cheap enough for prefetching: a few small requests, no build."""
        return self in {StrategyKind.METADATA_FILE, StrategyKind.PIECES}


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataStrategy:
    """One strategy for one file."""

    kind: StrategyKind
    file: DistributionFile


def strategies(files: Sequence[DistributionFile], *, build: bool) -> Iterator[MetadataStrategy]:
    """The strategies for the usable files of one version, in order.

    All wheels of a version are assumed to have the same dependencies, so one wheel is enough: the most widely usable.
    A file without a promised hash is always read as a whole, so that its hash can be computed from the same bytes. An
    sdist is only used if there is no wheel, and only built if `build` is set.
    """
    wheels = [file for file in files if file.is_wheel]
    if wheels:
        file = best_file(wheels)
        if file.metadata_hashes or _has_strong_hash(file):
            yield MetadataStrategy(kind=StrategyKind.METADATA_FILE, file=file)
        if _has_strong_hash(file) or file.url.startswith("file:"):
            yield MetadataStrategy(kind=StrategyKind.PIECES, file=file)
        yield MetadataStrategy(kind=StrategyKind.WHOLE_WHEEL, file=file)
        return
    for file in sorted(files, key=lambda file: (not file.filename.endswith(".tar.gz"), file.filename))[:1]:
        if file.metadata:
            yield MetadataStrategy(kind=StrategyKind.METADATA_FILE, file=file)
        yield MetadataStrategy(kind=StrategyKind.SDIST, file=file)
        if build:
            yield MetadataStrategy(kind=StrategyKind.BUILD, file=file)


def _has_strong_hash(file: DistributionFile) -> bool:
    return not STRONG_ALGORITHMS.keys().isdisjoint(file.hashes)


def best_file(wheels: Sequence[DistributionFile]) -> DistributionFile:
    """The wheel that represents its version: not yanked, with promised metadata, then the most widely usable one.

    Wheels for Python 2 come last: old releases have other dependencies there.
    """
    if len(wheels) == 1:
        return wheels[0]
    # Most versions have many wheels, and few of them for the best platform: only those are compared by name.
    ranks = [
        (file.stated_yank is not None, _is_for_python2(interpreters), file.stated_metadata is None, _rank(platforms))
        for file in wheels
        for _, interpreters, _, platforms in (file.filename.rsplit("-", 3),)
    ]
    best = min(ranks)
    foremost = [file for file, rank in zip(wheels, ranks, strict=True) if rank == best]
    return min(foremost, key=lambda file: (-_newest_minor(file.filename), file.filename))


@lru_cache(maxsize=1_024)
def _is_for_python2(interpreters: str) -> bool:
    """Whether no Python 3 can use a wheel for these interpreters."""
    return "2" in interpreters and all(interpreter[2:3] == "2" for interpreter in interpreters.split("."))


# Platform tags by preference; wheels of other platforms come last.
_PLATFORMS = ("any", "manylinux", "linux", "macosx", "win", "musllinux")


@lru_cache(maxsize=1_024)
def _rank(platforms: str) -> tuple[int, int]:
    """A sort key for the last part of a wheel's name, smallest for pure wheels, then x86-64 of common platforms."""
    best = (len(_PLATFORMS), 1)
    for platform in platforms.removesuffix(".whl").split("."):
        rank = next((at for at, name in enumerate(_PLATFORMS) if platform.startswith(name)), len(_PLATFORMS))
        usual_machine = platform == "any" or platform.endswith(("x86_64", "amd64"))
        best = min(best, (rank, 0 if usual_machine else 1))
    return best


def _newest_minor(filename: str) -> int:
    """The newest minor version of Python that a wheel is for."""
    return max(_minor(interpreter) for interpreter in wheel_triple(filename).partition("-")[0].split("."))


def _minor(interpreter: str) -> int:
    """The minor version of an interpreter tag, such as 13 for `cp313`; 0 if it has none."""
    digits = interpreter[2:]
    return int(digits[1:4]) if digits[:1] == "3" and digits[1:].isdecimal() else 0
