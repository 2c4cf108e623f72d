"""sync(): lock files to a target."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.events import Silent
from lockset.lockfile.select import select
from lockset.sync.disk.apply import Applier, Doing
from lockset.sync.disk.guard import refuse_managed
from lockset.sync.disk.interpreter import ask_interpreter, interpreter_of
from lockset.sync.disk.targets import directory_target, environment_target, find_environment, find_lock
from lockset.sync.plan import Plan, Policy, Step
from lockset.sync.wanted import Wanted, wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from lockset.events import Listener
    from lockset.index.ports import Downloads
    from lockset.lockfile.model import Pylock
    from lockset.sync.ports import WheelBuilds
    from lockset.sync.target import Target

__all__ = [
    "Doing",
    "LockSource",
    "Plan",
    "Policy",
    "Step",
    "SyncRequest",
    "SyncResult",
    "find_environment",
    "find_lock",
    "sync",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockSource:
    """A lock file as read; `folder` (absolute) is what its relative paths start from."""

    lock: Pylock
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRequest:
    """What to bring where.

    Attributes:
        sources: Lock files; what several of them ask for must agree.
        python: Path of an interpreter or of a virtual environment's folder.
        directory: Install into this folder instead of the interpreter's own environment.
        groups: None for the default groups; names are added to these unless `default_groups` is off.
        check_only: Nothing is changed; the plan tells what would be.
    """

    sources: tuple[LockSource, ...]
    python: str
    directory: str | None = None
    extras: frozenset[str] = frozenset()
    all_extras: bool = False
    groups: frozenset[str] = frozenset()
    all_groups: bool = False
    default_groups: bool = True
    policy: Policy = field(default_factory=Policy)
    doing: Doing = field(default_factory=Doing)
    check_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """The target, and the plan that was carried out (or would be, where only a check was asked for)."""

    target: Target
    plan: Plan
    changed: bool


def sync(
    request: SyncRequest,
    *,
    cache: Path | None,
    downloads: Callable[[], Downloads],
    builds: Callable[[], WheelBuilds] | None = None,
    show: Callable[[Target, Plan], None] | None = None,
    listener: Listener | None = None,
) -> SyncResult:
    """Make the target exactly what the lock files say, or leave it as it was.

    Args:
        request: What to bring where.
        cache: Folder that remembers across runs, None for none.
        downloads: Makes the port to the network; called only when something has to come from there.
        builds: Makes the port to builds; None where nothing may be built.
        show: Hears the plan before anything is done.
        listener: Hears of progress.

    Raises:
        LocksetError: The target is as it was before.
        OSError: The same.
    """
    heard = listener or Silent()
    interpreter = ask_interpreter(
        interpreter_of(request.python), memory=cache / "interpreters-v1" if cache is not None else None
    )
    target = directory_target(interpreter, request.directory) if request.directory else environment_target(interpreter)
    refuse_managed(target)
    policy = request.policy if target.kind == "venv" else replace(request.policy, owned_only=True)
    asked = _asked(request, target)
    memory = cache / "targets-v1" if cache is not None else None
    applier = Applier(target, asked, policy=policy, doing=request.doing, memory=memory, listener=heard)
    plan = applier.plan()
    if show is not None:
        show(target, plan)
    if request.check_only or not plan.changes:
        return SyncResult(target=target, plan=plan, changed=False)
    # Imported here: a sync with nothing to do never needs them.
    from lockset.sync.disk.acquire import Acquirer
    from lockset.sync.disk.cache import Cache

    with Cache(cache, heard) as store:
        acquirer = Acquirer(store, downloads=downloads, builds=builds, fits=target.fits, listener=heard)
        done = applier.apply(acquirer, plan)
    return SyncResult(target=target, plan=done, changed=bool(done.changes))


def _asked(request: SyncRequest, target: Target) -> Sequence[Wanted]:
    """What all lock files together ask for, sorted by name."""
    found: dict[str, Wanted] = {}
    known_extras = {extra for source in request.sources for extra in source.lock.extras or ()}
    known_groups = {
        g for s in request.sources for g in (*(s.lock.dependency_groups or ()), *(s.lock.default_groups or ()))
    }
    _refuse_unknown("extra", request.extras, known_extras)
    _refuse_unknown("group", request.groups, known_groups)
    for source in request.sources:
        selection = select(
            source.lock,
            environment=target.environment,
            tags=target.tags,
            extras=_extras(request, source.lock),
            groups=_groups(request, source.lock),
        )
        for one in wanted(selection.items, folder=source.folder):
            other = found.setdefault(one.name, one)
            if replace(other, requested=one.requested) != one:
                raise LocksetError(
                    "locks-disagree",
                    f"Two of the lock files ask for different files of `{one.name}`: {other} and {one}",
                    hint="Lock them together, or sync one of them",
                )
    return [found[name] for name in sorted(found)]


def _extras(request: SyncRequest, lock: Pylock) -> Collection[str]:
    known = frozenset(lock.extras or ())
    return known if request.all_extras else request.extras & known


def _groups(request: SyncRequest, lock: Pylock) -> Collection[str] | None:
    defaults = frozenset(lock.default_groups or ()) if request.default_groups else frozenset()
    known = frozenset(lock.dependency_groups or ())
    return defaults | (known if request.all_groups else request.groups & (known | frozenset(lock.default_groups or ())))


def _refuse_unknown(what: str, asked: Collection[str], known: Collection[str]) -> None:
    unknown = sorted(set(asked) - set(known))
    if unknown:
        names = ", ".join(f"`{name}`" for name in sorted(known)) or "none"
        raise LocksetError(
            f"unknown-{what}",
            f"The lock file has no {what} named {', '.join(f'`{name}`' for name in unknown)}",
            hint=f"It has: {names}",
        )
