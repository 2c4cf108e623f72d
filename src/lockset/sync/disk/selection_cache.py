"""Cache the distributions that lock files select for a target, by the bytes of the lock files.

The cache only saves time: hashes are always checked on the bytes that are installed.
"""

from __future__ import annotations

import sys
import zlib

from lockset._version import __version__
from lockset.files.record_store import get_value, put_value
from lockset.hashes import Digest
from lockset.sync.desired import DesiredDistribution, may_hold_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from lockset.sync.disk.request import SyncRequest
    from lockset.sync.target import Target

__all__ = ["cached_selection"]

# Increment with every change of the stored rows.
_FORMAT = 2
_FOLDER = "locks-v1"
# Limit for the number of cached selections; a new one replaces an older one.
_MOST = 256


def cached_selection(request: SyncRequest, target: Target, *, cache: Path | None) -> Sequence[DesiredDistribution]:
    """The distributions that all lock files together select for `target`, sorted by name.

    Raises:
        LocksetError: The errors of `lockset.sync.disk.selection.select_distributions`.
    """
    key = _key(request, target)
    location = str(cache / _FOLDER / f"{zlib.crc32(key) % _MOST:02x}") if cache is not None and key else None
    selection = _load(location, key)
    if selection is None:
        # Imported here: importing the reader and the selection takes longer than most syncs.
        from lockset.sync.disk.selection import select_distributions as read

        selection = read(request, target)
        if location is not None and not any(may_hold_secret(one.url or "") for one in selection):
            put_value(location, key, [_to_row(one) for one in selection])
    return [_with_tree_digest(one) for one in selection]


def _with_tree_digest(one: DesiredDistribution) -> DesiredDistribution:
    if one.kind != "directory" or one.editable:
        return one
    from lockset.sync.disk.inspect.source_tree import tree_digest  # few lock files have directories

    # It is built again when its content has changed; an editable install needs no digest.
    return one._replace(tree=tree_digest(str(one.path)))


def _key(request: SyncRequest, target: Target) -> bytes:
    """Everything that the selection depends on; empty if it cannot be cached."""
    if any(source.data is None for source in request.sources):
        return b""
    interpreter = target.interpreter
    return repr(
        (
            (_FORMAT, __version__, sys.version),
            [(s.data, s.folder) for s in request.sources],
            sorted(interpreter.markers.items()),
            (interpreter.version, interpreter.implementation, interpreter.abis, interpreter.platforms, interpreter.mac),
            request.location.described and tuple(request.location.described),
            (_ordered(request.extras), request.all_extras, _ordered(request.groups), request.all_groups),
            (request.default_groups, _ordered(request.no_binary), _ordered(request.only_binary)),
            (request.build_nothing, request.strict),
            tuple(request.allowed),
        )
    ).encode(errors="surrogateescape")


def _ordered(names: frozenset[str] | None) -> object:
    return None if names is None else sorted(names)


def _to_row(one: DesiredDistribution) -> tuple[Any, ...]:
    return (
        (one.name, one.version_text, one.kind, one.filename, one.url, one.path),
        [(digest.algorithm, digest.value) for digest in one.digests],
        (one.size, one.subdirectory, one.editable, one.requested, one.vcs, one.commit, one.revision),
    )


def _load(location: str | None, key: bytes) -> Sequence[DesiredDistribution] | None:
    try:
        rows = get_value(location, key)
        return [_from_row(*row) for row in rows] if rows is not None else None
    except (ValueError, TypeError):
        return None


def _from_row(names: tuple[Any, ...], digests: list[tuple[str, str]], facts: tuple[Any, ...]) -> DesiredDistribution:
    name, version, kind, filename, url, path = names
    size, subdirectory, editable, requested, vcs, commit, revision = facts
    return DesiredDistribution(
        name=name,
        version_text=version,
        kind=kind,
        filename=filename,
        url=url,
        path=path,
        digests=tuple(Digest(algorithm=algorithm, value=value) for algorithm, value in digests),
        size=size,
        subdirectory=subdirectory,
        editable=editable,
        requested=requested,
        vcs=vcs,
        commit=commit,
        revision=revision,
    )
