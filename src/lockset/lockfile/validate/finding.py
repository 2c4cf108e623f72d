"""One finding about a lock file, with its rule and its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from lockset._dataclass import dataclass

if TYPE_CHECKING:
    from lockset.lockfile.positions import KeyPath
    from lockset.spans import Span

__all__ = ["Finding", "Findings", "Issue", "Severity", "path_text"]

Severity: TypeAlias = Literal["error", "warning"]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing wrong with a lock file.

    Attributes:
        code: Id of the rule, such as `package-name-required`.
        severity: Errors make a file invalid, warnings do not.
        message: One sentence without a full stop. What comes from the file may be in it as it came.
        path: TOML path, such as `packages[2].wheels[0].hashes.sha256`; empty for the file as a whole.
        span: Key, array item or table header the finding is about; for a missing key the header that lacks it.
        line: Line of `span`, from 1.
        column: Column of `span`, from 1.
        section: Anchor of the specification, such as `pylock-packages-name`.
        hint: What to do, one sentence, or None.
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
    """A finding as a rule makes it, before it has a place in the text."""

    code: str
    path: KeyPath
    message: str
    hint: str | None = None


class Findings(list[Finding]):
    """What the rules have found so far."""

    def add(self, code: str, path: KeyPath, message: str, hint: str | None = None) -> None:
        """Note that the rule `code` does not hold at `path`."""
        self.append(Finding(code, path, message, hint))


def path_text(path: KeyPath) -> str:
    """`path` as people write it: `packages[0].hashes.sha256`."""
    parts: list[str] = []
    for key in path:
        if isinstance(key, int):
            parts.append(f"[{key}]")
            continue
        name = key if _BARE_KEY.fullmatch(key) else '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
        parts.append(f".{name}" if parts else name)
    return "".join(parts)
