"""Which paths an archive, a RECORD or an entry point may name; names are data and choose no place.

One rule for every system: what would climb, be absolute, or mean something else on another system is refused
everywhere, so that a lock file is refused on all machines or on none.
"""

from __future__ import annotations

import re

from lockset.errors import LocksetError

__all__ = ["is_within", "outside", "path_problem"]

# Bounds one component in bytes; the limit of every common file system.
_LONGEST_COMPONENT = 255
# Bounds a whole path in bytes; beyond it some system call would fail half way.
_LONGEST_PATH = 2048

_DRIVE = re.compile(r"[A-Za-z]:")
# Device names of Windows, alone or before any suffix.
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:[ .:].*)?", re.IGNORECASE | re.DOTALL
)
# What most components look like; they need no further look.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_\-]{4,79}(?:\.[A-Za-z0-9_\-]{1,40})*")


def path_problem(path: str) -> str | None:
    """Why `path` (with `/` between components, relative to some root) is refused, in words; None when it is safe."""
    if not path:
        return "is empty"
    if path[0] == "/":
        return "is absolute"
    if "\\" in path:
        return "has a backslash"
    if len(path) * 4 > _LONGEST_PATH and len(path.encode("utf-8", "surrogatepass")) > _LONGEST_PATH:
        return "is too long"
    for component in path.split("/"):
        if _PLAIN.fullmatch(component):
            continue
        problem = _component_problem(component)
        if problem is not None:
            return problem
    return None


def _component_problem(component: str) -> str | None:
    problem = None
    if not component:
        problem = "has an empty component"
    elif component in {".", ".."}:
        problem = "climbs or stands still with `.` or `..`"
    elif not component.isprintable():
        problem = "has a control or invisible character"
    elif _DRIVE.match(component):
        problem = "has a drive"
    elif ":" in component:
        problem = "has a colon, which names a stream of a file on Windows"
    elif _DEVICE.fullmatch(component):
        problem = "has a name that is reserved for a device"
    elif component[-1] in ". ":
        problem = "has a component that ends in a dot or a space"
    elif len(component.encode("utf-8", "surrogatepass")) > _LONGEST_COMPONENT:
        problem = "has a name that is too long"
    return problem


def is_within(path: str, root: str, *, separator: str = "/") -> bool:
    """Whether absolute `path` lies below `root`, compared by component; both normalised by the caller."""
    if root.endswith(separator):
        return path.startswith(root) and path != root
    return path.startswith(root + separator)


def outside(what: str, location: str, way: str = "") -> LocksetError:
    """The error for a path that leads out of the lock file's folder; `way` is a further way to have it."""
    return LocksetError(
        "path-outside",
        f"`{what}` is locked to a path outside of the lock file's folder",
        location=location,
        hint=f"Use {way}`--allow-outside-path` if that is where it belongs",
    )
