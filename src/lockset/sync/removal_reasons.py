"""Explain why packages that a lock file has are removed."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from lockset.sync.disk.selection import chosen_extras, chosen_groups
from lockset.sync.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lockset.lockfile.model import Package, Pylock
    from lockset.sync.disk.request import SyncRequest
    from lockset.sync.plan import Step
    from lockset.sync.target import Target

__all__ = ["explain_removals"]


def explain_removals(plan: Plan, request: SyncRequest, target: Target) -> Plan:
    """`plan`, where each removal of a locked package says which extra or group would keep it."""
    names = {step.name for step in plan.changes if step.action == "remove"}
    if not names:
        return plan
    locked: dict[str, list[str]] = {}
    left_out: set[str] = set()
    for source in request.sources:
        lock = source.read()
        for package in lock.packages:
            if package.name in names and not request.allowed.project and _is_project(package):
                left_out.add(package.name)
            elif package.name in names:
                locked.setdefault(package.name, []).extend(_choices(package, lock, request, target))
    steps = (_left_out(step) if step.name in left_out else _explain(step, locked) for step in plan.steps)
    return Plan.of(steps)


def _is_project(package: Package) -> bool:
    """Whether it is the source tree in the folder of the lock file."""
    return package.directory is not None and posixpath.normpath(package.directory.path or "") == "."


def _left_out(step: Step) -> Step:
    return step._replace(reason="the project itself, which is left out with `--no-project`")


def _explain(step: Step, locked: Mapping[str, Sequence[str]]) -> Step:
    if step.action != "remove" or step.name not in locked:
        return step
    choices = tuple(dict.fromkeys(locked[step.name]))
    if choices:
        named = " or ".join("{} `{}`".format(*choice.removeprefix("--").split(" ", 1)) for choice in choices)
        reason = f"in the lock file with {named}, which is not selected"
    else:
        reason = "in the lock file, but not for this environment with the selected extras and groups"
    suffix = " (an editable install)" if any(one.is_editable for one in step.installed) else ""
    return step._replace(reason=f"{reason}{suffix}", choices=choices)


def _choices(package: Package, lock: Pylock, request: SyncRequest, target: Target) -> Iterator[str]:
    """The options, each of which alone would select `package`."""
    extras, groups = frozenset(chosen_extras(request, lock)), frozenset(chosen_groups(request, lock) or ())
    for extra in sorted(set(lock.extras or ()) - extras):
        if _holds(package, target, extras | {extra}, groups):
            yield f"--extra {extra}"
    for group in sorted({*(lock.dependency_groups or ()), *(lock.default_groups or ())} - groups):
        if _holds(package, target, extras, groups | {group}):
            yield f"--group {group}"


def _holds(package: Package, target: Target, extras: frozenset[str], groups: frozenset[str]) -> bool:
    values: dict[str, Any] = {**target.environment, "extras": extras, "dependency_groups": groups}
    try:
        return package.marker is None or package.marker.evaluate(values, context="lock_file")
    except Exception:  # noqa: BLE001 (whatever a marker compares; selection refuses it where it counts)
        return False
