"""sync_target() and check_env(): lock files in, an environment as they say out; only what is given counts."""

from __future__ import annotations

from os import PathLike, fspath
from typing import TYPE_CHECKING

from lockset.composition.run_context import context_of
from lockset.composition.sync_inputs import SyncOptions, SyncPorts, lock_sources, refuse_missing_python, sync_request
from lockset.composition.sync_pipeline import LockSource, SyncResult, sync
from lockset.option_values import check_argument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.composition.sync_pipeline import Plan
    from lockset.index.options import IndexOptions
    from lockset.index.ports import Downloads
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
    """Make a target exactly what the lock files say, or leave it as it was.

    Args:
        locks: Paths of lock files, `-` for `context.stdin`; several must agree; none: the nearest pylock.toml.
        python: An interpreter, or the folder of a virtual environment; None only where one is described.
        options: What to install where; None: what is installed by default, into the environment of `python`.
        indexes: Credentials and connections, and where builds find what they need; None: as the project around the
            first lock file says.
        context: Folder, cache, variables, listener and the like.
        on_plan: Is called with the target and the plan before anything is changed.

    Raises:
        LocksetError: A file is refused, cannot be fetched, or does not fit; the target is as it was before.
        OSError: The system refuses; the same.
    """
    context, options = context_of(context), _options(options)
    check_argument("python", python, "str | PathLike[str] | None")
    check_argument("indexes", indexes, "IndexOptions | IndexOverrides | None")
    sources = _sources(locks, context)
    refuse_missing_python(python, options)
    request = sync_request(sources, python, options, context)
    mirrors, settings = tuple(options.mirrors), options.config_settings
    with SyncPorts(request, indexes, context, mirrors=mirrors, config_settings=settings) as ports:
        return sync(
            request,
            cache=context.cache_folder,
            downloads=ports.downloads,
            builds=None if options.no_build else ports.builds,
            show=on_plan,
            listener=context.heard,
        )


def check_env(
    locks: str | PathLike[str] | Iterable[str | PathLike[str] | LockSource],
    *,
    python: str | PathLike[str] | None = None,
    options: SyncOptions | None = None,
    context: RunContext | None = None,
    on_plan: Callable[[Target, Plan], None] | None = None,
) -> SyncResult:
    """How a target differs from the lock files: the plan of `sync_target`; nothing is changed, nothing is fetched.

    Raises:
        LocksetError: A lock file is refused, or does not fit.
    """
    context, options = context_of(context), _options(options)
    check_argument("python", python, "str | PathLike[str] | None")
    sources = _sources(locks, context)
    refuse_missing_python(python, options)
    request = sync_request(sources, python, options, context)._replace(check_only=True, break_system=True)
    return sync(request, cache=context.cache_folder, downloads=_none, show=on_plan, listener=context.heard)


def _options(options: SyncOptions | None) -> SyncOptions:
    checked: SyncOptions | None = check_argument("options", options, "SyncOptions | None")
    return checked or SyncOptions()


def _sources(
    locks: str | PathLike[str] | Iterable[str | PathLike[str] | LockSource], context: RunContext
) -> tuple[LockSource, ...]:
    """The lock files; those that were read already as they are."""
    if type(locks) is tuple and locks and all(type(one) is LockSource for one in locks):
        return locks
    named = check_argument("locks", locks, "str | PathLike | Iterable[str | PathLike]")
    names = [named] if isinstance(named, str | PathLike) else list(named)
    return lock_sources([fspath(name) for name in names], context)


def _none() -> Downloads:
    raise AssertionError("a check fetches nothing")
