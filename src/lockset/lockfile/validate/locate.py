"""Find the positions of a few key paths of a document without scanning all of it.

Finding all positions takes as long as parsing. Most findings are about few packages, and a text whose packages have
headers can be split at these, so that only the relevant blocks are scanned.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern
from lockset.lockfile.positions import Positions, positions
from lockset.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.read import Document

__all__ = ["locations"]

# At the start of a line this can only be a header: in an array, a bare word is not a value.
_HEADER = lazy_pattern(r"^[ \t]*\[\[[ \t]*packages[ \t]*\]\]", re.MULTILINE)


def locations(document: Document, paths: Iterable[KeyPath]) -> dict[KeyPath, Span]:
    """The span of each path, or of the deepest table above it; a faster `document.spans.nearest`."""
    unique = dict.fromkeys(paths)
    blocks = _blocks(document, unique)
    if blocks is None:
        return {path: document.spans.nearest(path) for path in unique}
    starts, known = blocks, {}
    scanned: dict[int, Positions] = {}
    for path in unique:
        location = path[1] if len(path) > 1 and path[0] == "packages" else -1
        assert isinstance(location, int)
        block = scanned.get(location)
        if block is None:
            block = scanned[location] = positions(document.text[starts[location + 1] : starts[location + 2]])
        if location < 0:
            known[path] = block.nearest(path)
        else:
            span, shift = block.nearest(("packages", 0, *path[2:])), starts[location + 1]
            known[path] = Span(start=span.start + shift, end=span.end + shift)
    return known


def _blocks(document: Document, paths: Iterable[KeyPath]) -> list[int] | None:
    """The start of the head and of each block, and the end of the text; None if all of it must be scanned."""
    text, packages = document.text, document.data.get("packages")
    if "spans" in document.__dict__ or not isinstance(packages, list) or '"""' in text or "'''" in text:
        return None
    if any(path and isinstance(document.data.get(str(path[0])), dict) for path in paths):
        return None  # a table may be continued anywhere
    count = len({path[1] for path in paths if len(path) > 1 and path[0] == "packages"})
    if 2 * count > len(packages):
        return None
    starts = [0, *(match.start() for match in _HEADER.finditer(text)), len(text)]
    if len(starts) != len(packages) + 2:
        return None  # inline tables, or headers that are written differently
    if all(_is_in_block(path) or path[0] not in document.data for path in paths if path):
        return starts
    # Top-level keys come before the first header, but tables may be anywhere.
    head = positions(text[: starts[1]])
    return starts if all(_is_in_block(path) or not path or path[:1] in head for path in paths) else None


def _is_in_block(path: KeyPath) -> bool:
    return len(path) > 1 and path[0] == "packages"
