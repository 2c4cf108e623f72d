"""Validate a lock file: the findings of all rules at once, each with its position."""

from __future__ import annotations

import os
import re
from functools import cached_property

from lockset._dataclass import dataclass
from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError
from lockset.lockfile.read import MAX_BYTES, Document, TomlError, read_with_rest
from lockset.lockfile.validate.finding import Finding, Findings, Issue
from lockset.lockfile.validate.lock_table import LockTable
from lockset.lockfile.validate.rules.keys import (
    check_across,
    check_file_name,
    check_future,
    check_packages,
    check_top,
    depends_on_environments,
)
from lockset.spans import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from lockset.lockfile.model import Pylock
    from lockset.lockfile.validate.finding import Severity

__all__ = ["Report", "finding_severity", "locate_findings", "may_be_newer", "validate_document"]

_NEWER_ESCAPE = lazy_pattern(r"\\[ex]")
# In basic strings only: literal strings have no escapes.
_ESCAPE = lazy_pattern(r"\\.")
_STRINGS = lazy_pattern(r"""\"[^"\n]*\"|'[^'\n]*'""")
_INNERMOST = lazy_pattern(r"\{[^{}\n]*\}")
_FULL_LINE_COMMENT = lazy_pattern(r"^[ \t]*#.*$", re.MULTILINE)
# Neither part of a full time nor an offset. A pattern that begins with a character is searched for quickly.
_SHORT_TIME = lazy_pattern(r":(?<=(?<![0-9:+-])[0-9]{2}:)[0-9]{2}(?![0-9:])")
_LAST_COMMA = lazy_pattern(r",[ \t]*\}")
# Inline tables nested deeper than this on one line are left to the full scan.
_DEPTH = 6


def may_be_newer(text: str) -> bool:
    """Whether `text`, TOML of some version, needs the full scan."""
    if '"""' in text or "'''" in text:
        return True
    if "\\" in text:
        if "\\'" in text or _NEWER_ESCAPE.search(text):
            return True
        text = _ESCAPE.sub("", text)
    if "#" in text:
        text = _FULL_LINE_COMMENT.sub("", text)
    rest = _without_strings(text)
    if rest is None or "#" in rest or "'" in rest or _LAST_COMMA.search(rest) or _SHORT_TIME.search(rest):
        return True
    for _ in range(_DEPTH):
        if "{" not in rest:
            return False
        rest = _INNERMOST.sub("", rest)
    return "{" in rest  # possibly an inline table of several lines


def _without_strings(text: str) -> str | None:
    """`text` without its strings; None if a double quote is left, as of a string that does not end on its line."""
    if "'" in text:
        # Few lines have both kinds of quotes; the others are split below, which is several times faster.
        text = "\n".join([_STRINGS.sub("", line) if "'" in line else line for line in text.split("\n")])
    pieces = text.split('"')
    if len(pieces) % 2 == 0 or "\n" in "".join(pieces[1::2]):
        return None
    return "".join(pieces[::2])


# Codes outside the catalogue whose findings are warnings: the locked files can still be installed.
_WARNINGS = frozenset({"online-yanked", "online-archived", "online-deprecated"})


@dataclass(frozen=True, kw_only=True)
class Report:
    """The findings about one file.

    Attributes:
        path: The file's name as given by the caller, or None.
        issues: All findings, sorted by position.
        document: The parsed text; None if it is not TOML, and for files that are not lock files.
        text: The text, even if it is not TOML; bytes that are not UTF-8 are replaced.
    """

    path: str | None
    issues: tuple[Issue, ...]
    document: Document | None
    text: str = ""

    @property
    def errors(self) -> tuple[Issue, ...]:
        """The findings that make the file invalid."""
        return tuple(issue for issue in self.issues if issue.severity == "error")

    @property
    def warnings(self) -> tuple[Issue, ...]:
        """The findings that do not make the file invalid."""
        return tuple(issue for issue in self.issues if issue.severity == "warning")

    @property
    def ok(self) -> bool:
        """Whether the file is valid: no errors; there may be warnings."""
        return not self.errors

    @cached_property
    def lock(self) -> Pylock | None:
        """The lock file, or None if it is not valid."""
        if self.document is None or not self.ok:
            return None
        try:
            return self.document.lock
        except LocksetError:  # packaging is stricter than the rules; no such file is known
            return None


def validate_document(data: bytes | str, *, path: str | None = None, now: datetime | None = None) -> Report:
    """Validate `data` with all rules.

    `path` names the file; None, as for standard input, skips the rules about file names. `now` is the current time in
    UTC; None skips the rule that needs it.
    """
    findings = Findings()
    if path is not None:
        check_file_name(os.path.basename(path), findings)
    try:
        document, rest = read_with_rest(data, path=path)
    except TomlError as error:
        syntax = _syntax_issue(
            error.diagnostic.message, error.offset, (error.line, error.column), error.diagnostic.hint
        )
        text = data if isinstance(data, str) else data[:MAX_BYTES].decode("utf-8", "replace")
        return Report(path=path, issues=(*locate_findings(findings, None), syntax), document=None, text=text)
    table = LockTable(document.data, (), findings)
    check_top(table)
    files = check_packages(table)
    check_across(document.data, files, findings)
    if depends_on_environments(document.data):
        # Imported here: decision diagrams take longer to import than everything else.
        from lockset.lockfile.validate.rules.environments import check_environments

        check_environments(document.data, files, findings)
    if now is not None:
        check_future(files, now, findings)
    issues = [*locate_findings(findings, document), *_newer_toml(document, rest)]
    issues.sort(key=lambda issue: (issue.line, issue.column, issue.code, issue.path))
    return Report(path=path, issues=tuple(issues), document=document, text=document.text)


def _newer_toml(document: Document, rest: str) -> list[Issue]:
    """The first use of TOML 1.1 in `rest`: lock files are TOML 1.0, and other readers do not accept newer syntax."""
    newer = document.spans.newer if may_be_newer(rest) else None
    if newer is None:
        return []
    line, column = document.lines.position(newer.offset)
    message = f"{newer.what} requires TOML 1.1, but lock files are TOML 1.0"
    return [_syntax_issue(message, newer.offset, (line, column), "Write it as TOML 1.0; other tools fail here")]


def _syntax_issue(message: str, offset: int, location: tuple[int, int], hint: str | None) -> Issue:
    from lockset.lockfile.validate.catalogue import RULES

    finding = Finding("toml-syntax", (), message, hint)
    return RULES["toml-syntax"].issue(finding, Span(start=offset, end=offset), location)


def finding_severity(finding: Finding) -> Severity:
    """The severity of the finding's rule; outside the catalogue, most findings are errors."""
    from lockset.lockfile.validate.catalogue import RULES

    rule = RULES.get(finding.code)
    return rule.severity if rule is not None else "warning" if finding.code in _WARNINGS else "error"


def locate_findings(findings: Iterable[Finding], document: Document | None) -> list[Issue]:
    """The findings as issues, in order. Findings with a code outside the catalogue are about wheels."""
    issues: list[Issue] = []
    ordered = list(findings)
    if not ordered:
        return issues
    # A valid file needs none of them.
    from lockset.lockfile.validate.catalogue import RULES, Rule
    from lockset.lockfile.validate.locate import locations

    known = {} if document is None else locations(document, (finding.path for finding in ordered if finding.path))
    for finding in ordered:
        rule = RULES.get(finding.code) or Rule(
            code=finding.code,
            severity=finding_severity(finding),
            section="pylock-packages-wheels",
            summary="The wheel is valid",
        )
        span = known.get(finding.path, Span(start=0, end=0))
        issues.append(
            rule.issue(finding, span, document.lines.position(span.start) if document is not None else (1, 1))
        )
    return issues
