"""Handle SIGINT and SIGTERM: before a command has begun they end the process at once, later its changes are undone.

An exception that a signal raises while modules are imported, or wherever the interpreter ignores exceptions, would show
a traceback and be lost. So none is raised before there is something to undo, and a lost exception is raised again.
"""

from __future__ import annotations

import os
import sys

from lockset.files.system import raise_again

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from types import FrameType
    from typing import NoReturn
else:
    import _signal as signal  # what `signal` wraps in enumerations, which takes a millisecond

__all__ = ["Terminated", "leave_at_once", "undo_first"]

_ENDS = (signal.SIGINT, signal.SIGTERM)
# Seconds after which an ignored interrupt is raised again.
_PAUSE = 0.01


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

    raise_again(again, _PAUSE)
