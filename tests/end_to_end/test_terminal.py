"""What is shown in terminals of any width and encoding, and what a pipe gets."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import tomli

from lockset.cli.output.cells import cells
from lockset.cli.output.findings.excerpt import excerpt_of, mark_of
from lockset.cli.output.findings.finding_text import finding_text
from lockset.cli.output.findings.findings import Line
from lockset.cli.output.progress_line import Progress
from lockset.cli.output.streams import Output
from lockset.spans import LineIndex, Span
from support.posix import set_columns

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex

pty = pytest.importorskip("pty")


_END = b"\x04end\x04"


class Terminal:
    """A pseudo-terminal of some columns, as a stream; what was written to it is in `shown`."""

    def __init__(self, columns: int, encoding: str = "utf-8") -> None:
        self._reader, writer = pty.openpty()
        set_columns(writer, columns)
        self.stream = open(writer, "w", encoding=encoding)  # noqa: SIM115 - closed by `shown`; no path

    def shown(self) -> str:
        """All that was written; short of what a terminal keeps for a reader."""
        self.stream.flush()
        data = b""
        while not data.endswith(_END):
            data += os.read(self._reader, 65536)
            if not data.endswith(_END):
                os.write(self.stream.fileno(), _END)
        self.stream.close()
        os.close(self._reader)
        return data.decode(self.stream.encoding).replace("\r\n", "\n").replace(_END.decode(), "")


def output(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Output:
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    monkeypatch.setattr(sys, "stdout", terminal.stream)
    return Output(environ={"TERM": "xterm", "NO_COLOR": "1"})


@pytest.fixture
def locked(tmp_path: Path, local_index: LocalIndex, cli: Command) -> Path:
    local_index.world.add("a", "1.0", requires=["b", "c"]).add("b", "1.0", requires=["c"]).add("c", "1.0")
    folder = tmp_path / "wo rk é"
    folder.mkdir()
    (folder / "requirements.in").write_text("a ; sys_platform != 'é'\n", encoding="utf-8")
    cli.ok("lock", "requirements.in", "-i", local_index.url, "--python", ">=3.10", cwd=folder)
    return folder


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_progress_line_stays_one_line(columns: int, encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(columns, encoding)
    progress = Progress(output(terminal, monkeypatch))
    progress.phase("Downloading", total=400)
    progress.transferred(123_456_789)
    progress.phase("A phase of many words that nobody has ever heard of", total=10)
    progress.stop()
    frames = re.split("\r\x1b\\[K", terminal.shown())
    assert len(frames) > 2
    assert max(map(len, frames)) < columns


@pytest.mark.parametrize("columns", [40, 80])
def test_long_lines_are_broken_between_words(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(columns)
    text = " + some-package 1.0 (" + "a reason of many words " * 8 + ")"
    output(terminal, monkeypatch).line(text)
    lines = terminal.shown().splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= columns
    assert all(line.startswith("   ") for line in lines[1:])
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())


@pytest.mark.parametrize("columns", [30, 60, 200])
def test_chains_are_broken_between_entries(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(columns)
    out = output(terminal, monkeypatch)
    pieces = ["  start 1.0", *(f"→ package-{number} 1.{number}" for number in range(12))]
    out.data(out.filled(pieces, indent="    "))
    lines = terminal.shown().splitlines()
    assert max(map(len, lines)) <= columns
    assert all(line.startswith("    → package-") for line in lines[1:])
    assert " ".join(" ".join(lines).split()) == " ".join(" ".join(pieces).split())


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_an_excerpt_fits_the_terminal_with_its_caret_below_the_value(
    columns: int, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(columns, encoding)
    text = f'wheels = [{{name = "{"日本" * 20}", url = "https://files.example.org/{"x" * 60}", size = "wrong"}}, {{}}]'
    start = text.index('"wrong"')
    index = LineIndex(text)
    mark = mark_of(Span(start=start, end=start + len('"wrong"')), index)
    line = Line(rule="x", level="error", message="m", mark=mark, excerpt=excerpt_of(mark, index))
    out = output(terminal, monkeypatch)
    out.data(finding_text("p", line, out))
    _, shown, caret = terminal.shown().splitlines()
    assert cells(shown) <= columns
    assert cells(shown[: shown.index('"wrong"')]) == caret.index("^")
    assert caret.count("^") == len('"wrong"')


def test_a_table_is_narrowed_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(40)
    output(terminal, monkeypatch).table(("choice", "packages"), [("with the extra named charts " * 3, "7 to 8")])
    lines = terminal.shown().splitlines()
    assert max(map(len, lines)) <= 40
    assert len({line.find("7 to 8") for line in lines if "7 to 8" in line}) == 1
    assert lines[1].index("7 to 8") == lines[0].index("packages")


def test_what_an_encoding_lacks_is_spelled(locked: Path, cli: Command) -> None:
    env = {"PYTHONIOENCODING": "ascii"}
    tree = cli.ok("tree", cwd=locked, env=env).stdout
    assert "|-- b 1.0" in tree
    assert "`-- c 1.0" in tree
    assert "a 1.0 -> b 1.0 -> c 1.0" in cli.ok("why", "c", cwd=locked, env=env).stdout
    assert "\\u" not in tree


def test_json_and_lock_files_are_the_same_in_every_encoding(
    locked: Path, local_index: LocalIndex, cli: Command
) -> None:
    line = ("lock", "requirements.in", "-i", local_index.url, "--python", ">=3.10")
    for encoding in ("ascii", "latin-1", "utf-8"):
        env = {"PYTHONIOENCODING": encoding}
        command = [sys.executable, "-m", "lockset", *line]
        for more in (["-o", "-"], ["--json", "--dry-run"]):
            message = subprocess.run(
                [*command, *more], cwd=locked, env={**os.environ, **env}, capture_output=True, check=True
            )
            if more[0] == "-o":
                assert message.stdout == (locked / "pylock.toml").read_bytes()
                assert tomli.loads(message.stdout.decode())
            else:
                assert json.loads(message.stdout.decode(encoding))["lock"] == str(locked / "pylock.toml")


def test_two_results_are_not_mixed(locked: Path, cli: Command) -> None:
    assert "both write to stdout" in cli.refused("lock", "requirements.in", "-o", "-", "--json", cwd=locked, code=2)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_is_a_failure(unbuffered: str, locked: Path) -> None:
    tree = 'directory = {path = "."}\n'
    # Far more than the pipe and the buffers of both processes take: from Python 3.15 on, these have 128 KB each.
    entries = "".join(f'[[packages]]\nname = "package-with-a-long-name-{n}"\n{tree}' for n in range(20_000))
    (locked / "pylock.long.toml").write_text(f'lock-version = "1.0"\ncreated-by = "hand"\n{entries}')
    for command in (["tree", "pylock.long.toml"], ["tree", "pylock.long.toml", "--json"]):
        with subprocess.Popen(
            [sys.executable, "-m", "lockset", *command, "-q"],
            cwd=locked,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.read(10)
            process.stdout.close()
            assert (process.wait(), process.stderr.read()) == (1, b"")
