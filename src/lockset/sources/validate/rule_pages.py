"""The documentation of the rules of project files: one page for all of them, with a part about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset._named_tuple import NamedTuple
from lockset.lockfile.validate.rule_pages import rule_data
from lockset.sources.validate.catalogue import PROJECT_RULES, REPORT_RULES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.lockfile.validate.catalogue import Rule

__all__ = ["RuleExample", "every_rule_page", "rule_example", "rule_text"]

_RULES: Mapping[str, Rule] = {**PROJECT_RULES, **REPORT_RULES}
_LEVELS = {"error": "An error: the file is not valid", "warning": "A warning; an error with `--strict`"}
_HEAD = """\
# Rules of project files

`lockset validate` checks these in pyproject.toml, in settings files, in scripts with inline metadata, and in the JSON
reports of lockset. `lockset validate --explain RULE` shows the same text. [The rules of lock files](index.md) have a
page each.

"""


class RuleExample(NamedTuple):
    """A file that breaks one rule: its name, its text, and the line of the finding."""

    name: str
    text: str
    line: int


def rule_text(code: str, *, level: int = 1) -> str:
    """The text about the rule `code` as Markdown, with a heading of `level`."""
    rule, note = _RULES[code], _notes()[code]
    mark = "#" * level
    facts = _LEVELS[rule.severity] + (f". [Section of the specification]({rule.url})" if rule.url else "")
    parts = [f"{mark} {code}", f"{rule.summary}.", facts, f"{mark}# Why\n\n{note['why']}"]
    shown = rule_example(code)
    if shown is not None:
        language = {"py": "python", "json": "json"}.get(shown.name.rpartition(".")[2], "toml")
        block = f"```{language}\n{shown.text}```"
        parts.append(f"{mark}# Example\n\nThis breaks the rule at line {shown.line}:\n\n{block}")
    parts.append(f"{mark}# How to fix it\n\n{note['fix']}")
    return "\n\n".join(parts) + "\n"


def every_rule_page() -> str:
    """All rules on one page: a table, then the text about each."""
    rows = [f"| [`{code}`](#{code}) | {rule.severity} | {rule.summary} |" for code, rule in _RULES.items()]
    table = "\n".join(["| rule | level | what holds |", "|---|---|---|", *rows])
    return _HEAD + table + "\n\n" + "\n".join(rule_text(code, level=2) for code in _RULES)


def rule_example(code: str) -> RuleExample | None:
    """The example of the rule `code`, if there is a short one."""
    note = _notes()[code]
    if "example" not in note:
        return None
    return RuleExample(note.get("file", "pyproject.toml"), note["example"], note["line"])


def _notes() -> Mapping[str, Any]:
    return rule_data("rule_notes.toml", "lockset.sources.validate")
