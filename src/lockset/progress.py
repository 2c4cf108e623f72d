"""Progress of a run; `lockset.cli.output.streams` displays it."""

from __future__ import annotations

from lockset._named_tuple import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal, Protocol
else:
    Protocol = object  # only type checkers need it, and importing `typing` takes two milliseconds

__all__ = ["CallbackListener", "NullListener", "ProgressEvent", "ProgressListener", "expect_bytes", "listener_of"]


class ProgressListener(Protocol):
    """Receives progress. Methods may be called from several threads, must return quickly and must not raise."""

    def phase(self, name: str, *, total: int | None = None) -> None:
        """A phase starts ("Resolving", "Downloading"), which ends the previous one. `total` is its number of steps."""

    def step(self, what: str, *, done: int = 1) -> None:
        """`done` more steps of the phase are completed; `what` is the current package or file."""

    def transferred(self, amount: int) -> None:
        """`amount` more bytes were received over the network."""

    def note(self, text: str) -> None:
        """A message for the user: a build starts, a release was skipped, a range was narrowed."""

    def warning(self, text: str) -> None:
        """A message about something in the input that is probably a mistake."""

    def hint(self, text: str) -> None:
        """A suggestion what to do if the result is not the expected one."""


def expect_bytes(listener: ProgressListener, amount: int) -> None:
    """Tell a listener that has a method `expect` how many bytes the current phase will receive."""
    expect = getattr(listener, "expect", None)
    if expect is not None:
        expect(amount)


class ProgressEvent(NamedTuple):
    """One call of a `ProgressListener`, for a listener that is a plain function.

    Attributes:
        kind: Which method: `phase`, `step`, `transferred`, `note`, `warning` or `hint`.
        text: The name of the phase, the current package or file, or the message; empty for `transferred`.
        amount: Steps of the phase (None if unknown), completed steps, or bytes.
    """

    kind: Literal["phase", "step", "transferred", "note", "warning", "hint"]
    text: str = ""
    amount: int | None = None


class NullListener:
    """A listener that ignores everything."""

    def phase(self, name: str, *, total: int | None = None) -> None:
        """Do nothing."""

    def step(self, what: str, *, done: int = 1) -> None:
        """Do nothing."""

    def transferred(self, amount: int) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def warning(self, text: str) -> None:
        """Do nothing."""

    def hint(self, text: str) -> None:
        """Do nothing."""


class CallbackListener:
    """The listener that hands each call to a function."""

    def __init__(self, callback: Callable[[ProgressEvent], object]) -> None:
        self._callback = callback

    def phase(self, name: str, *, total: int | None = None) -> None:
        """Hand it on."""
        self._callback(ProgressEvent("phase", name, total))

    def step(self, what: str, *, done: int = 1) -> None:
        """Hand it on."""
        self._callback(ProgressEvent("step", what, done))

    def transferred(self, amount: int) -> None:
        """Hand it on."""
        self._callback(ProgressEvent("transferred", "", amount))

    def note(self, text: str) -> None:
        """Hand it on."""
        self._callback(ProgressEvent("note", text))

    def warning(self, text: str) -> None:
        """Hand it on."""
        self._callback(ProgressEvent("warning", text))

    def hint(self, text: str) -> None:
        """Hand it on."""
        self._callback(ProgressEvent("hint", text))


def listener_of(listener: ProgressListener | Callable[[ProgressEvent], object] | None) -> ProgressListener:
    """The listener that is meant: itself, one over a function, or one that hears nothing for None."""
    if listener is None:
        return NullListener()
    return CallbackListener(listener) if not hasattr(listener, "phase") else listener  # type: ignore[return-value]
