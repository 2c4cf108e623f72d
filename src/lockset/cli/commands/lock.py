"""`lockset lock`: a project for every platform into one pylock.toml."""

from __future__ import annotations

import os
import re
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from lockset.api.check import check
from lockset.api.lock import Choices, LockResult, lock
from lockset.api.wiring import repository_opener
from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.index_options import index_options
from lockset.cli.lock_answer import remember
from lockset.cli.options import add_cache, add_index, cache_dir, env_flag, env_text
from lockset.cli.report import change_lines
from lockset.errors import LocksetError, UsageError
from lockset.lockfile.diff import diff
from lockset.lockfile.file_name import is_lock_file_name
from lockset.lockfile.load import load
from lockset.sources.exclude_newer import parse_exclude_newer
from lockset.sources.files.discover import STDIN, find_upwards, read_constraints, read_sources
from lockset.sync.disk.atomic import write_durably

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lockset.cli.output import Output
    from lockset.events import Listener
    from lockset.lockfile.model import Pylock
    from lockset.metadata.ports import Builder
    from lockset.sources.project import RootProject

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `lockset lock`."""
    parser.add_argument(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help="pyproject.toml, requirements.in, a script, or - for stdin (default: the nearest pyproject.toml)",
    )
    _output(parser)
    _what(parser)
    _where(parser)
    _versions(parser)
    add_index(parser)
    add_cache(parser)


def _output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", metavar="FILE", help="lock file to write, or - (default: pylock.toml)")
    group.add_argument("--dry-run", action="store_true", help="show what would change, write nothing")
    group.add_argument(
        "--check", action="store_true", help="only tell whether the lock serves its sources (exit 1 if not; no network)"
    )
    group.add_argument("--no-sdist", action="store_true", help="record wheels only")
    group.add_argument("--json", action="store_true", help="tell the outcome as JSON on stdout")
    group.add_argument("--stats", action="store_true", help="tell how the search went")


def _what(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is locked")
    group.add_argument("-c", "--constraint", action="append", default=[], metavar="FILE", help="limit versions by FILE")
    group.add_argument(
        "--extra", action="append", metavar="NAME", help="lock this extra only (repeatable; default: all)"
    )
    group.add_argument("--all-extras", action="store_true", help="lock all extras (the default)")
    group.add_argument(
        "--group", action="append", metavar="NAME", help="lock this group only (repeatable; default: all)"
    )
    group.add_argument("--only-group", action="append", metavar="NAME", help="lock this group without the project")
    group.add_argument("--all-groups", action="store_true", help="lock all dependency groups (the default)")
    group.add_argument("--no-config", action="store_true", help="leave [tool.lockset] aside")


def _where(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where the lock must hold")
    group.add_argument("--python", metavar="RANGE", help="Pythons to lock for, such as `>=3.10` or `3.12`")
    group.add_argument(
        "--platform",
        action="append",
        default=[],
        metavar="NAME",
        help="linux, macos, windows, or precise such as manylinux_2_28_aarch64 (repeatable; default: all)",
    )
    group.add_argument("--environment", action="append", default=[], metavar="MARKER", help="only where MARKER holds")
    group.add_argument(
        "--require-wheels-for",
        action="append",
        default=[],
        metavar="PLATFORM",
        help="choose only releases with wheels for PLATFORM",
    )


def _versions(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which versions")
    group.add_argument("-U", "--upgrade", action="store_true", help="the newest versions, whatever the lock has")
    group.add_argument(
        "-P", "--upgrade-package", action="append", default=[], metavar="NAME", help="the newest version of NAME"
    )
    group.add_argument("--resolution", choices=("highest", "lowest", "lowest-direct"), help="which versions first")
    group.add_argument("--prerelease", choices=("if-necessary", "allow", "disallow"), help="when pre-releases count")
    group.add_argument(
        "--fork-strategy",
        choices=("newest", "fewest"),
        help="the newest version for each Python (default), or the fewest versions",
    )
    group.add_argument("--exclude-newer", metavar="DATE", help="only files uploaded before DATE, or a duration ago")
    group.add_argument("--no-build", action="store_true", help="use wheels only, build nothing")
    group.add_argument("--only-binary", action="append", default=[], metavar="NAME", help="the same for NAME or :all:")
    group.add_argument("--no-binary", action="append", default=[], metavar="NAME", help="no wheels of NAME or :all:")


def run(args: argparse.Namespace, out: Output) -> int:
    """Lock, check or show; see `lockset lock --help`."""
    began = time.perf_counter()
    since = time.time()  # noqa: TID251 - the command is where the clock is read
    here = Path.cwd()
    project = _project(args, here)
    for warning in project.warnings:
        out.warn(warning.message)
    target = _target(args, here)
    old = _old(target, out)
    choices = _choices(args, here)
    if args.check:
        return _check(project, choices, old, target, out, as_json=args.json)
    options = index_options(args, project, here)
    now = datetime.now(timezone.utc)  # noqa: TID251 - the command is where the clock is read
    cache = cache_dir(args)

    def builds(listener: Listener) -> Builder:
        from lockset.api.build_environment import builder

        return builder(options, cache, python=sys.executable, now=now, listener=listener)

    fresh_until: list[float] = []
    before = target.read_bytes() if target is not None and target.is_file() else None
    result = lock(
        project,
        choices,
        open_repository=repository_opener(options, cache, builder=builds, asked=fresh_until.append),
        now=now,
        old=old,
        listener=out.listener(),
    )
    _write(result, target, dry_run=args.dry_run, out=out)
    _tell(result, old, target, args, out)
    out.line(out.style(f"{time.perf_counter() - began:.2f} s", "dim"))
    remember(
        args,
        project,
        choices,
        here=here,
        target=target,
        before=before,
        after=result.text.encode(),
        told=("", "") if out.quiet else _short(result, target),
        since=since,
        until=min(fresh_until, default=0.0),
    )
    return DONE


def _project(args: argparse.Namespace, here: Path) -> RootProject:
    stdin = sys.stdin.read() if STDIN in args.sources else None
    environ = dict(os.environ)  # noqa: TID251 - the door for environment variables
    return read_sources(args.sources, folder=here, environ=environ, stdin=stdin, use_settings=not args.no_config)


def _target(args: argparse.Namespace, here: Path) -> Path | None:
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


def _old(target: Path | None, out: Output) -> Pylock | None:
    """The lock there is, None where there is none or it cannot be read (which is told: its pins are lost)."""
    if target is None or not target.exists():
        return None
    try:
        return load(target).lock
    except LocksetError as error:
        out.warn(f"The pins of {target.name} are not used: {error.diagnostic.message}")
        return None


def _choices(args: argparse.Namespace, here: Path) -> Choices:
    newer = args.exclude_newer or env_text("EXCLUDE_NEWER")
    no_build = [":all:"] if args.no_build or env_flag("NO_BUILD") else []
    return Choices(
        python=args.python or env_text("PYTHON"),
        platforms=tuple(args.platform),
        environments=tuple(args.environment),
        require_wheels_for=tuple(args.require_wheels_for),
        extras=_names(args.extra, everything=args.all_extras or not (args.only_group)),
        groups=_names((args.group or []) + (args.only_group or []) or None, everything=args.all_groups or True),
        only_groups=bool(args.only_group),
        upgrade=args.upgrade,
        upgrade_packages=frozenset(str(canonicalize_name(n)) for n in args.upgrade_package),
        constraints=read_constraints(
            args.constraint,
            folder=here,
            environ=dict(os.environ),  # noqa: TID251 - the door for environment variables
        ),
        prerelease=args.prerelease,
        resolution=args.resolution,
        fork=args.fork_strategy,
        exclude_newer=parse_exclude_newer(newer, place="--exclude-newer") if newer else None,
        no_build=tuple(no_build + [_package(n) for n in args.only_binary]),
        no_binary=tuple(_package(n) for n in args.no_binary),
        no_sdist=args.no_sdist,
    )


def _package(name: str) -> str:
    return name if name == ":all:" else str(canonicalize_name(name))


def _names(named: Sequence[str] | None, *, everything: bool) -> tuple[str, ...] | None:
    """Normalised names; None for all."""
    if named:
        return tuple(str(canonicalize_name(n)) for n in named)
    return None if everything else ()


def _check(
    project: RootProject, choices: Choices, old: Pylock | None, target: Path | None, out: Output, *, as_json: bool
) -> int:
    if target is None:
        raise UsageError("check-stdout", "--check needs a lock file to look at", hint="Name it with `-o`")
    if old is None:
        raise LocksetError("lock-missing", f"There is no usable {target.name} to check", hint="Make it: `lockset lock`")
    findings = check(project, choices, old, now=datetime.now(timezone.utc))  # noqa: TID251 - see above
    if as_json:
        out.json({"lock": str(target), "current": not findings, "findings": list(findings)})
    for finding in findings:
        out.line(f"{out.style('stale', 'bold yellow')}: {finding}")
    if findings:
        out.line(f"{target.name} does not serve its sources: run `lockset lock`")
        return REFUSED
    out.line(f"{target.name} serves its sources")
    return DONE


def _write(result: LockResult, target: Path | None, *, dry_run: bool, out: Output) -> None:
    if target is None:
        if not dry_run:
            out.data(result.text)
        return
    if dry_run:
        return
    data = result.text.encode()
    if target.exists() and target.read_bytes() == data:
        return
    try:
        write_durably(str(target), data)
    except OSError as error:
        raise LocksetError(
            "lock-unwritable", f"Cannot write {target}: {error.strerror}", hint="The old file is as it was"
        ) from error


def _tell(result: LockResult, old: Pylock | None, target: Path | None, args: argparse.Namespace, out: Output) -> None:
    for gap in result.gaps:
        out.warn(f"{gap.name} {gap.version} has no file for {gap.sample}: it cannot be installed there")
    changes = diff(old, result.lock) if old is not None else None
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
    if changes is not None and changes.is_empty:
        said = f"{name} is current: {count}{forked}"
    elif args.dry_run:
        said = f"Would lock {count}{forked}"
    else:
        said = f"Locked {count}{forked}"
    out.line(out.style(said, "bold green"))
    if args.stats or args.verbose:
        s = result.resolution.statistics
        out.line(
            f"{s.rounds} rounds, {s.conflicts} conflicts, {s.restarts} restarts, {s.parts} parts; {entries} entries"
        )


def _short(result: LockResult, target: Path | None) -> tuple[str, str]:
    """What the same command says the next time: where the lock is written again, and where it is as it should be."""
    gaps = "".join(
        f"warning: {g.name} {g.version} has no file for {g.sample}: it cannot be installed there\n" for g in result.gaps
    )
    names = {p.name for p in result.lock.packages}
    count = f"{len(names)} package{'' if len(names) == 1 else 's'}"
    name = target.name if target is not None else "stdout"
    return f"{gaps}Locked {count}, as before\n", f"{gaps}{name} is current: {count}\n"


def _json(result: LockResult, target: Path | None) -> dict[str, object]:
    statistics = result.resolution.statistics
    return {
        "lock": str(target) if target is not None else None,
        "packages": [
            {"name": p.name, "version": str(p.version), "marker": str(p.marker) if p.marker else None}
            for p in result.lock.packages
        ],
        "gaps": [{"name": g.name, "version": g.version, "environment": g.sample} for g in result.gaps],
        "statistics": {
            "rounds": statistics.rounds,
            "conflicts": statistics.conflicts,
            "restarts": statistics.restarts,
            "parts": statistics.parts,
        },
    }
