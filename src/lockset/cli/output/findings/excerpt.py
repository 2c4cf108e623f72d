"""The source line of a finding: which part of it is marked, and as much of it as a terminal has room for."""

from __future__ import annotations

from lockset._dataclass import dataclass
from lockset._pattern import lazy_pattern
from lockset.cli.output.cells import cells
from lockset.cli.output.streams import plain
from lockset.spans import Span
from lockset.url_secrets import has_secret, masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from lockset.spans import LineIndex

__all__ = ["Excerpt", "Mark", "excerpt_of", "mark_of", "rendered", "value_span"]

# Escapes of TOML that stand for a character.
_ESCAPE = lazy_pattern(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2}))")
_LAST = 0x10FFFF
_EQUALS = lazy_pattern(r"[ \t]*=[ \t]*")
# A value on one line: strings first, so that brackets and signs in them do not count.
_STRING = lazy_pattern(
    r"""\"{3}(?:\\.|[^"\\\n]|"{1,2}(?!"))*\"{3,5}|'{3}(?:[^'\n]|'{1,2}(?!'))*'{3,5}|"(?!"")(?:\\.|[^"\\\n])*"|'(?!'')[^'\n]*'"""
)
_SCALAR = lazy_pattern(r"[^,\]}#\r\n]*[^,\]}#\r\n \t]")
_OPENING, _CLOSING = "[{", "]}"
# Longest value that is marked as a whole; of a longer one the key is marked.
_LONGEST_VALUE = 4_000
# Characters kept on each side of a mark: more than the widest terminal shows.
_CONTEXT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The part of a file that a finding is about; lines and columns from 1, the end exclusive.

    Attributes:
        start: Line and column, in characters.
        end: Line and column, in characters.
        start_byte: Column of the start in bytes of UTF-8.
        end_byte: Column of the end in bytes of UTF-8.
    """

    start: tuple[int, int]
    end: tuple[int, int]
    start_byte: int
    end_byte: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Part of a source line, without secrets, and what is marked in it.

    Attributes:
        text: The part of the line around the mark.
        begin: Offset of the mark in `text`.
        end: Offset of its end in `text`.
        is_cut_before: The line has more text before `text`.
        is_cut_after: The line has more text after `text`.
    """

    text: str
    begin: int
    end: int
    is_cut_before: bool = False
    is_cut_after: bool = False


def value_span(text: str, key: Span) -> Span:
    """The value that follows the key at `key` in the TOML text, if all of it is on the line of the key; else `key`."""
    line_end = text.find("\n", key.end)
    limit = min(line_end if line_end >= 0 else len(text), key.end + _LONGEST_VALUE)
    equals = _EQUALS.match(text, key.end, limit)
    if equals is None or key.end <= key.start:
        return key
    end = _value_end(text, equals.end(), limit)
    return key if end is None else Span(start=equals.end(), end=end)


def _value_end(text: str, start: int, limit: int) -> int | None:
    if text[start : start + 1] not in {"[", "{"}:
        match = _STRING.match(text, start, limit)
        if match is None and text[start : start + 1] not in {'"', "'"}:
            match = _SCALAR.match(text, start, limit)
        return match.end() if match is not None else None
    depth, position = 0, start
    while position < limit:
        character = text[position]
        string = _STRING.match(text, position, limit) if character in "\"'" else None
        if character == "#":
            return None
        depth += (character in _OPENING) - (character in _CLOSING)
        position = string.end() if string is not None else position + 1
        if depth == 0:
            return position
    return None


def mark_of(span: Span, index: LineIndex) -> Mark:
    """The mark for `span` of the text of `index`; at least one character, where there is one."""
    text = index.text
    end_offset = min(max(span.end, span.start + 1), len(text))
    start, end = index.position(span.start), index.position(max(end_offset, span.start))
    return Mark(start=start, end=end, start_byte=_byte_column(start, index), end_byte=_byte_column(end, index))


def _byte_column(position: tuple[int, int], index: LineIndex) -> int:
    line, column = position
    end = index.offset(line, column)
    before = index.text[end - column + 1 : end]
    return column if before.isascii() else len(before.encode("utf-8", "surrogatepass")) + 1


def excerpt_of(mark: Mark, index: LineIndex) -> Excerpt | None:
    """The line of `mark` with secrets masked; None for an empty line, and for one that hides a secret in escapes."""
    line, column = mark.start
    whole = _without_secrets(index.line(line))
    if not whole:
        return None
    begin = column - 1
    end = mark.end[1] - 1 if mark.end[0] == line else len(whole)
    first = max(0, begin - _CONTEXT)
    text = whole[first : begin + _CONTEXT]
    return Excerpt(
        text=text,
        begin=begin - first,
        end=max(begin - first + 1, min(end - first, len(text))),
        is_cut_before=first > 0,
        is_cut_after=first + len(text) < len(whole),
    )


def _without_secrets(line: str) -> str:
    """The line with secrets masked, each character where it was; of one that hides its text in escapes, nothing."""
    if _ESCAPE.search(line) and has_secret(_ESCAPE.sub(_unescaped, line)):
        return ""
    return masked(line)


def _unescaped(escape: re.Match[str]) -> str:
    return chr(min(int(escape[1] or escape[2] or escape[3], 16), _LAST))


def rendered(excerpt: Excerpt, width: int, written: Callable[[str], str] = str) -> tuple[str, int, int]:
    """The excerpt in at most `width` columns, cut around the mark.

    `written` is what becomes of a character in the encoding of the terminal.

    Returns:
        The text, the columns before the mark, and the columns of the mark, as far as it is shown.
    """
    shown = [written(_printable(character)) for character in excerpt.text]
    widths = [cells(text) for text in shown]
    ellipsis = written("…")
    room = max(width, 2 * cells(ellipsis) + 1)
    if sum(widths) + cells(ellipsis) * (excerpt.is_cut_before + excerpt.is_cut_after) <= room:
        first, last = 0, len(widths)
    else:
        first, last = _window(excerpt, widths, room - 2 * cells(ellipsis))
    before = ellipsis if first > 0 or excerpt.is_cut_before else ""
    after = ellipsis if last < len(shown) or excerpt.is_cut_after else ""
    text = f"{before}{''.join(shown[first:last])}{after}"
    mark = sum(widths[excerpt.begin : min(excerpt.end, last)])
    return text, cells(before) + sum(widths[first : excerpt.begin]), max(1, mark)


def _window(excerpt: Excerpt, widths: list[int], room: int) -> tuple[int, int]:
    """First and last character to show: text before the mark gets a third of `room`, or what the rest leaves."""
    rest = sum(widths[excerpt.begin :])
    budget = max(room - rest, min(room // 3, room - min(sum(widths[excerpt.begin : excerpt.end]), room - room // 3)))
    first, used = excerpt.begin, 0
    while first > 0 and used + widths[first - 1] <= budget:
        first -= 1
        used += widths[first]
    last, used = first, 0
    while last < len(widths) and used + widths[last] <= room:
        used += widths[last]
        last += 1
    return first, last


def _printable(character: str) -> str:
    """A tab as a blank, and what cannot be printed written out."""
    return " " if character == "\t" else character if character.isprintable() else plain(character)
