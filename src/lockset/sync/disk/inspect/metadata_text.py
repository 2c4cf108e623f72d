"""Read the small metadata files of a target, with limits, whatever is at their paths."""

# Paths are strings here: there are thousands of them a run.
from __future__ import annotations

import os
import stat

from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError
from lockset.files.system import READ

__all__ = ["HEAD", "MOST_FACTS", "name_and_version", "normalized", "read_text", "requires_dist"]

_HEADER = lazy_pattern(r"(?im)^(Name|Version):[ \t]*(.*?)[ \t\r]*$")
_SEPARATORS = lazy_pattern(r"[-_.]+")
# Limit for reading METADATA, whose first lines have name and version.
HEAD = 1 << 16
# Limit for other small files.
MOST_FACTS = 1 << 20


def normalized(name: str) -> str:
    """The same as `packaging.utils.canonicalize_name`, whose import takes longer than a scan."""
    return _SEPARATORS.sub("-", name).lower()


def name_and_version(metadata: str | None, name: str, version: str) -> tuple[str, str]:
    """Name and version from `metadata`, with `name` and `version` as defaults."""
    head = (metadata or "").replace("\r\n", "\n").split("\n\n", 1)[0]
    headers = {key.lower(): value for key, value in reversed(_HEADER.findall(head))}
    return normalized(headers.get("name") or name), headers.get("version") or version


def read_text(folder: str, name: str, limit: int = MOST_FACTS) -> str | None:
    """The beginning of the regular file `name` in `folder`; None for anything else, such as a pipe."""
    try:
        descriptor = os.open(f"{folder}{os.sep}{name}", READ)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return os.read(descriptor, limit).decode("utf-8", "replace")
    except OSError:
        return None
    finally:
        os.close(descriptor)


def requires_dist(info: str) -> tuple[str, ...]:
    """The requirements of the distribution whose metadata is in the folder `info`; none without METADATA."""
    text = read_text(info, "METADATA") if info else None
    if not text or "requires-dist" not in text.lower():
        return ()
    from lockset.metadata.core import scan_fields  # few targets have packages that no lock file names

    try:
        return scan_fields(text.encode()).requires_dist
    except LocksetError:
        return ()
