"""`lockset why-not PACKAGE[==VERSION]`: what keeps a version from being locked."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from lockset.api.why_not import why_not
from lockset.cli.commands.lock import opener, output_path, read_old, read_project
from lockset.cli.exit_codes import DONE
from lockset.cli.options.lock import add_choices, lock_options, refuse_contradictions
from lockset.cli.output.streams import plain
from lockset.dependency_specifiers import read_dependency
from lockset.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from lockset.api.why_not import WhyNot
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `lockset why-not`: those of `lock`, which decide what would be locked."""
    parser.add_argument("package", metavar="PACKAGE[==VERSION]", help="what is asked about (default: its newest)")
    parser.add_argument("sources", nargs="*", default=[], metavar="SOURCE", help="as for `lockset lock`")
    parser.add_argument("-o", "--output", metavar="FILE", help="the lock file whose pins count (default: pylock.toml)")
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")
    add_choices(parser)
    parser.set_defaults(no_sdist=False, with_project=False)


def run(args: argparse.Namespace, out: Output) -> int:
    """Ask, and tell the answer."""
    here = Path.cwd()
    refuse_contradictions(args)
    name, version = _asked(args.package)
    project = read_project(args, here)
    target = output_path(args, here)
    old = read_old(target, out)
    answer = why_not(
        project,
        lock_options(args, here),
        name,
        version,
        open_repository=opener(args, project, here, out, lambda _: None),
        now=datetime.now(timezone.utc),  # noqa: TID251 - the command is where the clock is read
        old=None if old is None else old.pins,
        folder=target.parent if target is not None else here,
        listener=out.listener(),
    )
    if args.json:
        conflict = answer.conflict._asdict() if answer.conflict is not None else None
        out.json(
            {
                "name": answer.name,
                "version": answer.version,
                "chosen": [asdict(c) for c in answer.chosen],
                "reason": answer.reason,
                "hint": answer.hint,
                "conflict": conflict,
            }
        )
    else:
        _show(answer, out)
    return DONE


def _asked(text: str) -> tuple[str, str | None]:
    try:
        requirement = read_dependency(text)
    except InvalidRequirement as error:
        raise UsageError("package-name", f"`{text}` is no package", hint="Write NAME or NAME==VERSION") from error
    pins = [s.version for s in requirement.specifier if s.operator == "==" and "*" not in s.version]
    if requirement.url or requirement.marker or len(requirement.specifier) != len(pins) or len(pins) > 1:
        raise UsageError("package-name", f"`{text}` is no single version", hint="Write NAME or NAME==VERSION")
    return str(canonicalize_name(requirement.name)), pins[0] if pins else None


def _show(answer: WhyNot, out: Output) -> None:
    release = out.style(plain(f"{answer.name} {answer.version}"), "bold", stdout=True)
    out.data(f"{release}: {plain(answer.reason)}")
    for chosen in answer.chosen:
        where = f" where {plain(chosen.marker)}" if chosen.marker else ""
        out.data(f"  chosen: {plain(chosen.version)}{where}")
    if answer.conflict is not None:
        out.data(f"  {plain(answer.conflict.message)}")
        for line in answer.conflict.context:
            out.data(f"    {plain(line)}")
    if answer.hint:
        first, *more = plain(answer.hint).split("\n")
        out.data("\n".join([f"  hint: {first}", *(f"    {line}" for line in more)]))
