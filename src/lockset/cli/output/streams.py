"""The only writer to the standard streams: data to stdout, everything else to stderr; counts and durations as text."""

from __future__ import annotations

import os
import sys
from _thread import RLock
from contextlib import suppress
from io import RawIOBase
from itertools import zip_longest

from lockset._pattern import lazy_pattern
from lockset.cli.output.cells import cells, padded
from lockset.progress import NullListener
from lockset.url_secrets import plain, without_secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, TextIO

    from lockset.cli.output.progress_line import Progress
    from lockset.errors import Diagnostic
    from lockset.progress import ProgressListener

__all__ = ["Output", "count_text", "plain", "seconds_text"]

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
_PLAIN_SPINNER = "|/-\\"
# What stands for signs of ours that an encoding lacks.
_SIGNS = {"├── ": "|-- ", "└── ": "`-- ", "│": "|", "→": "->", "…": "...", "·": "-"}
_EVERY_SIGN = "├└─│→…·" + _SPINNER
# Columns if the width is unknown.
_COLUMNS = 80
# A quoted line, with a mark below that shows a position in it.
_QUOTED = "      "
_WORD = lazy_pattern(r" *[^ ]+")
# Escape sequences of styles and links.
_STYLED = lazy_pattern("\x1b\\[[0-9;]*m|\x1b\\]8;;[!-~]*\x1b\\\\")
# A column of a table is never narrower to make room for others.
_NARROWEST = 8
_MINUTE = 60
# Below this, a duration has two decimals.
_SHORT = 0.1


class Output:
    """Where a command writes. One per run; safe to use from several threads.

    Attributes:
        quiet: Only data and errors are written.
        verbose: Whether to print more details.
        color: Whether styles are shown on stderr.
        stdout_color: Whether styles are shown on stdout.
        json_errors: Whether an error is also written to stdout as JSON, unless the result was.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        verbose: bool = False,
        color: str = "auto",
        progress: bool = True,
        json_errors: bool = False,
        environ: dict[str, str] | None = None,
    ) -> None:
        environ = environ or {}
        self.quiet = quiet
        self.verbose = verbose
        self.json_errors = json_errors
        self._out = sys.stdout
        self._err = sys.stderr
        for stream in (self._out, self._err):
            # A name that the terminal's encoding lacks must not end the run.
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(errors="backslashreplace")
        self._plain_out, self._plain_err = not _has_signs(self._out), not _has_signs(self._err)
        self.color = _colored(color, self._err, environ)
        self.stdout_color = _colored(color, self._out, environ)
        self._links = self.stdout_color and _shows_links(self._out, environ)
        self._error_links = self.color and _shows_links(self._err, environ)
        self._lock = RLock()
        self._progress: Progress | None = None
        self._noted: set[str] = set()
        self._show_progress = progress and not quiet and self._err.isatty() and environ.get("TERM") != "dumb"

    def style(self, text: str, style: str, *, stdout: bool = False) -> str:
        """`text` in `style` (a name, or several with spaces), or as it is where colour is off."""
        if not (self.stdout_color if stdout else self.color):
            return text
        codes = ";".join(_STYLES[s] for s in style.split())
        return f"\x1b[{codes}m{text}\x1b[0m"

    def link(self, text: str, url: str) -> str:
        """`text` for stdout as a link to `url` where the terminal shows links; else `text` as it is."""
        return _link(text, url) if self._links else text

    def data(self, text: str) -> None:
        """Write the result of the command to stdout, without secrets, with a line end if it has none."""
        text = without_secrets(text)
        text = _spelled(text) if self._plain_out else text
        with self._lock:
            self._clear()
            _write_whole(self._out, text if text.endswith("\n") or not text else text + "\n")

    def file(self, text: str) -> None:
        """Write what would be a file to stdout: the bytes that the file would have, whatever the encoding."""
        buffer = getattr(self._out, "buffer", None)
        if buffer is None:
            self.data(text)
            return
        with self._lock:
            self._clear()
            self._out.flush()
            _write_bytes(buffer, text.encode())
            buffer.flush()

    def json(self, value: Any) -> None:
        """Write `value` as JSON to stdout; characters that the encoding may lack are written as JSON has them."""
        import json  # here, since most results are texts

        self.json_errors = False

        self.data(json.dumps(value, indent=2, ensure_ascii=self._plain_out, default=str))

    def line(self, text: str = "") -> None:
        """Tell something on stderr, unless quiet. The caller has cleaned what came from outside with `plain`."""
        if not self.quiet:
            self._write_err(text)

    def detail(self, text: str) -> None:
        """Tell something on stderr when verbose."""
        if self.verbose:
            self._write_err(without_secrets(text))

    def warn(self, text: str) -> None:
        """Warn on stderr, unless quiet."""
        if not self.quiet:
            self._write_err(f"{self.style('warning', 'bold yellow')}: {plain(text)}")

    def error(self, diagnostic: Diagnostic) -> None:
        """Tell what went wrong on stderr, also when quiet; as `LocksetError.render`, in colour.

        The word "error" is a link to the page of the code, where the terminal shows links.
        """
        from lockset.cli.output.help.documentation import error_url

        folder = _working_folder()
        location = f"{plain(diagnostic.location.removeprefix(folder))}: " if diagnostic.location else ""
        word, url = self.style("error", "bold red"), error_url(diagnostic.code)
        word = _link(word, url) if self._error_links else word
        lines = [f"{location}{word}: {plain(diagnostic.message)}"]
        lines += [f"  {plain(fact)}" for fact in diagnostic.context]
        if diagnostic.hint:
            hint = diagnostic.hint.replace(f"`lockset validate {folder}", "`lockset validate ")
            first, *more = plain(hint).split("\n")
            lines.append(f"  {self.style('hint', 'bold cyan')}: {first}")
            lines += [f"    {line}" for line in more]
        if self.verbose:
            lines.append(f"  {self.style('code', 'bold cyan')}: {diagnostic.code} ({url})")
        self._write_err("\n".join(lines))
        if self.json_errors:
            self.json(_error_json(diagnostic))

    def table(self, headers: Sequence[str], rows: Iterable[Sequence[str]], *, stdout: bool = False) -> None:
        """Write rows in aligned columns, headers dimmed; to stderr unless `stdout`."""
        body = [[plain(cell) for cell in row] for row in rows]
        widths = [max(cells(r[i]) for r in [list(headers), *body]) for i in range(len(headers))]
        stream = self._out if stdout else self._err
        if stream.isatty():
            widths = _narrowed(widths, columns_of(stream))

        def row_lines(row: Sequence[str]) -> list[str]:
            folded = [_folded(cell, width) for cell, width in zip(row, widths, strict=True)]
            lines = zip_longest(*folded, fillvalue="")
            return ["  ".join(padded(c, w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines]

        write = self.data if stdout else self.line
        if headers and any(headers):
            write("\n".join(self.style(line, "dim", stdout=stdout) for line in row_lines(headers)))
        for row in body:
            write("\n".join(row_lines(row)))

    def listener(self) -> ProgressListener:
        """The run's listener: progress where a person watches, notes always."""
        if not self._show_progress:
            return _Notes(self)
        if self._progress is None:
            from lockset.cli.output.progress_line import Progress  # imported only where a person watches

            self._progress = Progress(self)
        return self._progress

    def note(self, text: str) -> None:
        """Write a note on the run, each once."""
        if text not in self._noted:
            self._noted.add(text)
            self.line(f"{self.style('note', 'bold cyan')}: {plain(text)}")

    def hint(self, text: str) -> None:
        """Write a suggestion what to do."""
        self.line(f"hint: {plain(text)}")

    def close(self) -> None:
        """End the progress line."""
        with self._lock:
            if self._progress is not None:
                self._progress.stop()

    def _write_err(self, text: str) -> None:
        text = _spelled(text) if self._plain_err else text
        if self._err.isatty():
            text = _at_words(text, self.columns())
        # A closed output must not change a target, a lock or the exit code.
        with self._lock, suppress(OSError):
            self._clear()
            self._err.write(text + "\n")
            self._err.flush()

    def _clear(self) -> None:
        if self._progress is not None:
            self._progress.clear()

    @property
    def spinner(self) -> str:
        """Signs that turn, as far as the encoding has them."""
        return _PLAIN_SPINNER if self._plain_err else _SPINNER

    def columns(self, *, stdout: bool = False) -> int:
        """How many columns stderr, or stdout, has now."""
        return columns_of(self._out if stdout else self._err)

    def filled(self, pieces: Iterable[str], *, indent: str) -> str:
        """`pieces` with blanks between; on a terminal, in lines that fit stdout, all but the first with `indent`."""
        if not self._out.isatty():
            return " ".join(pieces)
        columns, lines = self.columns(stdout=True), [""]
        for piece in pieces:
            line = f"{lines[-1]} {piece}" if lines[-1].strip() else f"{lines[-1]}{piece}"
            if lines[-1].strip() and cells(_STYLED.sub("", line)) > columns:
                lines.append(f"{indent}{piece}")
            else:
                lines[-1] = line
        return "\n".join(lines)

    def as_written(self, text: str) -> str:
        """`text` as stdout writes it: with what its encoding lacks spelled."""
        encoding = getattr(self._out, "encoding", None) or "ascii"
        text = _spelled(text) if self._plain_out else text
        return text.encode(encoding, "backslashreplace").decode(encoding)

    def write_progress(self, text: str) -> None:
        """Write raw text of the progress line."""
        text = _spelled(text) if self._plain_err else text
        with self._lock, suppress(OSError):
            self._err.write(text)
            self._err.flush()


class _Notes(NullListener):
    """The listener without a terminal: it prints notes, warnings and hints, and no progress."""

    def __init__(self, out: Output) -> None:
        self._out = out

    def note(self, text: str) -> None:
        """Print a note."""
        self._out.note(text)

    def warning(self, text: str) -> None:
        """Print a warning."""
        self._out.warn(text)

    def hint(self, text: str) -> None:
        """Print a hint."""
        self._out.hint(text)


def _working_folder() -> str:
    """The working folder with a separator at its end, which paths of messages begin with if they are in it."""
    with suppress(OSError):
        return os.path.join(os.getcwd(), "")
    return os.sep  # it was removed


def _error_json(diagnostic: Diagnostic) -> dict[str, object]:
    """As `schemas/command-output.schema.json` describes it."""
    from lockset.cli.output.help.documentation import error_url

    location, hint = diagnostic.location, diagnostic.hint
    error = {
        "code": diagnostic.code,
        "message": plain(diagnostic.message),
        "location": plain(location) if location else None,
        "context": [plain(fact) for fact in diagnostic.context],
        "hint": plain(hint) if hint else None,
        "url": error_url(diagnostic.code),
    }
    return {"error": error}


def _write_whole(stream: Any, text: str) -> None:
    """All of the text, or BrokenPipeError: without a buffer (PYTHONUNBUFFERED) a stream forgets what did not fit."""
    buffer = getattr(stream, "buffer", None)
    if isinstance(buffer, RawIOBase):
        stream.flush()
        newline = os.linesep.encode()
        _write_bytes(buffer, text.encode(stream.encoding, stream.errors).replace(b"\n", newline))
    else:
        stream.write(text)
        stream.flush()


def _write_bytes(buffer: Any, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[buffer.write(left) or 0 :]


def columns_of(stream: Any) -> int:
    """How many columns the terminal behind `stream` has; the usual number where it is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or _COLUMNS
    except (OSError, ValueError, AttributeError):
        return _COLUMNS


def _has_signs(stream: Any) -> bool:
    """Whether the stream's encoding has every sign that lockset itself writes."""
    try:
        _EVERY_SIGN.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _spelled(text: str) -> str:
    if not text.isascii():
        for sign, instead in _SIGNS.items():
            text = text.replace(sign, instead)
    return text


def _at_words(text: str, columns: int) -> str:
    """Long lines broken between words, those of an indented quotation excepted; what is broken off is indented."""
    if cells(text) <= columns:
        return text
    lines: list[str] = []
    for line in text.split("\n"):
        if cells(line) <= columns or line.startswith(_QUOTED):
            lines.append(line)
            continue
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        shown, used = "", 0
        for word in _WORD.findall(line):
            width = cells(_STYLED.sub("", word))
            if used > len(indent) and used + width > columns:
                lines.append(shown)
                shown, used, word, width = indent, len(indent), word.lstrip(), width - 1  # noqa: PLW2901
            shown, used = shown + word, used + width
        lines.append(shown)
    return "\n".join(lines)


def _narrowed(widths: list[int], columns: int) -> list[int]:
    """Widths that fit in `columns`, as far as they can: the widest give way."""
    narrowed = list(widths)
    while sum(narrowed) + 2 * (len(narrowed) - 1) > columns and max(narrowed, default=0) > _NARROWEST:
        narrowed[narrowed.index(max(narrowed))] -= 1
    return narrowed


def _folded(cell: str, width: int) -> list[str]:
    if cells(cell) <= width:
        return [cell]
    from textwrap import wrap

    # It counts characters, and each may take two columns.
    return wrap(cell, width if cell.isascii() else max(width // 2, 1))


def _shows_links(stream: TextIO, environ: dict[str, str]) -> bool:
    from lockset.cli.output.hyperlinks import shows_hyperlinks  # here and below, since it needs colours

    return shows_hyperlinks(environ, is_terminal=stream.isatty())


def _link(text: str, url: str) -> str:
    from lockset.cli.output.hyperlinks import hyperlink

    return hyperlink(text, url)


def _colored(color: str, stream: Any, environ: dict[str, str]) -> bool:
    if color != "auto":
        return color == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return bool(stream.isatty()) and environ.get("TERM") != "dumb"


def count_text(number: int, noun: str) -> str:
    """The number with its noun, such as `1 package` and `2 packages`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def seconds_text(seconds: float) -> str:
    """A duration, such as `0.04 s`, `1.2 s` and `2 min 5 s`."""
    if seconds < _SHORT:
        return f"{seconds:.2f} s"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), _MINUTE)
    return f"{minutes} min {rest} s"
