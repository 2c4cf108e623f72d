"""Remember which stored wheel a source was built into, so that the next target needs no build.

Only builds of what never changes are remembered: of archives with a strong hash, and of commits. The record of a build
is found by its source and by all else that the build depended on. The wheel is checked like any other of the store.
"""

from __future__ import annotations

import os
from contextlib import suppress

from lockset.files.last_use import record_use
from lockset.files.record_store import get_value, put_value
from lockset.hashes import STRONG_ALGORITHMS, Digest, quick_sha256
from lockset.sync.desired import WheelIdentity
from lockset.url_secrets import without_secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.disk.store.cache import StoredWheel, WheelStore

__all__ = ["BuiltWheels", "build_identity"]

_FOLDER = "built-v1"
# Increase it whenever the meaning of a record changes.
_FORMAT = 1
# The length of a sha256 in hexadecimal digits.
_SHA256 = 64


def build_identity(distribution: DesiredDistribution, build_key: str | None) -> bytes | None:
    """What decides the result of a build; None if it may change unnoticed, as the content of a folder does.

    `build_key` is that of `lockset.sync.ports.WheelBuilds`.
    """
    one = distribution
    digests = sorted((digest.algorithm, digest.value) for digest in one.digests)
    is_fixed = one.commit if one.kind == "vcs" else any(name in STRONG_ALGORITHMS for name, _ in digests)
    if build_key is None or one.kind == "directory" or not is_fixed:
        return None
    repository = without_secrets(one.url or str(one.path)) if one.kind == "vcs" else None
    facts = (one.name, one.version_text, one.kind, digests, one.subdirectory, one.vcs, repository, one.commit)
    return repr((_FORMAT, facts, build_key)).encode("utf-8", "backslashreplace")


class BuiltWheels:
    """The records of builds in the cache `folder`; none for None. Safe to use from several threads and processes."""

    def __init__(self, folder: Path | None, store: WheelStore) -> None:
        self._folder = None if folder is None else str(folder)
        self._store = store

    def find(self, distribution: DesiredDistribution, identity: bytes) -> tuple[str, StoredWheel] | None:
        """The file name and the stored wheel of an earlier build; None if there is none, or it is not stored any more.

        Whether its files are unchanged is checked when they are used.
        """
        location = self._location(identity)
        value = get_value(location, identity)
        if location is None or not isinstance(value, tuple) or list(map(type, value)) != [str, str]:
            return None
        filename, digest = value
        if len(digest) != _SHA256 or digest.strip("0123456789abcdef"):
            return None
        wheel = WheelIdentity(name=distribution.name, version_text=distribution.version_text, filename=filename)
        stored = self._store.find((Digest(algorithm="sha256", value=digest),), wheel)
        if stored is None:
            return None
        with suppress(OSError):  # another run may have removed it, and it is not needed any more
            record_use(location, os.stat(location).st_mtime)
        return filename, stored

    def put(self, identity: bytes, *, filename: str, digest: str) -> None:
        """Remember that a build had a wheel with this file name and sha256."""
        put_value(self._location(identity), identity, (filename, digest))

    def _location(self, identity: bytes) -> str | None:
        return None if self._folder is None else os.path.join(self._folder, _FOLDER, quick_sha256(identity).hex())
