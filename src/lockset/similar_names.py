"""Hints for a name that does not exist."""

from __future__ import annotations

import os
import re
from itertools import islice
from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["known_names_hint", "named_package", "similar_file_hint"]

_PACKAGE = lazy_pattern(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*(?:(?:===|[=~!<>]=|[<>]).*)?", re.DOTALL)
# Names that a hint lists.
_MOST = 20
# Files of a folder among which a similar name is searched.
_MOST_FILES = 1_000


def known_names_hint(name: str, known: Collection[str]) -> str:
    """The known name that is most similar to `name` if there is one, else all of them."""
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean `{close[0]}`?"
    names = sorted(known)
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"It has: {', '.join(f'`{each}`' for each in names[:_MOST])}{more}" if names else "It has none"


def similar_file_hint(path: str | os.PathLike[str]) -> str | None:
    """The file with the most similar name in the folder of `path`, which does not exist; None if there is none."""
    from difflib import get_close_matches

    folder, name = os.path.split(os.fspath(path))
    try:
        with os.scandir(folder or os.curdir) as entries:
            files = [entry.name for entry in islice(entries, _MOST_FILES) if entry.is_file()]
    except (OSError, ValueError):
        return None
    close = get_close_matches(name, files, n=1, cutoff=0.8)
    return f"Did you mean `{close[0]}`?" if close else None


def named_package(argument: str) -> str | None:
    """The package that `argument` names (`flask`, `flask>=3`); None if it looks like the name of a file."""
    match = _PACKAGE.fullmatch(argument)
    if match is None or (match[1] == argument and "." in argument):
        return None
    return match[1]
