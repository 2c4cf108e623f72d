"""A toolkit for pylock.toml (PEP 751). Public names are imported on first use."""

from __future__ import annotations

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
    from lockset.api.sync import check_env, sync_target
    from lockset.api.validate import Issue, Report, fix, validate, validate_text
    from lockset.api.why_not import ChosenVersion, WhyNot, why_not
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
    from lockset.lockfile.read import Document
    from lockset.lockfile.select import SelectedPackage, Selection
    from lockset.progress import ProgressEvent, ProgressListener
    from lockset.resolve.problem.options import LockOptions
    from lockset.sync.desired import SourcePolicy
    from lockset.sync.plan import Plan, Step
    from lockset.sync.target import Target

__version__ = "0.1.0"

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
    "DownloadedFile": "lockset.api.download",
    "Export": "lockset.api.export",
    "ExportOptions": "lockset.api.export",
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
    "LockResult": "lockset.composition.lock_assembly",
    "LocksetError": "lockset.errors",
    "Loss": "lockset.conversion.model.imported_lock",
    "PackageStatus": "lockset.api.audit",
    "Plan": "lockset.sync.plan",
    "ProgressEvent": "lockset.progress",
    "ProgressListener": "lockset.progress",
    "Proof": "lockset.conversion.pipeline.verify",
    "Report": "lockset.api.validate",
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
    "read": "lockset.api.lock_files",
    "select": "lockset.api.lock_files",
    "sync_target": "lockset.api.sync",
    "validate": "lockset.api.validate",
    "validate_text": "lockset.api.validate",
    "why": "lockset.api.lock_files",
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
    "Document",
    "DownloadedFile",
    "Export",
    "ExportOptions",
    "FixOutlook",
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
    "LockResult",
    "LocksetError",
    "Loss",
    "PackageStatus",
    "Plan",
    "ProgressEvent",
    "ProgressListener",
    "Proof",
    "Report",
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
    "read",
    "select",
    "sync_target",
    "validate",
    "validate_text",
    "why",
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
