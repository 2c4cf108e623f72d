"""Sync lock files to a target: plan the changes, prepare files, install and remove."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial

from lockset._named_tuple import NamedTuple
from lockset.composition.project_changes import project_state, read_new
from lockset.errors import LocksetError
from lockset.progress import NullListener
from lockset.sync.desired import SourcePolicy
from lockset.sync.disk.apply.installer import Installer, InstallOptions
from lockset.sync.disk.apply.remove import refuse_blocked
from lockset.sync.disk.request import (
    DescribedInterpreter,
    LockSource,
    SyncRequest,
    active_environment,
    find_environment,
    find_lock,
    resolve_target,
)
from lockset.sync.disk.selection_cache import cached_selection
from lockset.sync.plan import Plan, RemovalPolicy, Step
from lockset.sync.target import STORE_FOLDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from lockset.composition.project_changes import ProjectState
    from lockset.index.ports import Downloads
    from lockset.progress import ProgressListener
    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.disk.apply.prepare import Preparer
    from lockset.sync.disk.inspect.snapshot import FileStamps
    from lockset.sync.placement import Overlap
    from lockset.sync.ports import WheelBuilds
    from lockset.sync.target import Target

__all__ = [
    "DescribedInterpreter",
    "InstallOptions",
    "LockSource",
    "Plan",
    "RemovalPolicy",
    "SourcePolicy",
    "Step",
    "SyncRequest",
    "SyncResult",
    "active_environment",
    "find_environment",
    "find_lock",
    "sync",
]

# The most changes of a project that an error lists.
_SHOWN = 8


class SyncResult(NamedTuple):
    """The target, and the plan that was carried out (or would be, for a check).

    Attributes:
        file_stamps: Returns paths, sizes and times of the files that show, while unchanged, that there is nothing to
            do; None if files alone do not show it, or changes are left to make.
        attested: How many distributions needed an attestation, and have one.
    """

    target: Target
    plan: Plan
    changed: bool
    file_stamps: Callable[[], tuple[FileStamps, ...] | None] = lambda: None
    overlaps: tuple[Overlap, ...] = ()
    outdated: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    attested: int = 0


def sync(
    request: SyncRequest,
    *,
    cache: Path | None,
    downloads: Callable[[], Downloads],
    builds: Callable[[], WheelBuilds] | None = None,
    not_isolated: Callable[[], Collection[str]] = frozenset,
    show: Callable[[Target, Plan], None] | None = None,
    listener: ProgressListener | None = None,
    attest: Callable[[Sequence[DesiredDistribution], Collection[str]], int] | None = None,
) -> SyncResult:
    """Make the target match the lock files, or leave it unchanged.

    Args:
        request: What to install, and where.
        cache: The cache folder; None for no cache.
        downloads: Creates the port to the network; called only if something must be downloaded.
        builds: Creates the port to builds; None if nothing may be built.
        not_isolated: Returns names of packages, or `:all:`, that are built in the target, after all others.
        show: Called with the plan before any change.
        listener: Receives progress.
        attest: Checks the attestations that are required, before any change; returns their number. Takes the
            distributions, and the names of those that are going to be installed.

    Raises:
        LocksetError: The target is unchanged, unless `target_changed` says that a part is installed.
        OSError: The target is unchanged.
    """
    heard = listener or NullListener()
    target = resolve_target(request.location, cache=cache, meanwhile=partial(read_new, request.sources, cache))
    states = [project_state(source, target.environment, cache=cache) for source in request.sources]
    outdated = _outdated(request, states)
    desired = cached_selection(request, target, cache=cache)
    installer = _installer(request, target, cache, heard, desired)
    plan = _explain_removals(installer.plan(), request, target)
    if show is not None:
        show(target, plan)
    _warn_of_unmet(plan, target, heard)
    attested = attest(desired, frozenset(step.name for step in plan.placed)) if attest is not None else 0
    if plan.changes and not request.check_only:
        if plan.blocked:
            refuse_blocked(plan)
        late = _late(plan, request, not_isolated)
        with _preparer(request, target, cache, downloads=downloads, builds=builds, listener=heard) as preparer:
            if not late:
                plan = _explain_removals(installer.apply(preparer, plan), request, target)
            else:
                make = partial(_installer, request, target, cache, heard)
                installer = _install_in_order(desired, late, policy=request.policy, preparer=preparer, make=make)
    changed = bool(plan.changes) and not request.check_only
    return SyncResult(
        target=target,
        plan=plan,
        changed=changed,
        file_stamps=installer.file_stamps if changed or not plan.changes else _nothing,
        overlaps=installer.overlaps,
        outdated=outdated,
        sources=_inputs(request, states),
        attested=attested,
    )


def _inputs(request: SyncRequest, states: Sequence[ProjectState]) -> tuple[str, ...]:
    """The files that the lock files were made or converted from."""
    lists = [state.inputs for state in states] + [source.inputs for source in request.sources]
    return tuple(path for one in lists for path in one)


def _late(plan: Plan, request: SyncRequest, not_isolated: Callable[[], Collection[str]]) -> frozenset[str]:
    """The sources that are built in the target's environment once the other packages are there."""
    elsewhere = request.location.directory is not None or request.location.prefix is not None
    if elsewhere or all(step.desired is None or step.desired.kind == "wheel" for step in plan.placed):
        return frozenset()
    names = not_isolated()
    if not names:
        return frozenset()
    from lockset.composition.builds.install_order import late_names

    return late_names(plan, names)


def _install_in_order(desired: Sequence[DesiredDistribution], late: frozenset[str], **given: Any) -> Installer:
    from lockset.composition.builds.install_order import install_in_order  # few sources are built without isolation

    return install_in_order(desired, late, **given)


@contextmanager
def _preparer(
    request: SyncRequest,
    target: Target,
    cache: Path | None,
    *,
    downloads: Callable[[], Downloads],
    builds: Callable[[], WheelBuilds] | None,
    listener: ProgressListener,
) -> Iterator[Preparer]:
    """What fetches, verifies and builds."""
    # Imported here: not needed if there is nothing to do.
    from lockset.sync.disk.apply.prepare import Preparer
    from lockset.sync.disk.store.cache import Cache

    with Cache(cache, listener) as store:
        yield Preparer(
            store,
            downloads=downloads,
            builds=builds if request.location.described is None else None,
            fits=target.fits,
            listener=listener,
            folders=request.find_links,
            verify=request.install_options.verify_files,
            rebuild=request.policy.reinstall,
        )


def _installer(
    request: SyncRequest,
    target: Target,
    cache: Path | None,
    listener: ProgressListener,
    desired: Sequence[DesiredDistribution],
    *,
    policy: RemovalPolicy | None = None,
) -> Installer:
    policy = request.policy if policy is None else policy
    policy = policy if target.kind == "venv" else policy._replace(owned_only=True)
    return Installer(
        target,
        desired,
        policy=policy,
        options=request.install_options,
        memory=str(cache / "targets-v1") if cache is not None else None,
        store=str(cache / STORE_FOLDER) if cache is not None else None,
        listener=listener,
    )


def _outdated(request: SyncRequest, states: Sequence[ProjectState]) -> tuple[str, ...]:
    changes = tuple(change for state in states for change in state.changes)
    if changes and request.locked:
        raise LocksetError(
            "lock-outdated",
            "The project has changed since it was locked",
            location=request.sources[0].path,
            context=changes[:_SHOWN],
            hint=f"Run `{_lock_command(request.sources, states)}`, or sync without `--locked`",
        )
    return changes


def _lock_command(sources: Sequence[LockSource], states: Sequence[ProjectState]) -> str:
    """The command that refreshes the first lock file whose project has changed."""
    for source, state in zip(sources, states, strict=True):
        name = os.path.basename(source.path or "")
        if state.changes and name not in {"", "pylock.toml"}:
            from shlex import quote  # not needed if there is nothing to do

            files = " ".join(quote(os.path.basename(path)) for path in state.inputs)
            return f"lockset lock {files} -o {quote(name)}"
    return "lockset lock"


def _warn_of_unmet(plan: Plan, target: Target, listener: ProgressListener) -> None:
    """Warn if a package that stays, and that no lock file names, requires what the plan changes or removes."""
    stays = any(step.action == "keep" and step.desired is None for step in plan.steps)
    if not (stays and any(step.installed for step in plan.changes)):
        return
    # Imported here: few targets have such packages.
    from lockset.sync.disk.inspect.metadata_text import requires_dist
    from lockset.sync.unmet_requirements import unmet_requirements

    warnings = unmet_requirements(plan, target.environment, lambda one: requires_dist(one.info))
    for unmet in warnings[:_SHOWN]:
        listener.warning(str(unmet))
    if warnings and target.kind == "system":
        listener.hint("A virtual environment (`--create-venv`) or a `--target` folder leaves this Python as it is")


def _explain_removals(plan: Plan, request: SyncRequest, target: Target) -> Plan:
    if not any(step.action == "remove" for step in plan.changes):
        return plan
    # Imported here: it needs the lock file, which may not have been read.
    from lockset.sync.removal_reasons import explain_removals

    return explain_removals(plan, request, target)


def _nothing() -> None:
    return None
