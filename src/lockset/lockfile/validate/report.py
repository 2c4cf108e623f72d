"""Validate a lock file: the findings of all rules at once, each with its position."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.errors import LocksetError
from lockset.lockfile.read import MAX_BYTES, Document, TomlError, read
from lockset.lockfile.validate.catalogue import RULES
from lockset.lockfile.validate.finding import Finding, Findings, Issue, path_text
from lockset.lockfile.validate.locate import locations
from lockset.lockfile.validate.rules.cross_package import check_across, check_future, depends_on_environments
from lockset.lockfile.validate.rules.packages import check_packages
from lockset.lockfile.validate.rules.top_level import check_file_name, check_top
from lockset.lockfile.validate.toml_version import may_be_newer
from lockset.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from lockset.lockfile.model import Pylock
    from lockset.lockfile.validate.finding import Severity

__all__ = ["Report", "finding_severity", "locate_findings", "validate_document"]

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
        document = read(data, path=path)
    except TomlError as error:
        syntax = _syntax_issue(
            error.diagnostic.message, error.offset, (error.line, error.column), error.diagnostic.hint
        )
        text = data if isinstance(data, str) else data[:MAX_BYTES].decode("utf-8", "replace")
        return Report(path=path, issues=(*locate_findings(findings, None), syntax), document=None, text=text)
    check_top(document.data, findings)
    files = check_packages(document.data, findings)
    check_across(document.data, files, findings)
    if depends_on_environments(document.data):
        # Imported here: decision diagrams take longer to import than everything else.
        from lockset.lockfile.validate.rules.environments import check_environments

        check_environments(document.data, files, findings)
    if now is not None:
        check_future(files, now, findings)
    issues = [*locate_findings(findings, document), *_newer_toml(document)]
    issues.sort(key=lambda issue: (issue.line, issue.column, issue.code, issue.path))
    return Report(path=path, issues=tuple(issues), document=document, text=document.text)


def _newer_toml(document: Document) -> list[Issue]:
    """The first use of TOML 1.1: lock files are TOML 1.0, and other readers do not accept newer syntax."""
    newer = document.spans.newer if may_be_newer(document.text) else None
    if newer is None:
        return []
    line, column = document.lines.position(newer.offset)
    message = f"{newer.what} requires TOML 1.1, but lock files are TOML 1.0"
    return [_syntax_issue(message, newer.offset, (line, column), "Write it as TOML 1.0; other tools fail here")]


def _syntax_issue(message: str, offset: int, location: tuple[int, int], hint: str | None) -> Issue:
    return Issue(
        code="toml-syntax",
        severity=RULES["toml-syntax"].severity,
        message=message,
        path="",
        span=Span(start=offset, end=offset),
        line=location[0],
        column=location[1],
        section=RULES["toml-syntax"].section,
        hint=hint,
    )


def finding_severity(finding: Finding) -> Severity:
    """The severity of the finding's rule; outside the catalogue, most findings are errors."""
    rule = RULES.get(finding.code)
    return rule.severity if rule is not None else "warning" if finding.code in _WARNINGS else "error"


def locate_findings(findings: Iterable[Finding], document: Document | None) -> list[Issue]:
    """The findings as issues, in order. Findings with a code outside the catalogue are about wheels."""
    issues: list[Issue] = []
    ordered = list(findings)
    if not ordered:
        return issues
    known = {} if document is None else locations(document, (finding.path for finding in ordered if finding.path))
    for finding in ordered:
        rule = RULES.get(finding.code)
        span = known.get(finding.path, Span(start=0, end=0))
        line, column = document.lines.position(span.start) if document is not None else (1, 1)
        issues.append(
            Issue(
                code=finding.code,
                severity=finding_severity(finding),
                message=finding.message,
                path=path_text(finding.path),
                span=span,
                line=line,
                column=column,
                section=rule.section if rule else "pylock-packages-wheels",
                hint=finding.hint,
            )
        )
    return issues
