"""The command ends its process quickly, but not before everything is said and done."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
def test_what_is_written_arrives_and_hooks_run(*, thread: bool) -> None:
    done = run(thread=thread)
    assert done.returncode == 2
    assert done.stdout.startswith("before\n")
    assert "usage: lockset" in done.stdout
    assert done.stdout.count("hook\n") == 1
    assert ("late\n" in done.stdout) == thread
    assert not done.stderr


def test_a_reader_that_has_gone_is_no_traceback() -> None:
    code = _RUN.format(thread=False)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        told = child.stderr.read()
    assert b"Traceback" not in told
