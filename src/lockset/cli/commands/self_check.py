"""`lockset self-check`: show what lockset finds on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.api.self_check import self_check
from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.options.self_check import add_self_check_arguments as add_arguments
from lockset.cli.options.self_check import read_self_check_command as read
from lockset.cli.output.machine_screen import machine_json, show_machine, terminal_facts

if TYPE_CHECKING:
    from lockset.cli.options.self_check import SelfCheckCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: SelfCheckCommand, out: Output) -> int:
    """Look around, and show it."""
    facts = (*self_check(indexes=command.indexes, context=command.context), *terminal_facts(out))
    if command.json:
        out.json(machine_json(facts))
    else:
        show_machine(facts, out)
    return REFUSED if any(fact.state == "fault" for fact in facts) else DONE
