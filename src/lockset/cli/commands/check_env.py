"""`lockset check-env`: how an environment differs from a lock file. Nothing is changed, nothing is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lockset.cli.commands.sync import all_right, report, show, tell_outdated, tell_overlaps
from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.options.common import add_cache, cache_dir
from lockset.cli.options.sync import add_files, add_policy, add_target, lock_files, request_of
from lockset.composition.sync_pipeline import sync

if TYPE_CHECKING:
    import argparse

    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    add_target(parser)
    group = parser.add_argument_group("checking")
    group.add_argument("--inexact", action="store_true", help="pass over what the lock file does not name")
    group.add_argument("--keep", action="append", default=[], metavar="NAME", help="pass over this (repeatable)")
    group.add_argument("--verify-files", action="store_true", help="hash installed files instead of trusting times")
    group.add_argument("--json", action="store_true", help="report on stdout as JSON")
    add_files(parser)
    add_policy(parser)
    add_cache(parser)
    parser.set_defaults(
        check=True, dry_run=True, remove_pip=False, reinstall=False, reinstall_package=[], compile_bytecode=False
    )
    parser.set_defaults(link_mode=None, find_links=[], allow_overlap=[])


def run(args: argparse.Namespace, out: Output) -> int:
    """Compare, and tell what differs."""
    args.break_system_packages = True  # looking does no harm
    here = Path.cwd()
    request = request_of(args, here, lock_files(args.files, here))
    result = sync(
        request,
        cache=cache_dir(args),
        downloads=_unreachable,
        show=lambda target, plan: show(plan, target, out),
        listener=out.listener(),
    )
    tell_overlaps(result, out)
    tell_outdated(result, out)
    if args.json:
        out.json(report(result))
    changes = result.plan.changes
    if not changes:
        out.line(all_right(result.plan))
        return DONE
    out.line(f"{len(changes)} package{'s differ' if len(changes) > 1 else ' differs'} from the lock file")
    return REFUSED


def _unreachable() -> NoReturn:
    raise AssertionError("a check fetches nothing")
