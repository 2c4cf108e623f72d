"""What a recorded command depends on besides contents of files: its key, and the stamps of paths.

Every run of `lock` and `sync` pays for the imports of this module.
"""

# Paths are strings here, and modules that take milliseconds to import (typing, pathlib, hashlib) are not used.
from __future__ import annotations

import os
import sys
import zlib

from lockset._version import __version__
from lockset.files.system import system_facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeAlias

    # Inode, size, times of modification and of change; None if the path does not exist.
    Stamp: TypeAlias = tuple[int, int, int, int] | None
    # Versions, arguments, working folder, relevant variables.
    Key: TypeAlias = tuple[Any, ...]

__all__ = ["HINTED", "key_of", "record_location", "stamp"]

# Increment with every change of the records.
_FORMAT = 9
_FOLDER = "recall-v1"
# Limit for the number of records; a new one replaces an older one.
_RECORDS = 256
_VARIABLES = (
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "HOME",
    "USERPROFILE",
    "LOCALAPPDATA",
    "APPDATA",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "PATH",
)
# Variables that hints mention, so that they change the output of a command.
HINTED = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")


def key_of(arguments: Sequence[str], environ: Mapping[str, str]) -> Key:
    """The key of a command: everything that decides its result, apart from files."""
    names = sorted(name for name in environ if name.startswith("LOCKSET_") or name in _VARIABLES + HINTED)
    return (
        (_FORMAT, __version__, sys.version, system_facts()),
        tuple(arguments),
        os.getcwd(),
        tuple((name, environ[name]) for name in names),
    )


def record_location(cache: str, key: Key) -> str:
    """The path of the record for `key` in the cache, which other keys may share."""
    return f"{cache}/{_FOLDER}/{zlib.crc32(repr(key[1:]).encode()) % _RECORDS:02x}"


def stamp(path: str) -> Stamp:
    """The stamp of `path`, with links followed."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
