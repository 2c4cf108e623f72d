"""sync_target() and check_env(): make an environment match lock files, or compare them."""

from __future__ import annotations

from os import PathLike, fspath

from lockset._dataclass import replace
from lockset.composition.run_context import context_of
from lockset.composition.sync_inputs import (
    SyncOptions,
    converted_sources,
    lock_sources,
    refuse_missing_python,
    sync_request,
)
from lockset.composition.sync_pipeline import LockSource, SyncResult, sync
from lockset.composition.sync_ports import SyncPorts
from lockset.option_values import check_argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.composition.sync_pipeline import Plan
    from lockset.index.options import IndexOptions
    from lockset.index.ports import Downloads
    from lockset.sync.disk.request import SyncRequest
    from lockset.sync.target import Target

__all__ = ["SyncOptions", "SyncResult", "check_env", "sync_target"]


def sync_target(
    locks: str | PathLike[str] | Iterable[str | PathLike[str] | LockSource],
    *,
    python: str | PathLike[str] | None = None,
    options: SyncOptions | None = None,
    indexes: IndexOptions | IndexOverrides | None = None,
    context: RunContext | None = None,
    on_plan: Callable[[Target, Plan], None] | None = None,
) -> SyncResult:
    """Make a target match the lock files, or leave it unchanged.

    Args:
        locks: Paths of lock files, `-` for `context.stdin`; several must agree; if empty, the nearest pylock.toml.
            Requirements files with pins and lock files of other tools are converted first, as by `convert`.
        python: An interpreter, or the folder of a virtual environment; may be None only if `options` describe one.
        options: What to install, and where; None for the defaults, into the environment of `python`.
        indexes: Credentials, connections, and indexes of build requirements; None for those of the project of the
            first lock file.
        context: Folder, cache, variables, listener and so on.
        on_plan: Called with the target and the plan before any change.

    Raises:
        LocksetError: If a file is refused, is not available, or is not usable here; the target is unchanged.
        OSError: If the system refuses a change; the target is unchanged.
    """
    context, options = context_of(context), _options(options)
    request = _request(locks, python, options, indexes, context)
    with SyncPorts(request, indexes, context, options) as ports:
        return sync(
            request,
            cache=context.cache_folder,
            downloads=ports.downloads,
            builds=None if options.no_build else ports.builds,
            not_isolated=ports.not_isolated,
            show=on_plan,
            listener=context.heard,
            attest=ports.attest,
        )


def check_env(
    locks: str | PathLike[str] | Iterable[str | PathLike[str] | LockSource],
    *,
    python: str | PathLike[str] | None = None,
    options: SyncOptions | None = None,
    indexes: IndexOptions | IndexOverrides | None = None,
    context: RunContext | None = None,
    on_plan: Callable[[Target, Plan], None] | None = None,
) -> SyncResult:
    """Compare a target with the lock files: the plan of `sync_target`, without changes.

    The network is used only to convert files that are not lock files, with `indexes`.

    Raises:
        LocksetError: If a lock file is refused, or does not support the target.
    """
    context, options = context_of(context), replace(_options(options), check_only=True, break_system=True)
    request = _request(locks, python, options, indexes, context)
    return sync(request, cache=context.cache_folder, downloads=_none, show=on_plan, listener=context.heard)


def _request(
    locks: str | PathLike[str] | Iterable[str | PathLike[str] | LockSource],
    python: str | PathLike[str] | None,
    options: SyncOptions,
    indexes: IndexOptions | IndexOverrides | None,
    context: RunContext,
) -> SyncRequest:
    """The checked arguments as one request, in which every input is a lock file."""
    check_argument("python", python, "str | PathLike[str] | None")
    check_argument("indexes", indexes, "IndexOptions | IndexOverrides | None")
    sources = _sources(locks, context)
    refuse_missing_python(python, options)
    return sync_request(converted_sources(sources, indexes, context, options), python, options, context)


def _options(options: SyncOptions | None) -> SyncOptions:
    checked: SyncOptions | None = check_argument("options", options, "SyncOptions | None")
    return checked or SyncOptions()


def _sources(
    locks: str | PathLike[str] | Iterable[str | PathLike[str] | LockSource], context: RunContext
) -> tuple[LockSource, ...]:
    """Read the lock files; those that were read before are returned unchanged."""
    if type(locks) is tuple and locks and all(type(one) is LockSource for one in locks):
        return locks
    named = check_argument("locks", locks, "str | PathLike | Iterable[str | PathLike]")
    names = [named] if isinstance(named, str | PathLike) else list(named)
    return lock_sources([fspath(name) for name in names], context)


def _none() -> Downloads:
    raise AssertionError("a check fetches nothing")
