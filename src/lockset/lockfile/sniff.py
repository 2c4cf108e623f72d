"""Guess the format of a file that is not a lock file, for messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["kind_of_table", "kind_of_text", "open_conflict"]

# How much of a text is examined; the first lines show the format.
_LOOKED_AT = 4096

_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[^\]\n]*\])?\s*(===|[=~!<>]=|[<>]|@\s)[^\n]*")
# Start and end markers of a merge conflict; `=======` alone does not prove one.
_CONFLICT = re.compile(r"^(?:<{7,}|>{7,})(?:[ \t][^\n]*)?\r?$", re.MULTILINE)
_OPTION = re.compile(r"(-[rcefi]|--[a-z][a-z-]+)[ =]")

_CONVERT = "`lockset convert {name} -o pylock.toml` converts it to a lock file"


def kind_of_text(text: str) -> str | None:
    """A sentence about the format of `text`, which is not TOML; None if it is not recognised."""
    head = text[:_LOOKED_AT].lstrip("\ufeff \t\r\n")
    lines = [line for line in (raw.strip() for raw in head.splitlines()) if line and not line.startswith("#")]
    first = lines[0] if lines else ""
    signs = (
        (head.startswith("{") and '"_meta"' in head, "a Pipfile.lock; " + _CONVERT.format(name="Pipfile.lock")),
        (head.startswith("{"), "JSON"),
        (head.lower().startswith(("<!doctype", "<html")), "a web page, perhaps an error page"),
        (
            _REQUIREMENT.fullmatch(first) or _OPTION.match(first),
            "a requirements file; " + _CONVERT.format(name="requirements.txt"),
        ),
        (first in {"version: 1", "metadata:", "---"}, "YAML, perhaps of conda-lock"),
    )
    return next((f"This looks like {kind}" for applies, kind in signs if applies), None)


def open_conflict(text: str) -> int | None:
    """Offset of the first marker of an unresolved merge conflict, or None."""
    marker = _CONFLICT.search(text)
    return None if marker is None else marker.start()


def kind_of_table(data: Mapping[str, Any]) -> str | None:
    """A sentence about the format of `data`, TOML without the keys of a lock file; None if it is not recognised."""
    metadata = data.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    if "package" in data and "content-hash" in metadata:
        return "This looks like a poetry.lock; " + _CONVERT.format(name="poetry.lock")
    if "package" in data and "content_hash" in metadata:
        return "This looks like a pdm.lock; " + _CONVERT.format(name="pdm.lock")
    if "package" in data and isinstance(data.get("version"), int):
        return "This looks like a uv.lock; " + _CONVERT.format(name="uv.lock")
    if "project" in data or "build-system" in data:
        return "This looks like a pyproject.toml; `lockset lock` creates a lock file for it"
    if "source" in data and ("packages" in data or "dev-packages" in data):
        return "This looks like a Pipfile; lock it first, then convert Pipfile.lock"
    return None
