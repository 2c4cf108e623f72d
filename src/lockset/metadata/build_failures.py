"""Cache failed builds across runs, so that the same build is not repeated.

The key is everything that decides the result: the archive's hash, the interpreter and the build settings. Build
requirements are resolved again each time, and compilers may be installed meanwhile, so a failure is cached for one day,
and `--refresh` builds again.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from lockset.errors import BuildFailedError, KnownError, LocksetError, MetadataInvalidError
from lockset.hashes import STRONG_ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.index.pages.project_page import DistributionFile
    from lockset.metadata.ports import BytesStore

__all__ = ["BuildFailures"]

_KIND = "build-failures"
# Increment with every change of the records.
_FORMAT = 1
# Seconds for which a failure is cached.
_LIFE = 24 * 3600
# Failures of the package itself. Others (no network, no space) may not occur again.
_REMEMBERED: dict[str, type[KnownError]] = {error.code: error for error in (BuildFailedError, MetadataInvalidError)}


class BuildFailures:
    """Failures in `store`; `fingerprint` identifies the build environment, or is "" if that is not known.

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
        data = None if key is None else self._store.get(_KIND, key)
        if data is not None:
            _raise_again(data, self._now)

    def remember(self, file: DistributionFile, error: LocksetError) -> None:
        """Store the failure of a build of this file."""
        failure = error.diagnostic
        key = self._key(file) if isinstance(error, tuple(_REMEMBERED.values())) else None
        if key is not None:
            record = [self._now, failure.code, failure.message, list(failure.context), failure.hint]
            self._store.put(_KIND, key, json.dumps(record).encode())

    def _key(self, file: DistributionFile) -> str | None:
        """The key of a failure; None if a part of it is not known."""
        hashes = sorted(f"{a}:{v}" for a, v in file.hashes.items() if a in STRONG_ALGORITHMS)
        fingerprint = self._fingerprint() if hashes else ""
        if not fingerprint:
            return None
        return hashlib.sha256(json.dumps([_FORMAT, file.filename, hashes, fingerprint]).encode()).hexdigest()


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
