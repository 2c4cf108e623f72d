"""The vulnerabilities of a lock file for a VEX, with what the entries of `ignore` say of them."""

from __future__ import annotations

from os import fspath
from typing import TYPE_CHECKING

from lockset.advisories.vulnerabilities import AssessedVulnerability
from lockset.composition.audits.audit_run import run_audit

if TYPE_CHECKING:
    from os import PathLike

    from lockset.composition.audits.report import AuditOptions
    from lockset.composition.run_context import RunContext

__all__ = ["assessed_vulnerabilities"]


def assessed_vulnerabilities(
    path: str | PathLike[str] | None, options: AuditOptions, context: RunContext
) -> tuple[AssessedVulnerability, ...]:
    """The findings of an audit of the lock file at `path`; those that are ignored have the state and the reason.

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
