"""What a run tells while it works; `lockset.cli.output.streams` turns it into progress, tests into lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CallbackListener", "NullListener", "ProgressEvent", "ProgressListener", "listener_of"]


class ProgressListener(Protocol):
    """Hears of progress. Calls may come from several threads and must return quickly; they never raise."""

    def phase(self, name: str, *, total: int | None = None) -> None:
        """A phase begins ("Resolving", "Downloading"); the one before has ended. `total` counts its steps, if known."""

    def step(self, what: str, *, done: int = 1) -> None:
        """`done` more steps of the phase are done; `what` is the package or file in hand."""

    def transferred(self, amount: int) -> None:
        """That many more bytes have come over the network."""

    def note(self, text: str) -> None:
        """Something the user should know, said once: a build starts, a release was stepped over, a narrowed range."""

    def warning(self, text: str) -> None:
        """Something in the input that is probably not what was meant."""

    def hint(self, text: str) -> None:
        """What to do where the result is not what was expected."""


class ProgressEvent(NamedTuple):
    """One call of a `ProgressListener`, for a listener that is a plain function.

    Attributes:
        kind: Which method: `phase`, `step`, `transferred`, `note`, `warning` or `hint`.
        text: Name of the phase, the package or file in hand, or what is said; empty for `transferred`.
        amount: Steps of the phase (None where nobody knows), steps done, or bytes.
    """

    kind: Literal["phase", "step", "transferred", "note", "warning", "hint"]
    text: str = ""
    amount: int | None = None


class NullListener:
    """The listener that hears nothing."""

    def phase(self, name: str, *, total: int | None = None) -> None:
        """Hear nothing."""

    def step(self, what: str, *, done: int = 1) -> None:
        """Hear nothing."""

    def transferred(self, amount: int) -> None:
        """Hear nothing."""

    def note(self, text: str) -> None:
        """Hear nothing."""

    def warning(self, text: str) -> None:
        """Hear nothing."""

    def hint(self, text: str) -> None:
        """Hear nothing."""


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
