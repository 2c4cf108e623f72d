"""Positions in a text: offsets, lines and columns."""

from __future__ import annotations

from bisect import bisect_right

from lockset._dataclass import dataclass

__all__ = ["LineIndex", "Span"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A range of a text as 0-based character offsets; `end` is exclusive."""

    start: int
    end: int


class LineIndex:
    """Converts character offsets of one text to 1-based lines and columns."""

    __slots__ = ("_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        starts = [0]
        position = text.find("\n")
        while position != -1:
            starts.append(position + 1)
            position = text.find("\n", position + 1)
        self._starts = starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of the character at `offset`."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """Offset of the character at `line` and `column`, both from 1; at most the length of the text."""
        return min(self._starts[line - 1] + column - 1, len(self.text))

    def line(self, number: int) -> str:
        """Text of line `number` (from 1), without its line end."""
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")
