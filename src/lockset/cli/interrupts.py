"""SIGINT and SIGTERM: before a command has begun they end the process at once; then what is under way is undone first.

An exception that a signal raises while modules are imported, or wherever the interpreter ignores exceptions, would show
a traceback and be lost. So none is raised before there is something to undo, and one that was lost comes again.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from lockset.files.system import raise_again

if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

__all__ = ["Terminated", "leave_at_once", "undo_first"]

_ENDS = (signal.SIGINT, signal.SIGTERM)
# Seconds after which an interrupt that was ignored comes again.
_PAUSE = 0.01


class Terminated(KeyboardInterrupt):
    """SIGTERM came, not SIGINT."""

    code = 143


def leave_at_once() -> None:
    """From now on these signals end the process. Who has them ignored, or handles them otherwise, is left alone."""
    for number in _ENDS:
        if signal.getsignal(number) in {signal.default_int_handler, signal.SIG_DFL}:
            signal.signal(number, _leave)


def undo_first() -> None:
    """From now on they raise KeyboardInterrupt in the main thread, where `leave_at_once` was called before."""
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
    """An exception was raised where the interpreter ignores it, as in the middle of a collection of garbage."""
    kind = ignored.exc_type
    if not issubclass(kind, KeyboardInterrupt):
        sys.__unraisablehook__(ignored)
        return

    def again(number: int, frame: FrameType | None) -> NoReturn:
        del number, frame
        raise kind

    raise_again(again, _PAUSE)
