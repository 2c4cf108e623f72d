"""Read the scripts of entry_points.txt strictly: every name is a safe file name, every value an object reference."""

from __future__ import annotations

import configparser
import io

from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.sync.wheel.safe_path import path_problem

__all__ = ["Script", "script_problem", "scripts_in"]

_NAME = lazy_pattern(r"\w(?:[\w.+@ -]*[\w+])?")
_VALUE = lazy_pattern(r"(?P<module>[\w.]+)[ \t]*:[ \t]*(?P<attribute>[\w.]+)[ \t]*(?:\[[\w\s,.-]*\])?[ \t]*")
_SECTIONS = {"console_scripts": "console", "gui_scripts": "gui"}


class Script(NamedTuple):
    """A command to make: `section` is console or gui, the object is `attribute` of `module`."""

    name: str
    section: str
    module: str
    attribute: str


def scripts_in(text: str) -> tuple[Script, ...]:
    """The scripts that `text` (of entry_points.txt) declares.

    Raises:
        ValueError: The text, a name or a value is not allowed; the message says why.
    """
    parser = configparser.RawConfigParser(delimiters=("=",), strict=True, default_section="\0")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_file(io.StringIO(text, newline=None))
    except configparser.Error as error:
        raise ValueError(f"is malformed ({error.message.splitlines()[0]})") from None
    if parser.has_section("DEFAULT"):
        # Other parsers would repeat its entries in every section.
        raise ValueError("has a section `DEFAULT`")
    scripts: list[Script] = []
    for title, section in _SECTIONS.items():
        for name, value in parser.items(title) if parser.has_section(title) else ():
            match = _VALUE.fullmatch(value)
            problem = script_problem(name)
            if problem is not None:
                raise ValueError(f"names a script `{name}`, which {problem}")
            if match is None or not (_is_dotted(match["module"]) and _is_dotted(match["attribute"])):
                raise ValueError(f"has a value for `{name}` that is not a valid object reference")
            scripts.append(Script(name, section, match["module"], match["attribute"]))
    if len({script.name for script in scripts}) != len(scripts):
        raise ValueError("names one script twice")
    return tuple(scripts)


def script_problem(name: str) -> str | None:
    """Why `name` is not a safe file name for a command, or None."""
    if "/" in name:
        return "is a path"
    problem = path_problem(name)
    if problem is not None:
        return problem
    return None if _NAME.fullmatch(name) else "is not a safe file name"


def _is_dotted(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))
