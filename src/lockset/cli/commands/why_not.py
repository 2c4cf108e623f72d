"""`lockset why-not PACKAGE[==VERSION]`: explain why a version is not locked."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from lockset.api.why_not import why_not
from lockset.cli.exit_codes import DONE
from lockset.cli.options.lock import add_why_not_arguments as add_arguments
from lockset.cli.options.lock import read_why_not_command as read
from lockset.cli.output.streams import plain

if TYPE_CHECKING:
    from lockset.api.why_not import WhyNot
    from lockset.cli.options.lock import WhyNotCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: WhyNotCommand, out: Output) -> int:
    """Search, and show the reason."""
    answer = why_not(
        command.package,
        command.sources,
        options=command.options,
        indexes=command.indexes,
        output=command.output,
        context=command.context,
    )
    if command.json:
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


def _show(answer: WhyNot, out: Output) -> None:
    name = plain(f"{answer.name} {answer.version}")
    release, reason = out.style(name, "bold", stdout=True), plain(answer.reason)
    # A reason that begins with the release itself is a whole sentence.
    first, rest = (release, reason[len(name) :]) if reason.startswith(f"{name} ") else (f"{release}:", reason)
    out.data(out.filled([first, *rest.split()], indent="  "))
    for chosen in answer.chosen:
        where = f" where {plain(chosen.marker)}" if chosen.marker else ""
        _show_line(f"chosen: {plain(chosen.version)}{where}", out, indent="  ")
    if answer.conflict is not None:
        _show_line(plain(answer.conflict.message), out, indent="  ")
        for line in answer.conflict.context:
            _show_line(plain(line), out, indent="    ")
    if answer.hint:
        line, *more = plain(answer.hint).split("\n")
        _show_line(f"hint: {line}", out, indent="  ")
        for line in more:
            _show_line(line, out, indent="    ")


def _show_line(text: str, out: Output, *, indent: str) -> None:
    """Show a line, wrapped between words if it is longer than the terminal is wide."""
    indent += " " * (len(text) - len(text.lstrip()))
    first, *words = text.split() or [""]
    out.data(out.filled([f"{indent}{first}", *words], indent=f"{indent}  "))
