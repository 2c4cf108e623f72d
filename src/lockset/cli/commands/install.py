"""`lockset install`: as `lockset sync`, but what the lock file does not name stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.cli.commands.sync import run
from lockset.cli.options.sync import add_doing, add_sources, add_target

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    add_target(parser)
    add_doing(parser, exact=False)
    add_sources(parser)
