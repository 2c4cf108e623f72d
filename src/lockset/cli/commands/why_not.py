"""`lockset why-not PACKAGE[==VERSION]`: explain why a version is not locked."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from lockset.api.why_not import why_not
from lockset.cli.exit_codes import DONE
from lockset.cli.options.lock_command import add_why_not_arguments as add_arguments
from lockset.cli.options.lock_command import read_why_not_command as read
from lockset.cli.output.streams import plain

if TYPE_CHECKING:
    from lockset.api.why_not import WhyNot
    from lockset.cli.options.lock_command import WhyNotCommand
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
