"""The folder of the cache, without the imports of `platformdirs`, which take longer than many commands."""

# Paths are strings here, as in all that the start of a command imports.
from __future__ import annotations

import os
import sys

from lockset.files.system import user_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["cache_folder", "default_folder", "is_trusted"]


def cache_folder(environ: Mapping[str, str]) -> str | None:
    """The folder of the cache that variables choose, or the default one; None if this function cannot determine it."""
    if environ.get("LOCKSET_NO_CACHE"):
        return None
    if chosen := environ.get("LOCKSET_CACHE_DIR"):
        try:
            return os.path.abspath(os.path.expanduser(chosen))
        except OSError:
            return None  # relative to a working folder that was removed
    if os.name == "nt":
        local = environ.get("LOCALAPPDATA")
        return f"{local}\\lockset\\Cache" if local else None
    folder = default_folder(environ)
    return folder if folder and is_trusted(folder) else None


def default_folder(environ: Mapping[str, str]) -> str | None:
    """The default folder of the cache, as `platformdirs` returns it, which takes 5 ms to import.

    None where that has to decide: on Windows and other systems, for apps of Android, and without a home folder.
    """
    chosen, home = environ.get("XDG_CACHE_HOME", ""), environ.get("HOME", "")
    if sys.platform == "linux" and "ANDROID_DATA" not in environ:
        if chosen.startswith("/"):
            return os.path.join(chosen, "lockset")
        return f"{home.rstrip('/')}/.cache/lockset" if home.startswith("/") else None
    # Whether the variable counts on macOS depends on the version of platformdirs.
    if sys.platform == "darwin" and not chosen and home.startswith("/"):
        return f"{home.rstrip('/')}/Library/Caches/lockset"
    return None


def is_trusted(folder: str) -> bool:
    """Whether a default `folder`, or its nearest existing parent, belongs to the user or the system.

    If it does not (`sudo` may keep HOME), its owner could place files there that are installed for this user.
    """
    while not os.path.lexists(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    try:
        return os.stat(folder).st_uid in {0, user_id()}
    except OSError:
        return True  # a broken link, or not accessible: writing to it will fail if it must
