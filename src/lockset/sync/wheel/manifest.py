"""The manifest of an unpacked wheel in the store: its files, and the scripts to generate."""

from __future__ import annotations

import marshal
import os
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Manifest", "StoredFile", "StoredScript"]

# Increment with every change of the format, so that older entries are ignored.
_FORMAT = 2
_CHECKSUM = 4


class StoredFile(NamedTuple):
    """One file of the store, at `<scheme>/<path>` of its entry.

    `hash` is as written in RECORD. `mtime` is in nanoseconds. `rewrite` is set if the first line has a placeholder for
    the interpreter, so that the file is generated for every target.
    """

    scheme: str
    path: str
    hash: str
    size: int
    mtime: int
    executable: bool
    rewrite: bool

    def location(self, folder: str) -> str:
        """Its path, for an entry at `folder`."""
        path = f"{folder}/{self.scheme}/{self.path}"
        return path if os.sep == "/" else path.replace("/", os.sep)


class StoredScript(NamedTuple):
    """A command of entry_points.txt; `body` is its text after the line with the interpreter."""

    name: str
    section: str
    module: str
    attribute: str
    body: bytes


class Manifest(NamedTuple):
    """One wheel. `digests` are hashes of the archive that were verified before it was unpacked."""

    name: str
    version: str
    dist_info: str
    root_scheme: str
    digests: Mapping[str, str]
    files: tuple[StoredFile, ...]
    scripts: tuple[StoredScript, ...]

    def dumps(self) -> bytes:
        """Bytes with a checksum."""
        payload = marshal.dumps(
            (
                _FORMAT,
                self.name,
                self.version,
                self.dist_info,
                self.root_scheme,
                dict(self.digests),
                tuple(map(tuple, self.files)),
                tuple(map(tuple, self.scripts)),
            )
        )
        return zlib.crc32(payload).to_bytes(_CHECKSUM, "big") + payload

    @classmethod
    def loads(cls, data: bytes) -> Manifest | None:
        """Read the output of `dumps`; None if the bytes are damaged or have another format."""
        payload = memoryview(data)[_CHECKSUM:]
        if zlib.crc32(payload).to_bytes(_CHECKSUM, "big") != data[:_CHECKSUM]:
            return None
        try:
            values: Any = marshal.loads(payload)  # noqa: S302 (own bytes, whole by their checksum, from a private folder)
            if values[0] != _FORMAT:
                return None
            _, name, version, dist_info, root_scheme, digests, files, scripts = values
            manifest = cls(
                name=name,
                version=version,
                dist_info=dist_info,
                root_scheme=root_scheme,
                digests=digests,
                # As `_make`, without its check of every row, which takes twice the time.
                files=tuple(map(partial(tuple.__new__, StoredFile), files)),
                scripts=tuple(map(StoredScript._make, scripts)),
            )
            whole = set(map(len, manifest.files)) <= {len(StoredFile._fields)}
            return manifest if whole and manifest._stays_inside() else None
        except (EOFError, ValueError, TypeError, LookupError, AttributeError):
            return None

    def _stays_inside(self) -> bool:
        """Whether no path is absolute or has `..`."""
        paths = "/".join(["", *(file.path for file in self.files), ""])
        names = [self.dist_info, *(script.name for script in self.scripts)]
        return (
            "//" not in paths and "/../" not in paths and not any("/" in name or name in {"", ".."} for name in names)
        )
