"""Line and column for refusals that name a key of a TOML file: looked up when there is a refusal, and only then."""

from __future__ import annotations

from contextlib import contextmanager
from shlex import quote
from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern
from lockset.errors import (
    CooldownSyntaxError,
    ExcludeNewerSyntaxError,
    GroupCycleError,
    GroupDepthError,
    GroupDuplicateError,
    InvalidValueError,
    LocksetError,
    RequirementSyntaxError,
    WrongTypeError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["key_path", "with_key_lines"]

_STEP = lazy_pattern(r"""\.?(?:"(?P<quoted>[^"]*)"|(?P<bare>[A-Za-z0-9_-]+))|\[(?P<index>\d+)\]""")
# Errors about the value, not the key.
_OF_VALUES = (
    WrongTypeError,
    InvalidValueError,
    RequirementSyntaxError,
    ExcludeNewerSyntaxError,
    CooldownSyntaxError,
)
# Errors about several keys.
_OF_GROUPS = (GroupCycleError, GroupDepthError, GroupDuplicateError)


@contextmanager
def with_key_lines(text: str, location: str, *, before: int = 0, validated: bool = True) -> Iterator[None]:
    """Add line and column to a LocksetError about a key of the TOML file `text`, whose name in messages is `location`.

    `before`: the number of characters before each line in the file itself. `validated`: whether `lockset validate` of
    this file reports such an error, too; the hint names the command then.
    """
    try:
        yield
    except LocksetError as error:
        where = _position_of(error, text, location, before)
        if where is not None:
            error.diagnostic = error.diagnostic._replace(location=where)
        if validated and (where is not None or isinstance(error, _OF_GROUPS)):
            error.diagnostic = error.diagnostic._replace(hint=_hint(error.diagnostic.hint, location))
        raise


def key_path(error: LocksetError, location: str) -> tuple[str | int, ...]:
    """The key that the error names in the file `location`; empty if it names none."""
    diagnostic = error.diagnostic
    if diagnostic.location is not None and diagnostic.location.startswith(f"{location}: "):
        return _keys(diagnostic.location.removeprefix(f"{location}: "))
    if diagnostic.location == location and diagnostic.message.startswith("`"):
        return _keys(diagnostic.message[1:].partition("`")[0])
    return ()


def _hint(hint: str | None, location: str) -> str | None:
    """The hint with the command that lists every finding (not for standard input, which is already read)."""
    if location.startswith("<"):
        return hint
    more = f"`lockset validate {quote(location)}` lists every finding"
    if hint is None:
        return more
    return f"{hint} {more}" if hint.endswith("?") else f"{hint}; {more}"


def _position_of(error: LocksetError, text: str, location: str, before: int) -> str | None:
    keys = key_path(error, location)
    if not keys:
        return None
    from lockset.lockfile.positions import positions
    from lockset.spans import LineIndex

    spans = positions(text)
    try:
        span = spans.value(keys) if isinstance(error, _OF_VALUES) else spans[keys]
    except KeyError:
        span = spans.nearest(keys)
    line, column = LineIndex(text).position(span.start)
    return f"{location}:{line}:{column + before}"


def _keys(path: str) -> tuple[str | int, ...]:
    """Parse a key path; empty if it is not valid."""
    keys: list[str | int] = []
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None or step.end() == at:
            return ()
        keys.append(int(step["index"]) if step["index"] else step["bare"] or step["quoted"] or "")
        at = step.end()
    return tuple(keys)
