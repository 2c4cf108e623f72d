"""A page for each rule: what it requires, why, an example of a violation and of a valid file, how to fix it."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import tomli

from lockset.lockfile.validate.catalogue import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["marked_text", "note", "page", "rule_data"]

_FILES = ("archive-", "sdist-", "wheel-", "vcs-", "package-", "directory-")
_LEVELS = {
    "error": "A violation is an error: the file is not valid, and installers may refuse it",
    "warning": "A violation is a warning: the file is valid. With `--strict` it is an error",
}
_FIXABLE = "`lockset validate --fix` fixes a violation where there is one right answer."
_NOT_FIXABLE = "`lockset validate --fix` does not fix violations of this rule."


def page(code: str) -> str:
    """The page of the rule `code` as Markdown."""
    rule = RULES[code]
    why, fix = note(code)
    example = rule_data("rule_examples.toml")["rules"].get(code)
    purpose = _purpose(code)
    parts = [
        f"# {code}",
        f"{rule.summary}. {_LEVELS[rule.severity]}.",
        *([purpose] if purpose else []),
        f"## Why is this bad?\n\n{why}",
    ]
    if example is not None:
        parts += _examples(example)
    fixable = _FIXABLE if example is not None and example["fixable"] else _NOT_FIXABLE
    parts.append(f"## How to fix it\n\n{fix}\n\n{fixable}")
    references = [f"[Section of the specification]({rule.url})"] if rule.url else []
    references += _references(code)
    parts.append("## References\n\n" + "\n".join(f"- {reference}" for reference in references))
    return "\n\n".join(parts) + "\n"


def _examples(example: dict[str, Any]) -> Iterator[str]:
    name = f" if the file is named `{example['file']}`" if "file" in example else ""
    where = "This violates the rule where it is marked" if example["line"] else "This violates the rule"
    yield f"## Example\n\n{where}{name}:\n\n```toml\n{marked_text(example)}```"
    name = " in a file named `pylock.toml`" if "file" in example else ""
    right = example.get("right") or rule_data("rule_examples.toml")["valid"][example["kept"]]
    yield f"This is valid{name}:\n\n```toml\n{right}```"


def marked_text(example: dict[str, Any]) -> str:
    """The text of an example, with a comment below the offending line that marks the offending part."""
    if not example["line"]:
        return str(example["text"])
    lines = example["text"].splitlines()
    column, width = example["column"] - 1, example["width"]
    marks = "^" * width if column else "^" * max(width - 1, 1)
    lines.insert(example["line"], "#" + " " * (column - 1) + marks)
    return "\n".join(lines) + "\n"


def note(code: str) -> tuple[str, str]:
    """Why the rule exists, and how to fix a violation."""
    notes = rule_data("rule_notes.toml")
    shared = next((code.removeprefix(prefix) for prefix in _FILES if code.startswith(prefix)), code)
    entry = notes["rules"].get(code) or notes["rules"].get(shared) or notes["families"][code.rsplit("-", 1)[-1]]
    return entry["why"], entry["fix"]


def _purpose(code: str) -> str:
    """What the key of the rule is for; empty for rules that are not about one key."""
    keys = rule_data("rule_notes.toml")["keys"]
    shared = next((code.removeprefix(prefix) for prefix in _FILES if code.startswith(prefix)), code)
    for name in (shared, code):
        words = name.split("-")
        for length in range(len(words), 0, -1):
            key = "-".join(words[:length])
            if key in keys:
                return str(keys[key])
    return ""


def _references(code: str) -> list[str]:
    """Further specifications, for rules whose code contains a word of the table."""
    table = rule_data("rule_notes.toml")["references"]
    return list(dict.fromkeys(link for word, link in table.items() if word in code))


@lru_cache(maxsize=3)
def rule_data(name: str, package: str = "lockset.lockfile.validate") -> dict[str, Any]:
    """The data about rules in the TOML file `name` of `package`."""
    return tomli.loads(files(package).joinpath(name).read_text("utf-8"))
