"""Rank pages in the search: guides first, then the reference, then rules, error codes and records."""  # noqa: INP001 - a hook, not a package

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

__all__ = ["boost_of", "on_page_markdown"]

# Factors by the beginning of a page's path; the longest counts.
_BOOSTS = {
    "": 1.0,
    "how-to/": 4.0,
    "getting-started": 3.0,
    "explanation/": 1.5,
    "compatibility/": 1.5,
    "rules/": 0.01,
    "rules/index": 0.2,
    "errors/": 0.01,
    "development/": 0.2,
    "development/stability": 1.0,
    "reference/convert-outcomes": 0.1,
    "reference/benchmarks": 0.2,
    "reference/map": 0.2,
    "reference/api": 0.3,
}


def boost_of(path: str) -> float:
    """The factor for the page at `path`, relative to the pages."""
    return _BOOSTS[max((start for start in _BOOSTS if path.startswith(start)), key=len)]


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Give the page its factor, unless its front matter has one."""
    del config, files
    page.meta.setdefault("search", {"boost": boost_of(page.file.src_uri)})
    return markdown
