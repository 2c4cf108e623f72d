"""`lockset lock`: a project for every platform into one pylock.toml."""

from __future__ import annotations

import os
import re
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.fast_path.lock_record import save_answer
from lockset.cli.options.common import cache_dir
from lockset.cli.options.index import index_options, source_fetcher, unread_variable
from lockset.cli.options.lock import add_choices, lock_options, read_build_choices, refuse_contradictions
from lockset.cli.output.report import change_lines
from lockset.cli.output.streams import plain
from lockset.composition.lock_pipeline import LockResult, lock_project
from lockset.composition.repositories import repository_opener
from lockset.errors import LocksetError, UsageError
from lockset.files.output_file import write_output
from lockset.lockfile.diff import diff
from lockset.lockfile.file_name import is_lock_file_name
from lockset.resolve.lock.staleness import outdated_parts
from lockset.resolve.problem.other_sources import unread_settings
from lockset.sources.discover import STDIN, find_upwards, read_sources
from lockset.sources.other_tools import join_many_names
from lockset.url_secrets import without_secrets

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from lockset.cli.output.streams import Output
    from lockset.index.options import IndexOptions
    from lockset.lockfile.merge_conflict import OldLock
    from lockset.lockfile.model import Pylock
    from lockset.metadata.ports import Builder
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.file_policy import FileRules
    from lockset.resolve.problem.options import LockOptions
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.sources.project import RootProject

__all__ = ["add_arguments", "opener", "output_path", "read_old", "read_project", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `lockset lock`."""
    parser.add_argument(
        "sources",
        nargs="*",
        default=[],
        metavar="SOURCE",
        help="pyproject.toml, requirements.in, a script, or - for stdin (default: the nearest pyproject.toml)",
    )
    _output(parser)
    add_choices(parser)


def _output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", metavar="FILE", help="lock file to write, or - (default: pylock.toml)")
    group.add_argument("--dry-run", action="store_true", help="show what would change, write nothing")
    group.add_argument(
        "--check", action="store_true", help="only tell whether the lock serves its sources (exit 1 if not; no network)"
    )
    group.add_argument("--no-sdist", action="store_true", help="record wheels only")
    group.add_argument(
        "--with-project", action="store_true", help="lock the project itself as well, as an editable folder"
    )
    group.add_argument("--without-project", action="store_true", help="without it, though the lock there is has it")
    group.add_argument("--json", action="store_true", help="tell the outcome as JSON on stdout")
    group.add_argument("--stats", action="store_true", help="tell how the search went")


def run(args: argparse.Namespace, out: Output) -> int:
    """Lock, check or show; see `lockset lock --help`."""
    began = time.perf_counter()
    since = time.time()  # noqa: TID251 - the command is where the clock is read
    here = Path.cwd()
    refuse_contradictions(args)
    project = read_project(args, here)
    target = output_path(args, here)
    if target is None and args.json and not args.dry_run:
        raise UsageError(
            "option-conflict", "`-o -` and --json both write to standard output", hint="Name a file by `-o`"
        )
    old = read_old(target, out, merging=not args.check)
    choices = lock_options(args, here)
    warned = _warn(project, choices, out)
    if args.check:
        again = " ".join(["lockset", *(quote(without_secrets(a)) for a in args.arguments if a != "--check")])
        locked = None if old is None else old.pins
        return _check(project, choices, locked, target, out, as_json=args.json, again=again)
    fresh_until: list[float] = []
    before = target.read_bytes() if target is not None and target.is_file() else None
    result = lock_project(
        project,
        choices,
        open_repository=opener(args, project, here, out, fresh_until.append),
        now=datetime.now(timezone.utc),  # noqa: TID251 - see above
        old=None if old is None else old.pins,
        folder=target.parent if target is not None else here,
        verify=args.verify_metadata,
        listener=out.listener(),
    )
    _write(result, target, dry_run=args.dry_run, out=out)
    _tell(result, old, target, args, out)
    out.line(out.style(f"{time.perf_counter() - began:.2f} s", "dim"))
    save_answer(
        args,
        project,
        choices,
        here=here,
        target=target,
        before=before,
        after=result.text.encode(),
        told=("", "") if out.quiet else _short(result, target, [*warned, *_unread(index_options(args, project, here))]),
        since=since,
        until=0.0 if _more_decides(result, args) else min(fresh_until, default=0.0),
    )
    return DONE


def _warn(project: RootProject, choices: LockOptions, out: Output) -> list[str]:
    """Say what the user should hear of the sources; the lines."""
    messages = [w.message for w in (*project.warnings, *unread_settings(project, choices))]
    for message in messages:
        out.warn(message)
    return [f"warning: {plain(message)}" for message in messages]


def opener(
    args: argparse.Namespace, project: RootProject, here: Path, out: Output, asked: Callable[[float], None]
) -> Callable[[FileRules, ProgressListener], AbstractContextManager[IndexRepository]]:
    """Where releases come from, and what builds those that only a build knows."""
    options = index_options(args, project, here)
    for line in _unread(options):
        out.line(line)
    cache = cache_dir(args)
    constraints, settings = read_build_choices(args, here)

    def builds(listener: ProgressListener) -> Builder:
        from lockset.composition.build_environments import builder

        return builder(
            options,
            cache,
            python=sys.executable,
            now=datetime.now(timezone.utc),  # noqa: TID251 - see above
            listener=listener,
            constraints=(*constraints, *project.settings.build_constraints),
            settings={**project.settings.config_settings, **settings},
        )

    return repository_opener(options, cache, builder=builds, asked=asked)


def _more_decides(result: LockResult, args: argparse.Namespace) -> bool:
    """Whether the answer hangs on trees, archives or files that nobody looks at when it is recalled."""
    files = args.override or args.build_constraint or args.editable or args.this_environment
    files = files or args.fetch.count
    return bool(files) or any(package.is_direct for package in result.lock.packages)


def _unread(options: IndexOptions) -> list[str]:
    return unread_variable(options, os.environ)  # noqa: TID251 - the door for environment variables


def read_project(args: argparse.Namespace, here: Path) -> RootProject:
    """What the sources that are named, or found, ask for."""
    stdin = sys.stdin.read() if STDIN in args.sources else None
    environ = dict(os.environ)  # noqa: TID251 - the door for environment variables
    return read_sources(
        args.sources,
        folder=here,
        environ=environ,
        stdin=stdin,
        use_settings=not args.no_config,
        config=args.config,
        fetch=source_fetcher(args, here),
    )


def output_path(args: argparse.Namespace, here: Path) -> Path | None:
    """The file to write; None for stdout. A script's lock lies beside it, a project's beside its pyproject.toml."""
    if args.output == "-":
        return None
    if args.output is not None:
        path = Path(args.output)
        if not is_lock_file_name(path.name):
            raise UsageError(
                "file-name",
                f"{path.name} is no name for a lock file",
                hint="Name it pylock.toml or pylock.NAME.toml, where NAME has no dot",
            )
        return here / path
    scripts = [Path(s) for s in args.sources if s.endswith(".py")]
    if len(scripts) == 1 and len(args.sources) == 1:
        name = re.sub(r"[^A-Za-z0-9_-]", "-", scripts[0].stem)
        return here / scripts[0].parent / f"pylock.{name}.toml"
    if not args.sources:
        found = find_upwards("pyproject.toml", here)
        return (found.parent if found else here) / "pylock.toml"
    return here / "pylock.toml"


def read_old(target: Path | None, out: Output, *, merging: bool = True) -> OldLock | None:
    """The lock there is, None where there is none or it cannot be read (which is told: its pins are lost).

    With an open merge conflict in it, the pins of both sides, where `merging`.
    """
    if target is None or not target.exists():
        return None
    from lockset.lockfile.merge_conflict import old_lock  # a first lock does without it

    try:
        found = old_lock(target)
    except LocksetError as error:
        out.warn(f"The pins of {target.name} are not used: {error.diagnostic.message}")
        return None
    if found.merged and not merging:
        hint = "Run `lockset lock`: it tries the pins of both sides first, and writes a file without conflict"
        raise LocksetError(
            "merge-conflict", "The lock file has an open merge conflict", location=str(target), hint=hint
        )
    if found.merged:
        out.line(f"{target.name} has an open merge conflict: the pins of both sides are tried first")
    return found


def _check(
    project: RootProject,
    choices: LockOptions,
    old: Pylock | None,
    target: Path | None,
    out: Output,
    *,
    as_json: bool,
    again: str,
) -> int:
    if target is None:
        raise UsageError("check-stdout", "--check needs a lock file to look at", hint="Name it with `-o`")
    if old is None:
        raise LocksetError("lock-missing", f"There is no usable {target.name} to check", hint=f"Make it: `{again}`")
    findings = outdated_parts(
        project,
        choices,
        old,
        now=datetime.now(timezone.utc),  # noqa: TID251 - see above
        folder=target.parent,
    )
    if as_json:
        out.json({"lock": str(target), "current": not findings, "findings": list(findings)})
    for finding in findings:
        out.line(f"{out.style('stale', 'bold yellow')}: {finding}")
    if findings:
        out.line(f"{target.name} does not serve its sources: run `{plain(again)}`")
        return REFUSED
    for unbuilt in project.unbuilt:
        keys = join_many_names(unbuilt.keys)
        out.line(f"note: The {keys} of {unbuilt.name} are dynamic, and were not compared: `{plain(again)}` builds it")
    out.line(f"{target.name} serves its sources")
    return DONE


def _write(result: LockResult, target: Path | None, *, dry_run: bool, out: Output) -> None:
    if target is None:
        if not dry_run:
            out.file(result.text)
        return
    if dry_run:
        return
    data = result.text.encode()
    if target.is_file() and target.read_bytes() == data:  # neither a pipe nor a device, which have no end
        return
    try:
        write_output(str(target), data)
    except OSError as error:
        raise LocksetError(
            "lock-unwritable", f"Cannot write {target}: {error.strerror}", hint="The old file is as it was"
        ) from error


def _tell(result: LockResult, old: OldLock | None, target: Path | None, args: argparse.Namespace, out: Output) -> None:
    for gap in result.gaps:
        out.warn(gap.text)
    changes = diff(old.ours, result.lock) if old is not None else None
    if args.json:
        out.json(_json(result, target))
    names = {p.name for p in result.lock.packages}
    entries = len(result.lock.packages)
    forked = f" in {entries} entries" if entries != len(names) else ""
    count = f"{len(names)} package{'' if len(names) == 1 else 's'}"
    name = target.name if target is not None else "stdout"
    if changes is not None:
        for line in change_lines(changes, out):
            out.line(line)
    if old is not None and not old.merged and changes is not None and changes.is_empty:
        said = f"{name} is current: {count}{forked}"
    elif args.dry_run:
        said = f"Would lock {count}{forked}"
    else:
        said = f"Locked {count}{forked}"
    out.line(out.style(said, "bold green"))
    if args.stats or args.verbose:
        for line in _statistics(result):
            out.line(line)


def _statistics(result: LockResult) -> list[str]:
    s = result.resolution.statistics
    count = len(result.lock.packages)
    search = f"{s.conflicts} conflicts, {s.restarts} restarts, {s.parts} parts, {s.rounds} rounds"
    lines = [f"{count} entries, {result.splits} splits, {search}"]
    if result.behind:
        lines.append(f"{len(result.behind)} of {len({p.name for p in result.lock.packages})} behind the newest:")
        lines += [f"  {name} {chosen}, newest {newest}" for name, (chosen, newest) in result.behind.items()]
    else:
        lines.append("every project at its newest final version")
    lines += [f"stepped over {release}: {why}" for release, why in result.skipped.items()]
    return lines


def _short(result: LockResult, target: Path | None, hints: list[str]) -> tuple[str, str]:
    """What the same command says the next time: where the lock is written again, and where it is as it should be."""
    lines = [*hints, *(f"note: {plain(note)}" for note in result.notes)]
    lines += [f"warning: {gap.text}" for gap in result.gaps]
    gaps = "".join(f"{line}\n" for line in lines)
    names = {p.name for p in result.lock.packages}
    count = f"{len(names)} package{'' if len(names) == 1 else 's'}"
    name = target.name if target is not None else "stdout"
    return f"{gaps}Locked {count}, as before\n", f"{gaps}{name} is current: {count}\n"


def _json(result: LockResult, target: Path | None) -> dict[str, object]:
    statistics = result.resolution.statistics
    return {
        "lock": str(target) if target is not None else None,
        "packages": [
            {
                "name": p.name,
                "version": str(p.version) if p.version is not None else None,
                "marker": str(p.marker) if p.marker else None,
            }
            for p in result.lock.packages
        ],
        "gaps": [{"name": g.name, "version": g.version, "environment": g.environments} for g in result.gaps],
        "skipped": dict(result.skipped),
        "behind": {name: {"locked": chosen, "newest": newest} for name, (chosen, newest) in result.behind.items()},
        "statistics": {
            "entries": len(result.lock.packages),
            "splits": result.splits,
            "rounds": statistics.rounds,
            "conflicts": statistics.conflicts,
            "restarts": statistics.restarts,
            "parts": statistics.parts,
        },
    }
