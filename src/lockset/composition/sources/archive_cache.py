"""Cache of the metadata of archives required by URL, so that locking again does not fetch unchanged archives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lockset.metadata.core import CoreMetadata
from lockset.resolve.problem.direct_source import SourceFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.index.http.files import HttpFiles
    from lockset.index.pages.project_page import DistributionFile
    from lockset.metadata.ports import BytesStore
    from lockset.resolve.problem.direct_source import DirectSource

__all__ = ["ArchiveMemory"]

_KIND = "archives"
# Increase it whenever the meaning of a stored record changes.
_FORMAT = 2


class ArchiveMemory:
    """Facts of archives by URL.

    They are used without the network if the requirement has a hash that matches. Without a hash they are used if the
    server sends the same strong ETag for the archive, or if lockset is offline. Facts of a build are only used with the
    same `build_key`, as for `lockset.composition.sources.tree_memory.CommitMemory`.
    """

    def __init__(self, files: HttpFiles, store: BytesStore, build_key: Callable[[str], str | None]) -> None:
        self._files = files
        self._store = store
        self._build_key = build_key
        self._stamps: dict[str, str | None] = {}

    def get(self, source: DirectSource, file: DistributionFile) -> SourceFacts | None:
        """Return the stored facts of the archive; None if it has to be fetched."""
        data = self._store.get(_KIND, _key(source))
        entry = None if data is None else self._load(data)
        if entry is not None and source.hashes:
            is_match = any(entry[1].hashes.get(d.algorithm) == d.value for d in source.hashes)
            return entry[1] if is_match else None
        if entry is not None and self._files.is_offline:
            return entry[1]
        self._stamps[source.fetched] = stamp = self._files.stamp(file)
        return entry[1] if entry is not None and stamp is not None and entry[0] == stamp else None

    def put(self, source: DirectSource, facts: SourceFacts) -> None:
        """Store the facts of a fetched archive, unless a change could not be noticed."""
        stamp, key = self._stamps.get(source.fetched), self._build_key(source.name)
        if (facts.metadata.origin != "built" or key is not None) and (stamp is not None or source.hashes):
            self._store.put(_KIND, _key(source), _dump(stamp or "", key, facts))

    def _load(self, data: bytes) -> tuple[str, SourceFacts] | None:
        """The stored stamp and facts; None if the facts are those of a build with other settings."""
        try:
            record = json.loads(data)
            metadata = CoreMetadata.of_record(record)
            if metadata.origin == "built" and record["key"] != self._build_key(metadata.name):
                return None
            return record["stamp"], SourceFacts(metadata=metadata, hashes=dict(record["hashes"]), size=record["size"])
        except (ValueError, KeyError, TypeError):
            return None


def _key(source: DirectSource) -> str:
    # Subdirectories hold other projects, and other credentials may give access to another archive.
    return json.dumps([_FORMAT, source.fetched, source.subdirectory])


def _dump(stamp: str, key: str | None, facts: SourceFacts) -> bytes:
    record = {"stamp": stamp, "key": key, "size": facts.size, "hashes": dict(facts.hashes), **facts.metadata.record()}
    return json.dumps(record).encode()
