"""`lockset convert`: convert a requirements file or another tool's lock file to pylock.toml, and verify the result."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lockset.api.convert import convert
from lockset.cli.exit_codes import DONE
from lockset.cli.options.convert import add_convert_arguments as add_arguments
from lockset.cli.options.convert import read_convert_command as read
from lockset.cli.output.convert_report import show_conversion

if TYPE_CHECKING:
    from lockset.cli.options.convert import ConvertCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: ConvertCommand, out: Output) -> int:
    """Convert and verify; see `lockset convert --help`."""
    began = time.perf_counter()
    result = convert(
        command.inputs,
        command.options,
        indexes=command.indexes,
        output=command.output,
        context=command.context,
    )
    if result.path is None:
        out.file(result.text)
    else:
        result.write()
    show_conversion(result, command, out)
    out.line(out.style(f"{time.perf_counter() - began:.2f} s", "dim"))
    return DONE
