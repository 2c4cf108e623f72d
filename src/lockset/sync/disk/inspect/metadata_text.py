"""The small texts that installers leave in a target: read with bounds, whatever stands in their place."""

# Paths are strings here: there are thousands of them a run.
from __future__ import annotations

import os
import re
import stat

from lockset.files.system import READ

__all__ = ["HEAD", "MOST_FACTS", "name_and_version", "normalised", "read_text"]

_HEADER = re.compile(r"^(Name|Version):[ \t]*(.*?)[ \t\r]*$", re.MULTILINE | re.IGNORECASE)
_SEPARATORS = re.compile(r"[-_.]+")
# Bounds how much of METADATA is read for its name and version, which stand in its first lines.
HEAD = 1 << 16
# Bounds what is read of other small files.
MOST_FACTS = 1 << 20


def normalised(name: str) -> str:
    """As `packaging.utils.canonicalize_name` has it, whose import costs more than a scan."""
    return _SEPARATORS.sub("-", name).lower()


def name_and_version(metadata: str | None, name: str, version: str) -> tuple[str, str]:
    """Name and version as `metadata` has them; the given ones where it has none."""
    head = (metadata or "").replace("\r\n", "\n").split("\n\n", 1)[0]
    headers = {key.lower(): value for key, value in reversed(_HEADER.findall(head))}
    return normalised(headers.get("name") or name), headers.get("version") or version


def read_text(folder: str, name: str, limit: int = MOST_FACTS) -> str | None:
    """The beginning of the regular file `name` in `folder`; None for anything else, which is not waited for."""
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
