"""Options of `lockset self-check`, and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.cli.options.common import add_cache, add_index, index_overrides, run_context

if TYPE_CHECKING:
    import argparse

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import IndexOverrides, RunContext

__all__ = ["SelfCheckCommand", "add_self_check_arguments", "read_self_check_command"]

# A person waits for the report, and what is wrong shows at the first attempt.
_TIMEOUT, _RETRIES = 10.0, 0


class SelfCheckCommand(NamedTuple):
    """The options of `lockset self-check`."""

    json: bool
    indexes: IndexOverrides
    context: RunContext


def add_self_check_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset self-check`."""
    parser.add_argument("--json", action="store_true", help="write the facts as JSON")
    add_index(parser)
    add_cache(parser)


def read_self_check_command(args: argparse.Namespace, out: Output) -> SelfCheckCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: `option-value` if a number or a proxy is not valid.
    """
    indexes = index_overrides(args, timeout=_TIMEOUT, retries=_RETRIES)
    return SelfCheckCommand(json=args.json, indexes=indexes, context=run_context(args, out))
