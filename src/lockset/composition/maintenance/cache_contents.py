"""The content of cache entries: their projects, and whether they are damaged."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.files.record_store import is_intact
from lockset.index.http.cache import read_entry
from lockset.package_names import canonicalize_name
from lockset.sync.disk.store.inventory import archive_damage, archive_project, wheel_damage, wheel_project
from lockset.url_secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from lockset.composition.maintenance.cache_folder import CacheEntry
    from lockset.progress import ProgressListener

__all__ = ["CacheDamage", "damages_of", "entries_of_projects"]

# A file of many small records, which the cache checks one by one when it reads them.
_SIZES = "sizes"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheDamage:
    """A damaged entry of the cache, and what is wrong with it."""

    entry: CacheEntry
    text: str


def entries_of_projects(entries: Iterable[CacheEntry], names: Collection[str]) -> Iterator[CacheEntry]:
    """The entries of the projects with these normalized names."""
    for entry in entries:
        name = _project(entry)
        if name is not None and canonicalize_name(name) in names:
            yield entry


def _project(entry: CacheEntry) -> str | None:
    if entry.kind == "wheels":
        identity = wheel_project(entry.path)
        return None if identity is None else identity[0]
    if entry.kind == "archives":
        return archive_project(entry.path)
    if entry.kind == "pages":
        url = read_entry(entry.path, is_page=True).key
        return None if url is None else without_secrets(url).split("?")[0].rstrip("/").rpartition("/")[2]
    if entry.kind == "metadata" and os.path.basename(entry.path) != _SIZES:
        try:
            record = json.loads(read_entry(entry.path, is_page=False).data)
        except ValueError:
            return None
        name = record.get("name") if isinstance(record, dict) else None
        return name if isinstance(name, str) else None
    return None


def damages_of(entries: Iterable[CacheEntry], listener: ProgressListener) -> Iterator[CacheDamage]:
    """The damaged ones of `entries`."""
    checked = [entry for entry in entries if entry.kind != "temporary"]
    listener.phase("Verifying", total=len(checked))
    for entry in checked:
        text = _damage(entry)
        listener.step(os.path.basename(entry.path))
        if text is not None and os.path.lexists(entry.path):  # another command may have removed it meanwhile
            yield CacheDamage(entry=entry, text=text)


def _damage(entry: CacheEntry) -> str | None:
    if os.path.islink(entry.path):
        return "it is a link"
    if entry.kind == "wheels":
        return wheel_damage(entry.path)
    if entry.kind == "archives":
        return archive_damage(entry.path)
    if entry.kind == "records":
        return _record_damage(entry.path)
    if os.path.basename(entry.path) == _SIZES:
        return None
    whole = read_entry(entry.path, is_page=entry.kind == "pages").key is not None
    return None if whole else "its checksum does not match, or its format is not known"


def _record_damage(path: str) -> str | None:
    try:
        whole = is_intact(path)
    except OSError:
        whole = False
    return None if whole else "its checksum does not match"
