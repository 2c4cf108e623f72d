"""`lockset export`: a lock file as requirements, constraints or a bill of materials."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from lockset.api.export import FORMATS, ExportOptions, export_lock
from lockset.cli.commands.convert import compared, losses_as_json, tell_losses
from lockset.cli.exit_codes import DONE
from lockset.cli.options.common import add_cache, normal_name, standard_input
from lockset.composition.open_lock import open_lock
from lockset.conversion.writers.requirements import RequirementsStyle
from lockset.errors import LocksetError, UsageError
from lockset.files.output_file import write_output

if TYPE_CHECKING:
    import argparse

    from lockset.api.export import Export
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `lockset export`."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="lock file, or - (default: the nearest pylock.toml)")
    parser.add_argument("--format", choices=FORMATS, help="what to write (default: requirements-txt)")
    parser.add_argument("-o", "--output", metavar="FILE", help="file to write (default: stdout)")
    group = parser.add_argument_group("what is exported")
    group.add_argument("--extra", action="append", metavar="NAME", help="with this extra (repeatable)")
    group.add_argument("--all-extras", action="store_true", help="with all extras")
    group.add_argument("--group", action="append", metavar="NAME", help="with this dependency group (repeatable)")
    group.add_argument("--all-groups", action="store_true", help="with all dependency groups")
    group.add_argument("--only-group", action="append", metavar="NAME", help="this group without the default ones")
    group.add_argument("--python", metavar="RANGE", help="for these Pythons; `3.12` and a platform: one environment")
    group.add_argument("--platform", action="append", default=[], metavar="NAME", help="for this platform (repeatable)")
    form = parser.add_argument_group("requirements files")
    form.add_argument("--no-hashes", action="store_true", help="without hashes")
    notes = form.add_mutually_exclusive_group()
    notes.add_argument("--annotate", action="store_true", help="with `# via` comments (the default)")
    notes.add_argument("--no-annotate", action="store_true", help="without them")
    form.add_argument("--index-lines", action="store_true", help="with lines that name the indexes")
    form.add_argument("--no-trees", action="store_true", help="without what is installed from source trees")
    add_cache(parser, needless=True)
    parser.add_argument("--name", metavar="NAME", help="what a bill of materials is about (default: the lock's folder)")
    parser.add_argument("--strict", action="store_true", help="refuse where anything is lost")
    parser.add_argument(
        "--json", action="store_true", help="tell the outcome as JSON on stdout (with the text, without -o)"
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Export; see `lockset export --help`."""
    here = Path.cwd()
    args.format = args.format or "requirements-txt"
    document = open_lock(args.file, folder=here, stdin=standard_input)
    shown = document.path if document.path and args.file != "-" else "pylock.toml"
    lock = document.lock
    extras = tuple(lock.extras or ()) if args.all_extras else tuple(map(normal_name, args.extra or ()))
    groups = tuple(lock.dependency_groups or ()) if args.all_groups else tuple(map(normal_name, args.group or ()))
    if args.only_group and groups:
        raise UsageError("groups-twice", "`--only-group` and `--group` exclude each other")
    options = ExportOptions(
        format=args.format,
        extras=extras,
        groups=groups,
        only_groups=tuple(map(normal_name, args.only_group or ())),
        python=args.python,
        platforms=tuple(args.platform),
        style=RequirementsStyle(
            hashes=not args.no_hashes,
            annotate=not args.no_annotate,
            index_lines=args.index_lines,
            trees=not args.no_trees,
            source=os.path.basename(shown),  # noqa: PTH119 - text only
        ),
        name=args.name or Path(shown).absolute().parent.name or "pylock",
    )
    now = datetime.now(timezone.utc)  # noqa: TID251 - the command is where the clock is read
    done = export_lock(lock, options, strict=args.strict, now=now, location=shown)
    target = None if args.output in {None, "-"} else here / args.output
    if target is not None:
        _write(target, done.text)
    if args.json:
        out.json(_json(done, args.format, target))
    elif target is None:
        out.file(done.text)
    tell_losses(done.losses, out)
    entries = "1 entry" if done.packages == 1 else f"{done.packages} entries"
    proof = f", {compared(done.compared)}" if done.compared else ""
    out.line(out.style(f"Exported {entries} as {args.format}{proof}", "bold green"))
    return DONE


def _json(done: Export, format_: str, target: Path | None) -> dict[str, object]:
    """The outcome; the text itself where no file holds it."""
    return {
        "format": format_,
        "file": None if target is None else str(target),
        "text": done.text if target is None else None,
        "entries": done.packages,
        "environments": done.compared,
        "losses": losses_as_json(done.losses),
    }


def _write(target: Path, text: str) -> None:
    try:
        write_output(str(target), text.encode())
    except OSError as error:
        raise LocksetError("unwritable", f"Cannot write {target}: {error.strerror}") from error
