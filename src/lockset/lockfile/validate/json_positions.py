"""Where key paths of a JSON text stand (the json module gives none).

json's own decoder passes over every value; only the containers on the way to a path that is wanted are walked through.
"""

from __future__ import annotations

from json import JSONDecoder
from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern
from lockset.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lockset.lockfile.positions import KeyPath

__all__ = ["json_spans"]

_BLANK = lazy_pattern(r"[ \t\r\n]*")
_DECODER = JSONDecoder()


def json_spans(text: str, paths: Iterable[KeyPath]) -> dict[KeyPath, Span]:
    """The span of the value at each path of `text`, which json has read; of the deepest one above it, if it is missing.

    Of a key that occurs twice the last one counts, as for json.
    """
    wanted = set(paths)
    on_the_way = {path[:length] for path in wanted for length in range(len(path) + 1)}
    known: dict[KeyPath, Span] = {}
    waiting: list[tuple[KeyPath, int]] = [((), _skip(text, 0))]
    while waiting:
        path, start = waiting.pop()
        known[path] = Span(start=start, end=_DECODER.raw_decode(text, start)[1])
        if text[start] in "[{":
            waiting += _children(text, path, start, on_the_way)
    return {path: next(known[path[:n]] for n in range(len(path), -1, -1) if path[:n] in known) for path in wanted}


def _children(text: str, path: KeyPath, start: int, wanted: set[KeyPath]) -> list[tuple[KeyPath, int]]:
    """The items of the container at `start` that are wanted, and where their values begin."""
    starts: dict[KeyPath, int] = {}
    is_object = text[start] == "{"
    at, number = _skip(text, start + 1), 0
    while text[at] not in "]}":
        key: str | int = number
        if is_object:
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)  # the colon
        below = (*path, key)
        if below in wanted:
            starts[below] = at
        at = _skip(text, _DECODER.raw_decode(text, at)[1])
        if text[at] == ",":
            at = _skip(text, at + 1)
        number += 1
    return list(starts.items())


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    assert blank is not None, "it matches nothing, too"
    return blank.end()
