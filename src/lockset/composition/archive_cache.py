"""Cache of the metadata of archives required by URL, so that locking again does not fetch unchanged archives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lockset.metadata.core import CoreMetadata
from lockset.resolve.problem.direct_source import SourceFacts

if TYPE_CHECKING:
    from lockset.index.http.files import HttpFiles
    from lockset.index.pages.project_page import DistributionFile
    from lockset.metadata.ports import BytesStore
    from lockset.resolve.problem.direct_source import DirectSource

__all__ = ["ArchiveMemory"]

_KIND = "archives"
# Increase it whenever the meaning of a stored record changes.
_FORMAT = 1


class ArchiveMemory:
    """Facts of archives by URL.

    They are used without the network if the requirement has a hash that matches. Without a hash they are used if the
    server sends the same strong ETag for the archive, or if lockset is offline.
    """

    def __init__(self, files: HttpFiles, store: BytesStore) -> None:
        self._files = files
        self._store = store
        self._stamps: dict[str, str | None] = {}

    def get(self, source: DirectSource, file: DistributionFile) -> SourceFacts | None:
        """Return the stored facts of the archive; None if it has to be fetched."""
        data = self._store.get(_KIND, _key(source))
        entry = None if data is None else _load(data)
        if entry is not None and source.hashes:
            is_match = any(entry[1].hashes.get(d.algorithm) == d.value for d in source.hashes)
            return entry[1] if is_match else None
        if entry is not None and self._files.is_offline:
            return entry[1]
        self._stamps[source.fetched] = stamp = self._files.stamp(file)
        return entry[1] if entry is not None and stamp is not None and entry[0] == stamp else None

    def put(self, source: DirectSource, facts: SourceFacts) -> None:
        """Store the facts of a fetched archive, unless they come from a build or a change could not be noticed."""
        stamp = self._stamps.get(source.fetched)
        if facts.metadata.origin != "built" and (stamp is not None or source.hashes):
            self._store.put(_KIND, _key(source), _dump(stamp or "", facts))


def _key(source: DirectSource) -> str:
    # Subdirectories hold other projects, and other credentials may give access to another archive.
    return json.dumps([_FORMAT, source.fetched, source.subdirectory, source.name])


def _dump(stamp: str, facts: SourceFacts) -> bytes:
    record = {"stamp": stamp, "size": facts.size, "hashes": dict(facts.hashes), **facts.metadata.record()}
    return json.dumps(record).encode()


def _load(data: bytes) -> tuple[str, SourceFacts] | None:
    try:
        record = json.loads(data)
        metadata = CoreMetadata.of_record(record)
        return record["stamp"], SourceFacts(metadata=metadata, hashes=dict(record["hashes"]), size=record["size"])
    except (ValueError, KeyError, TypeError):
        return None
