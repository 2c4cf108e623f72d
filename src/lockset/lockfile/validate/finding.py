"""Findings about a lock file, with their rule and position."""

from __future__ import annotations

import re

from lockset._dataclass import dataclass
from lockset._pattern import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from lockset.lockfile.positions import KeyPath
    from lockset.spans import Span

__all__ = ["Finding", "Findings", "Issue", "Severity", "path_text"]

Severity: TypeAlias = "Literal['error', 'warning']"

_BARE_KEY = lazy_pattern(r"[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing wrong with a lock file.

    Attributes:
        code: Id of the rule, such as `package-name-required`.
        severity: Errors make a file invalid, warnings do not.
        message: One sentence without a full stop. It may quote the file unescaped.
        path: TOML path, such as `packages[2].wheels[0].hashes.sha256`; empty for the whole file.
        span: Position of the key, array item or table header; for a missing key, of the table that lacks it.
        line: Line of `span`, from 1.
        column: Column of `span`, from 1.
        section: Anchor of the specification, such as `pylock-packages-name`.
        hint: One sentence on how to fix it, or None.
    """

    code: str
    severity: Severity
    message: str
    path: str
    span: Span
    line: int
    column: int
    section: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding as reported by a rule, without a position in the text."""

    code: str
    path: KeyPath
    message: str
    hint: str | None = None


class Findings(list[Finding]):
    """The findings so far."""

    def add(self, code: str, path: KeyPath, message: str, hint: str | None = None) -> None:
        """Report that the rule `code` is violated at `path`."""
        self.append(Finding(code, path, message, hint))


def path_text(path: KeyPath) -> str:
    """`path` as text, such as `packages[0].hashes.sha256`."""
    parts: list[str] = []
    for key in path:
        if isinstance(key, int):
            parts.append(f"[{key}]")
            continue
        name = key if _BARE_KEY.fullmatch(key) else '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
        parts.append(f".{name}" if parts else name)
    return "".join(parts)
