"""audit(): compare a lock file, requirements or an environment with advisories of known vulnerabilities."""

from __future__ import annotations

from os import fspath
from typing import TYPE_CHECKING

from lockset.composition.audits.audit_run import run_audit
from lockset.composition.audits.report import (
    AuditFinding,
    AuditFix,
    AuditOptions,
    AuditReport,
    FixOutlook,
    IgnoredFinding,
    PackageStatus,
)
from lockset.composition.run_context import context_of
from lockset.option_values import check_argument

if TYPE_CHECKING:
    from os import PathLike

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions

__all__ = [
    "AuditFinding",
    "AuditFix",
    "AuditOptions",
    "AuditReport",
    "FixOutlook",
    "IgnoredFinding",
    "PackageStatus",
    "audit",
]


def audit(
    path: str | PathLike[str] | None = None,
    options: AuditOptions | None = None,
    *,
    indexes: IndexOptions | IndexOverrides | None = None,
    context: RunContext | None = None,
) -> AuditReport:
    """Compare packages with advisories of known vulnerabilities; nothing is written: see `AuditReport.fix`.

    The network is used only for advisories at a URL, for OSV's service, and with `online` and `fix`.

    Args:
        path: A lock file (of any format that `convert` reads) or a requirements file; `-` for `context.stdin`; None for
            the nearest pylock.toml, or for the environment that the options name.
        options: What to compare with, and how.
        indexes: Indexes, certificates and proxies; None for those of the project.
        context: Folder, cache, listener, time and so on.

    Raises:
        LocksetError: If the file or the advisories cannot be read, or a server cannot be reached; with `fix`, as
            `lock`.
        UsageError: `advisories-missing` if neither the options nor the settings name advisories.
    """
    check_argument("path", path, "str | PathLike[str] | None")
    check_argument("indexes", indexes, "IndexOptions | IndexOverrides | None")
    options = check_argument("options", options, "AuditOptions | None") or AuditOptions()
    return run_audit(None if path is None else fspath(path), options, indexes, context_of(context))
