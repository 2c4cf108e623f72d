"""Remove keys without meaning, and add `packages` to a lock file without packages that lacks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.lockfile.validate.finding import path_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.read import Document

__all__ = ["add_packages_key", "remove_empty_key"]

# Optional keys for which an empty string is not valid: tools that write it mean that there is no value.
_OF_PACKAGE = ("version", "marker", "index")
_OF_FILE = ("upload-time",)
_TREES = ("vcs", "directory")
# Top-level keys of a lock file besides `packages` and `tool`; a file with other keys is something else.
_KNOWN = frozenset(
    {"lock-version", "environments", "requires-python", "extras", "dependency-groups", "default-groups", "created-by"}
)


def remove_empty_key(document: Document) -> tuple[str, str] | None:
    """Remove the first key without meaning; the text and a description, or None if there is no such key."""
    for path, reason in _removable(document.data):
        text = _remove(document, path)
        if text is not None:
            return text, f"{path_text(path)}: removed, {reason}"
    return None


def add_packages_key(document: Document) -> tuple[str, str] | None:
    """Add `packages = []` if nothing else is missing; the text and a description, or None."""
    data, text = document.data, document.text
    if "packages" in data or not {"lock-version", "created-by"} <= data.keys() or data.keys() - _KNOWN - {"tool"}:
        return None
    end = "\r\n" if "\r\n" in text else "\n"
    lines = (text.rfind("\n", 0, document.spans[(key,)].start) + 1 for key in data)
    headers = [start for start in lines if text[start:].lstrip(" \t").startswith("[")]
    location = min(headers, default=len(text))
    before = text[:location]
    if before and not before.endswith("\n"):
        before += end
    after = text[location:]
    return f"{before}packages = []{end}{end if after else ''}{after}", "packages: added, because the key is required"


def _removable(data: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    packages = data.get("packages")
    for number, package in enumerate(packages if isinstance(packages, list) else ()):
        if not isinstance(package, dict):
            continue
        path: KeyPath = ("packages", number)
        yield from (((*path, key), "it was empty") for key in _OF_PACKAGE if _is_blank(package.get(key)))
        if isinstance(package.get("version"), str) and any(isinstance(package.get(key), dict) for key in _TREES):
            yield (*path, "version"), "a source tree has no fixed version"
        wheels = package.get("wheels")
        files = [(package.get(key), (*path, key)) for key in ("archive", "sdist")]
        files += [(one, (*path, "wheels", at)) for at, one in enumerate(wheels if isinstance(wheels, list) else ())]
        for file, location in files:
            if isinstance(file, dict):
                yield from (((*location, key), "it was empty") for key in _OF_FILE if _is_blank(file.get(key)))


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


def _remove(document: Document, path: KeyPath) -> str | None:
    """The text without the key, if it is on its own line or in an inline table; otherwise None."""
    text = document.text
    start, end = document.spans[path].start, document.spans.value(path).end
    line = text.rfind("\n", 0, start) + 1
    if not text[line:start].strip(" \t"):
        stop = text.find("\n", end)
        stop = len(text) if stop < 0 else stop + 1
        rest = text[end:stop].strip()
        if not rest:
            return text[:line] + text[stop:]
        if rest.startswith("#"):
            return text[:start] + text[end:].lstrip(" \t")
    before, after = text[:start].rstrip(" \t"), text[end:].lstrip(" \t")
    if after.startswith(",") and before.endswith(("{", ",")):
        return text[:start] + after[1:].lstrip(" \t")
    if after.startswith("}") and before.endswith(","):
        return before[:-1] + text[end:]
    return None
