"""A toolkit for pylock.toml (PEP 751). Public names are imported on first use."""

from __future__ import annotations

from lockset._version import __version__

TYPE_CHECKING = False  # the same as in `typing`, without the time to import that
if TYPE_CHECKING:
    from lockset.api.audit import (
        AuditFinding,
        AuditFix,
        AuditOptions,
        AuditReport,
        FixOutlook,
        IgnoredFinding,
        PackageStatus,
        audit,
    )
    from lockset.api.check import LockCheck, check
    from lockset.api.convert import Conversion, ConvertOptions, convert
    from lockset.api.download import DownloadedFile, download
    from lockset.api.export import Export, ExportOptions, export
    from lockset.api.lock import lock
    from lockset.api.lock_files import Chain, LockEntry, LockGraph, Requirers, diff, graph, read, select, why
    from lockset.api.outdated import HeldBack, OutdatedPackage, OutdatedReport, outdated
    from lockset.api.render import render_graph, render_report, render_review
    from lockset.api.report import report
    from lockset.api.review import review
    from lockset.api.sync import check_env, sync_target
    from lockset.api.validate import Issue, Report, fix, validate, validate_text
    from lockset.api.why_not import ChosenVersion, WhyNot, why_not
    from lockset.api.workspaces import MemberGraph, member_graphs, member_locks, why_in_each
    from lockset.composition.lock_assembly import LockResult
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.composition.sync_inputs import SyncOptions
    from lockset.composition.sync_pipeline import DescribedInterpreter, SyncResult
    from lockset.conversion.model.imported_lock import Loss
    from lockset.conversion.pipeline.verify import Proof
    from lockset.conversion.writers.requirements import RequirementsStyle
    from lockset.errors import Diagnostic, LocksetError, UsageError
    from lockset.index.options import IndexOptions, IndexSource
    from lockset.lockfile.diff import Change, LockDiff
    from lockset.lockfile.diff_review import DiffReview
    from lockset.lockfile.read import Document
    from lockset.lockfile.report.options import ReportOptions
    from lockset.lockfile.report.report import LockReport
    from lockset.lockfile.select import SelectedPackage, Selection
    from lockset.progress import ProgressEvent, ProgressListener
    from lockset.rendering.graph_model import RenderedGraph
    from lockset.resolve.problem.options import LockOptions
    from lockset.resolve.releases.memory_index import MemoryIndex, MemoryRelease
    from lockset.sync.desired import SourcePolicy
    from lockset.sync.plan import Plan, Step
    from lockset.sync.target import Target

# Public name -> module that defines it.
_FACADE: dict[str, str] = {
    "AuditFinding": "lockset.api.audit",
    "AuditFix": "lockset.api.audit",
    "AuditOptions": "lockset.api.audit",
    "AuditReport": "lockset.api.audit",
    "Chain": "lockset.api.lock_files",
    "Change": "lockset.lockfile.diff",
    "ChosenVersion": "lockset.api.why_not",
    "Conversion": "lockset.api.convert",
    "ConvertOptions": "lockset.api.convert",
    "DescribedInterpreter": "lockset.composition.sync_pipeline",
    "Diagnostic": "lockset.errors",
    "Document": "lockset.lockfile.read",
    "DiffReview": "lockset.lockfile.diff_review",
    "DownloadedFile": "lockset.api.download",
    "Export": "lockset.api.export",
    "ExportOptions": "lockset.api.export",
    "HeldBack": "lockset.resolve.lock.newer_releases",
    "FixOutlook": "lockset.api.audit",
    "IgnoredFinding": "lockset.api.audit",
    "IndexOptions": "lockset.index.options",
    "IndexOverrides": "lockset.composition.run_context",
    "IndexSource": "lockset.index.options",
    "Issue": "lockset.api.validate",
    "LockCheck": "lockset.api.check",
    "LockDiff": "lockset.lockfile.diff",
    "LockEntry": "lockset.api.lock_files",
    "LockGraph": "lockset.api.lock_files",
    "LockOptions": "lockset.resolve.problem.options",
    "LockReport": "lockset.lockfile.report.report",
    "LockResult": "lockset.composition.lock_assembly",
    "LocksetError": "lockset.errors",
    "Loss": "lockset.conversion.model.imported_lock",
    "MemberGraph": "lockset.api.workspaces",
    "MemoryIndex": "lockset.resolve.releases.memory_index",
    "MemoryRelease": "lockset.resolve.releases.memory_index",
    "OutdatedPackage": "lockset.composition.maintenance.newer_versions",
    "OutdatedReport": "lockset.composition.maintenance.newer_versions",
    "PackageStatus": "lockset.api.audit",
    "Plan": "lockset.sync.plan",
    "ProgressEvent": "lockset.progress",
    "ProgressListener": "lockset.progress",
    "Proof": "lockset.conversion.pipeline.verify",
    "RenderedGraph": "lockset.rendering.graph_model",
    "Report": "lockset.api.validate",
    "ReportOptions": "lockset.lockfile.report.options",
    "RequirementsStyle": "lockset.conversion.writers.requirements",
    "Requirers": "lockset.api.lock_files",
    "RunContext": "lockset.composition.run_context",
    "SelectedPackage": "lockset.lockfile.select",
    "Selection": "lockset.lockfile.select",
    "SourcePolicy": "lockset.sync.desired",
    "Step": "lockset.sync.plan",
    "SyncOptions": "lockset.composition.sync_inputs",
    "SyncResult": "lockset.composition.sync_pipeline",
    "Target": "lockset.sync.target",
    "UsageError": "lockset.errors",
    "WhyNot": "lockset.api.why_not",
    "audit": "lockset.api.audit",
    "check": "lockset.api.check",
    "check_env": "lockset.api.sync",
    "convert": "lockset.api.convert",
    "diff": "lockset.api.lock_files",
    "download": "lockset.api.download",
    "export": "lockset.api.export",
    "fix": "lockset.api.validate",
    "graph": "lockset.api.lock_files",
    "lock": "lockset.api.lock",
    "member_graphs": "lockset.api.workspaces",
    "member_locks": "lockset.api.workspaces",
    "outdated": "lockset.api.outdated",
    "read": "lockset.api.lock_files",
    "render_graph": "lockset.api.render",
    "render_report": "lockset.api.render",
    "render_review": "lockset.api.render",
    "report": "lockset.api.report",
    "review": "lockset.api.review",
    "select": "lockset.api.lock_files",
    "sync_target": "lockset.api.sync",
    "validate": "lockset.api.validate",
    "validate_text": "lockset.api.validate",
    "why": "lockset.api.lock_files",
    "why_in_each": "lockset.api.workspaces",
    "why_not": "lockset.api.why_not",
}

__all__ = [
    "AuditFinding",
    "AuditFix",
    "AuditOptions",
    "AuditReport",
    "Chain",
    "Change",
    "ChosenVersion",
    "Conversion",
    "ConvertOptions",
    "DescribedInterpreter",
    "Diagnostic",
    "DiffReview",
    "Document",
    "DownloadedFile",
    "Export",
    "ExportOptions",
    "FixOutlook",
    "HeldBack",
    "IgnoredFinding",
    "IndexOptions",
    "IndexOverrides",
    "IndexSource",
    "Issue",
    "LockCheck",
    "LockDiff",
    "LockEntry",
    "LockGraph",
    "LockOptions",
    "LockReport",
    "LockResult",
    "LocksetError",
    "Loss",
    "MemberGraph",
    "MemoryIndex",
    "MemoryRelease",
    "OutdatedPackage",
    "OutdatedReport",
    "PackageStatus",
    "Plan",
    "ProgressEvent",
    "ProgressListener",
    "Proof",
    "RenderedGraph",
    "Report",
    "ReportOptions",
    "RequirementsStyle",
    "Requirers",
    "RunContext",
    "SelectedPackage",
    "Selection",
    "SourcePolicy",
    "Step",
    "SyncOptions",
    "SyncResult",
    "Target",
    "UsageError",
    "WhyNot",
    "__version__",
    "audit",
    "check",
    "check_env",
    "convert",
    "diff",
    "download",
    "export",
    "fix",
    "graph",
    "lock",
    "member_graphs",
    "member_locks",
    "outdated",
    "read",
    "render_graph",
    "render_report",
    "render_review",
    "report",
    "review",
    "select",
    "sync_target",
    "validate",
    "validate_text",
    "why",
    "why_in_each",
    "why_not",
]


# Public subpackages, which `dir` lists once they are imported.
_SUBPACKAGES = frozenset({"errors", "lockfile", "markers"})


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__") or name in _SUBPACKAGES)})


def __getattr__(name: str) -> object:
    module = _FACADE.get(name)
    if module is None:
        message = f"module 'lockset' has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    return getattr(import_module(module), name)
