"""Recognize the kind of a source by its name and content."""

from __future__ import annotations

from enum import Enum
from pathlib import PurePath
from shlex import quote

from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError
from lockset.lockfile.file_name import is_lock_file_name
from lockset.sources.script import has_script_metadata

__all__ = ["SourceKind", "source_kind_of"]

_FOREIGN_LOCKS = frozenset({"poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "conda-lock.yml"})
_TABLE = lazy_pattern(
    rb"(?m)^[ \t]*\[{1,2}[ \t]*(?:project|dependency-groups|build-system|tool)\b[^\n\]]*\]{1,2}[ \t]*(?:#|\r?$)"
)
_LOCK = lazy_pattern(rb"(?m)^[ \t]*lock-version[ \t]*=")


class SourceKind(Enum):
    """The kind of a source."""

    PYPROJECT = "pyproject.toml"
    REQUIREMENTS = "requirements file"
    SCRIPT = "script"


def source_kind_of(name: str | None, data: bytes, *, location: str) -> SourceKind:
    """The kind of a source by its name (None for stdin), or by its content if the name is not enough.

    Raises:
        LocksetError: `source-kind` if it is a lock file, or a project file that lockset does not read.
    """
    if name is not None:
        _refuse(name, location)
        suffix = PurePath(name).suffix
        if suffix in {".py", ".pyw"}:
            return SourceKind.SCRIPT
        if suffix in {".in", ".txt"}:
            return SourceKind.REQUIREMENTS
    if _LOCK.search(data) and b"[[packages]]" in data:
        raise _is_lock(location)
    if (name is not None and PurePath(name).suffix == ".toml") or _TABLE.search(data):
        return SourceKind.PYPROJECT
    # A script with any name. Bytes that are not UTF-8 cannot be part of its block.
    if has_script_metadata(data.decode("utf-8", "replace")):
        return SourceKind.SCRIPT
    return SourceKind.REQUIREMENTS


def _refuse(name: str, location: str) -> None:
    if is_lock_file_name(name):
        raise _is_lock(location)
    if name in _FOREIGN_LOCKS:
        raise LocksetError(
            "source-kind",
            f"`{location}` is a lock file of another tool, not a source",
            location=location,
            hint=f"Run `lockset convert {quote(location)} -o pylock.toml` to keep its versions",
        )
    if name in {"setup.py", "setup.cfg", "Pipfile"}:
        raise LocksetError(
            "source-kind",
            f"`{name}` is not supported as a source",
            location=location,
            hint="Move the requirements to pyproject.toml or a requirements file",
        )


def _is_lock(location: str) -> LocksetError:
    return LocksetError(
        "source-kind",
        f"`{location}` is a lock file, not a source",
        location=location,
        hint="Name the pyproject.toml, requirements file or script it was made from, or install it with `lockset sync`",
    )
