"""cache_size(), prune_cache(), clean_cache() and verify_cache(): look after the cache folder."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lockset.composition.maintenance.cache_contents import CacheDamage, damages_of, entries_of_projects
from lockset.composition.maintenance.cache_folder import (
    KINDS,
    CacheEntry,
    Removal,
    entries_of,
    held_alone,
    remove_entries,
    usable_folder,
)
from lockset.composition.run_context import context_of
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from lockset.composition.run_context import RunContext

__all__ = [
    "KINDS",
    "CacheDamage",
    "CacheEntry",
    "Removal",
    "cache_location",
    "cache_size",
    "clean_cache",
    "prune_cache",
    "verify_cache",
]

# Temporary files of no running command are removed after this time.
_LEFTOVERS = timedelta(hours=1)


def cache_location(*, context: RunContext | None = None) -> Path | None:
    """The folder of the cache, whether it exists or not; None if there is none."""
    return context_of(context).cache_folder


def cache_size(*, context: RunContext | None = None) -> tuple[CacheEntry, ...]:
    """The entries of the cache.

    Raises:
        LocksetError: `no-cache`, or `cache-folder-refused` if the folder is not a cache of lockset.
    """
    folder = usable_folder(context_of(context).cache_folder)
    return () if folder is None else tuple(entries_of(folder))


def prune_cache(
    older_than: timedelta = timedelta(days=30), *, dry_run: bool = False, context: RunContext | None = None
) -> Removal:
    """Remove entries that no command has used for some time, except for wheels that environments share files with.

    Raises:
        LocksetError: As `cache_size`; `cache-busy` if a running command uses the cache.
    """
    context = context_of(context)
    folder = usable_folder(context.cache_folder)
    if folder is None:
        return Removal(entries=())
    with held_alone(folder):
        now = context.moment.timestamp()
        limit = now - older_than.total_seconds()
        leftover = max(limit, now - _LEFTOVERS.total_seconds())
        old = [
            entry
            for entry in entries_of(folder)
            if entry.used < (leftover if entry.kind == "temporary" else limit) and not entry.shared
        ]
        return remove_entries(folder, old, dry_run=dry_run)


def clean_cache(packages: Collection[str] = (), *, dry_run: bool = False, context: RunContext | None = None) -> Removal:
    """Remove all entries, or those of some packages. Environments keep their files, also those that they share.

    Raises:
        LocksetError: As `prune_cache`.
    """
    folder = usable_folder(context_of(context).cache_folder)
    if folder is None:
        return Removal(entries=())
    with held_alone(folder):
        entries = tuple(entries_of(folder))
        if packages:
            entries = tuple(entries_of_projects(entries, frozenset(map(canonicalize_name, packages))))
        return remove_entries(folder, entries, dry_run=dry_run)


def verify_cache(
    *, fix: bool = False, context: RunContext | None = None
) -> tuple[int, tuple[CacheDamage, ...], Removal]:
    """Check entries against their checksums, hashes and manifests; with `fix`, remove those that are damaged.

    Returns the number of checked entries, the damaged ones, and what was removed.

    Raises:
        LocksetError: As `prune_cache`.
    """
    context = context_of(context)
    folder = usable_folder(context.cache_folder)
    if folder is None:
        return 0, (), Removal(entries=())
    entries = tuple(entries_of(folder))
    damages = tuple(damages_of(entries, context.heard))
    if not fix or not damages:
        return len(entries), damages, Removal(entries=())
    with held_alone(folder):
        return len(entries), damages, remove_entries(folder, [one.entry for one in damages], dry_run=False)
