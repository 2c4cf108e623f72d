"""The surroundings of a run, as a value: from here on, nothing reads the process's own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lockset.cli.options.common import cache_dir, standard_input
from lockset.composition.run_context import RunContext

if TYPE_CHECKING:
    import argparse

    from lockset.cli.output.streams import Output

__all__ = ["run_context"]


def run_context(args: argparse.Namespace, out: Output, *, caching: bool = True) -> RunContext:
    """What the options of every command, and the process, say; without `caching` there is nothing to remember."""
    return RunContext(
        cache=cache_dir(args) if caching else None,
        offline=args.offline,
        environ=dict(os.environ),  # noqa: TID251 - the door for environment variables
        use_settings=not args.no_config,
        config=args.config,
        stdin=standard_input,
        listener=out.listener(),
    )
