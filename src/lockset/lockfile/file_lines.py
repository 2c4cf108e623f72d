"""Read the lines of files as lockset writes them, which are most of the text of a lock file, by one pattern.

Such a line has an inline table of plain strings, a time, an integer and a sha256, which mean the same to every reader
of TOML. It is the member of an array or the value of `sdist`, so that a string may stand in its place. What is left of
the text goes to the TOML parser, and then the tables take the places of these strings.
"""

from __future__ import annotations

from datetime import datetime

import tomli

from lockset._pattern import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["read_toml"]

# What the parser sees in place of a table: a string that the text does not have.
_STAND_IN = "lockset: a file"
# With one of these, a line may be a part of a string of several lines, or another string may equal the stand-in.
_ELSEWHERE = ('"""', "'''", "\\", _STAND_IN)
_STRING = r'"([^"\\\x00-\x1f\x7f]*)"'
_TIME = r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?)Z"
_TABLE = lazy_pattern(
    rf"{{(?:(?<=\n    {{)|(?<=\nsdist = {{))name = {_STRING}, (?:upload-time = {_TIME}, )?url = {_STRING}, "
    rf"(?:size = (0|[1-9][0-9]{{0,17}}), )?hashes = {{sha256 = {_STRING}}}}}(?=,?\n)"
)
_GROUPS = 5


def read_toml(text: str) -> tuple[dict[str, Any], str]:
    """`text` as TOML, as `tomli.loads` returns it, and the part of the text that the parser saw.

    Everything that TOML 1.0 does not have is in that part, if it is in the text.

    Raises:
        ValueError, RecursionError: As `tomli.loads`.
    """
    if not any(sign in text for sign in _ELSEWHERE):
        parts = _TABLE.split(text)
        rest = f'"{_STAND_IN}"'.join(parts[:: _GROUPS + 1])
        try:
            data = tomli.loads(rest)
            if _fill(data, _tables(parts)):
                return data, rest
        except (ValueError, RecursionError):
            pass  # the error of the whole text has the right position
    return tomli.loads(text), text


def _tables(parts: Sequence[str]) -> list[dict[str, Any]]:
    """The tables; `parts` is the text, split at them, with the groups of each.

    Raises:
        ValueError: There is no such day or time.
    """
    groups = (parts[number :: _GROUPS + 1] for number in range(1, _GROUPS + 1))
    tables: list[dict[str, Any]] = []
    for name, time, url, size, digest in zip(*groups, strict=True):
        table: dict[str, Any] = {"name": name}
        if time is not None:
            table["upload-time"] = datetime.fromisoformat(f"{time}+00:00")
        table["url"] = url
        if size is not None:
            table["size"] = int(size)
        table["hashes"] = {"sha256": digest}
        tables.append(table)
    return tables


def _fill(data: dict[str, Any], tables: Sequence[dict[str, Any]]) -> bool:
    """Put `tables` in the places of the stand-ins; False if some of these are not files of a package."""
    packages = data.get("packages")
    left, missing = iter(tables), len(tables)
    for package in packages if isinstance(packages, list) else ():
        for key in package if isinstance(package, dict) else ():  # in the order of the text
            value = package[key]
            if key == "sdist" and value == _STAND_IN:
                package[key] = next(left)
                missing -= 1
            elif key == "wheels" and isinstance(value, list) and _STAND_IN in value:
                package[key] = [next(left) if wheel == _STAND_IN else wheel for wheel in value]
                missing -= value.count(_STAND_IN)
    return not missing
