"""Inline script metadata: the comment block of a Python script, to RootProject."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.sources.key_lines import lines_told
from lockset.sources.other_tools import OtherTools, is_other_tool
from lockset.sources.project import RootProject
from lockset.sources.pyproject import read_requires_python, requirement_lines
from lockset.sources.settings import parse_settings
from lockset.sources.toml_table import parse_settings_file

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.sources.toml_table import SettingsTable

__all__ = ["has_script_metadata", "read_script"]

_START = re.compile(r"# /// ([a-zA-Z0-9-]+)\Z")
_END = "# ///"


def read_script(text: str, *, base: Path, location: str) -> RootProject:
    """What the script's `script` block asks for; `base` is its folder, `location` its name in messages.

    Raises:
        LocksetError: `no-script-metadata`, `script-metadata-twice`, and those of TOML, requirements and settings.
    """
    blocks = _blocks(text)
    if not blocks:
        raise LocksetError(
            "no-script-metadata",
            "The script has no metadata block",
            location=location,
            hint="Start the block with the line `# /// script` and end it with `# ///`",
        )
    if len(blocks) > 1:
        lines = ", ".join(str(number) for number, _ in blocks)
        raise LocksetError(
            "script-metadata-twice", f"The script has several `script` blocks, at the lines {lines}", location=location
        )
    ((number, content),) = blocks
    # Empty lines in front make the line numbers of TOML errors those of the script.
    padded = "\n" * number + content
    table = parse_settings_file(padded, location=location)
    with lines_told(padded, location, before=len("# ")):
        tool = table.table("tool")
        settings = parse_settings(None if tool is None else tool.table("lockset"))
        return RootProject(
            base=base,
            requires_python=read_requires_python(table),
            dependencies=requirement_lines(table, "dependencies"),
            constraints=settings.constraints,
            settings=settings,
            sources=(location,),
            others=_others(table, location),
        )


def _others(table: SettingsTable, location: str) -> OtherTools:
    tool = table.data.get("tool")
    if not is_other_tool(tool):
        return OtherTools()
    from lockset.sources.other_tables import read_other_tables  # few scripts have such tables

    return read_other_tables(tool, location=location)


def has_script_metadata(text: str) -> bool:
    """Whether the text holds a `script` block."""
    return bool(_blocks(text))


def _blocks(text: str) -> list[tuple[int, str]]:
    """Line number (from 1) of the first line and content of every block of the type `script`.

    As the regular expression of the specification has it: a block ends at the last `# ///` of the comment lines
    that follow its start without a gap; one without an end is no block.
    """
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    found: list[tuple[int, str]] = []
    at = 0
    while at < len(lines):
        start = _START.match(lines[at])
        if start is None:
            at += 1
            continue
        end, last = _comment_lines(lines, at + 1)
        if last is None:
            # Another start among these comment lines would not be ended either.
            at = end
            continue
        if start[1] == "script":
            content = "\n".join(line[2:] for line in lines[at + 1 : last])
            found.append((at + 1, content + "\n"))
        at = last + 1
    return found


def _comment_lines(lines: list[str], begin: int) -> tuple[int, int | None]:
    """Index behind the comment lines from `begin` on, and that of the last of them that can end a block."""
    last = None
    at = begin
    while at < len(lines) and (lines[at] == "#" or lines[at].startswith("# ")):
        # The content has one line at least.
        if lines[at] == _END and at > begin:
            last = at
        at += 1
    return at, last
