"""validate(): a lock file to every finding about it."""

from __future__ import annotations

import os
from datetime import datetime, timezone

from lockset.lockfile.load import load_bytes
from lockset.lockfile.validate import Report
from lockset.lockfile.validate import validate as validate_data

__all__ = ["Report", "validate", "validate_text"]


def validate(path: str | os.PathLike[str]) -> Report:
    """All findings about the lock file at `path`, its name included.

    Raises:
        LocksetError: `lock-not-found` or `lock-unreadable`; whatever is in the file is a finding, not an exception.
    """
    return validate_data(load_bytes(path), path=os.fspath(path), now=_now())


def validate_text(text: str | bytes, *, name: str | None = None) -> Report:
    """All findings about `text`; with a `name`, the rules on file names are checked for it, too."""
    return validate_data(text, path=name, now=_now())


def _now() -> datetime:
    return datetime.now(timezone.utc)  # noqa: TID251 - here is the door for the clock
