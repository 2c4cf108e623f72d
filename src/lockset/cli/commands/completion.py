"""`lockset completion SHELL`: write the completion script of a shell."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lockset.cli.exit_codes import DONE
from lockset.cli.options.completion import add_completion_arguments as add_arguments
from lockset.cli.options.completion import completion_script, names_for_completion
from lockset.cli.options.completion import read_completion_command as read

if TYPE_CHECKING:
    from lockset.cli.options.completion import CompletionCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: CompletionCommand, out: Output) -> int:
    """Write the script, or list names."""
    if command.listed is not None:
        out.data(names_for_completion(command.listed, os.getcwd()))
    elif command.shell is not None:
        out.data(completion_script(command.shell))
    return DONE
