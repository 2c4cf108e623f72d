"""Exit codes of the command line."""

from __future__ import annotations

from lockset.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lockset.errors import LocksetError

__all__ = ["DONE", "INTERRUPTED", "REFUSED", "TERMINATED", "USAGE", "exit_code"]

DONE = 0  # success; for a check: no findings
REFUSED = 1  # an error, or a check with findings
USAGE = 2  # the command line is not valid
INTERRUPTED = 130  # ended by SIGINT
TERMINATED = 143  # ended by SIGTERM


# Errors about values of options that are raised without the option's name.
_OF_OPTIONS = frozenset({"unknown-platform", "python-version-invalid"})


def exit_code(error: LocksetError) -> int:
    """The exit code for `error`."""
    code, location = error.diagnostic.code, error.diagnostic.location
    of_line = location.startswith("--") if location else code in _OF_OPTIONS
    return USAGE if of_line or isinstance(error, UsageError) else REFUSED
