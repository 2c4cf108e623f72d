"""Run an audit: compare with advisories, ask indexes for statuses, and search for fixes."""

from __future__ import annotations

from os import fspath
from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.advisories.vulnerabilities import AssessedVulnerability
from lockset.composition.audits.audit_pipeline import names_of, open_auditor
from lockset.composition.audits.report import AuditFix
from lockset.errors import UsageError

if TYPE_CHECKING:
    from os import PathLike

    from lockset.advisories.database import AdvisoryDatabase
    from lockset.composition.audits.audit_pipeline import Auditor
    from lockset.composition.audits.report import AuditOptions, AuditReport
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions

__all__ = ["assessed_vulnerabilities", "run_audit"]

_STDIN = "-"


def run_audit(
    path: str | None,
    options: AuditOptions,
    indexes: IndexOptions | IndexOverrides | None,
    context: RunContext,
) -> AuditReport:
    """Audit, and search for fixes if the options say so; nothing is written.

    Raises:
        LocksetError: As `open_auditor`, as the sources of advisories, and with `fix` as `lockset lock`.
    """
    auditor = open_auditor(path, options, indexes, context)
    with auditor.sources:
        database = auditor.database()
        report = auditor.report(database)
        if not (options.online or options.fix):
            return report
        from lockset.composition.audits.index_status import package_statuses

        statuses = package_statuses(auditor.subject, indexes, auditor.project, context)
        report = replace(report, statuses=statuses)
        if auditor.subject.document is None:
            return report
        if path == _STDIN:
            raise UsageError(
                "option-conflict", "A lock file from the standard input has no project to search fixes for"
            )
        return _with_fixes(auditor, report=report, database=database, options=options, indexes=indexes, context=context)


def assessed_vulnerabilities(
    path: str | PathLike[str] | None, options: AuditOptions, context: RunContext
) -> tuple[AssessedVulnerability, ...]:
    """The findings of an audit of the lock file at `path`, for a VEX; ignored ones have the state and the reason.

    Warnings of the audit go to the context's listener.

    Raises:
        LocksetError: As `audit`.
    """
    report = run_audit(None if path is None else fspath(path), options, None, context)
    for warning in report.warnings:
        context.heard.warning(warning)
    counted = (AssessedVulnerability(vulnerability=finding.vulnerability) for finding in report.findings)
    ignored = (
        AssessedVulnerability(vulnerability=one.finding.vulnerability, state=one.entry.state, detail=one.entry.reason)
        for one in report.ignored
    )
    return (*counted, *ignored)


def _with_fixes(
    auditor: Auditor,
    *,
    report: AuditReport,
    database: AdvisoryDatabase,
    options: AuditOptions,
    indexes: IndexOptions | IndexOverrides | None,
    context: RunContext,
) -> AuditReport:
    if not report.findings:
        return replace(report, fix=AuditFix(result=None) if options.fix else None)
    from lockset.composition.audits.fix_search import FixSearch, source_of_lock

    path = (
        context.here / (auditor.subject.document.path or "") if auditor.subject.document is not None else context.here
    )
    if not options.fix and source_of_lock(path) is None:
        note = "Fixes are not compared with requirements: no pyproject.toml or requirements.in is next to the lock file"
        return replace(report, notes=(*report.notes, note))
    searched = FixSearch(auditor, path, indexes, context).run(names_of(report.findings), database, apply=options.fix)
    findings = tuple(
        replace(finding, outlook=searched.outlooks.get(finding.vulnerability.name)) for finding in report.findings
    )
    return replace(report, findings=findings, notes=(*report.notes, *searched.notes), fix=searched.fix)
