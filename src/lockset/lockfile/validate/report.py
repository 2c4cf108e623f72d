"""Text to Report: every finding of every rule at once, each with its place."""

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
from lockset.lockfile.validate.rules.cross_package import asks_for_environments, check_across, check_future
from lockset.lockfile.validate.rules.packages import check_packages
from lockset.lockfile.validate.rules.top_level import check_file_name, check_top
from lockset.lockfile.validate.toml_version import may_be_newer
from lockset.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from lockset.lockfile.model import Pylock

__all__ = ["Report", "locate_findings", "validate_document"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was found in one file.

    Attributes:
        path: The file, as the caller named it, or None.
        issues: All findings, sorted by place.
        document: The text as TOML; None where it is not TOML, and for files that are not lock files.
        text: The text, also where it is no TOML; bytes that are not UTF-8 are replaced.
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
        """The findings that do not."""
        return tuple(issue for issue in self.issues if issue.severity == "warning")

    @property
    def ok(self) -> bool:
        """Whether the file is valid: no errors; there may be warnings."""
        return not self.errors

    @cached_property
    def lock(self) -> Pylock | None:
        """The lock file, or None where it is not valid."""
        if self.document is None or not self.ok:
            return None
        try:
            return self.document.lock
        except LocksetError:  # stricter than every rule here: the tests know no such file
            return None


def validate_document(data: bytes | str, *, path: str | None = None, now: datetime | None = None) -> Report:
    """All findings about `data`.

    `path` names the file; None, as for the standard input, skips rules on its name. `now`, in UTC, is the present;
    None skips the rule that asks for it.
    """
    found = Findings()
    if path is not None:
        check_file_name(os.path.basename(path), found)  # noqa: PTH119 - a computation on text
    try:
        document = read(data, path=path)
    except TomlError as error:
        syntax = _syntax_issue(
            error.diagnostic.message, error.offset, (error.line, error.column), error.diagnostic.hint
        )
        text = data if isinstance(data, str) else data[:MAX_BYTES].decode("utf-8", "replace")
        return Report(path=path, issues=(*locate_findings(found, None), syntax), document=None, text=text)
    check_top(document.data, found)
    files = check_packages(document.data, found)
    check_across(document.data, files, found)
    if asks_for_environments(document.data):
        # Diagrams cost more to import than all else here.
        from lockset.lockfile.validate.rules.environments import check_environments

        check_environments(document.data, files, found)
    if now is not None:
        check_future(files, now, found)
    issues = [*locate_findings(found, document), *_newer_toml(document)]
    issues.sort(key=lambda issue: (issue.line, issue.column, issue.code, issue.path))
    return Report(path=path, issues=tuple(issues), document=document, text=document.text)


def _newer_toml(document: Document) -> list[Issue]:
    """Lock files are TOML 1.0; the reader also takes what came with TOML 1.1, other readers do not."""
    newer = document.spans.newer if may_be_newer(document.text) else None
    if newer is None:
        return []
    line, column = document.lines.position(newer.offset)
    message = f"{newer.what} needs TOML 1.1, and lock files are TOML 1.0"
    return [_syntax_issue(message, newer.offset, (line, column), "Write it as TOML 1.0; other tools stop here")]


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


def locate_findings(found: Iterable[Finding], document: Document | None) -> list[Issue]:
    """The findings as issues, in the order given; those of no rule in the table are errors about the files."""
    issues: list[Issue] = []
    findings = list(found)
    if not findings:
        return issues
    known = {} if document is None else locations(document, (finding.path for finding in findings if finding.path))
    for finding in findings:
        rule = RULES.get(finding.code)
        span = known.get(finding.path, Span(start=0, end=0))
        line, column = document.lines.position(span.start) if document is not None else (1, 1)
        issues.append(
            Issue(
                code=finding.code,
                severity=rule.severity if rule else "error",
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
