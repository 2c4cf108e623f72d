"""`lockset sync`: make an environment exactly what a lock file says."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.fast_path.sync import keep
from lockset.cli.options.common import cache_dir
from lockset.cli.options.sync import add_doing, add_sources, add_target, lock_files, request_of
from lockset.cli.output.streams import plain
from lockset.composition.sync_pipeline import sync

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from lockset.cli.output.streams import Output
    from lockset.composition.mirrors import Mirror
    from lockset.composition.sync_pipeline import Plan, Step, SyncRequest, SyncResult
    from lockset.index.options import IndexOptions
    from lockset.index.ports import Downloads
    from lockset.sync.ports import WheelBuilds
    from lockset.sync.target import Target

__all__ = ["add_arguments", "ports", "report", "run", "show", "tell_outdated", "tell_overlaps"]

_SIGNS = {"install": ("+", "green"), "change": ("~", "yellow"), "repair": ("!", "yellow"), "remove": ("-", "red")}
_DONE = {"install": "installed", "change": "changed", "repair": "repaired", "remove": "removed"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    add_target(parser)
    add_doing(parser, exact=True)
    add_sources(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Sync, and tell what was done."""
    here = Path.cwd()
    locks = lock_files(args.files, here)
    request = request_of(args, here, locks)
    with ExitStack() as stack:
        downloads, builds = ports(args, request, out, stack)
        result = sync(
            request,
            cache=cache_dir(args),
            downloads=downloads,
            builds=None if args.no_build else builds,
            show=lambda target, plan: show(plan, target, out),
            listener=out.listener(),
        )
    _tell_unmatched(result.plan, request, out)
    tell_overlaps(result, out)
    tell_outdated(result, out)
    if args.json:
        out.json(report(result))
    told = conclusion(result.plan, request)
    out.line(told)
    again = "" if out.quiet else f"{all_right(result.plan)}\n"
    keep(args, result, request, locks, here=here, told=again, verbose=out.verbose)
    return REFUSED if args.check and result.plan.changes else DONE


def ports(
    args: argparse.Namespace, request: SyncRequest, out: Output, stack: ExitStack
) -> tuple[Callable[[], Downloads], Callable[[], WheelBuilds]]:
    """Makers of the ports, which import what they need only when they are called."""
    mirrors: tuple[Mirror, ...] = ()
    if args.mirror:
        from lockset.composition.mirrors import read_mirror

        mirrors = tuple(map(read_mirror, args.mirror))

    @cache
    def options() -> IndexOptions:
        from lockset.cli.options.index import index_options, project_of_lock

        here = Path.cwd()
        return index_options(args, project_of_lock(args, Path(request.sources[0].folder), here), here)

    def downloads() -> Downloads:
        from lockset.composition.connections import connected, link_locked_files
        from lockset.composition.mirrors import MirroredDownloads

        connection = stack.enter_context(connected(options(), cache_dir(args), out.listener()))
        link_locked_files(connection, lambda: [source.read() for source in request.sources])
        return MirroredDownloads(connection.downloads, mirrors) if mirrors else connection.downloads

    def builds() -> WheelBuilds:
        from datetime import datetime, timezone

        from lockset.composition.build_environments import builder
        from lockset.composition.wheel_builds import HookWheelBuilds, parse_config_settings
        from lockset.sync.disk.inspect.interpreter import interpreter_of

        now = datetime.now(timezone.utc)  # noqa: TID251 - the command is where the clock is read
        python = request.python
        assert python is not None
        made = builder(options(), cache_dir(args), python=interpreter_of(python), now=now, listener=out.listener())
        return HookWheelBuilds(
            made,
            settings=parse_config_settings(args.config_setting),
            environ=dict(os.environ),  # noqa: TID251 - the door for environment variables
            offline=options().offline,
            listener=out.listener(),
        )

    return downloads, builds


def show(plan: Plan, target: Target, out: Output) -> None:
    """Tell what would change, and why."""
    if plan.changes:
        out.line(f"{out.style('Target', 'bold')} {plain(target.shown)}")
    for step in plan.changes:
        sign, style = _SIGNS[step.action]
        reason = f"{step.reason}; cannot be removed: {step.blocked}" if step.blocked else step.reason
        out.line(f" {out.style(sign, style)} {plain(_described(step))} {out.style(plain(f'({reason})'), 'dim')}")
    unselected = [step for step in plan.changes if step.choices]
    if unselected:
        options = " ".join(dict.fromkeys(step.choices[0] for step in unselected))
        count, them = (f"{len(unselected)} of these are", "them") if len(unselected) > 1 else ("One of these is", "it")
        out.line(plain(f"hint: {count} in the lock file and not selected: `{options}` keeps {them}"))
    for step in plan.steps:
        if step.action == "keep" and step.desired is None:
            out.detail(f"   {plain(_described(step))} stays ({plain(step.reason)})")


def _tell_unmatched(plan: Plan, request: SyncRequest, out: Output) -> None:
    """Names that mean nothing here: most likely they are misspelt."""
    wanted = {step.name for step in plan.steps if step.desired is not None}
    for name in sorted((request.policy.reinstall or frozenset()) - wanted):
        out.warn(f"{name} is to be installed anew, and the lock file selects none")


def tell_outdated(result: SyncResult, out: Output) -> None:
    """Note that the project beside the lock file requires something else by now."""
    if result.outdated:
        more = f" and {len(result.outdated) - 1} more" if len(result.outdated) > 1 else ""
        first = f"{result.outdated[0]}{more}"
        out.line(plain(f"note: The project has changed since its lock file was made: {first}. Run `lockset lock`"))


def tell_overlaps(result: SyncResult, out: Output) -> None:
    """Name what is there of one package alone although two own it."""
    pairs: dict[tuple[str, str], list[str]] = {}
    for one in result.overlaps:
        pairs.setdefault((one.winner, one.owner), []).append(one.path)
    for (winner, owner), paths in pairs.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        out.warn(f"{winner} and {owner} both own `{paths[0]}`{more}, with different content: that of {winner} is there")


def _described(step: Step) -> str:
    old, new = step.old_version, step.new_version
    if step.action == "change" and old and new and old != new:
        return f"{step.name} {old} -> {new}"
    return f"{step.name} {new or old or ''}".rstrip()


def conclusion(plan: Plan, request: SyncRequest) -> str:
    """The last line: what was, or would be, done."""
    if not plan.changes:
        return all_right(plan)
    possible = [step for step in plan.changes if not step.blocked]
    counts = {action: sum(1 for step in possible if step.action == action) for action in _DONE}
    done = ", ".join(f"{count} {_DONE[action]}" for action, count in counts.items() if count)
    if plan.blocked:
        return f"A sync is refused: {len(plan.blocked)} cannot be removed"
    return f"Would be {done}" if request.check_only else done[0].upper() + done[1:]


def all_right(plan: Plan) -> str:
    """What is said where nothing is to do."""
    count = sum(1 for step in plan.steps if step.desired is not None)
    if count == 0:
        return "The lock file selects no package here, and none is to be removed"
    return f"All {count} packages are as locked" if count > 1 else "The one package is as locked"


def report(result: SyncResult) -> dict[str, Any]:
    """The result as data: `schemas/sync-report.schema.json` describes it."""
    return {
        "format": 1,
        "target": {
            "path": result.target.shown,
            "kind": result.target.kind,
            "python": result.target.interpreter.executable,
        },
        "changed": result.changed,
        "outdated": list(result.outdated),
        "overlaps": [{"path": one.path, "owner": one.owner, "winner": one.winner} for one in result.overlaps],
        "steps": [
            {
                "action": step.action,
                "name": step.name,
                "old_version": step.old_version,
                "new_version": step.new_version,
                "reason": step.reason,
                "blocked": step.blocked or None,
                "source": step.desired.source if step.desired is not None else None,
                "hashes": dict(step.desired.hashes) if step.desired is not None else {},
            }
            for step in result.plan.steps
        ],
    }
