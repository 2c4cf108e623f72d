"""`lockset audit`: find known vulnerabilities in a lock file, requirements or an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.api.audit import audit
from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.options.audit import add_audit_arguments as add_arguments
from lockset.cli.options.audit import read_audit_command as read
from lockset.cli.output.audits.audit_report import show_audit

if TYPE_CHECKING:
    from lockset.cli.options.audit import AuditCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: AuditCommand, out: Output) -> int:
    """Audit, and write the fixed lock; 0 without findings that count, else 1."""
    report = audit(command.file, command.options, indexes=command.indexes, context=command.context)
    if report.fix is not None and report.fix.result is not None and not command.dry_run:
        report.fix.result.write()
    show_audit(report, command, out)
    return DONE if report.is_clean else REFUSED
