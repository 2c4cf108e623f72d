"""Learns metadata: walks the ways through ports, and remembers the answers."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion

from lockset.dependency_specifiers import read_version
from lockset.errors import LocksetError
from lockset.hashes import Verifier, strong_digests
from lockset.index.credentials import redact
from lockset.metadata.core import CoreMetadata, parse_metadata
from lockset.metadata.strategies import MetadataStrategy, StrategyKind, best_file, ways
from lockset.metadata.wheel import check_identity, wheel_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lockset.index.pages.project_page import DistributionFile
    from lockset.metadata.build_failures import BuildFailures
    from lockset.metadata.ports import Builder, BytesStore, Pending, RemoteFiles, Tasks

__all__ = ["Retriever"]

_KIND = "metadata"
# Raised whenever a remembered answer would mean something else.
_FORMAT = 1


class Retriever:
    """`lockset.metadata.ports.MetadataSource` over files of indexes.

    `builder` None: builds are off. `failures` remembers across runs which builds failed. `hint` tries cheap ways only:
    it downloads no whole archive and builds nothing.
    """

    def __init__(
        self,
        files: RemoteFiles,
        *,
        store: BytesStore,
        tasks: Tasks,
        builder: Builder | None = None,
        failures: BuildFailures | None = None,
    ) -> None:
        self._files = files
        self._store = store
        self._tasks = tasks
        self._builder = builder
        self._failures = failures
        self._known: dict[str, CoreMetadata] = {}
        self._keys: dict[int, tuple[Sequence[DistributionFile], str]] = {}
        self._begun: dict[str, Pending[CoreMetadata | None]] = {}

    def hint(self, files: Sequence[DistributionFile]) -> None:
        """Start to learn this version's metadata: see the port."""
        self.fetch(files, None)

    def fetch(self, files: Sequence[DistributionFile], heard: Callable[[], object] | None) -> None:
        """As `hint`, and tell when they have come: `lockset.resolve.releases.prefetch.PrefetchingMetadata`."""
        if not files:
            return
        key = self._key(files)
        if key not in self._known and key not in self._begun and not self._recall(key):
            listed = tuple(files)
            self._begun[key] = self._tasks.start(lambda: self._begin(key, listed), heard)

    def known(self, files: Sequence[DistributionFile]) -> CoreMetadata | None:
        """What is known already: `lockset.resolve.releases.prefetch.PrefetchingMetadata`."""
        if not files:
            return None
        key = self._key(files)
        begun = self._begun.get(key)
        if key not in self._known and begun is not None and begun.done:
            try:
                found = begun.result()
            except LocksetError:
                return None  # whoever asks for them will hear
            if found is not None:
                self._known[key] = found
        return self._known.get(key)

    def is_coming(self, files: Sequence[DistributionFile]) -> bool:
        """Whether they are just being fetched: `lockset.resolve.releases.prefetch.PrefetchingMetadata`."""
        begun = self._begun.get(self._key(files)) if files else None
        return begun is not None and begun.under_way

    def metadata(self, files: Sequence[DistributionFile]) -> CoreMetadata:
        """This version's metadata: see the port."""
        if not files:
            raise LocksetError("metadata-invalid", "A version without usable files has no metadata")
        key = self._key(files)
        known = self._known.get(key)
        if known is None and (key in self._begun or not self._recall(key)):
            self._learn(key, files)
            known = self._known[key]
        return known or self._known[key]

    def unbuilt(self) -> Retriever:
        """The same without builds: see the port."""
        other = Retriever(self._files, store=self._store, tasks=self._tasks)
        other._known, other._begun = self._known, self._begun
        return other

    def _learn(self, key: str, files: Sequence[DistributionFile]) -> None:
        begun = self._begun.get(key)
        found = None if begun is None else begun.result()
        if found is None:
            found = self._walk(files, cheap_only=False, tried_cheap=begun is not None)
            if found is None:
                raise _build_needed(files[0])
            self._store.put(_KIND, key, _dump(found))
        self._known[key] = found

    def _begin(self, key: str, files: Sequence[DistributionFile]) -> CoreMetadata | None:
        """What the cheap ways tell; in another thread, where it is also remembered."""
        found = self._walk(files, cheap_only=True)
        if found is not None:
            self._store.put(_KIND, key, _dump(found))
        return found

    def _key(self, files: Sequence[DistributionFile]) -> str:
        """What an answer belongs to; computed once for the same sequence, which is asked for again and again."""
        known = self._keys.get(id(files))
        if known is None or known[0] is not files:
            known = self._keys[id(files)] = (files, _key_of(files))
        return known[1]

    def _recall(self, key: str) -> bool:
        data = self._store.get(_KIND, key)
        found = None if data is None else _load(data)
        if found is not None:
            self._known[key] = found
        return found is not None

    def _walk(
        self, files: Sequence[DistributionFile], *, cheap_only: bool, tried_cheap: bool = False
    ) -> CoreMetadata | None:
        """The answer of the first way that has one; None where the ways are exhausted."""
        for way in ways(files, build=self._builder is not None):
            if way.kind.is_cheap if tried_cheap else (cheap_only and not way.kind.is_cheap):
                continue
            found = self._try(way)
            if found is not None:
                return found
        return None

    def _try(self, way: MetadataStrategy) -> CoreMetadata | None:
        match way.kind:
            case StrategyKind.METADATA_FILE:
                return self._by_metadata_file(way.file)
            case StrategyKind.PIECES:
                return self._by_pieces(way.file)
            case StrategyKind.WHOLE_WHEEL:
                with self._files.download(way.file) as file:
                    return wheel_metadata(file, way.file)
            case StrategyKind.SDIST:
                from lockset.metadata.sdist import sdist_metadata  # zip and tar are slow to import, rarely needed

                if self._failures is not None:  # only what tells nothing by itself was built
                    self._failures.refuse_known(way.file)
                with self._files.download(way.file) as file:
                    return sdist_metadata(file, way.file)
            case StrategyKind.BUILD:
                return self._by_build(way.file)

    def _by_metadata_file(self, file: DistributionFile) -> CoreMetadata | None:
        """By the `.metadata` file. A promised one has to be there and to fit its hash.

        One that nobody promised has no hash to fit, like the pieces of the next way: it comes from the same server
        as the file, and counts only where it reads as this release's metadata. A server may answer with anything.
        """
        data = self._files.metadata_file(file)
        if data is None:
            return None
        if file.metadata_hashes:
            _verify(data, file)
        try:
            found = parse_metadata(data, origin="metadata-file", what=file.filename)
            check_identity(found, file)
        except LocksetError:
            if file.metadata:
                raise
            return None
        return found

    def _by_pieces(self, file: DistributionFile) -> CoreMetadata | None:
        opened = self._files.open(file)
        if opened is None:
            return None
        try:
            with opened:
                return wheel_metadata(opened, file)
        except LocksetError as error:
            if error.diagnostic.code in {"metadata-invalid", "range-refused"}:
                return None  # pieces have no hash: only the whole file, verified, is judged
            raise

    def _by_build(self, file: DistributionFile) -> CoreMetadata:
        assert self._builder is not None, "this way is offered only where builds are on"
        with self._files.download(file) as archive:
            try:
                data = self._builder.archive_metadata(archive, file.filename)
                found = parse_metadata(data, origin="built", what=file.filename)
                check_identity(found, file)
            except LocksetError as error:
                if self._failures is not None:
                    self._failures.remember(file, error)
                raise
        return found


def _verify(data: bytes, file: DistributionFile) -> None:
    what = f"{file.filename}.metadata"
    verifier = Verifier(strong_digests(file.metadata_hashes, what=what))
    verifier.update(data)
    wrong = verifier.mismatch()
    if wrong is not None:
        raise LocksetError(
            "hash-mismatch",
            f"`{what}` is not what its index promises: {wrong.replace('locked', 'promised')}",
            location=redact(f"{file.url}.metadata"),
            hint="The file was changed or damaged on the way; try again, or tell whoever runs the index",
        )


def _build_needed(file: DistributionFile) -> LocksetError:
    return LocksetError(
        "build-needed",
        f"Only a build of `{file.filename}` would tell its dependencies, and builds are off",
        location=redact(file.url),
        hint="Allow builds for it, or use a release that has a wheel",
    )


def _key_of(files: Sequence[DistributionFile]) -> str:
    """What an answer belongs to: where the file is, and its promised hashes.

    The place is part of it, so that one index cannot tell the metadata of another one's file.
    """
    wheels = [file for file in files if file.is_wheel]
    file = best_file(wheels) if wheels else files[0]
    promised = sorted((*file.hashes.items(), *(("metadata", value) for value in file.metadata_hashes.values())))
    return hashlib.sha256(json.dumps([_FORMAT, file.url, promised]).encode()).hexdigest()


def _dump(found: CoreMetadata) -> bytes:
    fields = {
        "name": found.name,
        "version": str(found.version),
        "requires_dist": found.requires_dist,
        "requires_python": found.requires_python,
        "provides_extra": sorted(found.provides_extra),
        "dynamic": sorted(found.dynamic),
        "origin": found.origin,
    }
    return json.dumps(fields).encode()


def _load(data: bytes) -> CoreMetadata | None:
    try:
        fields = json.loads(data)
        return CoreMetadata(
            name=fields["name"],
            version=read_version(fields["version"]),
            requires_dist=tuple(fields["requires_dist"]),
            requires_python=fields["requires_python"],
            provides_extra=frozenset(fields["provides_extra"]),
            dynamic=frozenset(fields["dynamic"]),
            origin=fields["origin"],
        )
    except (ValueError, KeyError, TypeError, InvalidVersion):
        return None
