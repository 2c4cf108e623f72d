"""report(): what a lock file gives each environment, and the health of its packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.composition.maintenance.lock_report import report_on
from lockset.composition.run_context import context_of
from lockset.lockfile.report.options import ReportOptions
from lockset.option_values import check_argument

if TYPE_CHECKING:
    from os import PathLike

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.lockfile.model import Pylock
    from lockset.lockfile.report.report import LockReport

__all__ = ["ReportOptions", "report"]


def report(
    lock: str | PathLike[str] | Pylock | None = None,
    *,
    options: ReportOptions | None = None,
    indexes: IndexOptions | IndexOverrides | None = None,
    context: RunContext | None = None,
) -> LockReport:
    """Report on a lock file of any tool; `render_report` writes the report as HTML, Markdown or JSON.

    Args:
        lock: The lock file, or its path as for `read`; None for the nearest pylock.toml.
        options: The platforms and Pythons to report on, and whether indexes are queried.
        indexes: The indexes to query; by default the one that each package names, else PyPI.
        context: Folder, cache, time, listener and so on.

    Raises:
        LocksetError: As `read`; `unknown-platform`, `python-version-invalid`, `environment-not-supported`; with
            `online`, if an index cannot be used at all. A project whose page cannot be read is a concern of the report.
        UsageError: `report-too-large` if there are more than 100 environments.
    """
    return report_on(
        check_argument("lock", lock, "str | PathLike[str] | Pylock | None"),
        check_argument("options", options, "ReportOptions | None") or ReportOptions(),
        check_argument("indexes", indexes, "IndexOptions | IndexOverrides | None"),
        context_of(context),
    )
