"""Where a few key paths of a document stand, without looking at all of it.

Finding all positions costs as much as parsing. Most findings are about few packages, and a text whose packages have
headers of their own can be cut at these: only the blocks that findings are about are looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lockset.lockfile.positions import Positions, positions
from lockset.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.read import Document

__all__ = ["locations"]

# At the beginning of a line this can only be a header: within an array a bare word is no value.
_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*packages[ \t]*\]\]", re.MULTILINE)


def locations(document: Document, paths: Iterable[KeyPath]) -> dict[KeyPath, Span]:
    """For each path its span, or that of the deepest table above it: `document.spans.nearest`, only sooner."""
    wanted = dict.fromkeys(paths)
    blocks = _blocks(document, wanted)
    if blocks is None:
        return {path: document.spans.nearest(path) for path in wanted}
    starts, known = blocks, {}
    scanned: dict[int, Positions] = {}
    for path in wanted:
        location = path[1] if len(path) > 1 and path[0] == "packages" else -1
        assert isinstance(location, int)
        found = scanned.get(location)
        if found is None:
            found = scanned[location] = positions(document.text[starts[location + 1] : starts[location + 2]])
        if location < 0:
            known[path] = found.nearest(path)
        else:
            span, shift = found.nearest(("packages", 0, *path[2:])), starts[location + 1]
            known[path] = Span(start=span.start + shift, end=span.end + shift)
    return known


def _blocks(document: Document, wanted: Iterable[KeyPath]) -> list[int] | None:
    """Where the head, each block, and the end of the text begin; None where all of it has to be looked at."""
    text, packages = document.text, document.data.get("packages")
    if "spans" in document.__dict__ or not isinstance(packages, list) or '"""' in text or "'''" in text:
        return None
    if any(path and isinstance(document.data.get(str(path[0])), dict) for path in wanted):
        return None  # a table may be continued anywhere
    count = len({path[1] for path in wanted if len(path) > 1 and path[0] == "packages"})
    if 2 * count > len(packages):
        return None
    starts = [0, *(found.start() for found in _HEADER.finditer(text)), len(text)]
    if len(starts) != len(packages) + 2:
        return None  # inline tables, or headers in another spelling
    if all(_is_in_block(path) or path[0] not in document.data for path in wanted if path):
        return starts
    # Keys at the top stand in front of the first header, tables may stand anywhere.
    head = positions(text[: starts[1]])
    return starts if all(_is_in_block(path) or not path or path[:1] in head for path in wanted) else None


def _is_in_block(path: KeyPath) -> bool:
    return len(path) > 1 and path[0] == "packages"
