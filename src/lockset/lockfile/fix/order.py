"""Sort a lock file's arrays by moving text; comments move with the block below them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from lockset.lockfile.file_name import last_component
from lockset.lockfile.read import Document, read_document
from lockset.lockfile.validate.finding import path_text
from lockset.lockfile.validate.rules.sources import version_in_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.lockfile.positions import KeyPath

__all__ = ["sort_arrays"]

_NO_VERSION = Version("0")


def sort_arrays(document: Document) -> Iterator[tuple[str, str]]:
    """Sort the arrays that are out of order; the text after each, and a description of the change."""
    for key in ("extras", "dependency-groups", "default-groups"):
        names = document.data.get(key)
        if isinstance(names, list) and all(isinstance(name, str) for name in names) and names != sorted(names):
            text = _sort_items(document, (key,), names)
            if text is not None:
                document = read_document(text)
                yield text, f"{key}: sorted"
    packages = document.data.get("packages")
    for index, package in enumerate(packages if isinstance(packages, list) else ()):
        wheels = package.get("wheels") if isinstance(package, dict) else None
        names = [_file_name(wheel) for wheel in wheels] if isinstance(wheels, list) else []
        if all(names) and names != sorted(names):
            path: KeyPath = ("packages", index, "wheels")
            text = _sort_items(document, path, names)
            if text is not None:
                document = read_document(text)
                yield text, f"{path_text(path)}: sorted by file name"
    text = _sort_packages(document)
    if text is not None:
        yield text, "packages: sorted by name and version"


def _file_name(wheel: Any) -> str:
    if not isinstance(wheel, dict):
        return ""
    values = {key: value for key, value in wheel.items() if key in {"name", "path", "url"} and isinstance(value, str)}
    name = values.get("name")
    return name or last_component(path=values.get("path"), url=values.get("url")) or ""


def _sort_items(document: Document, path: KeyPath, names: Sequence[Any]) -> str | None:
    """Sort the items by `names`, leaving the text between them in place; None if that text has a comment."""
    spans = [document.spans.value((*path, location)) for location in range(len(names))]
    text = document.text
    if any(text.startswith("[[", span.start) for span in spans):
        return None  # tables with headers
    between = [text[left.end : right.start] for left, right in pairwise(spans)]
    whole = document.spans.value(path)
    edges = text[whole.start : spans[0].start], text[spans[-1].end : whole.end]
    if any("#" in part for part in (*between, *edges)):
        return None
    order = sorted(range(len(names)), key=lambda location: names[location])
    items = [text[spans[location].start : spans[location].end] for location in order]
    parts = [items[0], *(part for pair in zip(between, items[1:], strict=True) for part in pair)]
    return text[: spans[0].start] + "".join(parts) + text[spans[-1].end :]


def _sort_packages(document: Document) -> str | None:
    """Sort the blocks `[[packages]]`; None if they are sorted, or not contiguous."""
    packages = document.data.get("packages")
    if not isinstance(packages, list) or not all(isinstance(one, dict) for one in packages):
        return None
    keys = [_key(package) for package in packages]
    if not all(name for name, _ in keys) or keys == sorted(keys):
        return None
    text = document.text
    starts = [document.spans[("packages", location)].start for location in range(len(packages))]
    if not all(text.startswith("[[", start) for start in starts):
        return _sort_items(document, ("packages",), keys)
    starts = [_with_comments(text, start) for start in starts]
    end = _end_of_blocks(document, starts[-1])
    others = [document.spans[(key,)].start for key in document.data if key != "packages"]
    if any(starts[0] < other < end for other in others):
        return None
    bounds = [*starts, end]
    blocks = [text[left:right] for left, right in pairwise(bounds)]
    order = sorted(range(len(blocks)), key=lambda location: keys[location])
    # Every block gets the trailing blank lines of the block that it replaces.
    tails = [block[len(block.rstrip()) :] for block in blocks]
    moved = [blocks[location].rstrip() + tails[at] for at, location in enumerate(order)]
    return text[: starts[0]] + "".join(moved) + text[end:]


def _key(package: dict[str, Any]) -> tuple[str, Version]:
    name, version = package.get("name"), package.get("version")
    parsed = version_in_name(version) if isinstance(version, str) else None
    return name if isinstance(name, str) else "", parsed or _NO_VERSION


def _with_comments(text: str, start: int) -> int:
    """The start of the comment lines directly above the header at `start`."""
    line = text.rfind("\n", 0, start) + 1
    while line > 0:
        above = text.rfind("\n", 0, line - 1) + 1
        if not text[above : line - 1].lstrip(" \t").startswith("#"):
            break
        line = above
    return line


def _end_of_blocks(document: Document, last: int) -> int:
    """The start of the first table after the last block, with its comments, or the end of the text."""
    later = [span.start for key in document.data if key != "packages" and (span := document.spans[(key,)]).start > last]
    return _with_comments(document.text, min(later)) if later else len(document.text)
