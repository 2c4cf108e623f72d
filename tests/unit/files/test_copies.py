"""A copy of this process: signals, errors and numbers of processes at the worst moments."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from lockset.files import copies

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="copies of a process are made on Linux only")

# In a process without other threads. `signalled` is sent to one of both processes as soon as there are two.
_START = """
import os, signal, sys, time
from lockset.files.copies import assistant

parent, fork = os.getpid(), os.fork

def fork_and_signal(to_copy, number):
    def act():
        child = fork()
        if (child == 0) == to_copy:
            os.kill(os.getpid(), number)
        return child
    os.fork = act

def interrupt(number, frame):
    raise KeyboardInterrupt

signal.signal(signal.SIGINT, interrupt)
signal.signal(signal.SIGTERM, interrupt)
"""


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _START + script], capture_output=True, encoding="utf-8", check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_a_copy_that_has_only_just_begun(number: str) -> None:
    """It does not go on as this process does after an interrupt."""
    assert run(f"""
fork_and_signal(True, signal.{number})
try:
    end = assistant(lambda: time.sleep(60))
    print(end(False), end(False), flush=True)
except KeyboardInterrupt:
    print("interrupted", os.getpid() == parent, flush=True)
""") == "False False\n"  # fmt: skip


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_a_copy_whatever_it_does(number: str) -> None:
    assert run(f"""
read, write = os.pipe()
def work():
    while True:
        try:
            os.write(write, b".")
            time.sleep(60)
        except KeyboardInterrupt:
            pass
children = []
os.fork = lambda: children.append(fork()) or children[-1]
end = assistant(work)
os.read(read, 1)
os.kill(children[0], signal.{number})
print(end(False))
""") == "False\n"  # fmt: skip


def test_an_interrupt_of_this_process_leaves_no_copy_that_has_only_just_begun() -> None:
    assert run("""
fork_and_signal(False, signal.SIGINT)
try:
    assistant(lambda: time.sleep(60))
except KeyboardInterrupt:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        print("none")
""") == "none\n"  # fmt: skip


def test_signals_arrive_as_before_in_both_processes() -> None:
    assert run("""
def work():
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == {signal.SIGUSR1}
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
print(assistant(work)(False), signal.pthread_sigmask(signal.SIG_BLOCK, ()) == {signal.SIGUSR1})
""") == "True True\n"  # fmt: skip


def test_a_process_that_has_ended_is_not_killed_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("""
kill, killed = os.kill, []
os.kill = lambda *arguments: killed.append(arguments) or kill(*arguments)
end = assistant(lambda: None)
print(end(False), end(True), killed)
""") == "True True []\n"  # fmt: skip


def test_a_process_whose_children_nobody_waits_for_has_copies_that_end() -> None:
    assert run("""
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
end = assistant(lambda: None)
print(end(False), end(True))
""") == "False False\n"  # fmt: skip


def test_a_copy_writes_nothing_to_the_streams_of_this_process() -> None:
    assert run("""
def work():
    assert os.write(1, b"out") and os.write(2, b"error")
print(assistant(work)(False))
""") == "True\n"  # fmt: skip


def test_there_is_no_copy_while_other_threads_run() -> None:
    assert run("""
import threading
end = assistant(lambda: None)
print(end(False))
stop = threading.Event()
thread = threading.Thread(target=stop.wait)
thread.start()
print(assistant(lambda: None))
stop.set()
thread.join()
""") == "True\nNone\n"  # fmt: skip


def test_there_is_no_copy_where_no_process_can_be_started() -> None:
    assert run("""
def refuse():
    raise BlockingIOError(11, "Resource temporarily unavailable")
os.fork = refuse
print(assistant(lambda: None), signal.pthread_sigmask(signal.SIG_BLOCK, ()))
""") == "None set()\n"  # fmt: skip


def test_a_pipe_without_locks_is_held_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(write)
    copies.hold(write, alone=True)
    copies.hold(write, alone=False)
    os.close(read)
