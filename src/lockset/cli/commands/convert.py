"""`lockset convert`: a requirements file or a foreign lock file to pylock.toml, with a proof."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from lockset.api.convert import ConvertOptions, convert, is_pylock
from lockset.api.convert_pylock import PylockOptions, convert_pylock
from lockset.cli.exit_codes import DONE
from lockset.cli.options.common import add_cache, add_index, cache_dir, normal_name
from lockset.cli.options.index import index_options, unread_variable
from lockset.cli.output.streams import plain
from lockset.conversion.model.formats import Format
from lockset.errors import LocksetError, UsageError
from lockset.files.output_file import write_output
from lockset.lockfile.file_name import is_lock_file_name

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lockset.api.convert import Conversion
    from lockset.cli.output.streams import Output
    from lockset.conversion.model.imported_lock import Loss
    from lockset.index.options import IndexOptions
    from lockset.sources.project import RootProject

__all__ = ["add_arguments", "compared", "losses_as_json", "run", "tell_losses"]

_STDIN = "-"
# On the command line these outdo the indexes of the input; variables do not, which are set for all projects.
_OWN_INDEXES = ("default_index", "index", "no_index")
# As many losses of one kind as are told without `--verbose`.
_SHOWN = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `lockset convert`."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="requirements file of pins, poetry.lock, uv.lock, pdm.lock, Pipfile.lock, conda-lock file, or pylock "
        "files (several are merged); - for stdin",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="lock file to write, or - (default: pylock.toml)")
    parser.add_argument(
        "--from", dest="format", choices=[f.value for f in Format], help="what INPUT is (default: seen)"
    )
    parser.add_argument(
        "--files",
        choices=("as-hashed", "all", "wheels"),
        help="files of pins without hashes: all, or wheels only (default: all where no pin has a hash)",
    )
    parser.add_argument("--python", metavar="RANGE", help="Pythons the lock serves, such as `>=3.10`")
    parser.add_argument("--pyproject", type=Path, metavar="FILE", help="what INPUT was made from (default: beside it)")
    parser.add_argument(
        "--package", action="append", default=[], metavar="NAME", help="member of a uv workspace (repeatable)"
    )
    parser.add_argument("--all-packages", action="store_true", help="all members of a uv workspace")
    parser.add_argument("--no-project", action="store_true", help="no entry for the project itself")
    parser.add_argument("--allow-conda", action="store_true", help="although packages of conda are needed")
    parser.add_argument("--sizes", action="store_true", help="ask servers for sizes that the index does not tell")
    parser.add_argument("--strict", action="store_true", help="refuse where anything is lost")
    parser.add_argument("--verify", action="store_true", help="show what was compared")
    parser.add_argument("--json", action="store_true", help="tell the outcome as JSON on stdout")
    _narrowing(parser)
    add_index(parser)
    add_cache(parser)


def _narrowing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("pylock files only")
    group.add_argument("--fill", action="store_true", help="fill in sizes and upload times from the index")
    group.add_argument("--platform", action="append", default=[], metavar="NAME", help="keep this platform only")
    group.add_argument("--extra", action="append", metavar="NAME", help="settle the choice: with this extra")
    group.add_argument("--group", action="append", metavar="NAME", help="settle the choice: with this group, too")
    group.add_argument("--only-group", action="append", metavar="NAME", help="settle the choice: this group alone")
    group.add_argument("--settle", action="store_true", help="settle the choice: what is installed by default")


def run(args: argparse.Namespace, out: Output) -> int:
    """Convert and prove; see `lockset convert --help`."""
    began = time.perf_counter()
    target = _target(args)
    if target is None and args.json:
        raise UsageError(
            "option-conflict", "`-o -` and --json both write to standard output", hint="Name a file by `-o`"
        )
    content = _stdin() if args.inputs == [_STDIN] else None
    done = _converted(args, target, content, out)
    if target is None:
        out.file(done.text)
    else:
        _write(target, done.text)
    _tell(done, target, args, out)
    out.line(out.style(f"{time.perf_counter() - began:.2f} s", "dim"))
    return DONE


def _converted(args: argparse.Namespace, target: Path | None, content: bytes | None, out: Output) -> Conversion:
    here = Path.cwd()

    def options(project: RootProject | None) -> IndexOptions:
        found = index_options(args, project, here)
        for line in unread_variable(found, os.environ) if project is not None else ():  # noqa: TID251 - see above
            out.line(line)
        return found

    output = target or here / "pylock.toml"
    pylocks = [name for name in args.inputs if is_pylock(name, content, args.format)]
    if pylocks and len(pylocks) < len(args.inputs):
        raise UsageError(
            "inputs-mixed", "Pylock files are merged with pylock files only", hint="Convert the others first"
        )
    if pylocks:
        return convert_pylock(
            args.inputs,
            _pylock_options(args),
            output=output,
            content=content,
            strict=args.strict,
            index_options=options(None),
            cache=cache_dir(args),
            listener=out.listener(),
        )
    if len(args.inputs) > 1:
        raise UsageError("inputs-several", "Only pylock files are merged; other files are converted one by one")
    _refuse_narrowing(args)
    return convert(
        args.inputs[0],
        _convert_options(args),
        output=output,
        content=content,
        strict=args.strict,
        environ=dict(os.environ),  # noqa: TID251 - the door for environment variables
        index_options=options,
        cache=cache_dir(args),
        listener=out.listener(),
    )


def _refuse_narrowing(args: argparse.Namespace) -> None:
    given = [f"--{n}" for n in ("fill", "platform", "extra", "group", "settle") if getattr(args, n)]
    if args.only_group:
        given.append("--only-group")
    if given:
        raise UsageError(
            "pylock-only", f"{given[0]} is for pylock files", hint="Convert first, then narrow what was written"
        )


def _convert_options(args: argparse.Namespace) -> ConvertOptions:
    return ConvertOptions(
        format=Format(args.format) if args.format else None,
        python=args.python,
        files=args.files or "as-hashed",
        pyproject=args.pyproject,
        members=tuple(args.package),
        all_members=args.all_packages,
        with_project=not args.no_project,
        allow_conda=args.allow_conda,
        offline=args.offline,
        sizes=args.sizes,
        own_indexes=not any(getattr(args, name) and name not in args.by_variable for name in _OWN_INDEXES),
    )


def _pylock_options(args: argparse.Namespace) -> PylockOptions:
    return PylockOptions(
        python=args.python,
        platforms=tuple(args.platform),
        extras=tuple(map(normal_name, args.extra or ())),
        groups=tuple(map(normal_name, args.group or ())),
        only_groups=tuple(map(normal_name, args.only_group or ())),
        settle=bool(args.settle or args.extra or args.group or args.only_group),
        fill=args.fill,
    )


def _stdin() -> bytes:
    return sys.stdin.buffer.read()


def _target(args: argparse.Namespace) -> Path | None:
    """The file to write; None for stdout."""
    if args.output == "-":
        return None
    path = Path(args.output or "pylock.toml")
    if not is_lock_file_name(path.name):
        raise UsageError(
            "file-name",
            f"{path.name} is no name for a lock file",
            hint="Name it pylock.toml or pylock.NAME.toml, where NAME has no dot",
        )
    return Path.cwd() / path


def _write(target: Path, text: str) -> None:
    data = text.encode()
    try:
        if target.is_file() and target.read_bytes() == data:  # neither a pipe nor a device, which have no end
            return
        write_output(str(target), data)
    except OSError as error:
        raise LocksetError(
            "lock-unwritable", f"Cannot write {target}: {error.strerror}", hint="The old file is as it was"
        ) from error


def _tell(done: Conversion, target: Path | None, args: argparse.Namespace, out: Output) -> None:
    tell_losses(done.losses, out)
    if args.verify:
        rows = [(r.choice, str(r.environments), f"{r.fewest} to {r.most}") for r in done.proof.rows]
        out.table(("choice", "environments", "packages"), rows)
        proof = done.proof
        out.line(f"hashes of the input: {proof.hashes}, kept: {proof.kept}, lost: {proof.lost}")
    if args.json and target is not None:
        out.json(_json(done, target))
    names = {package.name for package in done.lock.packages}
    entries = len(done.lock.packages)
    forked = f" in {entries} entries" if entries != len(names) else ""
    count = f"{len(names)} package{'' if len(names) == 1 else 's'}"
    said = f"Converted {done.format}: {count}{forked}, {compared(sum(row.environments for row in done.proof.rows))}"
    out.line(out.style(plain(said), "bold green"))


def compared(environments: int) -> str:
    """What a proof found."""
    return f"the same in {environments} environment{'' if environments == 1 else 's'} compared"


def tell_losses(losses: Sequence[Loss], out: Output) -> None:
    """One line each, kinds together; many of one kind are counted."""
    counts = Counter(loss.kind for loss in losses)
    told: Counter[str] = Counter()
    for loss in sorted(losses, key=lambda one: (one.note, one.kind)):
        told[loss.kind] += 1
        if told[loss.kind] > _SHOWN and not out.verbose:
            if told[loss.kind] == counts[loss.kind]:
                out.line(f"  and {counts[loss.kind] - _SHOWN} more of {loss.kind} (`--verbose` lists them)")
            continue
        if loss.note:
            out.line(f"{out.style('note', 'bold cyan')}: {plain(loss.message)}")
        else:
            out.warn(f"lost: {loss.message}")


def losses_as_json(losses: Sequence[Loss]) -> list[dict[str, object]]:
    """Losses as values for JSON."""
    return [
        {"kind": loss.kind, "message": loss.message, "note": loss.note, "hashes": list(loss.hashes)} for loss in losses
    ]


def _json(done: Conversion, target: Path) -> dict[str, object]:
    return {
        "format": done.format,
        "lock": str(target),
        "packages": [
            {
                "name": p.name,
                "version": str(p.version) if p.version is not None else None,
                "marker": str(p.marker) if p.marker else None,
            }
            for p in done.lock.packages
        ],
        "losses": losses_as_json(done.losses),
        "proof": {
            "choices": [
                {"choice": r.choice, "environments": r.environments, "fewest": r.fewest, "most": r.most}
                for r in done.proof.rows
            ],
            "hashes": done.proof.hashes,
            "kept": done.proof.kept,
            "lost": done.proof.lost,
        },
    }
