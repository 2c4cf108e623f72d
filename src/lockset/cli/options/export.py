"""Options of `lockset export` and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.cli.options.common import add_cache, normal_name, other_spelling, run_context
from lockset.composition.audits.report import AuditOptions
from lockset.composition.conversions.export import FORMATS, ExportOptions
from lockset.conversion.writers.requirements import RequirementsStyle
from lockset.lockfile.file_name import refuse_source_as_output

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import RunContext

__all__ = ["ExportCommand", "add_export_arguments", "read_export_command"]


class ExportCommand(NamedTuple):
    """The options of `lockset export`; `target` is None for stdout."""

    file: str | None
    options: ExportOptions
    target: Path | None
    context: RunContext
    json: bool


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset export`."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="lock file, or - (default: the nearest pylock.toml)")
    parser.add_argument("--package", metavar="NAME", help="export the lock file of this member of the workspace")
    parser.add_argument(
        "--format", type=other_spelling, choices=FORMATS, help="the format to write (default: requirements-txt)"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="file to write (default: stdout)")
    group = parser.add_argument_group("selection")
    group.add_argument("--extra", action="append", metavar="NAME", help="include this extra (repeatable)")
    group.add_argument("--all-extras", action="store_true", help="include all extras")
    group.add_argument("--group", action="append", metavar="NAME", help="include this dependency group (repeatable)")
    group.add_argument("--all-groups", action="store_true", help="include all dependency groups")
    group.add_argument(
        "--only-group", action="append", metavar="NAME", help="include this group, but not the default ones"
    )
    group.add_argument(
        "--python", metavar="RANGE", help="export for these Pythons; `3.12` with a platform is one environment"
    )
    group.add_argument(
        "--platform", action="append", default=[], metavar="NAME", help="export for this platform (repeatable)"
    )
    form = parser.add_argument_group("requirements files")
    form.add_argument("--no-hashes", action="store_true", help="omit hashes")
    notes = form.add_mutually_exclusive_group()
    notes.add_argument("--annotate", action="store_true", help="include `# via` comments (the default)")
    notes.add_argument("--no-annotate", action="store_true", help="omit `# via` comments")
    form.add_argument("--index-lines", action="store_true", help="include `--index-url` lines for the indexes")
    form.add_argument("--no-trees", action="store_true", help="omit packages that are installed from source trees")
    group.add_argument(
        "--no-emit-package", action="append", default=[], metavar="NAME", help="omit this package (repeatable)"
    )
    add_cache(parser, needless=True)
    parser.add_argument("--name", metavar="NAME", help="name in a bill of materials (default: the folder's)")
    _add_vex(parser)
    parser.add_argument("--strict", action="store_true", help="refuse an export that loses anything")
    parser.add_argument(
        "--json", action="store_true", help="write a report as JSON to stdout (with the exported text if without -o)"
    )


def _add_vex(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("known vulnerabilities (for CycloneDX)")
    group.add_argument("--vex", action="store_true", help="include the vulnerabilities that `lockset audit` finds")
    group.add_argument(
        "--advisories", action="append", default=[], metavar="PATH|URL", help="as for `lockset audit` (repeatable)"
    )
    group.add_argument("--osv", action="store_true", help="query OSV's service (sends names and versions)")


def _vex(args: argparse.Namespace) -> AuditOptions | None:
    if not (args.vex or args.advisories or args.osv):
        return None
    return AuditOptions(advisories=tuple(args.advisories), osv=True if args.osv else None)


def _file(args: argparse.Namespace, context: RunContext) -> str | None:
    if args.package is None:
        file: str | None = args.file
        return file
    from lockset.composition.workspaces.member_locks import chosen_lock_names  # most projects are in no workspace

    named = [] if args.file is None else [args.file]
    return chosen_lock_names(named, context, [normal_name(args.package)], all_packages=False)[0]


def read_export_command(args: argparse.Namespace, out: Output) -> ExportCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If a value is not valid.
        LocksetError: `lock-not-found`, `unknown-member`.
    """
    context = run_context(args, out, caching=False)
    options = ExportOptions(
        format=args.format or "requirements-txt",
        extras=tuple(map(normal_name, args.extra or ())),
        all_extras=args.all_extras,
        groups=tuple(map(normal_name, args.group or ())),
        all_groups=args.all_groups,
        only_groups=tuple(map(normal_name, args.only_group or ())),
        python=args.python,
        platforms=tuple(args.platform),
        style=RequirementsStyle(
            hashes=not args.no_hashes,
            annotate=not args.no_annotate,
            index_lines=args.index_lines,
            trees=not args.no_trees,
        ),
        name=args.name,
        strict=args.strict,
        excludes=tuple(map(normal_name, args.no_emit_package)),
        vex=_vex(args),
    )
    refuse_source_as_output(args.output)
    target = None if args.output in {None, "-"} else context.here / args.output
    return ExportCommand(file=_file(args, context), options=options, target=target, context=context, json=args.json)
