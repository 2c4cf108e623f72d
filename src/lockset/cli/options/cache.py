"""Options of `lockset cache`, and their values."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.cli.options.common import normal_name, run_context
from lockset.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import RunContext

__all__ = ["CacheCommand", "add_cache_arguments", "read_cache_command"]

_ACTIONS = ("dir", "size", "prune", "clean", "verify")
# Options that only some of these have.
_OF = {
    "older_than": ("prune",),
    "dry_run": ("prune", "clean"),
    "fix": ("verify",),
    "json": ("size", "prune", "clean", "verify"),
    "packages": ("clean",),
}


class CacheCommand(NamedTuple):
    """The options of `lockset cache`."""

    action: str
    packages: tuple[str, ...]
    older_than: timedelta
    dry_run: bool
    fix: bool
    json: bool
    context: RunContext


def add_cache_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset cache`."""
    parser.add_argument(
        "action",
        choices=_ACTIONS,
        metavar="ACTION",
        help="dir: print the folder; size: what it holds; prune: remove what was not used lately; clean: remove "
        "everything, or some packages; verify: check the entries",
    )
    parser.add_argument("packages", nargs="*", default=[], metavar="PACKAGE", help="clean: remove only these packages")
    parser.add_argument(
        "--older-than", metavar="AGE", help="prune: remove what has not been used for AGE (default: `30 days`)"
    )
    parser.add_argument("--dry-run", action="store_true", help="prune, clean: remove nothing, show what would go")
    parser.add_argument("--fix", action="store_true", help="verify: remove damaged entries")
    parser.add_argument("--json", action="store_true", help="write the result as JSON")
    group = parser.add_argument_group("cache")
    group.add_argument("--cache-dir", type=_path, metavar="DIR", help="the cache folder (LOCKSET_CACHE_DIR)")
    parser.set_defaults(offline=True, no_cache=False)


def read_cache_command(args: argparse.Namespace, out: Output) -> CacheCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If an option does not belong to the action, or a value is not valid.
    """
    for name, actions in _OF.items():
        if getattr(args, name) and args.action not in actions:
            shown = "PACKAGE" if name == "packages" else f"--{name.replace('_', '-')}"
            raise UsageError(
                "option-conflict", f"`lockset cache {args.action}` takes no {shown}", hint="See `lockset cache --help`"
            )
    return CacheCommand(
        action=args.action,
        packages=tuple(map(normal_name, args.packages)),
        older_than=_age(args.older_than) if args.older_than else timedelta(days=30),
        dry_run=args.dry_run,
        fix=args.fix,
        json=args.json,
        context=run_context(args, out),
    )


def _age(text: str) -> timedelta:
    import re

    short = re.fullmatch(r"(\d{1,6})\s*([mhdw])", text.strip())
    if short:
        unit = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[short[2]]
        return timedelta(**{unit: int(short[1])})
    from lockset.errors import LocksetError
    from lockset.sources.exclude_newer import parse_exclude_newer

    try:
        age = parse_exclude_newer(text)
    except LocksetError:
        age = None
    if not isinstance(age, timedelta):
        raise UsageError(
            "option-value", f"--older-than: `{text}` is not a valid age", hint="Write `30 days`, `12h` or `P2W`"
        )
    return age


def _path(text: str) -> object:
    from pathlib import Path

    return Path(text)
