"""What a run tells while it works; `lockset.cli.output.streams` turns it into progress, tests into lists."""

from __future__ import annotations

from typing import Protocol

__all__ = ["NullListener", "ProgressListener"]


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
