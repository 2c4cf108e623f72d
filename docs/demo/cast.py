"""Record the first run of lockset in a terminal, and write it as an animated SVG.

    python docs/demo/cast.py docs/pages/assets/first-run.svg

Needs a package index, and a POSIX system. What is written is what the commands printed; only the target's folder is
shortened.
"""  # noqa: INP001 - a script, not a package

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import venv
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS, ROWS = 76, 24
PROJECT = """\
[project]
name = "station"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["flask>=3", "pywin32>=306; sys_platform == 'win32'"]
"""
COMMANDS = ("lockset lock", "lockset sync", "lockset why markupsafe", "lockset sync")
# Pixels of a character, and of the frame.
WIDTH, HEIGHT, LEFT, TOP = 8.4, 19, 16, 44
# Seconds for a typed character, before output, and after it.
TYPING, THINKING, READING = 0.05, 0.5, 1.2
COLORS = {"1": "bold", "2": "dim", "31": "red", "32": "green", "33": "yellow", "36": "cyan"}
STYLE = """\
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
text { fill: #d9dce3; white-space: pre; }
.bold { font-weight: 700; } .dim { fill: #949aa7; } .red { fill: #ff8080; } .green { fill: #7ddc8f; }
.yellow { fill: #f2c55c; } .cyan { fill: #71cfe0; }
.line { opacity: 0; animation: appear 1ms linear forwards; }
@keyframes appear { to { opacity: 1; } }
@media (prefers-reduced-motion: reduce) { .line { opacity: 1; animation: none; } }
"""


def main(target: str) -> None:
    """Record, and write the picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        (folder / "pyproject.toml").write_text(PROJECT)
        venv.create(folder / ".venv", with_pip=False)
        shown = [(command, output(command, folder)) for command in COMMANDS]
    Path(target).write_text(svg(shown), encoding="utf-8")


def output(command: str, folder: Path) -> list[str]:
    """What `command` leaves on the screen of a terminal; in colour."""
    program = shutil.which("lockset", path=os.path.dirname(sys.executable))
    assert program is not None
    reader, writer = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "LOCKSET_CACHE_DIR": str(folder / "cache")}
    environ.pop("VIRTUAL_ENV", None)
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    arguments = [program, *command.split()[1:]]
    process = subprocess.Popen(arguments, cwd=folder, env=environ, stdout=writer, stderr=writer)
    os.close(writer)
    data = b""
    while chunk := _read(reader):
        data += chunk
    assert process.wait() == 0, data
    os.close(reader)
    text = data.decode().replace("\r\n", "\n").replace(str(folder), "~/station")
    # The progress line is cleared before anything else is written.
    return [line.rpartition("\r\x1b[K")[2] for line in text.rstrip("\n").split("\n")]


def _read(reader: int) -> bytes:
    try:
        return os.read(reader, 65536)
    except OSError:  # the process has ended
        return b""


def svg(shown: list[tuple[str, list[str]]]) -> str:
    """The animation: commands are typed, lines appear."""
    rows: list[str] = []
    now, row = 0.6, 0
    for command, lines in shown:
        rows.append(_row(row, now, '<tspan class="green bold">$</tspan> '))
        for number, character in enumerate(command, 2):
            now += TYPING
            rows.append(_cell(row, number, now, character))
        now, row = now + THINKING, row + 1
        for line in lines:
            rows.append(_row(row, now, "".join(_spans(line))))
            now, row = now + 0.04, row + 1
        now, row = now + READING, row + 1
    width, height = int(COLUMNS * WIDTH) + 2 * LEFT, TOP + row * HEIGHT
    dots = "".join(
        f'<circle cx="{20 + 18 * n}" cy="18" r="5.5" fill="{c}"/>'
        for n, c in enumerate(("#ff6058", "#ffbd2e", "#28c940"))
    )
    title = f"A terminal: {', then '.join(command for command, _ in shown)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">\n'
        f"<style>\n{STYLE}</style>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#1d2029" stroke="#444a59"/>{dots}\n'
        + "\n".join(rows)
        + "\n</svg>\n"
    )


def _row(row: int, at: float, content: str) -> str:
    y = TOP + row * HEIGHT
    return (
        f'<text class="line" style="animation-delay:{at:.2f}s" x="{LEFT}" y="{y}" xml:space="preserve">{content}</text>'
    )


def _cell(row: int, column: int, at: float, character: str) -> str:
    x, y = LEFT + column * WIDTH, TOP + row * HEIGHT
    return f'<text class="line" style="animation-delay:{at:.2f}s" x="{x:.1f}" y="{y}">{escape(character)}</text>'


def _spans(line: str) -> Iterator[str]:
    style: list[str] = []
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        code = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if code is not None:
            style = [COLORS[one] for one in code[1].split(";") if one in COLORS]
        elif part:
            yield f'<tspan class="{" ".join(style)}">{escape(part)}</tspan>' if style else escape(part)


if __name__ == "__main__":
    main(sys.argv[1])
