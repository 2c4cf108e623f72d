"""Options of `lockset audit` and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.cli.options.common import add_cache, add_index, index_overrides, normal_name, run_context
from lockset.cli.options.pythons import python_of
from lockset.composition.audits.report import AuditOptions
from lockset.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import IndexOverrides, RunContext

__all__ = ["AuditCommand", "add_audit_arguments", "read_audit_command"]

FORMATS = ("text", "json", "sarif", "github", "markdown")


class AuditCommand(NamedTuple):
    """The options of `lockset audit`; with `dry_run`, a fixed lock is not written."""

    file: str | None
    options: AuditOptions
    indexes: IndexOverrides
    context: RunContext
    format: str
    dry_run: bool


def add_audit_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset audit`."""
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="lock file, requirements file, or - (default: the nearest pylock.toml)"
    )
    group = parser.add_argument_group("advisories")
    group.add_argument(
        "--advisories",
        action="append",
        default=[],
        metavar="PATH|URL",
        help="a folder or archive of advisories in the formats of OSV and PyPA, or the URL of an archive (repeatable)",
    )
    group.add_argument("--osv", action="store_true", help="query OSV's service (sends names and versions)")
    group.add_argument("--osv-url", metavar="URL", help="the URL of the service")
    group.add_argument(
        "--ignore", action="append", default=[], metavar="ID", help="do not count this vulnerability (repeatable)"
    )
    fixes = parser.add_argument_group("fixes (these use the indexes)")
    fixes.add_argument(
        "--online", action="store_true", help="try which fixes fit the lock, and find quarantined and yanked packages"
    )
    fixes.add_argument("--fix", action="store_true", help="lock fixing versions, and change as little else as possible")
    fixes.add_argument("--dry-run", action="store_true", help="with --fix: show the changes without writing them")
    _add_selection(parser)
    parser.add_argument("--format", choices=FORMATS, help="how to show findings (default: text)")
    parser.add_argument("--json", action="store_true", help="the same as --format json")
    add_cache(parser)
    add_index(parser)


def _add_selection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("selection (default: everything)")
    group.add_argument("--extra", action="append", metavar="NAME", help="packages installed with this extra")
    group.add_argument("--group", action="append", metavar="NAME", help="packages installed with this group")
    group.add_argument("--python-version", metavar="VERSION", help="packages for this Python (3.12, or a range)")
    group.add_argument("--platform", metavar="NAME", help="packages for this platform (linux, macos, windows, ...)")
    group = parser.add_argument_group("environment, instead of a file")
    group.add_argument("-p", "--python", metavar="PATH|VERSION", help="interpreter, environment, version or range")
    group.add_argument("--system", action="store_true", help="the first Python on PATH")
    group.add_argument("--target", metavar="DIR", help="the packages in DIR")
    group.add_argument("--prefix", metavar="DIR", help="the installation below DIR")


def read_audit_command(args: argparse.Namespace, out: Output) -> AuditCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If options exclude each other.
    """
    context = run_context(args, out)
    if args.target and args.prefix:
        raise UsageError("option-conflict", "--target cannot be used with --prefix")
    if args.dry_run and not args.fix:
        raise UsageError("option-conflict", "`--dry-run` requires `--fix`")
    if args.json and args.format not in {None, "json"}:
        raise UsageError("option-conflict", f"`--json` cannot be used with `--format {args.format}`")
    extras, groups = (None if given is None else tuple(map(normal_name, given)) for given in (args.extra, args.group))
    of_environment = args.python or args.system or args.target or args.prefix
    # A variable that names an index for every command is no request to use it here.
    named = ("index", "default_index", "extra_index_url", "find_links", "no_index")
    of_indexes = any(getattr(args, name) and name not in args.by_variable for name in named)
    options = AuditOptions(
        advisories=tuple(args.advisories),
        osv=True if args.osv or args.osv_url else None,
        osv_address=args.osv_url,
        ignore=tuple(args.ignore),
        extras=extras,
        groups=groups,
        python_version=args.python_version,
        platform=args.platform,
        python=python_of(args, context) if of_environment else None,
        target=args.target,
        prefix=args.prefix,
        online=bool(args.online or of_indexes),
        fix=args.fix,
    )
    return AuditCommand(
        file=args.file,
        options=options,
        indexes=index_overrides(args),
        context=context,
        format="json" if args.json else args.format or "text",
        dry_run=args.dry_run,
    )
