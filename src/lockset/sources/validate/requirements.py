"""Requirement strings that people write: one finding for each that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from lockset.errors import LocksetError
from lockset.sources.requirements.requirement_line import parse_requirement
from lockset.sources.toml_table import type_name

if TYPE_CHECKING:
    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings
    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = ["Located", "check_requirement", "check_requirements"]

# A requirement and where it stands.
Located: TypeAlias = "tuple[KeyPath, RequirementLine]"


def check_requirements(value: object, path: KeyPath, findings: Findings, *, type_rule: str) -> list[Located]:
    """The requirements of the array `value` that can be read; all else is a finding, of wrong types `type_rule`."""
    if not isinstance(value, list):
        findings.add(type_rule, path, f"`{path[-1]}` must be an array of strings, not {type_name(value)}")
        return []
    lines: list[Located] = []
    for number, item in enumerate(value):
        if not isinstance(item, str):
            message = f"A requirement must be a string, not {type_name(item)}"
            findings.add(type_rule, (*path, number), message)
            continue
        line = check_requirement(item, (*path, number), findings)
        if line is not None:
            lines.append(((*path, number), line))
    return lines


def check_requirement(text: str, path: KeyPath, findings: Findings) -> RequirementLine | None:
    """The requirement `text`, or None where it is not a valid one, which is a finding."""
    try:
        return parse_requirement(text, origin="")
    except LocksetError as error:
        diagnostic = error.diagnostic
        findings.add("requirement-syntax", path, diagnostic.message, diagnostic.hint)
        return None
