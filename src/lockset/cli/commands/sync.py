"""`lockset sync`: make an environment exactly what a lock file says."""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from lockset.api.sync import Doing, LockSource, Policy, SyncRequest, find_environment, find_lock, sync
from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.options import add_cache, add_index, cache_dir
from lockset.cli.output import plain
from lockset.errors import LocksetError, UsageError
from lockset.lockfile.load import load

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from lockset.api.sync import Plan, Step, SyncResult
    from lockset.cli.output import Output
    from lockset.index.ports import Downloads
    from lockset.sync.ports import WheelBuilds
    from lockset.sync.target import Target

__all__ = ["add_arguments", "run"]

_SIGNS = {"install": ("+", "green"), "change": ("~", "yellow"), "repair": ("!", "yellow"), "remove": ("-", "red")}
_DONE = {"install": "installed", "change": "changed", "repair": "repaired", "remove": "removed"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="lock files (default: pylock.toml found upwards)")
    target = parser.add_argument_group("target")
    target.add_argument(
        "-p", "--python", metavar="PATH", help="interpreter or environment (default: the active one, else .venv)"
    )
    target.add_argument("--target", metavar="DIR", help="install into this folder instead")
    selection = parser.add_argument_group("selection")
    selection.add_argument("--extra", action="append", default=[], metavar="NAME", help="with this extra (repeatable)")
    selection.add_argument("--all-extras", action="store_true", help="with every extra")
    selection.add_argument("--group", action="append", default=[], metavar="NAME", help="with this group (repeatable)")
    selection.add_argument(
        "--only-group", action="append", default=[], metavar="NAME", help="with this group, without the default ones"
    )
    selection.add_argument("--no-default-groups", action="store_true", help="without the default groups")
    selection.add_argument("--all-groups", action="store_true", help="with every group")
    _add_removal(parser)
    _add_doing(parser)
    add_cache(parser)
    add_index(parser)


def _add_removal(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("removal")
    group.add_argument("--inexact", action="store_true", help="leave what the lock file does not name")
    group.add_argument("--keep", action="append", default=[], metavar="NAME", help="never remove this (repeatable)")
    group.add_argument(
        "--remove-pip", action="store_true", help="also remove pip, setuptools and wheel where the lock has none"
    )


def _add_doing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("doing")
    group.add_argument("--dry-run", action="store_true", help="show the plan only")
    group.add_argument(
        "--check", action="store_true", help="show the plan only, and exit with 1 if it changes anything"
    )
    group.add_argument("--reinstall", action="store_true", help="install everything anew")
    group.add_argument(
        "--reinstall-package", action="append", default=[], metavar="NAME", help="install this anew (repeatable)"
    )
    group.add_argument("--compile-bytecode", action="store_true", help="compile modules once they are installed")
    group.add_argument(
        "--link-mode",
        choices=("auto", "clone", "hardlink", "copy"),
        default="auto",
        help="how files come from the cache (default: auto, the quickest that works)",
    )
    group.add_argument("--verify-files", action="store_true", help="hash installed files instead of trusting times")
    group.add_argument("--no-build", action="store_true", help="refuse sources, which would have to be built")
    group.add_argument("--json", action="store_true", help="report on stdout as JSON")


def run(args: argparse.Namespace, out: Output) -> int:
    """Sync, and tell what was done."""
    request = _request(args)
    with ExitStack() as stack:
        downloads, builds = _ports(args, request, out, stack)
        result = sync(
            request,
            cache=cache_dir(args),
            downloads=downloads,
            builds=None if args.no_build else builds,
            show=lambda target, plan: _show(plan, target, out),
            listener=out.listener(),
        )
    if args.json:
        out.json(_report(result))
    _conclude(result, request, out)
    return REFUSED if args.check and result.plan.changes else DONE


def _request(args: argparse.Namespace) -> SyncRequest:
    if args.only_group and (args.group or args.all_groups):
        raise UsageError("option-conflict", "--only-group goes with neither --group nor --all-groups")
    here = Path.cwd()
    names = frozenset(canonicalize_name(name) for name in args.reinstall_package)
    return SyncRequest(
        sources=_sources(args.files, here),
        python=_python(args, here),
        directory=os.path.abspath(args.target) if args.target else None,  # noqa: PTH100 (links are followed later)
        extras=frozenset(canonicalize_name(name) for name in args.extra),
        all_extras=args.all_extras,
        groups=frozenset(canonicalize_name(name) for name in (*args.group, *args.only_group)),
        all_groups=args.all_groups,
        default_groups=not (args.no_default_groups or args.only_group),
        policy=Policy(
            exact=not args.inexact,
            keep=frozenset(canonicalize_name(name) for name in args.keep),
            remove_seeds=args.remove_pip,
            reinstall=None if args.reinstall else names,
        ),
        doing=Doing(link_mode=args.link_mode, compile_bytecode=args.compile_bytecode, verify_files=args.verify_files),
        check_only=args.dry_run or args.check,
    )


def _sources(files: list[str], here: Path) -> tuple[LockSource, ...]:
    paths = [Path(name) for name in files] or [_nearest(here)]
    return tuple(LockSource(lock=load(path).lock, folder=str((here / path).parent)) for path in paths)


def _nearest(here: Path) -> Path:
    found = find_lock(here)
    if found is None:
        raise LocksetError(
            "lock-not-found",
            f"There is no pylock.toml in {here} or above it",
            hint="`lockset lock` writes one; name its path to use another",
        )
    return found


def _python(args: argparse.Namespace, here: Path) -> str:
    if args.python:
        return str(args.python)
    active = os.environ.get("VIRTUAL_ENV")  # noqa: TID251 - the door for environment variables
    found = active or find_environment(here)
    if found is not None:
        return found
    if args.target:
        import sys

        return sys.executable
    raise LocksetError(
        "no-environment",
        f"There is no virtual environment: none is active, and there is no .venv in {here} or above it",
        hint="Make one with `python -m venv .venv`, or name an interpreter with `--python`",
    )


def _ports(
    args: argparse.Namespace, request: SyncRequest, out: Output, stack: ExitStack
) -> tuple[Callable[[], Downloads], Callable[[], WheelBuilds]]:
    """Makers of the ports, which import what they need only when they are called."""

    def downloads() -> Downloads:
        from lockset.api.wiring import connected
        from lockset.cli.index_options import index_options

        options = index_options(args, None, Path.cwd())
        connection = stack.enter_context(connected(options, cache_dir(args), out.listener()))
        return connection.downloads

    def builds() -> WheelBuilds:
        from lockset.api.build_environment import builder
        from lockset.api.sync_builds import HookWheelBuilds
        from lockset.cli.index_options import index_options
        from lockset.sync.disk.interpreter import interpreter_of

        now = datetime.now(timezone.utc)  # noqa: TID251 - the command is where the clock is read
        options = index_options(args, None, Path.cwd())
        python = interpreter_of(request.python)
        return HookWheelBuilds(builder(options, cache_dir(args), python=python, now=now, listener=out.listener()))

    return downloads, builds


def _show(plan: Plan, target: Target, out: Output) -> None:
    if plan.changes:
        out.line(f"{out.style('Target', 'bold')} {plain(target.shown)}")
    for step in plan.changes:
        sign, style = _SIGNS[step.action]
        out.line(f" {out.style(sign, style)} {plain(_described(step))} {out.style(plain(f'({step.reason})'), 'dim')}")
    for step in plan.steps:
        if step.action == "keep" and step.wanted is None:
            out.detail(f"   {plain(_described(step))} stays ({plain(step.reason)})")


def _described(step: Step) -> str:
    old, new = step.old_version, step.new_version
    if step.action == "change" and old and new and old != new:
        return f"{step.name} {old} -> {new}"
    return f"{step.name} {new or old or ''}".rstrip()


def _conclude(result: SyncResult, request: SyncRequest, out: Output) -> None:
    plan = result.plan
    if not plan.changes:
        kept = sum(1 for step in plan.steps if step.wanted is not None)
        out.line(f"All {kept} packages are as locked")
        return
    counts = {action: sum(1 for step in plan.changes if step.action == action) for action in _DONE}
    told = ", ".join(f"{count} {_DONE[action]}" for action, count in counts.items() if count)
    out.line(f"Would be {told}" if request.check_only else told[0].upper() + told[1:])


def _report(result: SyncResult) -> dict[str, Any]:
    return {
        "target": {
            "path": result.target.shown,
            "kind": result.target.kind,
            "python": result.target.interpreter.executable,
        },
        "changed": result.changed,
        "steps": [
            {
                "action": step.action,
                "name": step.name,
                "old_version": step.old_version,
                "new_version": step.new_version,
                "reason": step.reason,
                "source": step.wanted.source if step.wanted is not None else None,
                "hashes": dict(step.wanted.hashes) if step.wanted is not None else {},
            }
            for step in result.plan.steps
        ],
    }
