"""Copies of this process, which work at the same time: on Linux, where they are safe."""

from __future__ import annotations

import os
import sys
from time import sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Collection
    from typing import NoReturn
else:
    import _signal as signal  # what `signal` wraps in enumerations

__all__ = ["assistant", "hold", "large_pipe"]

# fcntl that sets how many bytes a pipe holds.
_SET_PIPE_SIZE = 1031
# Seconds between looks at the threads of this process: one that Python counts no more may take a moment to end.
_PAUSES = (0.0005, 0.001, 0.002)


if sys.platform == "linux":

    def assistant(work: Callable[[], object]) -> Callable[[bool], bool] | None:
        """Run `work` in a silent copy of this process that a signal ends at once.

        The returned function waits for its end, and kills it first if its argument is true; it returns whether `work`
        was done without an error. None where a copy is not safe: with other threads.
        """
        if not _is_alone():
            return None
        # Signals wait until the copy has its own handlers: with those of this process it would go on in its stead.
        signals = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        end: Callable[[bool], bool] | None = None
        try:
            child = os.fork()
            if child == 0:
                _become_copy(work, signals)
            end = _end_of(child)
        except OSError:
            return None
        finally:
            try:
                signal.pthread_sigmask(signal.SIG_SETMASK, signals)
            except BaseException:
                if end is not None:
                    end(True)  # noqa: FBT003 (as its type says)
                raise
        return end

    def _is_alone() -> bool:
        """Whether this process has one thread. Those count that libraries in C have started, as Python 3.12 warns."""
        threading = sys.modules.get("threading")
        if threading is not None and threading.active_count() > 1:
            return False
        try:
            for pause in _PAUSES:
                if len(os.listdir("/proc/self/task")) == 1:
                    return True
                sleep(pause)
        except OSError:
            return True  # nothing is known
        return False

    def _become_copy(work: Callable[[], object], signals: Collection[int]) -> NoReturn:
        """Run `work` and end the process; `signals` are those that wait."""
        code = 1
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, signals)
            silent = os.open(os.devnull, os.O_RDWR)
            for descriptor in range(3):
                os.dup2(silent, descriptor)
            work()
            code = 0
        finally:
            os._exit(code)

    def _end_of(child: int) -> Callable[[bool], bool]:
        codes: list[int] = []

        def end(kill: bool) -> bool:  # noqa: FBT001 (as its type says)
            # Once a process has been waited for, its number may be that of another one.
            if not codes:
                try:
                    if kill:
                        os.kill(child, signal.SIGKILL)
                    codes.append(os.waitpid(child, 0)[1])
                except (ChildProcessError, ProcessLookupError):  # whoever started this process ignores SIGCHLD
                    codes.append(1)
            return codes[0] == 0

        return end

    def hold(pipe: int, *, alone: bool) -> None:
        """Wait until no other process holds the open pipe, and hold it `alone`; or release it.

        A process that ends releases it, and so does one that closes any descriptor of it: fcntl(2), record locks.
        """
        import fcntl

        try:
            fcntl.lockf(pipe, fcntl.LOCK_EX if alone else fcntl.LOCK_UN)
        except OSError:  # a system that only resembles Linux
            return

    def large_pipe(pipe: int) -> None:
        """Let the pipe hold a megabyte, if the system allows it."""
        from fcntl import fcntl

        try:
            fcntl(pipe, _SET_PIPE_SIZE, 1 << 20)
        except OSError:
            return

else:

    def assistant(work: Callable[[], object]) -> Callable[[bool], bool] | None:
        """None: Windows has no copies of a process, and the libraries of macOS do not support them."""
        del work
        return None

    def hold(pipe: int, *, alone: bool) -> None:
        """Do nothing: there are no other processes."""
        del pipe, alone

    def large_pipe(pipe: int) -> None:
        """Do nothing: other systems decide on the size themselves."""
        del pipe
