"""Markdown for GitHub and GitLab: text is escaped, tables are bounded, long parts are folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.url_secrets import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["MOST_CHARACTERS", "bounded", "code", "escaped", "folded", "markdown_table"]

# GitHub takes 65,536 characters in the text of a pull request, GitLab more.
MOST_CHARACTERS = 60_000
_LONGEST = 300
_TICKS = "`"


def escaped(text: object) -> str:
    """`text` as it stands in a line or cell, without markup, mentions or secrets."""
    shown = plain(str(text)).replace("\n", " ")
    shown = shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
    shown = shown.replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;")
    for sign in "|`*_[]~@#":
        shown = shown.replace(sign, f"\\{sign}")
    return shown


def code(text: object) -> str:
    """`text` as code in a line or cell."""
    shown = plain(str(text)).replace("\n", " ")
    shown = shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
    if _TICKS in shown or "|" in shown:
        return escaped(shown)
    return f"`{shown}`" if shown.strip() else ""


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table; the cells are Markdown."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows)]


def folded(summary: str, lines: Iterable[str]) -> list[str]:
    """A part that opens with a click; `summary` is Markdown without block elements."""
    return [f"<details><summary>{summary}</summary>", "", *lines, "", "</details>", ""]


def bounded(parts: Sequence[Sequence[str]], *, more: str) -> str:
    """The parts that fit into MOST_CHARACTERS, each whole or not at all; `more` says what to do about the others."""
    lines: list[str] = []
    length = left_out = 0
    for part in parts:
        size = sum(len(line) + 1 for line in part)
        if length + size > MOST_CHARACTERS:
            left_out += 1
            continue
        lines += part
        length += size
    if left_out:
        lines += ["", f"_{left_out} part{'s' if left_out > 1 else ''} left out for size. {more}_"]
    return "\n".join(lines).rstrip("\n") + "\n"
