"""Names for shell completion, read from the files around: quick, and silent about everything that is wrong.

A shell expands what it gets, so that only names of harmless characters are printed.
"""

# Every completion pays for these imports.
from __future__ import annotations

import os
import re
import sys

from lockset._pattern import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["KINDS", "names_for_completion"]

KINDS = ("packages", "extras", "groups", "rules")
# Larger files are not read at a prompt.
_LARGEST = 32 << 20
# What no shell gives a meaning.
_HARMLESS = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\Z")
_PACKAGE = lazy_pattern(r"^[ \t]*name[ \t]*=[ \t]*[\"']([^\"'\n]+)[\"']", re.MULTILINE)
_FILE_ENDINGS = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tar.xz")


def names_for_completion(kind: str, folder: str) -> str:
    """The names of one kind, one on each line: those of the nearest lock file and project. Never raises."""
    try:
        names = set(_names(kind, folder))
    except Exception:  # noqa: BLE001 - nothing may appear at a prompt
        return ""
    return "".join(f"{name}\n" for name in sorted(names) if _HARMLESS.match(name))


def _names(kind: str, folder: str) -> Iterator[str]:
    if kind == "rules":
        from lockset.lockfile.validate.catalogue import RULES

        yield from RULES
        return
    lock = _nearest("pylock.toml", folder)
    if kind == "packages":
        for name in _PACKAGE.findall(lock):
            if not name.endswith(_FILE_ENDINGS):
                yield name
        return
    keys = ("extras",) if kind == "extras" else ("dependency-groups", "default-groups")
    for key in keys:
        yield from _listed(lock, key)
    yield from _of_project(kind, _nearest("pyproject.toml", folder))


def _nearest(name: str, folder: str) -> str:
    """The text of the nearest file called `name`; empty if there is none."""
    while True:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            if os.path.getsize(path) > _LARGEST:
                return ""
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read()
        above = os.path.dirname(folder)
        if above == folder:
            return ""
        folder = above


def _listed(lock: str, key: str) -> Iterable[str]:
    """The texts of an array at the top of a lock file."""
    top = lock.partition("[[packages]]")[0]
    match = re.search(rf"^[ \t]*{key}[ \t]*=[ \t]*\[([^\]]*)\]", top, re.MULTILINE)
    return re.findall(r"[\"']([^\"']+)[\"']", match[1]) if match else ()


def _of_project(kind: str, text: str) -> Iterable[str]:
    if not text:
        return ()
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    data = tomllib.loads(text)
    table = data.get("project", {}).get("optional-dependencies", {}) if kind == "extras" else data["dependency-groups"]
    return [name for name in table if isinstance(name, str)]
