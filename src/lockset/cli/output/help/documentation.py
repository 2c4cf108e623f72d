"""Addresses of pages of the documentation."""

from __future__ import annotations

__all__ = ["DOCUMENTATION", "error_url"]

# The same as in `[project.urls]` of pyproject.toml, and `site_url` of docs/mkdocs.yml.
DOCUMENTATION = "https://lockset.example.org"


def error_url(code: str) -> str:
    """The page of an error code."""
    return f"{DOCUMENTATION}/errors/{code}.html"
