"""How many columns of a terminal a text takes: wide characters take two, combining ones none."""

from __future__ import annotations

from itertools import accumulate

__all__ = ["cells", "cut", "padded"]

_NOTHING = frozenset({"Mn", "Me", "Cf"})


def cells(text: str) -> int:
    """The columns that `text`, which is printable, takes (Unicode Standard Annex 11; ambiguous ones take one)."""
    return len(text) if text.isascii() else sum(map(_width, text))


def padded(text: str, width: int) -> str:
    """`text` with blanks behind it up to `width` columns."""
    return text + " " * (width - cells(text))


def cut(text: str, width: int) -> str:
    """As much of `text` as `width` columns have room for."""
    if text.isascii():
        return text[: max(width, 0)]
    return text[: sum(end <= width for end in accumulate(map(_width, text)))]


def _width(character: str) -> int:
    from unicodedata import category, east_asian_width  # most texts are ASCII

    if category(character) in _NOTHING:
        return 0
    return 2 if east_asian_width(character) in {"W", "F"} else 1
