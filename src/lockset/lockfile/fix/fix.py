"""Fix a lock file's text where there is exactly one right answer.

Values are replaced in place, empty keys removed, blocks and array items sorted; comments, blank lines and layout are
kept. Fixing a fixed text changes nothing.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from packaging.markers import InvalidMarker

from lockset._dataclass import dataclass
from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import read_marker
from lockset.lockfile.fix.keys import add_packages_key, remove_empty_key
from lockset.lockfile.fix.order import sort_arrays
from lockset.lockfile.read import Document, TomlError, read_document
from lockset.lockfile.validate.finding import Findings, path_text
from lockset.lockfile.validate.rules.sources import check_url
from lockset.package_names import canonicalize_name, is_normalized_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.lockfile.positions import KeyPath

__all__ = ["FixedText", "fix_text"]

_BOM = "\ufeff"
_NAME = lazy_pattern(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]", re.ASCII)
_UPPER_HEX = lazy_pattern(r"(?=.*[A-F])[0-9A-Fa-f]+", re.ASCII)
_PREFIX = lazy_pattern(r"(?:git|hg|bzr|svn)\+(?=[a-z]+://)", re.ASCII)
_TIME = lazy_pattern(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_SIZE = lazy_pattern(r"[1-9][0-9]{0,17}", re.ASCII)
_PLAIN = lazy_pattern(r"[^\"'\\\x00-\x1f\x7f]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedText:
    """The fixed text and a description of each change; the original text if there was nothing to fix."""

    text: str
    changes: tuple[str, ...]


class _Edit(NamedTuple):
    start: int
    end: int
    text: str
    change: str


def fix_text(text: str) -> FixedText:
    """Fix everything in `text` that has one right answer. If it is not TOML, only a byte order mark is removed."""
    changes: list[str] = []
    if text.startswith(_BOM):
        text = text.removeprefix(_BOM)
        changes.append("removed the byte order mark")
    try:
        document = read_document(text)
    except TomlError:
        return FixedText(text=text, changes=tuple(changes))
    while (removed := remove_empty_key(document)) is not None:
        text, change = removed
        changes.append(change)
        document = read_document(text)
    if (added := add_packages_key(document)) is not None:
        text, change = added
        changes.append(change)
        document = read_document(text)
    edits = sorted(_values(document))
    text = _apply(text, edits)
    changes += [edit.change for edit in edits]
    for moved in sort_arrays(read_document(text)):
        text, change = moved
        changes.append(change)
    return FixedText(text=text, changes=tuple(changes))


def _apply(text: str, edits: list[_Edit]) -> str:
    for edit in reversed(edits):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _values(document: Document) -> Iterator[_Edit]:
    data = document.data
    yield from _top(document)
    packages = data.get("packages")
    for index, package in enumerate(packages if isinstance(packages, list) else ()):
        if isinstance(package, dict):
            yield from _package(document, package, ("packages", index))


def _top(document: Document) -> Iterator[_Edit]:
    data = document.data
    if isinstance(data.get("lock-version"), float) and data["lock-version"] == 1.0:
        yield from _replace(document, ("lock-version",), '"1.0"')
    creator = data.get("created-by")
    if isinstance(creator, str):
        yield from _normalize_name(document, ("created-by",), creator)
    extras = data.get("extras")
    names = extras if isinstance(extras, list) else []
    for index, name in enumerate(names):
        if isinstance(name, str) and canonicalize_name(name) not in names:
            yield from _normalize_name(document, ("extras", index), name)


def _package(document: Document, package: Mapping[str, Any], path: KeyPath) -> Iterator[_Edit]:
    name = package.get("name")
    if isinstance(name, str):
        yield from _normalize_name(document, (*path, "name"), name)
    marker = package.get("marker")
    if isinstance(marker, str) and marker.lstrip().startswith(";") and _is_marker(marker.strip(" \t;")):
        yield from _bare_marker(document, (*path, "marker"), marker)
    vcs = package.get("vcs")
    if isinstance(vcs, dict):
        url = vcs.get("url")
        if isinstance(url, str) and _PREFIX.match(url) and _is_url(_PREFIX.sub("", url, count=1)):
            yield from _string(document, (*path, "vcs", "url"), _PREFIX.sub("", url, count=1))
    wheels = package.get("wheels")
    files: list[tuple[Any, KeyPath]] = [(package.get(key), (*path, key)) for key in ("archive", "sdist")]
    files += [
        (one, (*path, "wheels", location)) for location, one in enumerate(wheels if isinstance(wheels, list) else ())
    ]
    for source, location in [*files, (package.get("directory"), (*path, "directory")), (vcs, (*path, "vcs"))]:
        if isinstance(source, dict):
            yield from _source(document, source, location)


def _source(document: Document, source: Mapping[str, Any], path: KeyPath) -> Iterator[_Edit]:
    local = source.get("path")
    if isinstance(local, str) and "\\" in local and not re.match(r"[A-Za-z]:|\\", local):
        yield from _string(document, (*path, "path"), local.replace("\\", "/"))
    size = source.get("size")
    if isinstance(size, str) and _SIZE.fullmatch(size):
        yield from _replace(document, (*path, "size"), size)
    time = source.get("upload-time")
    if isinstance(time, str) and _TIME.fullmatch(time):
        time = _moment(time)
        if time is not None:
            yield from _replace(document, (*path, "upload-time"), _utc(time))
    elif isinstance(time, datetime) and time.utcoffset():
        yield from _replace(document, (*path, "upload-time"), _utc(time))
    hashes = source.get("hashes")
    if not isinstance(hashes, dict):
        return
    for algorithm, value in hashes.items():
        key = (*path, "hashes", algorithm)
        if isinstance(value, str) and _UPPER_HEX.fullmatch(value):
            yield from _string(document, key, value.lower())
        if algorithm != algorithm.lower() and algorithm.lower() not in hashes:
            yield from _key(document, key, algorithm)


def _normalize_name(document: Document, path: KeyPath, name: str) -> Iterator[_Edit]:
    if _NAME.fullmatch(name) and not is_normalized_name(name):
        yield from _string(document, path, canonicalize_name(name))


def _string(document: Document, path: KeyPath, value: str) -> Iterator[_Edit]:
    """Replace a string, keeping its quotes; a value that needs escapes is left alone."""
    span = document.spans.value(path)
    quote = document.text[span.start]
    if _PLAIN.fullmatch(value):
        yield from _replace(document, path, f"{quote}{value}{quote}")


def _is_url(text: str) -> bool:
    findings = Findings()
    check_url(text, "vcs-url-valid", ("url",), findings)
    return all(finding.code != "vcs-url-valid" for finding in findings)


def _bare_marker(document: Document, path: KeyPath, marker: str) -> Iterator[_Edit]:
    """Remove the semicolon before a marker, keeping its quotes; a marker with escapes is left alone."""
    span = document.spans.value(path)
    raw = document.text[span.start : span.end]
    if raw[1:-1] == marker:
        yield from _replace(document, path, raw[0] + marker.strip(" \t;") + raw[0])


def _is_marker(text: str) -> bool:
    try:
        read_marker(text)
    except (InvalidMarker, RecursionError):
        return False
    return True


def _key(document: Document, path: KeyPath, algorithm: str) -> Iterator[_Edit]:
    span = document.spans[path]
    raw = document.text[span.start : span.end]
    if raw.strip("\"'") == algorithm:  # a header `[…hashes]` or a dotted key has other text
        change = f"{path_text(path)}: `{algorithm}` became `{algorithm.lower()}`"
        yield _Edit(span.start, span.end, raw.lower(), change)


def _replace(document: Document, path: KeyPath, text: str) -> Iterator[_Edit]:
    span = document.spans.value(path)
    raw = document.text[span.start : span.end]
    if raw[:3] not in {'"""', "'''"}:
        yield _Edit(span.start, span.end, text, f"{path_text(path)}: {raw} became {text}")


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    except ValueError:
        return None


def _utc(moment: datetime) -> str:
    try:
        return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    except OverflowError:  # the first or last day that Python supports
        return moment.isoformat()
