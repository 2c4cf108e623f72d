"""Builds that failed, remembered across runs: what did not build this morning does not build at noon.

A failure belongs to all that decides on it: the archive's hash, the interpreter and what builds are told. What a build
needs is resolved anew each time, and compilers come and go: so a failure is remembered for a day, and `--refresh` has
it tried again.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.hashes import STRONG_ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.index.pages.project_page import DistributionFile
    from lockset.metadata.ports import BytesStore

__all__ = ["BuildFailures"]

_KIND = "build-failures"
# Raised whenever a remembered failure would mean something else.
_FORMAT = 1
# Seconds for which a failure is remembered.
_LIFE = 24 * 3600
# The package's own failures. Others (no network, no space) say nothing of the next try.
_REMEMBERED = frozenset({"build-failed", "metadata-invalid"})


class BuildFailures:
    """Failures in `store`; `fingerprint` tells what decides on builds besides the archive, "" where that is not known.

    With `refresh`, nothing is known of earlier runs. `now` is in seconds since the epoch.
    """

    def __init__(self, store: BytesStore, *, fingerprint: Callable[[], str], now: float, refresh: bool = False) -> None:
        self._store = store
        self._fingerprint = fingerprint
        self._now = now
        self._refresh = refresh

    def refuse_known(self, file: DistributionFile) -> None:
        """Raise again how a build of this file ended, where that is remembered."""
        key = None if self._refresh else self._key(file)
        data = None if key is None else self._store.get(_KIND, key)
        if data is not None:
            _raise_again(data, self._now)

    def remember(self, file: DistributionFile, error: LocksetError) -> None:
        """Remember how a build of this file ended."""
        failure = error.diagnostic
        key = self._key(file) if failure.code in _REMEMBERED else None
        if key is not None:
            told = [self._now, failure.code, failure.message, list(failure.context), failure.hint]
            self._store.put(_KIND, key, json.dumps(told).encode())

    def _key(self, file: DistributionFile) -> str | None:
        """What a failure belongs to; None where something of it is not known."""
        hashes = sorted(f"{a}:{v}" for a, v in file.hashes.items() if a in STRONG_ALGORITHMS)
        fingerprint = self._fingerprint() if hashes else ""
        if not fingerprint:
            return None
        return hashlib.sha256(json.dumps([_FORMAT, file.filename, hashes, fingerprint]).encode()).hexdigest()


def _raise_again(data: bytes, now: float) -> None:
    """The failure in the record, unless it is too old or not one."""
    try:
        since, code, message, context, hint = json.loads(data)
        known = code in _REMEMBERED and 0 <= now - since < _LIFE
        texts = [message, *context, *([] if hint is None else [hint])]
    except (ValueError, TypeError):
        return
    if known and all(isinstance(text, str) for text in texts):
        message = f"{message} (in an earlier run; `--refresh` tries again)"
        raise LocksetError(code, message, context=tuple(context), hint=hint)
