"""The line that shows what a run is doing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from lockset.cli.output.cells import cut
from lockset.url_secrets import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Progress"]

# Seconds between two drawings, and characters of the current package that are shown.
_PAUSE = 0.1
_MOST_OF_NAME = 50


class Terminal(Protocol):
    """What the line is drawn on, which is an `lockset.cli.output.streams.Output`."""

    @property
    def spinner(self) -> str:
        """Characters that are shown in turn."""

    def columns(self) -> int:
        """The width."""

    def note(self, text: str) -> None:
        """Write a note, each once."""

    def warn(self, text: str) -> None:
        """Write a warning."""

    def hint(self, text: str) -> None:
        """Write a suggestion."""

    def write_progress(self, text: str) -> None:
        """Write without a line end."""


class Progress:
    """The line on a terminal that shows what is being done; a `ProgressListener`. Drawn at most ten times a second."""

    def __init__(self, out: Terminal, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._live = True
        self._clock = clock
        self._name = ""
        self._what = ""
        self._done = 0
        self._total: int | None = None
        self._bytes = 0
        self._expected = 0
        self._names: set[str] = set()
        self._began = clock()
        self._drawn_at = 0.0
        self._drawn = False
        self._frame = 0

    def phase(self, name: str, *, total: int | None = None) -> None:
        """A phase begins."""
        self._name, self._total = name, total
        self._done, self._bytes, self._expected, self._what = 0, 0, 0, ""
        self._names.clear()
        self._began = self._clock()
        self._draw(force=True)

    def step(self, what: str, *, done: int = 1) -> None:
        """Steps are done."""
        self._done += done
        self._what = what
        if self._total is None:
            self._names.add(what.partition(" ")[0])
        self._draw()

    def transferred(self, amount: int) -> None:
        """Bytes have come."""
        self._bytes += amount
        self._draw()

    def expect(self, amount: int) -> None:
        """The phase will receive `amount` bytes."""
        self._expected = amount
        self._draw()

    def note(self, text: str) -> None:
        """Tell once."""
        self._out.note(text)

    def warning(self, text: str) -> None:
        """Warn."""
        self._out.warn(text)

    def hint(self, text: str) -> None:
        """Tell what to do."""
        self._out.hint(text)

    def clear(self) -> None:
        """Take the line off the screen."""
        if self._drawn:
            self._drawn = False
            self._out.write_progress("\r\x1b[K")

    def stop(self) -> None:
        """Take the line off the screen for good."""
        self.clear()
        self._live = False

    def _fields(self, now: float) -> Iterator[str]:
        """What is shown: fields of a fixed width first, so that they do not move, and the current package last."""
        if self._total:
            yield f"{self._name} {self._done:>{len(str(self._total))}}/{self._total}"
        elif self._names:
            yield f"{self._name} {len(self._names):>3} package{'s' if len(self._names) > 1 else ' '}"
        else:
            yield self._name
        if self._bytes or self._expected:
            received = f"{self._bytes / 1e6:.1f}"
            total = f"{self._expected / 1e6:.1f}"
            is_known = 0 < self._expected >= self._bytes
            yield f"{received:>{len(total)}} of {total} MB" if is_known else f"{received:>5} MB"
            yield f"{self._bytes / 1e6 / max(now - self._began, 0.001):5.1f} MB/s"
        if self._what:
            yield plain(self._what)[:_MOST_OF_NAME]

    def _draw(self, *, force: bool = False) -> None:
        if not self._live:
            return
        now = self._clock()
        if not force and now - self._drawn_at < _PAUSE:
            return
        self._drawn_at = now
        self._frame += 1
        spinner = self._out.spinner
        text = f"{spinner[self._frame % len(spinner)]} {' · '.join(self._fields(now))}"
        self._drawn = True
        # A line that is longer than the terminal cannot be taken back: what is beyond stays on the screen.
        self._out.write_progress(f"\r\x1b[K{cut(text, self._out.columns() - 1).rstrip()}")
