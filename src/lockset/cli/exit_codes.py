"""What the command exits with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.errors import UsageError

if TYPE_CHECKING:
    from lockset.errors import LocksetError

__all__ = ["DONE", "INTERRUPTED", "REFUSED", "TERMINATED", "USAGE", "exit_code"]

DONE = 0  # done; for a check: all right
REFUSED = 1  # refused, failed, or the check found something
USAGE = 2  # the command line itself is wrong
INTERRUPTED = 130  # ended by SIGINT
TERMINATED = 143  # ended by SIGTERM


# Refusals of names that have no place of their own where an option gave them.
_OF_OPTIONS = frozenset({"unknown-platform", "python-version-invalid"})


def exit_code(error: LocksetError) -> int:
    """Exit code that tells of `error`."""
    code, location = error.diagnostic.code, error.diagnostic.location
    of_line = location.startswith("--") if location else code in _OF_OPTIONS
    return USAGE if of_line or isinstance(error, UsageError) else REFUSED
