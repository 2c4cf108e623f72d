"""`# via` comments of compiled requirements files: who needs whom."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["needed_by"]

_PIN = re.compile(r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(?:===?|@\s)")
_EDITABLE = re.compile(r"(?:-e|--editable)[ =]")
_VIA = re.compile(r"(?:^|\s)#\s*via\b:?(?P<rest>.*)$")
_CONTINUED = re.compile(r"^\s*#\s{2,}(?P<one>\S.*)$")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
_WITH_EXTRAS = re.compile(r"\[[^\]]*\]\Z")


def needed_by(text: str) -> Mapping[str, frozenset[str] | None]:
    """For every pinned name of the file, who needs it: names of projects; None where no comment tells.

    Requirements files and the project itself, which compilers name as well (`-r base.in`, `app (pyproject.toml)`),
    are left out.
    """
    found: dict[str, frozenset[str] | None] = {}
    current: str | None = None
    for line in text.splitlines():
        pin = _PIN.match(line)
        if pin is not None:
            current = canonicalize_name(pin["name"])
            found.setdefault(current, None)
        elif _EDITABLE.match(line):
            current = None
        if current is None:
            continue
        names = _told(line, in_list=found[current] is not None)
        if names is not None:
            found[current] = (found[current] or frozenset()) | frozenset(names)
    return found


def _told(line: str, *, in_list: bool) -> Iterable[str] | None:
    via = _VIA.search(line)
    if via is not None:
        return _names(via["rest"])
    continued = _CONTINUED.match(line) if in_list else None
    return None if continued is None else _names(continued["one"])


def _names(text: str) -> Iterator[str]:
    for part in text.split(","):
        word = _WITH_EXTRAS.sub("", part.strip())
        if _NAME.match(word):
            yield canonicalize_name(word)
