"""The only writer to the standard streams: data to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lockset.errors import Diagnostic
    from lockset.events import Listener

__all__ = ["Output", "Progress", "plain"]

# Longest text from outside that one line shows; what is beyond is cut.
_LONGEST = 2000
_STYLES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


def plain(text: str) -> str:
    """`text` without what a terminal would act on: control characters are written out, length is bounded."""
    if text.isprintable() and len(text) <= _LONGEST:
        return text
    shown = "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


class Output:
    """Where a command writes. One per run; safe to use from several threads.

    Attributes:
        quiet: Only data and errors are written.
        verbose: More is told.
        color: Whether styles are shown on stderr.
        stdout_color: Whether styles are shown on stdout.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        verbose: bool = False,
        color: str = "auto",
        progress: bool = True,
        environ: dict[str, str] | None = None,
    ) -> None:
        environ = environ or {}
        self.quiet = quiet
        self.verbose = verbose
        self._out = sys.stdout  # noqa: TID251 - this module is the writer
        self._err = sys.stderr  # noqa: TID251
        for stream in (self._out, self._err):
            # A name that the terminal's encoding lacks must not end the run.
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(errors="backslashreplace")
        self.color = _colored(color, self._err, environ)
        self.stdout_color = _colored(color, self._out, environ)
        self._lock = threading.RLock()
        self._progress: Progress | None = None
        self._show_progress = progress and not quiet and self._err.isatty() and environ.get("TERM") != "dumb"

    def style(self, text: str, style: str, *, stdout: bool = False) -> str:
        """`text` in `style` (a name, or several with spaces), or as it is where colour is off."""
        if not (self.stdout_color if stdout else self.color):
            return text
        codes = ";".join(_STYLES[s] for s in style.split())
        return f"\x1b[{codes}m{text}\x1b[0m"

    def data(self, text: str) -> None:
        """Write the result of the command to stdout, as it is, with a line end if it has none."""
        with self._lock:
            self._clear()
            self._out.write(text if text.endswith("\n") or not text else text + "\n")
            self._out.flush()

    def json(self, value: Any) -> None:
        """Write `value` as JSON to stdout."""
        self.data(json.dumps(value, indent=2, ensure_ascii=False, default=str))

    def line(self, text: str = "") -> None:
        """Tell something on stderr, unless quiet. The caller has cleaned what came from outside with `plain`."""
        if not self.quiet:
            self._write_err(text)

    def detail(self, text: str) -> None:
        """Tell something on stderr when verbose."""
        if self.verbose:
            self._write_err(text)

    def warn(self, text: str) -> None:
        """Warn on stderr, unless quiet."""
        if not self.quiet:
            self._write_err(f"{self.style('warning', 'bold yellow')}: {plain(text)}")

    def error(self, diagnostic: Diagnostic) -> None:
        """Tell what went wrong on stderr, also when quiet."""
        place = f"{plain(diagnostic.place)}: " if diagnostic.place else ""
        lines = [f"{place}{self.style('error', 'bold red')}: {plain(diagnostic.message)}"]
        lines += [f"  {plain(fact)}" for fact in diagnostic.context]
        if diagnostic.hint:
            first, *more = plain(diagnostic.hint).split("\n")
            lines.append(f"  {self.style('hint', 'bold cyan')}: {first}")
            lines += [f"    {line}" for line in more]
        self._write_err("\n".join(lines))

    def table(self, headers: Sequence[str], rows: Iterable[Sequence[str]], *, stdout: bool = False) -> None:
        """Write rows in aligned columns, headers dimmed; to stderr unless `stdout`."""
        body = [[plain(cell) for cell in row] for row in rows]
        widths = [max(len(r[i]) for r in [list(headers), *body]) for i in range(len(headers))]

        def row_text(row: Sequence[str]) -> str:
            return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()

        write = self.data if stdout else self.line
        if headers and any(headers):
            write(self.style(row_text(headers), "dim", stdout=stdout))
        for row in body:
            write(row_text(row))

    def listener(self) -> Listener:
        """The run's listener: progress where a person watches, notes always."""
        if self._progress is None:
            self._progress = Progress(self, live=self._show_progress)
        return self._progress

    def close(self) -> None:
        """End the progress line."""
        with self._lock:
            if self._progress is not None:
                self._progress.stop()

    def _write_err(self, text: str) -> None:
        # A target, a lock or an exit code is no other because nobody could be told of it.
        with self._lock, suppress(OSError):
            self._clear()
            self._err.write(text + "\n")
            self._err.flush()

    def _clear(self) -> None:
        if self._progress is not None:
            self._progress.clear()

    def write_progress(self, text: str) -> None:
        """Write raw text of the progress line."""
        with self._lock, suppress(OSError):
            self._err.write(text)
            self._err.flush()


class Progress:
    """One line that tells what is being done; a `Listener`. Redrawn at most ten times a second."""

    def __init__(self, out: Output, *, live: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._live = live
        self._clock = clock
        self._name = ""
        self._what = ""
        self._done = 0
        self._total: int | None = None
        self._bytes = 0
        self._began = clock()
        self._drawn_at = 0.0
        self._drawn = False
        self._frame = 0
        self._said: set[str] = set()

    def phase(self, name: str, *, total: int | None = None) -> None:
        """A phase begins."""
        self._name, self._total = name, total
        self._done, self._bytes, self._what = 0, 0, ""
        self._began = self._clock()
        self._draw(force=True)

    def step(self, what: str, *, done: int = 1) -> None:
        """Steps are done."""
        self._done += done
        self._what = what
        self._draw()

    def transferred(self, amount: int) -> None:
        """Bytes have come."""
        self._bytes += amount
        self._draw()

    def note(self, text: str) -> None:
        """Tell once."""
        if text not in self._said:
            self._said.add(text)
            self._out.line(f"{self._out.style('note', 'bold cyan')}: {plain(text)}")

    def clear(self) -> None:
        """Take the line off the screen."""
        if self._drawn:
            self._drawn = False
            self._out.write_progress("\r\x1b[K")

    def stop(self) -> None:
        """Take the line off the screen for good."""
        self.clear()
        self._live = False

    def _draw(self, *, force: bool = False) -> None:
        if not self._live:
            return
        now = self._clock()
        if not force and now - self._drawn_at < 0.1:  # noqa: PLR2004 - ten frames a second
            return
        self._drawn_at = now
        self._frame += 1
        spin = _SPINNER[self._frame % len(_SPINNER)]
        count = f" {self._done}/{self._total}" if self._total else f" {self._done}" if self._done else ""
        rate = ""
        if self._bytes:
            seconds = max(now - self._began, 0.001)
            rate = f" · {self._bytes / 1e6:.1f} MB · {self._bytes / 1e6 / seconds:.1f} MB/s"
        text = f"{spin} {self._name}{count}{rate} {plain(self._what)[:50]}"
        self._drawn = True
        self._out.write_progress(f"\r\x1b[K{text[:110]}")


def _colored(color: str, stream: Any, environ: dict[str, str]) -> bool:
    if color != "auto":
        return color == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return bool(stream.isatty()) and environ.get("TERM") != "dumb"
