"""Fill in the tables of the page on migration, from `migration.toml`."""  # noqa: INP001 - a hook, not a package

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

__all__ = ["catalogue", "on_page_markdown"]


def catalogue() -> dict[str, dict[str, Any]]:
    """For each tool, how to convert its lock file, and pairs of commands."""
    return tomli.loads(Path(__file__).with_name("migration.toml").read_text("utf-8"))


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Replace each `<!-- migration: NAME -->` with its table."""
    del page, config, files
    return re.sub(r"<!-- migration: ([\w-]+) -->", lambda match: _table(match[1]), markdown)


def _table(name: str) -> str:
    rows = [(f"`{old}`", new if "`" in new else f"`{new}`") for old, new in catalogue()[name]["rows"]]
    return _rows("you type", "now type", rows)


def _rows(left: str, right: str, rows: list[tuple[str, str]]) -> str:
    return "\n".join([f"| {left} | {right} |", "|---|---|", *(f"| {old} | {new} |" for old, new in rows)])
