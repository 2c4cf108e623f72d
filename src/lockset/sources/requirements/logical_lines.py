"""The logical lines of a requirements file: decoded, joined, without comments, with variables replaced."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["LogicalLine", "decode_requirements", "logical_lines", "with_names"]

# UTF-32 before UTF-16, since its mark begins with that of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODING = lazy_pattern(rb"coding[:=]\s*([-\w.]+)")
_COMMENT_LINE = lazy_pattern(r"\s*#")
_COMMENT = lazy_pattern(r"(^|\s)#.*")
_VARIABLE = lazy_pattern(r"\$\{([A-Z0-9_]+)\}")
# Shorter values are not secrets, and occur in many words.
_SHORTEST = 4
_UNDECODED = lazy_pattern("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalLine:
    """One logical line. It is not empty, and has no blanks around it.

    Attributes:
        number: Number of its first physical line.
        text: The line with variables replaced by their values.
        written: The line as written, with the names of variables.
        values: The replaced variables: `${NAME}` and value.
    """

    number: int
    text: str
    written: str
    values: tuple[tuple[str, str], ...] = ()


def decode_requirements(data: bytes, *, location: str) -> str:
    """Decode a file by its byte order mark, else by a `coding:` comment in the first two lines, else as UTF-8.

    Invalid bytes become lone surrogates, which `logical_lines` refuses outside comments.

    Raises:
        LocksetError: `encoding` if a named encoding is unknown or the file is not valid in it.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decode_as(data[len(mark) :], encoding, location)
    for line in data.split(b"\n", 2)[:2]:
        named = _CODING.search(line) if line.startswith(b"#") else None
        if named:
            return _decode_as(data, named[1].decode("ascii", "replace"), location)
    return data.decode("utf-8", "surrogateescape")


def logical_lines(text: str, *, environ: Mapping[str, str], location: str) -> Iterator[LogicalLine]:
    """The logical lines, with the steps in pip's order: join, strip comments, replace variables.

    A variable that is not set or empty in `environ` stays as written.

    Raises:
        LocksetError: `encoding` if a line has bytes that could not be decoded.
    """
    for number, joined in _join_continued(enumerate(text.splitlines(), start=1)):
        line = _without_comment(joined).strip()
        if not line:
            continue
        if _UNDECODED.search(line):
            raise LocksetError(
                "encoding",
                "The line is not UTF-8",
                location=f"{location}:{number}",
                hint="Save the file as UTF-8, or name its encoding in the first line: `# -*- coding: NAME -*-`",
            )
        values = {match[0]: value for match in _VARIABLE.finditer(line) if (value := environ.get(match[1]))}
        text = _with_values(line, values)
        yield LogicalLine(number=number, text=text, written=line, values=tuple(values.items()))


def _with_values(line: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values.get(match[0], match[0]), line)


def with_names(text: str, values: tuple[tuple[str, str], ...]) -> str:
    """Replace the values of variables by their names, for messages. A value may be a secret."""
    for name, value in values:
        if len(value) >= _SHORTEST:
            text = text.replace(value, name).replace(value.lower(), name)
    return text


def _decode_as(data: bytes, encoding: str, location: str) -> str:
    try:
        # `bytes.decode` refuses codecs that are not text encodings, such as `zip` and `hex`.
        return data.decode(encoding)
    except (LookupError, ValueError) as error:  # UnicodeDecodeError is a ValueError
        raise LocksetError(
            "encoding", f"The file cannot be decoded as {encoding}: {error}", location=location
        ) from error


def _join_continued(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Join lines that end in a backslash with the next one. A comment line ends the joining, even with a backslash."""
    first = 0
    parts: list[str] = []
    for number, line in lines:
        is_comment = _COMMENT_LINE.match(line) is not None
        if not parts:
            first = number
        if line.endswith("\\") and not is_comment:
            parts.append(line.strip("\\"))
            continue
        # The blank keeps the comment recognizable after joining.
        parts.append(f" {line}" if is_comment else line)
        yield first, "".join(parts)
        parts = []
    if parts:  # the last line ends in a backslash
        yield first, "".join(parts)


def _without_comment(line: str) -> str:
    return _COMMENT.sub("", line, count=1) if "#" in line else line
