"""Findings of `lockset validate` as values, and as JSON."""

from __future__ import annotations

from lockset._dataclass import dataclass
from lockset.cli.output.findings.excerpt import excerpt_of, mark_of, value_span
from lockset.spans import LineIndex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.cli.output.findings.excerpt import Excerpt, Mark
    from lockset.lockfile.select import Selection
    from lockset.lockfile.validate.catalogue import Rule
    from lockset.lockfile.validate.finding import Issue
    from lockset.lockfile.validate.report import Report

__all__ = ["Line", "SelectedForTarget", "ValidatedFile", "as_json", "known_rule", "lines_of", "selected_for"]

# Rules about a file as a whole whose findings have a line to show anyway.
_SHOWN_AS_A_WHOLE = frozenset({"toml-syntax", "report-syntax"})
# Rules about a key, not about its value.
_OF_KEYS = frozenset({"unknown-key", "hash-algorithm-case"})
# What a package is installed from where it has no file name of its own.
_TREES = ("vcs", "directory", "archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One finding as it is shown.

    Attributes:
        line: Line of the key, from 1, as in the JSON.
        column: Column of the key, from 1, as in the JSON.
        mark: The part of the file that is marked: the wrong value; None if the finding has no position.
        excerpt: The line of the mark; None if none is shown.
        section: Address of the section of the specification.
    """

    rule: str
    level: str
    message: str
    path: str = ""
    line: int = 1
    column: int = 1
    mark: Mark | None = None
    excerpt: Excerpt | None = None
    hint: str | None = None
    section: str | None = None

    @property
    def start(self) -> tuple[int, int]:
        """Line and column of what is marked."""
        return self.mark.start if self.mark is not None else (self.line, self.column)

    @property
    def sentence(self) -> str:
        """The message, with the hint behind it."""
        return f"{self.message}. {self.hint}" if self.hint else self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedForTarget:
    """One package that is installed on a requested target."""

    target: str
    name: str
    version: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatedFile:
    """One file and what is shown of it.

    Attributes:
        fixed: What `--fix` has changed; None without `--fix`.
        fixable: How many of the findings `--fix` would fix.
        selection: What is installed on the targets of `--for`; None without `--for`.
    """

    path: str
    lines: tuple[Line, ...]
    valid: bool
    fixed: tuple[str, ...] | None = None
    fixable: int = 0
    selection: tuple[SelectedForTarget, ...] | None = None


def selected_for(target: str, selection: Selection) -> Iterator[SelectedForTarget]:
    """One row for each package that `target` gets."""
    from lockset.lockfile.model import file_name  # not needed for findings

    for item in selection.items:
        package = item.package
        tree = next((key for key in _TREES if getattr(package, key) is not None), "?")
        version = str(package.version) if package.version is not None else None
        source = file_name(item.artifact) or tree
        yield SelectedForTarget(target=target, name=package.name, version=version, source=source)


def lines_of(report: Report, issues: Sequence[Issue]) -> tuple[Line, ...]:
    """`issues` of `report`, each with its source line."""
    if not issues:
        return ()
    index = report.document.lines if report.document is not None else LineIndex(report.text)
    return tuple(_line(issue, index, of_lock=report.document is not None) for issue in issues)


def _line(issue: Issue, index: LineIndex, *, of_lock: bool) -> Line:
    has_position = bool(issue.path) or issue.code in _SHOWN_AS_A_WHOLE
    # Findings about other files have the value's position already, where a value is wrong.
    span = value_span(index.text, issue.span) if of_lock and issue.code not in _OF_KEYS else issue.span
    mark = mark_of(span, index) if has_position else None
    return Line(
        rule=issue.code,
        level=issue.severity,
        message=issue.message,
        path=issue.path,
        line=issue.line,
        column=issue.column,
        mark=mark,
        excerpt=excerpt_of(mark, index) if mark is not None else None,
        hint=issue.hint,
        section=_url(issue),
    )


def _url(issue: Issue) -> str | None:
    """The section of the specification that a finding is from; None for rules of lockset's own."""
    from lockset.lockfile.validate.catalogue import RULES

    rule = RULES.get(issue.code)
    if rule is None or rule.section != issue.section:
        rule = _other_rule(issue.code)
    return rule.url or None if rule is not None else None


def known_rule(code: str) -> Rule | None:
    """The rule `code` of lock files or of project files; None for other errors, such as a file that cannot be read."""
    from lockset.lockfile.validate.catalogue import RULES

    return RULES.get(code) or _other_rule(code)


def _other_rule(code: str) -> Rule | None:
    """The rule for files that are not lock files; only findings about these need the import."""
    from lockset.sources.validate.catalogue import PROJECT_RULES, REPORT_RULES

    return PROJECT_RULES.get(code) or REPORT_RULES.get(code)


def as_json(file: ValidatedFile) -> dict[str, object]:
    """As `schemas/validate-output.schema.json` describes."""
    keys = ("rule", "level", "message", "path", "line", "column", "section", "hint")
    shown: dict[str, object] = {
        "path": file.path,
        "valid": file.valid,
        "diagnostics": [{key: getattr(line, key) for key in keys} for line in file.lines],
    }
    if file.fixed is not None:
        shown["fixed"] = list(file.fixed)
    if file.selection is not None:
        shown["selection"] = [
            {"for": one.target, "name": one.name, "version": one.version, "source": one.source}
            for one in file.selection
        ]
    return shown
