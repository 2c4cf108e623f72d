"""Which paths are safe to take from an archive, a RECORD or an entry point.

One rule for every platform: a path that is absolute, has `..`, or means something else on another platform is refused
everywhere, so that a lock file is refused on all machines or on none.
"""

from __future__ import annotations

import re
from functools import cache

from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError

__all__ = ["outside", "path_problem"]

# Limit for one component in bytes, that of every common file system.
_LONGEST_COMPONENT = 255
# Limit for a whole path in bytes; system calls would fail on longer ones.
_LONGEST_PATH = 2048

_DRIVE = lazy_pattern(r"[A-Za-z]:")
# Device names of Windows, with or without a suffix.
_DEVICE = lazy_pattern(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:[ .:].*)?", re.IGNORECASE | re.DOTALL
)
# Most components match this and need no further check; nearly all paths consist of them.
_PLAIN = (
    r"(?!(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:[./]|\Z))"
    r"[A-Za-z0-9_][A-Za-z0-9_\-]{0,79}(?:\.[A-Za-z0-9_\-]{1,40}){0,4}"
)


def path_problem(path: str) -> str | None:
    """Why `path` (relative, with `/` between components) is refused, as a phrase for messages; None if it is safe."""
    return None if len(path) <= _LONGEST_PATH and _plain_path().fullmatch(path) else _unusual_problem(path)


@cache
def _plain_path() -> re.Pattern[str]:
    # Compiled here: it takes long, and a sync of stored wheels does without it.
    return re.compile(f"{_PLAIN}(?:/{_PLAIN})*")


def _unusual_problem(path: str) -> str | None:
    if not path:
        return "is empty"
    if path[0] == "/":
        return "is absolute"
    if "\\" in path:
        return "has a backslash"
    if len(path) * 4 > _LONGEST_PATH and len(path.encode("utf-8", "surrogatepass")) > _LONGEST_PATH:
        return "is too long"
    for component in path.split("/"):
        problem = _component_problem(component)
        if problem is not None:
            return problem
    return None


def _component_problem(component: str) -> str | None:
    problem = None
    if not component:
        problem = "has an empty component"
    elif component in {".", ".."}:
        problem = "has a component `.` or `..`"
    elif not component.isprintable():
        problem = "has a control or invisible character"
    elif _DRIVE.match(component):
        problem = "has a drive"
    elif ":" in component:
        problem = "has a colon, which means a file stream on Windows"
    elif _DEVICE.fullmatch(component):
        problem = "has a name that Windows reserves for a device"
    elif component[-1] in ". ":
        problem = "has a component that ends in a dot or a space"
    elif len(component.encode("utf-8", "surrogatepass")) > _LONGEST_COMPONENT:
        problem = "has a name that is too long"
    return problem


def outside(what: str, location: str, alternative: str = "") -> LocksetError:
    """The error for a path that leads out of the lock file's folder; `alternative` starts the hint."""
    return LocksetError(
        "path-outside",
        f"`{what}` is locked to a path outside of the lock file's folder",
        location=location,
        hint=f"Use {alternative}`--allow-outside-path` if that is where it belongs",
    )
