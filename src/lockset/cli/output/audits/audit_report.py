"""Results of `lockset audit`, for people and in the requested format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.cli.output.audits.audit_text import outlook_text, severity_text
from lockset.cli.output.streams import count_text, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.cli.options.audit import AuditCommand
    from lockset.cli.output.streams import Output
    from lockset.composition.audits.report import AuditFinding, AuditFix, AuditReport

__all__ = ["show_audit"]

_STYLES = {"critical": "bold red", "high": "bold red", "medium": "bold yellow"}


def show_audit(report: AuditReport, command: AuditCommand, out: Output) -> None:
    """Write the findings to stdout, and warnings and the summary to stderr."""
    for warning in report.warnings:
        out.warn(plain(warning))
    if command.format == "text":
        for number, finding in enumerate(report.findings):
            lines = _lines(finding, out)
            out.data("\n".join(["", *lines] if number else lines))
        if report.findings:
            out.line()
        for status in report.statuses:
            if status.kind == "quarantined":
                out.data(f"{out.style('quarantined', 'bold red', stdout=True)}: {plain(status.message)}")
    else:
        from lockset.cli.output.audits.audit_formats import write_format

        write_format(report, command.format, out)
    for sentence in _summary(report, command, out):
        out.line(sentence)


def _lines(finding: AuditFinding, out: Output) -> Iterator[str]:
    one = finding.vulnerability
    severity = severity_text(finding)
    level = out.style(severity, _STYLES.get(one.severity.level or "", ""), stdout=True) if severity else ""
    name = out.style(plain(f"{one.name} {one.version}"), "bold", stdout=True)
    link = out.link(plain(one.id), one.url) if one.url else plain(one.id)
    others = f"({', '.join(map(plain, one.aliases))})" if one.aliases else ""
    yield out.filled([piece for piece in (f"{name}:", link, others, level) if piece], indent="    ")
    if one.summary:
        yield out.filled(_words(one.summary), indent="    ")
    if finding.condition is not None:
        yield out.filled([f"    where {plain(finding.condition)}"], indent="        ")
    if finding.direct is not None:
        yield out.filled(["    required by:", *_chain(finding)], indent="        ")
    yield out.filled(_words(outlook_text(finding)), indent="        ")
    if finding.outlook is not None and not finding.outlook.fits:
        yield from (f"        {plain(line)}" for line in finding.outlook.context)
    if finding.expired is not None and finding.expired.until is not None:
        reason = f" ({finding.expired.reason})" if finding.expired.reason else ""
        yield out.filled(_words(f"was ignored until {finding.expired.until}{reason}"), indent="        ")


def _words(text: str) -> list[str]:
    """The words of a line of outside text, the first one indented."""
    first, *more = " ".join(plain(text).split()).split(" ") or [""]
    return [f"    {first}", *more]


def _chain(finding: AuditFinding) -> list[str]:
    first, *more = map(plain, finding.chain)
    return [first, *(f"→ {one}" for one in more)]


def _summary(report: AuditReport, command: AuditCommand, out: Output) -> Iterator[str]:
    for one in report.ignored:
        entry, vulnerability = one.entry, one.finding.vulnerability
        until = f" until {entry.until}" if entry.until is not None else ""
        reason = f": {plain(entry.reason)}" if entry.reason else ""
        out.detail(f"ignored{until}: {vulnerability.id} of {vulnerability.name} {vulnerability.version}{reason}")
    for note in report.notes:
        yield f"note: {plain(note)}"
    yield from (f"note: {plain(one.message)}" for one in report.statuses if one.kind == "yanked")
    unknown = [plain(one.message) for one in report.statuses if one.kind == "unknown"]
    yield from _counted("not on an index", unknown, out)
    yield from _counted("not compared", list(map(plain, report.unchecked)), out)
    for state in report.databases:
        files = (
            "" if state.files is None else f", {count_text(state.files, 'advisory').replace('advisorys', 'advisories')}"
        )
        newest = "" if state.newest is None else f", the newest of {state.newest:%Y-%m-%d}"
        yield out.style(f"Compared with {plain(state.source)}{files}{newest}", "dim")
    if report.fix is not None:
        yield from _fix_lines(report.fix, command, out)
    yield _conclusion(report, out)
    if report.fix is None and any(f.outlook is not None and f.outlook.fits for f in report.findings):
        yield f"{out.style('hint', 'bold cyan')}: `lockset audit --fix` locks the versions that fit"


def _counted(what: str, texts: list[str], out: Output) -> Iterator[str]:
    """How many there are, and the first ones."""
    if texts:
        shown = texts if out.verbose else texts[:3]
        more = f" and {len(texts) - len(shown)} more" if len(texts) > len(shown) else ""
        yield f"note: {len(texts)} {what}: {'; '.join(shown)}{more}"


def _fix_lines(fix: AuditFix, command: AuditCommand, out: Output) -> Iterator[str]:
    for change in fix.changes:
        yield f"  {out.style('~', 'bold yellow')} {plain(change)}"
    if fix.lifted:
        yield f"note: the cooldown does not apply to fixes: {', '.join(map(plain, fix.lifted))}"
    if fix.result is None:
        return
    path = fix.result.path
    name = path.name if path is not None else "the lock file"
    verb = "Would change" if command.dry_run else "Changed"
    yield f"{verb} {count_text(len(fix.changes), 'package')} in {plain(name)}"


def _conclusion(report: AuditReport, out: Output) -> str:
    packages = count_text(report.packages, "package")
    ignored = f" ({len(report.ignored)} ignored)" if report.ignored else ""
    findings, remain = (report.findings, "") if report.fix is None else (report.fix.remaining, " left")
    if not findings and report.is_clean:
        fixed = f", {_count(len(report.findings))} fixed" if report.fix is not None and report.findings else ""
        return f"{out.style(f'No known vulnerabilities{remain} in {packages}', 'bold green')}{fixed}{ignored}"
    if not findings:
        return out.style(f"No known vulnerabilities{remain} in {packages}, and a quarantined project", "bold red")
    affected = len({(f.vulnerability.name, f.vulnerability.version) for f in findings})
    what = f"{_count(len(findings))}{remain} in {affected} of {packages}"
    return f"{out.style(what, 'bold red')}{ignored}"


def _count(number: int) -> str:
    return f"{number} known {'vulnerability' if number == 1 else 'vulnerabilities'}"
