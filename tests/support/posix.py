"""What only POSIX systems have; a test that needs it is skipped elsewhere, with the reason."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["fork_and_wait", "give_to", "is_root", "kill_this_process", "make_pipe", "run_on_a_terminal", "set_columns"]

if sys.platform == "win32":

    def make_pipe(path: Path) -> None:
        """A pipe with a name in the file system."""
        pytest.skip(f"Windows has no pipes among files: {path}")

    def is_root() -> bool:
        """Whether rights keep this user from nothing."""
        return False

    def give_to(path: Path, user: int) -> None:
        """Make `user` the owner of `path`."""
        pytest.skip(f"Windows has no numbers of users: {path}, {user}")

    def set_columns(terminal: int, columns: int) -> None:
        """Tell the terminal how wide it is."""
        pytest.skip(f"Windows has no pseudo-terminals: {terminal}, {columns}")

    def run_on_a_terminal(command: Sequence[str], *, cwd: Path, seconds: float) -> int:
        """The exit code of `command` on a terminal of its own; it is killed after `seconds`."""
        pytest.skip(f"Windows has no pseudo-terminals: {command}, {cwd}, {seconds}")

    def kill_this_process() -> None:
        """End it without a chance to undo anything."""
        os._exit(9)

    def fork_and_wait(work: Callable[[], object]) -> bool:
        """Do `work` in a copy of this process; whether a signal killed that."""
        pytest.skip(f"Windows has no fork: {work}")

else:

    def make_pipe(path: Path) -> None:
        """A pipe with a name in the file system."""
        os.mkfifo(path)

    def is_root() -> bool:
        """Whether rights keep this user from nothing."""
        return os.geteuid() == 0

    def give_to(path: Path, user: int) -> None:
        """Make `user` the owner of `path`."""
        os.chown(path, user, user)

    def set_columns(terminal: int, columns: int) -> None:
        """Tell the terminal how wide it is."""
        import fcntl
        import struct
        import termios

        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def run_on_a_terminal(command: Sequence[str], *, cwd: Path, seconds: float) -> int:
        """The exit code of `command` on a terminal of its own; it is killed after `seconds`."""
        import signal

        child, terminal = os.forkpty()
        if child == 0:
            os.chdir(cwd)
            os.execv(command[0], [*command])
        watch = threading.Timer(seconds, os.kill, (child, signal.SIGKILL))
        watch.start()
        _, status = os.waitpid(child, 0)
        watch.cancel()
        os.close(terminal)
        return os.waitstatus_to_exitcode(status)

    def kill_this_process() -> None:
        """End it without a chance to undo anything."""
        import signal

        os.kill(os.getpid(), signal.SIGKILL)

    def fork_and_wait(work: Callable[[], object]) -> bool:
        """Do `work` in a copy of this process; whether a signal killed that."""
        child = os.fork()
        if child == 0:
            work()
            os._exit(0)
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
