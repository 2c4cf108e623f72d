"""Fix invalid specifiers of old metadata that have exactly one meaning.

Indexes have releases whose metadata was never validated. Installers have always interpreted `>=2.0.*` or `>=1<2` in one
way, so a release with such a requirement can be used. Ambiguous specifiers are not fixed. Only metadata is fixed: the
requirements of the user's own project must be valid.
"""

from __future__ import annotations

import re
from functools import cache

from packaging.requirements import InvalidRequirement
from packaging.specifiers import InvalidSpecifier

from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import excess, read_dependency, read_specifiers

__all__ = ["fixed_requirement", "fixed_specifiers"]

# Name and extras, then what should be specifiers, up to the marker.
_REQUIREMENT = lazy_pattern(
    r"""\s*['"]?(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)['"]?\s*(?P<extras>\[[^\]]*\])?\s*(?P<rest>[^;@\[\]]*)(?P<marker>;.*)?""",
    re.DOTALL,
)
# One operator with its version; commas between them may be missing, doubled or left over.
_CLAUSE = lazy_pattern(r"[\s,]*(?P<operator>===|~=|==|!=~|!=|<=|>=|=>|=<|<|>)\s*(?P<version>[^\s,<>=!~()]+)")
_LEFT_OVER = lazy_pattern(r"[\s,]*")
# Limit for the length of a text that is fixed.
_LONGEST = 1_000
_TRANSPOSED = {"=>": ">=", "=<": "<="}
_STAR_WITHOUT_DOT = lazy_pattern(r"(\d)\*\Z")
# `9.0.0a1.0`: a zero after a pre-release has no meaning.
_ZERO_BEHIND = lazy_pattern(r"(?P<kept>\d+(?:\.\d+)*(?:a|b|rc|post|dev)\d+)\.0\Z", re.IGNORECASE)


def _is_beyond(text: str) -> bool:
    return len(text) > _LONGEST or excess(text) is not None


@cache
def fixed_requirement(text: str) -> str | None:
    """The valid form of the invalid requirement `text`; None if its meaning is not clear."""
    matched = None if _is_beyond(text) else _REQUIREMENT.fullmatch(text)
    if matched is None:
        return None
    rest = matched["rest"].strip()
    if rest.startswith("(") and rest.endswith(")"):
        rest = rest[1:-1]
    specifiers = fixed_specifiers(rest)
    if specifiers is None:
        return None
    marker = f" {matched['marker'].strip()}" if matched["marker"] else ""
    fixed = f"{matched['name']}{matched['extras'] or ''}{specifiers}{marker}"
    try:
        read_dependency(fixed)
    except InvalidRequirement:
        return None
    return fixed


@cache
def fixed_specifiers(text: str) -> str | None:
    """The valid form of the invalid specifiers `text`; None if their meaning is not clear."""
    if _is_beyond(text):
        return None
    text = text.replace("'", "").replace('"', "").strip()
    clauses: list[str] = []
    at = 0
    while matched := _CLAUSE.match(text, at):
        clauses.append(_fix_clause(matched["operator"], matched["version"]))
        at = matched.end()
    if _LEFT_OVER.fullmatch(text, at) is None:
        return None
    fixed = ",".join(clauses)
    try:
        read_specifiers(fixed)
    except InvalidSpecifier:
        return None
    return fixed


def _fix_clause(operator: str, version: str) -> str:
    operator = _TRANSPOSED.get(operator, operator)
    if operator in {">", ">="} and version == "dev":
        return ">=0"  # every version is greater than a word
    if operator == "!=~":
        return f"!={version}" if version.endswith(".*") else f"!={version}.*"
    if operator == "~=" and version.isdecimal():
        return f">={version},=={version}.*"
    if operator in {"<", "<=", ">", ">="} and version.endswith(".*"):
        return operator + version.removesuffix(".*")
    if operator in {"==", "!="}:
        version = _STAR_WITHOUT_DOT.sub(r"\1.*", version)
    return operator + _ZERO_BEHIND.sub(lambda match: match["kept"], version)
