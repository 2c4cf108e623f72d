"""The entry point. It answers commands with nothing to do from the cache, and runs `lockset.cli.program` otherwise.

SIGINT and SIGTERM end the process at once before a command has begun; later its changes are undone. An exception that a
signal raises while modules are imported, or wherever the interpreter ignores exceptions, would show a traceback and be
lost. So none is raised before there is something to undo, and a lost exception is raised again.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys

from lockset._version import __version__

# Not even `typing`: every run pays for these imports.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    import signal
    from collections.abc import Sequence
    from types import FrameType
    from typing import NoReturn
else:
    import _signal as signal  # what `signal` wraps in enumerations, which takes a millisecond

__all__ = ["COMMANDS", "Terminated", "build_parser", "leave_at_once", "main", "undo_first"]

# Help texts by command. The module is `lockset.cli.commands.<command>`, hyphens as underscores.
COMMANDS: dict[str, str] = {
    "lock": "lock a project for every platform into one pylock.toml",
    "sync": "make an environment match a lock file",
    "install": "install the packages of a lock file, and remove nothing",
    "check-env": "show how an environment differs from a lock file",
    "download": "download the files of a lock file into a folder",
    "convert": "convert requirements or another tool's lock file to a pylock.toml",
    "export": "export a lock file to requirements, constraints or a bill of materials",
    "validate": "check lock files and project files against the standards",
    "audit": "find known vulnerabilities in what is locked or installed",
    "tree": "show the packages of a lock file as a dependency tree",
    "why": "show why a package is locked",
    "why-not": "explain why a version is not locked",
    "diff": "compare two lock files, or one with what git has",
    "graph": "draw the dependency graph of a lock file",
    "report": "report what each platform gets, and how healthy a lock is",
    "outdated": "show which packages of a lock file have newer versions",
    "merge-driver": "merge lock files for git, with the pins of both sides",
    "cache": "show, prune, clean or verify the cache",
    "self-check": "show what lockset finds on this machine",
    "completion": "write the completion script of a shell",
}

# The commands whose result may be recorded.
_RECORDED = frozenset({"lock", "sync", "install"})

_ENDS = (signal.SIGINT, signal.SIGTERM)
# Seconds after which an ignored interrupt is raised again.
_PAUSE = 0.01


def build_parser(chosen: str | None, *, every: bool = False) -> argparse.ArgumentParser:
    """Create the parser; only the command `chosen` (or `every` command, for the documentation) gets its options."""
    from lockset.cli.program import make_parser

    return make_parser(COMMANDS, chosen, every=every)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Args:
        argv: Arguments without the program's name; None for those of the process, which then ends here unless other
            threads are running.
    """
    if argv is not None:
        return _run(list(argv))
    _prefer_own_libraries()
    _open_streams()
    try:
        try:
            code = _run(sys.argv[1:], alone=True)
        except SystemExit as end:  # argparse, after help or the version; a library that others put in the place of ours
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
            if isinstance(end.code, str):
                sys.stderr.write(f"{end.code}\n")
        _end(code)
    except KeyboardInterrupt as interrupt:
        # Too early or too late for a message.
        os._exit(getattr(interrupt, "code", 130))
    return code


def _prefer_own_libraries() -> None:
    """Import libraries from the folders of PYTHONPATH only if they are nowhere else, unless lockset itself is there.

    Users have PYTHONPATH for other programs, whose libraries may be too old or too new for lockset.
    """
    named = os.environ.get("PYTHONPATH")
    if not named or sys.flags.ignore_environment:
        return
    folders = {os.path.abspath(folder) for folder in named.split(os.pathsep)}
    if os.path.abspath(f"{__file__}/../../..") not in folders:
        sys.path.sort(key=folders.__contains__)


def _open_streams() -> None:
    """Open streams that the caller closed on the null device; else the next open file would get their number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _run(arguments: Sequence[str], *, alone: bool = False) -> int:
    """Run the command line; `alone` if the process does nothing else, so that signals may end it."""
    try:
        if _RECORDED.intersection(arguments[:1]) and _is_replayed(arguments):
            return 0
        if arguments[:2] == ["completion", "--list"] and len(arguments) == 3 and alone:
            return _list_names(arguments[2])
        if alone and len(arguments) == 1 and arguments[0] in {"-V", "--version"}:
            return _print_version()
        if alone:
            from lockset.cli.module_files import find_own_modules

            leave_at_once()
            find_own_modules()
            from lockset.cli.lazy_imports import make_imports_lazy
            from lockset.files.pattern_cache import use_pattern_cache

            make_imports_lazy()
            use_pattern_cache(arguments, COMMANDS, os.environ)
            _begin_requests(arguments)
        gc.disable()  # until everything is imported, since imports leave no garbage
        from lockset.cli.program import run
    except KeyboardInterrupt:
        return 130  # before anything was begun
    try:
        return run(arguments, COMMANDS, begin=undo_first)
    finally:
        gc.enable()


def _begin_requests(arguments: Sequence[str]) -> None:
    """Start the process that makes requests, for a lock that will probably make some."""
    if arguments[:1] == ["lock"]:
        from lockset.cli.fast_path.lock import needs_network

        if needs_network(arguments, os.environ):
            from lockset.composition.connections import start_copy_early

            start_copy_early()


def _print_version() -> int:
    """`--version` alone, without argparse, whose import takes longer."""
    try:
        os.write(1, f"lockset {__version__}\n".encode())
    except OSError:
        return 1
    return 0


def _list_names(kind: str) -> int:
    """Print names for a completion, which a shell waits for. It never shows an error."""
    from lockset.cli.fast_path.names import names_for_completion

    try:
        # Not through `cli.output`, whose import takes longer than the rest.
        os.write(1, names_for_completion(kind, os.getcwd()).encode())
    except OSError:
        return 0
    return 0


def _end(code: int) -> None:
    """End the process without finalizing the interpreter, which takes longer than many commands.

    Daemon threads end here too. Returns if other threads are running.
    """
    threading = sys.modules.get("threading")
    if threading is not None and sum(not thread.daemon for thread in threading.enumerate()) > 1:
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter itself calls first when it ends
    # The output of `cli.output` must be flushed before the process ends.
    _flushed(sys.stderr)
    arrived = _flushed(sys.stdout)
    if (patterns := sys.modules.get("lockset.files.pattern_cache")) is not None:
        patterns.save_patterns()
    os._exit(code if arrived else code or 1)


def _flushed(stream: object) -> bool:
    try:
        stream.flush()  # type: ignore[attr-defined]
    except (OSError, ValueError, AttributeError):
        return False
    return True


def _is_replayed(arguments: Sequence[str]) -> bool:
    """Whether the cache shows that this command has nothing to do; its message is printed then."""
    environ = os.environ
    if arguments[0] == "lock":
        from lockset.cli.fast_path.lock import replay_lock

        output = replay_lock(arguments, environ)
    else:
        from lockset.cli.fast_path.sync import replay_sync

        output = replay_sync(arguments, environ)
    if output is None:
        return False
    try:
        # Not through `cli.output`, whose import takes longer than the rest.
        os.write(2, output.encode())
    except OSError:
        return False
    return True


class Terminated(KeyboardInterrupt):
    """The process received SIGTERM, not SIGINT."""

    code = 143


def leave_at_once() -> None:
    """Let these signals end the process at once, unless the caller ignores or handles them."""
    for number in _ENDS:
        if signal.getsignal(number) in {signal.default_int_handler, signal.SIG_DFL}:
            signal.signal(number, _leave)


def undo_first() -> None:
    """Let these signals raise KeyboardInterrupt in the main thread, if `leave_at_once` was called before."""
    for number in _ENDS:
        if signal.getsignal(number) is _leave:
            signal.signal(number, _interrupt)
            sys.unraisablehook = _come_again


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    os._exit(128 + number)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _come_again(ignored: sys.UnraisableHookArgs) -> None:
    """Raise an interrupt again that the interpreter ignored, as during garbage collection."""
    kind = ignored.exc_type
    if not issubclass(kind, KeyboardInterrupt):
        sys.__unraisablehook__(ignored)
        return

    def again(number: int, frame: FrameType | None) -> NoReturn:
        del number, frame
        raise kind

    from lockset.files.system import raise_again

    raise_again(again, _PAUSE)
