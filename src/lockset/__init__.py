"""A toolkit for pylock.toml (PEP 751). Public names are imported on first use."""

from __future__ import annotations

TYPE_CHECKING = False  # the same as in `typing`, without the time to import that
if TYPE_CHECKING:
    from lockset.api.convert import Conversion, ConvertOptions, convert
    from lockset.api.export import Export, ExportOptions, export
    from lockset.api.lock import lock
    from lockset.api.sync import SyncOptions, sync_target
    from lockset.api.validate import Issue, Report, validate, validate_text
    from lockset.composition.lock_pipeline import LockResult
    from lockset.composition.sync_pipeline import DescribedInterpreter, SyncResult
    from lockset.errors import LocksetError
    from lockset.index.options import IndexOptions, IndexSource
    from lockset.resolve.problem.options import LockOptions

__version__ = "0.1.0"

# Public name -> module that defines it.
_FACADE: dict[str, str] = {
    "LockOptions": "lockset.resolve.problem.options",
    "Conversion": "lockset.api.convert",
    "ConvertOptions": "lockset.api.convert",
    "DescribedInterpreter": "lockset.composition.sync_pipeline",
    "Export": "lockset.api.export",
    "ExportOptions": "lockset.api.export",
    "IndexOptions": "lockset.index.options",
    "IndexSource": "lockset.index.options",
    "Issue": "lockset.api.validate",
    "LockResult": "lockset.composition.lock_pipeline",
    "LocksetError": "lockset.errors",
    "Report": "lockset.api.validate",
    "SyncResult": "lockset.composition.sync_pipeline",
    "SyncOptions": "lockset.api.sync",
    "convert": "lockset.api.convert",
    "export": "lockset.api.export",
    "lock": "lockset.api.lock",
    "sync_target": "lockset.api.sync",
    "validate": "lockset.api.validate",
    "validate_text": "lockset.api.validate",
}

__all__ = [
    "Conversion",
    "ConvertOptions",
    "DescribedInterpreter",
    "Export",
    "ExportOptions",
    "IndexOptions",
    "IndexSource",
    "Issue",
    "LockOptions",
    "LockResult",
    "LocksetError",
    "Report",
    "SyncOptions",
    "SyncResult",
    "__version__",
    "convert",
    "export",
    "lock",
    "sync_target",
    "validate",
    "validate_text",
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
