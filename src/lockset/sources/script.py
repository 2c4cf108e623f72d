"""Read the inline metadata of a Python script (PEP 723) as a RootProject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError
from lockset.sources.other_tools.facts import OtherTools, is_other_tool
from lockset.sources.project import RootProject
from lockset.sources.pyproject import read_requires_python, requirement_lines
from lockset.sources.settings import Settings, parse_settings
from lockset.sources.toml_table import parse_settings_file, with_key_lines

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.sources.toml_table import SettingsTable

__all__ = ["has_script_metadata", "read_script", "script_blocks"]

_START = lazy_pattern(r"# /// ([a-zA-Z0-9-]+)\Z")
_END = "# ///"


def read_script(text: str, *, base: Path, location: str) -> RootProject:
    """Read the `script` block of a script. `base` is its folder, `location` its name in messages.

    Raises:
        LocksetError: `no-script-metadata`, `script-metadata-twice`, and those of TOML, requirements and settings.
    """
    blocks = script_blocks(text)
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
            "script-metadata-twice", f"The script has several `script` blocks, on lines {lines}", location=location
        )
    ((number, content),) = blocks
    # Empty lines in front give TOML errors the line numbers of the script.
    padded = "\n" * number + content
    table = parse_settings_file(padded, location=location)
    with with_key_lines(padded, location, before=len("# ")):
        tool = table.table("tool")
        own = None if tool is None else tool.table("lockset")
        settings = Settings() if own is None else parse_settings(own)
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
    from lockset.sources.other_tools.tables import read_other_tables  # few scripts have such tables

    return read_other_tables(tool, location=location)


def has_script_metadata(text: str) -> bool:
    """Whether the text contains a `script` block."""
    return bool(script_blocks(text))


def script_blocks(text: str) -> list[tuple[int, str]]:
    """The line number (from 1) and the content of every block of type `script`.

    As in the regular expression of PEP 723, a block ends at the last `# ///` of the comment lines that directly
    follow its start. Without an end there is no block.
    """
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    blocks: list[tuple[int, str]] = []
    at = 0
    while at < len(lines):
        start = _START.match(lines[at])
        if start is None:
            at += 1
            continue
        end, last = _comment_lines(lines, at + 1)
        if last is None:
            # Another start among these comment lines would have no end either.
            at = end
            continue
        if start[1] == "script":
            content = "\n".join(line[2:] for line in lines[at + 1 : last])
            blocks.append((at + 1, content + "\n"))
        at = last + 1
    return blocks


def _comment_lines(lines: list[str], begin: int) -> tuple[int, int | None]:
    """The index after the comment lines from `begin`, and the index of the last one that can end a block."""
    last = None
    at = begin
    while at < len(lines) and (lines[at] == "#" or lines[at].startswith("# ")):
        # The content has at least one line.
        if lines[at] == _END and at > begin:
            last = at
        at += 1
    return at, last
