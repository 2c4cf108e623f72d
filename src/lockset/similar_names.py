"""Hints for a name that does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["known_names_hint"]

# Names that a hint lists.
_MOST = 20


def known_names_hint(name: str, known: Collection[str]) -> str:
    """The known name that is most similar to `name` if there is one, else all of them."""
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    if close:
        return f"Did you mean `{close[0]}`?"
    names = sorted(known)
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"It has: {', '.join(f'`{each}`' for each in names[:_MOST])}{more}" if names else "It has none"
