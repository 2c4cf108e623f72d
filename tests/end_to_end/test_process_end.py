"""The command ends its process quickly, but not before everything is said and done."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.builders.locks import write_lock
from support.builders.wheel import make_wheel
from support.worlds.target_world import judge

if TYPE_CHECKING:
    from pathlib import Path

_RUN = """
import atexit, sys, threading, time
atexit.register(print, "hook")
def late():
    time.sleep(0.5)
    print("late")
if {thread}:
    threading.Thread(target=late).start()
sys.argv = ["lockset"]
print("before")
from lockset.cli.main import main
raise SystemExit(main())
"""


def run(*, thread: bool) -> subprocess.CompletedProcess[str]:
    code = _RUN.format(thread=thread)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)


@pytest.mark.parametrize("thread", [False, True])
def test_output_is_flushed_and_exit_hooks_run(*, thread: bool) -> None:
    done = run(thread=thread)
    assert done.returncode == 2
    assert done.stdout.startswith("before\n")
    assert "usage: lockset" in done.stderr
    assert done.stdout.count("hook\n") == 1
    assert ("late\n" in done.stdout) == thread


def test_a_closed_pipe_causes_no_traceback() -> None:
    code = _RUN.format(thread=False)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        message = child.stderr.read()
    assert b"Traceback" not in message


@pytest.mark.skipif(sys.platform != "linux", reason="names of this system's shell and devices")
@pytest.mark.parametrize("streams", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full", ">/dev/full 2>/dev/full"])
def test_a_target_is_synced_although_output_cannot_be_written(tmp_path: Path, streams: str) -> None:
    write_lock(tmp_path / "pylock.toml", [make_wheel("one")])
    for _ in range(2):
        command = f"{sys.executable} -m lockset sync --target out {streams}"
        assert subprocess.run(["sh", "-c", command], cwd=tmp_path, check=False).returncode == 0
        assert judge(tmp_path / "out") == {"one": "1.0"}


@pytest.mark.skipif(sys.platform != "linux", reason="names of this system's shell and devices")
def test_a_result_that_could_not_be_written_is_a_failure(tmp_path: Path) -> None:
    write_lock(tmp_path / "pylock.toml", [make_wheel("one")])
    command = f"{sys.executable} -m lockset sync --target out --json >/dev/full"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="names of this system's devices")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["sync", "-h"], ["-V"], ["help", "--man"], ["help", "sync"], ["completion", "bash"]],
    ids=str,
)
def test_texts_about_lockset_end_without_a_traceback_if_nobody_takes_them(
    arguments: list[str], unbuffered: str
) -> None:
    command = [sys.executable, "-m", "lockset", *arguments]
    environ = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    read, write = os.pipe()
    os.close(read)
    with open("/dev/full", "wb") as full, os.fdopen(write, "wb") as closed:
        for stream in (full, closed):
            done = subprocess.run(command, stdout=stream, stderr=subprocess.PIPE, check=False, text=True, env=environ)
            assert "Traceback" not in done.stderr
            assert "Exception" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_an_interrupt_ends_the_process_while_threads_write() -> None:
    code = """
import os, signal, sys, threading, time
def write():
    while True:
        sys.stderr.write("progress\\n")
threading.Thread(target=write, daemon=True).start()
from lockset.cli.main import _end
try:
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    time.sleep(60)
except KeyboardInterrupt:
    _end(130)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=50, check=False)
    assert done.returncode == 130
    assert b"Fatal" not in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_before_a_command_has_begun_ends_the_process_without_a_word(name: str, code: int) -> None:
    done = _interrupted(f"main.leave_at_once()\nos.kill(os.getpid(), signal.{name})\ntime.sleep(60)")
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize(("name", "kind"), [("SIGINT", "KeyboardInterrupt"), ("SIGTERM", "Terminated")])
def test_an_interrupt_that_the_interpreter_ignores_comes_again(name: str, kind: str) -> None:
    """An exception in a finaliser is told and forgotten; a signal must not be."""
    done = _interrupted(f"""
class Finaliser:
    def __del__(self):
        os.kill(os.getpid(), signal.{name})
        time.sleep(0.01)
main.leave_at_once()
main.undo_first()
try:
    Finaliser()
    time.sleep(60)
except KeyboardInterrupt as interrupt:
    print(type(interrupt).__name__)
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{kind}\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_ignored_signals_do_not_interrupt() -> None:
    done = _interrupted("""
signal.signal(signal.SIGINT, signal.SIG_IGN)
main.leave_at_once()
main.undo_first()
os.kill(os.getpid(), signal.SIGINT)
print("alive")
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")


def _interrupted(code: str) -> subprocess.CompletedProcess[str]:
    begin = "import os, signal, time\nfrom lockset.cli import main\n"
    return subprocess.run(
        [sys.executable, "-c", begin + code], capture_output=True, encoding="utf-8", timeout=50, check=False
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_with_its_own_code(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """A lock that waits for an index that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        (tmp_path / "requirements.in").write_text("one\n")
        command = [sys.executable, "-m", "lockset", "lock", "requirements.in", "--no-cache"]
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple/"
        with subprocess.Popen(
            [*command, "--default-index", index], cwd=tmp_path, stderr=subprocess.PIPE, encoding="utf-8"
        ) as child:
            connection, _ = silent.accept()
            with connection:
                child.send_signal(number)
                _, message = child.communicate(timeout=60)
    assert child.returncode == code
    assert "Interrupted" in message
    assert "Traceback" not in message
