"""The entry point. A sync with nothing to do ends here; everything else is `lockset.cli.program`'s."""

from __future__ import annotations

import atexit
import gc
import os
import sys

# Not even `typing`: what is imported here, every run pays for.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["COMMANDS", "build_parser", "main"]

# Command -> what it does. The module is `lockset.cli.commands.<command>`, hyphens as underscores.
COMMANDS: dict[str, str] = {
    "lock": "lock a project for every platform into one pylock.toml",
    "sync": "make an environment exactly what a lock file says",
    "install": "install what a lock file says, and remove nothing",
    "check-env": "tell how an environment differs from a lock file",
    "download": "bring the files of a lock file into a folder",
    "convert": "make a lock file of requirements, or of another tool's lock file",
    "export": "write a lock file as requirements, constraints or a bill of materials",
    "validate": "check lock files against the standard",
    "tree": "show what a lock file holds, and who asked for it",
    "why": "show every chain that leads to a package",
    "why-not": "tell what keeps a version from being locked",
    "diff": "compare two lock files",
}

# The commands that a remembered run may answer.
_RECALLED = frozenset({"lock", "sync", "install"})


def build_parser(chosen: str | None, *, every: bool = False) -> argparse.ArgumentParser:
    """The parser; only the command `chosen` (or `every` one, for the documentation) gets its options."""
    from lockset.cli.program import build_parser as build

    return build(COMMANDS, chosen, every=every)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Args:
        argv: Arguments without the program's name. Those of the process when None: then this is all that the process
            does, and it ends here where nothing stands in the way.
    """
    code = _run(list(sys.argv[1:] if argv is None else argv))
    if argv is None:
        _end(code)
    return code


def _run(arguments: Sequence[str]) -> int:
    try:
        if _RECALLED.intersection(arguments[:1]) and _stands(arguments):
            return 0
        gc.disable()  # until everything is imported: nothing of that is garbage
        from lockset.cli.program import run
    except KeyboardInterrupt:
        return 130  # before anything was begun
    try:
        return run(arguments, COMMANDS)
    finally:
        gc.enable()


def _end(code: int) -> None:
    """End the process without taking the interpreter apart, which takes longer than many a command.

    Returns where that is not safe: threads are at work, or the streams cannot be flushed.
    """
    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter itself calls first at its end
    try:
        # Only to flush: what is written by `cli.output` must have left before the process does.
        for stream in (sys.stdout, sys.stderr):  # noqa: TID251
            stream.flush()
    except (OSError, ValueError, AttributeError):
        return
    os._exit(code)


def _stands(arguments: Sequence[str]) -> bool:
    """Whether this very command is known to have nothing to do; it is told then."""
    environ = os.environ  # noqa: TID251 - the door for environment variables
    if arguments[0] == "lock":
        from lockset.cli.lock_recall import recall_answer

        told = recall_answer(arguments, environ)
    else:
        from lockset.sync.disk.recall import recall

        told = recall(arguments, environ)
    if told is None:
        return False
    try:
        # Not through `cli.output`, whose import takes longer than all of this.
        os.write(2, told.encode())
    except OSError:
        return False
    return True
