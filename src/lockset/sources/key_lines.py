"""Line and column for refusals that name a key of a TOML file: looked up when there is a refusal, and only then."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["lines_told"]

_STEP = re.compile(r"""\.?(?:"(?P<quoted>[^"]*)"|(?P<bare>[A-Za-z0-9_-]+))|\[(?P<index>\d+)\]""")
# Refusals of which the value is what is wrong, not the key.
_OF_VALUES = frozenset({"wrong-type", "invalid-value", "requirement-syntax", "exclude-newer-syntax"})


@contextmanager
def lines_told(text: str, location: str, *, before: int = 0) -> Iterator[None]:
    """A LocksetError raised within about a key of the TOML file `text`, shown as `location`, tells where that is.

    In the file itself, each line has as many more characters as `before` in front.
    """
    try:
        yield
    except LocksetError as error:
        where = _where(error, text, location, before)
        if where is not None:
            error.diagnostic = error.diagnostic._replace(location=where)
        raise


def _where(error: LocksetError, text: str, location: str, before: int) -> str | None:
    told = error.diagnostic
    if told.location is not None and told.location.startswith(f"{location}: "):
        path = told.location.removeprefix(f"{location}: ")
    elif told.location == location and told.message.startswith("`"):
        path = told.message[1:].partition("`")[0]
    else:
        return None
    keys = _keys(path)
    if not keys:
        return None
    from lockset.lockfile.positions import positions
    from lockset.spans import LineIndex

    found = positions(text)
    try:
        span = found.value(keys) if told.code in _OF_VALUES else found[keys]
    except KeyError:
        span = found.nearest(keys)
    line, column = LineIndex(text).position(span.start)
    return f"{location}:{line}:{column + before}"


def _keys(path: str) -> tuple[str | int, ...]:
    """The key path that is written so; empty where it is none."""
    keys: list[str | int] = []
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None or step.end() == at:
            return ()
        keys.append(int(step["index"]) if step["index"] else step["bare"] or step["quoted"] or "")
        at = step.end()
    return tuple(keys)
