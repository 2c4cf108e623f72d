"""Findings of `lockset audit` as JSON, SARIF, workflow commands of GitHub, and Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.cli.output.audits.audit_text import outlook_text, severity_text
from lockset.cli.output.findings.findings import Line, ValidatedFile
from lockset.cli.output.streams import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from lockset.cli.output.streams import Output
    from lockset.composition.audits.report import AuditFinding, AuditReport

__all__ = ["write_format"]

# The score that GitHub takes for a severity without one.
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0", "none": "0.0"}


def write_format(report: AuditReport, format_: str, out: Output) -> None:
    """Write the report to stdout as `json`, `sarif`, `github` or `markdown`."""
    if format_ == "json":
        out.json(_cleaned(_json(report)))
    elif format_ == "markdown":
        out.data("\n".join(_markdown(report)))
    else:
        from lockset.cli.output.findings.finding_formats import as_sarif, github

        lines = (*map(_line, report.findings), *_quarantined(report))
        file = ValidatedFile(path=report.location, lines=lines, valid=not lines)
        if format_ == "sarif":
            out.json(_with_rules(as_sarif([file]), report))
        else:
            for line in file.lines:
                out.data(github(file.path, line))


def _line(finding: AuditFinding) -> Line:
    one = finding.vulnerability
    severity = severity_text(finding)
    about = f": {one.summary}" if one.summary else ""
    direct = f"; {finding.direct} requires it" if finding.direct is not None else ""
    message = f"{one.name} {one.version} has {one.id}{f' ({severity})' if severity else ''}{about}"
    return Line(
        rule=one.id,
        level="error",
        message=plain(" ".join(message.split())),
        path=f"packages.{one.name}",
        line=finding.line,
        column=finding.column,
        hint=plain(f"{_sentence(outlook_text(finding))}{direct}"),
    )


def _quarantined(report: AuditReport) -> Iterator[Line]:
    for one in report.statuses:
        if one.kind == "quarantined":
            yield Line(
                rule="project-quarantined", level="error", message=plain(one.message), path=f"packages.{one.name}"
            )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _with_rules(log: dict[str, Any], report: AuditReport) -> dict[str, Any]:
    """The log with what is known of each vulnerability; GitHub reads `security-severity`."""
    by_id = {finding.vulnerability.id: finding.vulnerability for finding in report.findings}
    for rule in log["runs"][0]["tool"]["driver"]["rules"]:
        one = by_id.get(rule["id"])
        if one is None:
            continue
        score = f"{one.severity.score:.1f}" if one.severity.score is not None else _SCORES.get(one.severity.level or "")
        text = plain(one.details or one.summary or one.id)
        rule |= {
            "shortDescription": {"text": plain(one.summary or one.id)},
            "help": {"text": text, "markdown": text},
            "properties": {
                "tags": ["security", "vulnerability"],
                **({"security-severity": score} if score is not None else {}),
            },
        }
        if one.url:
            rule["helpUri"] = one.url
    return log


def _json(report: AuditReport) -> dict[str, object]:
    """As `schemas/command-output.schema.json` describes."""
    fix = report.fix
    return {
        "kind": report.kind,
        "location": report.location,
        "clean": report.is_clean,
        "packages": report.packages,
        "findings": [_finding_json(finding) for finding in report.findings],
        "ignored": [
            {
                **_finding_json(one.finding),
                "ignored": {
                    "id": one.entry.id,
                    "reason": one.entry.reason,
                    "until": None if one.entry.until is None else one.entry.until.isoformat(),
                },
            }
            for one in report.ignored
        ],
        "statuses": [
            {"kind": one.kind, "name": one.name, "version": one.version, "message": one.message}
            for one in report.statuses
        ],
        "unchecked": list(report.unchecked),
        "databases": [
            {
                "source": state.source,
                "advisories": state.files,
                "newest": _time(state.newest),
                "unreadable": [{"path": one.path, "reason": one.reason} for one in state.unreadable],
            }
            for state in report.databases
        ],
        "warnings": list(report.warnings),
        "notes": list(report.notes),
        "fix": None
        if fix is None
        else {
            "lock": str(fix.result.path) if fix.result is not None and fix.result.path is not None else None,
            "changes": list(fix.changes),
            "lifted": list(fix.lifted),
            "remaining": [_finding_json(finding) for finding in fix.remaining],
        },
    }


def _cleaned(value: Any) -> Any:
    """`value` with texts that no terminal interprets: they come from outside."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {key: _cleaned(each) for key, each in value.items()}
    return [_cleaned(each) for each in value] if isinstance(value, list) else value


def _finding_json(finding: AuditFinding) -> dict[str, object]:
    one, outlook = finding.vulnerability, finding.outlook
    return {
        "id": one.id,
        "aliases": list(one.aliases),
        "name": one.name,
        "version": one.version,
        "marker": finding.condition,
        "summary": one.summary,
        "severity": one.severity.level,
        "score": one.severity.score,
        "vector": one.severity.vector,
        "url": one.url,
        "published": _time(one.published),
        "modified": _time(one.modified),
        "fixed": list(one.fixed),
        "chain": list(finding.chain),
        "line": finding.line,
        "outlook": None
        if outlook is None
        else {
            "fits": outlook.fits,
            "versions": list(outlook.versions),
            "changes": list(outlook.changes),
            "lifted": list(outlook.lifted),
            "reason": outlook.reason,
            "context": list(outlook.context),
        },
        "expired": None
        if finding.expired is None or finding.expired.until is None
        else finding.expired.until.isoformat(),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _markdown(report: AuditReport) -> Iterator[str]:
    for status in report.statuses:
        if status.kind == "quarantined":
            yield f"**{_cell(status.message)}**\n"
    if not report.findings:
        yield f"No known vulnerabilities in {report.packages} packages of `{_cell(report.location)}`."
        return
    yield "| package | version | vulnerability | severity | summary | fix | required by |"
    yield "|---|---|---|---|---|---|---|"
    for finding in report.findings:
        one = finding.vulnerability
        name = f"[{_cell(one.id)}]({_address(one.url)})" if one.url else _cell(one.id)
        cells = (
            _cell(one.name),
            _cell(one.version),
            "<br>".join((name, *map(_cell, one.aliases))),
            _cell(severity_text(finding)),
            _cell(one.summary),
            _cell(outlook_text(finding)),
            _cell(finding.direct or ""),
        )
        yield f"| {' | '.join(cells)} |"


def _address(url: str) -> str:
    """The address without what would end a link."""
    return "".join(f"%{ord(char):02X}" if char in '()<>" |\\' or not char.isprintable() else char for char in url)


def _cell(text: str) -> str:
    """`text` escaped for a cell of a table in Markdown."""
    shown = " ".join(plain(text).split()).replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{char}" if char in "|*_`[]#~" else char for char in shown)
