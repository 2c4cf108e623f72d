"""Lock files (PEP 751): read, validate, write, select, compare.

Types are imported on first use; functions are imported from their module, as in
`from lockset.lockfile.read import read_document`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lockset.lockfile.diff import LockDiff
    from lockset.lockfile.model import Pylock
    from lockset.lockfile.read import Document
    from lockset.lockfile.select import Selection
    from lockset.lockfile.validate.finding import Issue
    from lockset.lockfile.validate.report import Report

_HOMES = {
    "Document": "read",
    "Issue": "validate.finding",
    "LockDiff": "diff",
    "Pylock": "model",
    "Report": "validate.report",
    "Selection": "select",
}

__all__ = ["Document", "Issue", "LockDiff", "Pylock", "Report", "Selection"]


def __getattr__(name: str) -> object:
    from importlib import import_module

    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{home}"), name)
