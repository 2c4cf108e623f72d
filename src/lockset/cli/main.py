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
    "validate": "check lock files and project files against the standards",
    "tree": "show what a lock file holds, and who asked for it",
    "why": "show every chain that leads to a package",
    "why-not": "tell what keeps a version from being locked",
    "diff": "compare two lock files",
}

# The commands that a remembered run may answer.
_RECALLED = frozenset({"lock", "sync", "install"})


def build_parser(chosen: str | None, *, every: bool = False) -> argparse.ArgumentParser:
    """The parser; only the command `chosen` (or `every` one, for the documentation) gets its options."""
    from lockset.cli.program import make_parser

    return make_parser(COMMANDS, chosen, every=every)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Args:
        argv: Arguments without the program's name. Those of the process when None: then this is all that the process
            does, and it ends here where nothing stands in the way.
    """
    if argv is not None:
        return _run(list(argv))
    _open_streams()
    try:
        code = _run(sys.argv[1:], alone=True)
        _end(code)
    except KeyboardInterrupt as interrupt:
        # So late, or so early, that nobody else could say anything of it.
        os._exit(getattr(interrupt, "code", 130))
    return code


def _open_streams() -> None:
    """What was closed by the caller leads nowhere: else the next file that is opened would take its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _run(arguments: Sequence[str], *, alone: bool = False) -> int:
    """Run the command line; `alone` when that is all that the process does, which signals end then."""
    try:
        if _RECALLED.intersection(arguments[:1]) and _stands(arguments):
            return 0
        if alone:
            from lockset.cli.interrupts import leave_at_once

            leave_at_once()
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

    Threads that end with the process end here too, whatever they are writing. Returns where others are at work.
    """
    threading = sys.modules.get("threading")
    if threading is not None and sum(not thread.daemon for thread in threading.enumerate()) > 1:
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter itself calls first at its end
    # Only to flush: what is written by `cli.output` must have left before the process does.
    _flushed(sys.stderr)  # noqa: TID251 - what stderr tells is help; what stdout holds is the result
    arrived = _flushed(sys.stdout)  # noqa: TID251
    os._exit(code if arrived else code or 1)


def _flushed(stream: object) -> bool:
    try:
        stream.flush()  # type: ignore[attr-defined]
    except (OSError, ValueError, AttributeError):
        return False
    return True


def _stands(arguments: Sequence[str]) -> bool:
    """Whether this very command is known to have nothing to do; it is told then."""
    environ = os.environ  # noqa: TID251 - the door for environment variables
    if arguments[0] == "lock":
        from lockset.cli.fast_path.lock import recall_answer

        output = recall_answer(arguments, environ)
    else:
        from lockset.files.record_store import replay

        output = replay(arguments, environ)
    if output is None:
        return False
    try:
        # Not through `cli.output`, whose import takes longer than all of this.
        os.write(2, output.encode())
    except OSError:
        return False
    return True
