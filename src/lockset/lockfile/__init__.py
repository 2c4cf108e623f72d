"""The lock file: read, validate, write, select, compare.

Types are imported on first use; functions are imported from the module that is named after them, as in
`from lockset.lockfile.read import read`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lockset.lockfile.diff import LockDiff
    from lockset.lockfile.issue import Issue
    from lockset.lockfile.model import Pylock
    from lockset.lockfile.read import Document
    from lockset.lockfile.select import Selection
    from lockset.lockfile.validate import Report

_HOMES = {
    "Document": "read",
    "Issue": "issue",
    "LockDiff": "diff",
    "Pylock": "model",
    "Report": "validate",
    "Selection": "select",
}

__all__ = ["Document", "Issue", "LockDiff", "Pylock", "Report", "Selection"]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{home}"), name)
