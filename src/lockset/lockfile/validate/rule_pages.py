"""A page for each rule: what it requires, why, an example, how to fix it."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any

import tomli

from lockset.lockfile.validate.catalogue import RULES

__all__ = ["note", "page"]

_FILES = ("archive-", "sdist-", "wheel-", "vcs-")


def page(code: str) -> str:
    """The page of the rule `code` as Markdown."""
    rule = RULES[code]
    why, fix = note(code)
    level = {"error": "An error: the file is not valid", "warning": "A warning; an error with `--strict`"}
    parts = [
        f"# {code}",
        f"{rule.summary}.",
        f"{level[rule.severity]}. [Section of the specification]({rule.url})",
        f"## Why\n\n{why}",
    ]
    example = _data("rule_examples.toml").get(code)
    if example is not None:
        parts.append(
            f"## Example\n\nThis violates the rule at line {example['line']}:\n\n```toml\n{example['text']}```"
        )
    parts.append(f"## How to fix it\n\n{fix}")
    return "\n\n".join(parts) + "\n"


def note(code: str) -> tuple[str, str]:
    """Why the rule exists, and how to fix a violation."""
    notes = _data("rule_notes.toml")
    shared = next((code.removeprefix(prefix) for prefix in _FILES if code.startswith(prefix)), code)
    entry = notes["rules"].get(code) or notes["rules"].get(shared) or notes["families"][code.rsplit("-", 1)[-1]]
    return entry["why"], entry["fix"]


@lru_cache(maxsize=2)
def _data(name: str) -> dict[str, Any]:
    return tomli.loads(files("lockset.lockfile.validate").joinpath(name).read_text("utf-8"))
