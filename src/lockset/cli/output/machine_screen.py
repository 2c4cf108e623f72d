"""The output of `lockset self-check`: facts about the machine by section, and those about the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from lockset.api.self_check import MachineFact
from lockset.cli.output.streams import count_text, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.cli.output.streams import Output

__all__ = ["machine_json", "show_machine", "terminal_facts"]

_SECTIONS = ("versions", "pythons", "indexes", "cache", "certificates", "proxies", "settings", "terminal")
_MARKS = {"fault": ("fault", "bold red"), "note": ("note", "bold yellow")}


def terminal_facts(out: Output) -> Iterator[MachineFact]:
    """Facts about the standard streams."""
    for name, stdout in (("stdout", True), ("stderr", False)):
        stream = sys.stdout if stdout else sys.stderr
        encoding = getattr(stream, "encoding", None) or "unknown"
        kind = f"terminal of {out.columns(stdout=stdout)} columns" if stream.isatty() else "not a terminal"
        color = "colour" if (out.stdout_color if stdout else out.color) else "no colour"
        yield MachineFact(section="terminal", name=name, value=f"{kind}, {color}, {encoding}")


def show_machine(facts: Sequence[MachineFact], out: Output) -> None:
    """Show the facts section by section, and how many are faults."""
    width = min(max((len(fact.name) for fact in facts), default=0), 24)
    for section in _SECTIONS:
        own = [fact for fact in facts if fact.section == section]
        if not own:
            continue
        out.data(out.style(section.capitalize(), "bold", stdout=True))
        for fact in own:
            mark = _MARKS.get(fact.state)
            words = plain(fact.value).split() or [""]
            if mark is not None:
                words.insert(0, out.style(f"{mark[0]}:", mark[1], stdout=True))
            out.data(out.filled([f"  {plain(fact.name).ljust(width)}", *words], indent=" " * (width + 3)))
            if fact.hint:
                hint = ["hint:", *plain(fact.hint).split()]
                out.data(out.filled([" " * (width + 2), *hint], indent=" " * (width + 3)))
    faults = sum(fact.state == "fault" for fact in facts)
    if faults:
        out.line(out.style(f"Found {count_text(faults, 'fault')}", "bold red"))
    else:
        out.line(out.style("No faults found", "bold green"))


def machine_json(facts: Sequence[MachineFact]) -> dict[str, Any]:
    """The facts as JSON."""
    return {
        "faults": sum(fact.state == "fault" for fact in facts),
        "facts": [
            {
                "section": fact.section,
                "name": fact.name,
                "value": fact.value,
                "state": fact.state,
                "hint": fact.hint,
            }
            for fact in facts
        ],
    }
