"""Recognize the kind of a file for `lockset validate`, by its name, or by its content if the name is ambiguous."""

from __future__ import annotations

from enum import Enum
from pathlib import PurePath

from lockset._pattern import lazy_pattern
from lockset.lockfile.file_name import is_lock_file_name
from lockset.sources.script import has_script_metadata

__all__ = ["ValidatedKind", "kind_by_name", "kind_of_content"]

_TABLE = lazy_pattern(
    rb"(?m)^[ \t]*\[{1,2}[ \t]*(?:project|dependency-groups|build-system|tool)\b[^\n\]]*\]{1,2}[ \t]*(?:#|\r?$)"
)
_LOCK = lazy_pattern(rb"(?m)^[ \t]*(?:lock-version[ \t]*=|\[\[[ \t]*packages?[ \t]*\]\])")
# Bounds where the first characters of a file are looked for.
_LOOKED_AT = 4096


class ValidatedKind(Enum):
    """How a file is validated."""

    LOCK = "lock file"
    PROJECT = "pyproject.toml"
    SCRIPT = "script"
    REPORT = "JSON report"


def kind_by_name(name: str) -> ValidatedKind | None:
    """The kind of the file `name` (without folders); None where only its content tells."""
    if is_lock_file_name(name) or name.endswith(".lock"):
        return ValidatedKind.LOCK
    if name == "pyproject.toml":
        return ValidatedKind.PROJECT
    kinds = {".py": ValidatedKind.SCRIPT, ".pyw": ValidatedKind.SCRIPT, ".json": ValidatedKind.REPORT}
    return kinds.get(PurePath(name).suffix)


def kind_of_content(data: bytes) -> ValidatedKind:
    """The kind of a file of any other name, or of the standard input; a lock file where nothing else fits."""
    head = data[:_LOOKED_AT].lstrip()
    if head.startswith(b"{") and b'"_meta"' not in head:  # of a Pipfile.lock
        return ValidatedKind.REPORT
    if _LOCK.search(data):
        return ValidatedKind.LOCK
    if _TABLE.search(data):
        return ValidatedKind.PROJECT
    # Bytes that are not UTF-8 cannot be part of a metadata block.
    return ValidatedKind.SCRIPT if has_script_metadata(data.decode("utf-8", "replace")) else ValidatedKind.LOCK
