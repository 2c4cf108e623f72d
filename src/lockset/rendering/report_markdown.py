"""A report as Markdown, for a pull request or `$GITHUB_STEP_SUMMARY`."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from lockset.lockfile.report.concerns import CONCERNS
from lockset.rendering.markdown_text import bounded, code, escaped, folded, markdown_table
from lockset.rendering.markup import size_text
from lockset.rendering.matrix_html import system_spans
from lockset.rendering.report_words import age_text, concern_groups, files_text, heading, required_text

if TYPE_CHECKING:
    from lockset.lockfile.report.matrix import Cell, EnvironmentSize, Matrix, MatrixRow
    from lockset.lockfile.report.report import LockReport

__all__ = ["report_markdown"]

_SIGNS = {"bad": "❌", "poor": "⚠️", "note": "\N{INFORMATION SOURCE}\ufe0f"}
_KINDS = {"wheel": "✓", "sdist": "⚒", "source": "⌂", "nothing": "✗ none"}
# As many packages as a row of concerns names, and as many rows as a table has.
_NAMED = 6
_MOST_ROWS = 250
_MOST_FINDINGS = 30


def report_markdown(report: LockReport) -> str:
    """The report, at most `markdown_text.MOST_CHARACTERS` long."""
    parts = [
        [f"## Report on {escaped(report.name)}", "", escaped(heading(report)), "", _summary(report), ""],
        _concerns(report),
        _matrix(report),
        _findings(report),
        _environments(report),
        _packages(report),
        folded("Not checked", [f"- {sentence}" for sentence in map(_sentence, report.unchecked)]),
    ]
    return bounded(parts, more="`lockset report --format html` has everything.")


def _sentence(text: str) -> str:
    return "".join(code(part) if number % 2 else escaped(part) for number, part in enumerate(text.split("`")))


def _summary(report: LockReport) -> str:
    sizes = [
        size for env, size in zip(report.matrix.environments, report.matrix.full_sizes, strict=True) if env.supported
    ]
    complete = sum(not size.missing for size in sizes)
    forked = sum(len(row.versions) > 1 for row in report.matrix.rows)
    counts = {gravity: sum(CONCERNS[each.name].gravity == gravity for each in report.concerns) for gravity in _SIGNS}
    return (
        f"**{len(report.matrix.rows)} packages**, {complete} of {len(sizes)} environments complete, {forked} forked; "
        f"{counts['bad']} serious and {counts['poor']} weak concerns, {counts['note']} notes"
    )


def _concerns(report: LockReport) -> list[str]:
    rows = []
    for kind, own in concern_groups(report):
        info = CONCERNS[kind]
        details = []
        for each in own[:_NAMED]:
            name = "" if each.entry is None else escaped(report.packages[each.entry].name)
            details.append(
                " ".join(part for part in (name, f"({escaped(each.detail)})" if each.detail else "") if part)
            )
        more = f" and {len(own) - _NAMED} more" if len(own) > _NAMED else ""
        rows.append((f"{_SIGNS[info.gravity]} {info.title}", str(len(own)), ", ".join(details) + more, code(kind)))
    if not rows:
        return ["No concerns.", ""]
    return [*markdown_table(("concern", "", "packages", "`--fail-on`"), rows), ""]


def _matrix(report: LockReport) -> list[str]:
    matrix = report.matrix
    varied = [row for row in matrix.rows if not row.is_uniform]
    uniform = len(matrix.rows) - len(varied)
    note = f"{uniform} packages are the same in every environment, ready to install."
    if not varied:
        return [note, ""]
    spans = system_spans(matrix)
    heads = ["package", *(escaped(system) for system, _ in spans)]
    rows = [[escaped(row.name), *(_cells(row, span, matrix) for _, span in spans)] for row in varied[:_MOST_ROWS]]
    legend = (
        "✓ wheel, ⚒ built from the sdist, ⌂ repository, folder or archive, ✗ nothing, - not installed there, "
        "° only with an extra or a group"
    )
    more = [f"{len(varied) - _MOST_ROWS} more packages are not shown."] if len(varied) > _MOST_ROWS else []
    title = f"{len(varied)} packages differ between platforms and Pythons"
    return folded(title, [*markdown_table(heads, rows), "", f"{legend}. {note}", *more])


def _cells(row: MatrixRow, span: range, matrix: Matrix) -> str:
    names_version = len(row.versions) > 1
    pieces = []
    for text, group in groupby(span, key=lambda column: _cell(row.cells[column], names_version=names_version)):
        columns = list(group)
        first, last = (matrix.environments[column].python for column in (columns[0], columns[-1]))
        pythons = first if first == last else f"{first}-{last}"
        pieces.append(text if len(columns) == len(span) else f"{pythons}: {text}")
    return "<br>".join(pieces)


def _cell(cell: Cell, *, names_version: bool) -> str:
    texts = []
    for each in cell:
        version = f" {escaped(each.version)}" if names_version and each.version and each.kind != "nothing" else ""
        texts.append(f"{_KINDS[each.kind]}{version}{'' if each.by_default else '°'}")
    return ", ".join(dict.fromkeys(texts)) or "-"


def _findings(report: LockReport) -> list[str]:
    if not report.issues:
        return []
    lines = [
        f"- **{issue.severity}** {code(issue.code)}, line {issue.line}: {escaped(issue.message)}"
        for issue in report.issues[:_MOST_FINDINGS]
    ]
    if len(report.issues) > _MOST_FINDINGS:
        lines.append(f"- {len(report.issues) - _MOST_FINDINGS} more")
    return folded(f"{len(report.issues)} findings of validate", lines)


def _environments(report: LockReport) -> list[str]:
    rows = []
    sizes = zip(report.matrix.environments, report.matrix.default_sizes, report.matrix.full_sizes, strict=True)
    for env, default, full in sizes:
        if env.supported:
            numbers = (str(default.packages), _download(default), str(full.packages), _download(full))
            rows.append((escaped(env.name), *numbers, str(full.builds), str(full.missing)))
    heads = ("environment", "packages", "download", "with everything", "download", "to build", "missing")
    return folded("Packages and sizes by environment", markdown_table(heads, rows))


def _download(size: EnvironmentSize) -> str:
    return f"{'≥ ' if size.unknown else ''}{size_text(size.size)}" if size.size else "unknown" if size.packages else "-"


def _packages(report: LockReport) -> list[str]:
    heads = ["package", "version", "required", *(["newest"] if report.online else []), "uploaded", "files"]
    rows = []
    for each in sorted(report.packages, key=lambda package: (package.name, package.entry))[:_MOST_ROWS]:
        age = "-" if each.uploaded is None else f"{each.uploaded:%Y-%m-%d} ({age_text(each.uploaded, report.made)})"
        newest = [escaped(each.newest or "-")] if report.online else []
        cells = (escaped(each.name), escaped(each.version or "-"), required_text(each), *newest, age, files_text(each))
        rows.append(cells)
    more = [f"{len(report.packages) - _MOST_ROWS} more packages are not shown."]
    lines = markdown_table(heads, rows) + (more if len(report.packages) > _MOST_ROWS else [])
    return folded("Health of the packages", lines)
