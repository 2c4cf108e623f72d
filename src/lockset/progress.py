"""Progress of a run; `lockset.cli.output.streams` displays it."""

from __future__ import annotations

from typing import Protocol

__all__ = ["NullListener", "ProgressListener"]


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
