"""Addresses of pages of the documentation."""

from __future__ import annotations

__all__ = ["DOCUMENTATION", "error_url", "rule_page_url"]

# The same as in `[project.urls]` of pyproject.toml, and `site_url` of docs/mkdocs.yml.
DOCUMENTATION = "https://lockset.example.org"


def error_url(code: str) -> str:
    """The page of an error code."""
    return f"{DOCUMENTATION}/errors/{code}.html"


def rule_page_url(code: str) -> str:
    """The page of a rule of `lockset validate`; rules of project files share one."""
    from lockset.lockfile.validate.catalogue import RULES  # not needed by other commands

    return f"{DOCUMENTATION}/rules/{code}.html" if code in RULES else f"{DOCUMENTATION}/rules/project.html#{code}"
