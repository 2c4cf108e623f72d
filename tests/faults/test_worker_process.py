"""Calls that a copy of the process makes: as if this process had made them, whatever happens to the copy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from lockset.cli.fast_path.lock import needs_network

if TYPE_CHECKING:
    from pathlib import Path

    from support.local_index import LocalIndex

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="copies of a process are made on Linux only")

# Run in an interpreter of its own, since a process with other threads is never copied.
_START = """
import json, os, signal, sys, time
from lockset.errors import LocksetError
from lockset.index.http.process_copies import ProcessCopy, SharedWorkers
from lockset.index.ports import ProjectNotFound, RemoteCall
from lockset.progress import NullListener

class Listener(NullListener):
    total = 0
    def transferred(self, amount): self.total += amount

listener = Listener()
functions = {}
services = []
near = False

def serve(service):
    services.append(service)
    opening = service.opening()
    if opening is not None:
        assert opening == ("opening", 1)
        service.run(functions, is_near=lambda: near)

def copies(count):
    return lambda: ProcessCopy.started(serve, count=count)

workers = SharedWorkers(8, copies=copies(1), opening=("opening", 1), listener=listener)

def start(kind, argument, here, after=None):
    return workers.start(here, after, RemoteCall(kind=kind, argument=argument, read=lambda value: value))

def never():
    raise AssertionError("called here")
"""


def run(script: str) -> Any:
    """What the script prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", _START + script], capture_output=True, encoding="utf-8", check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def is_alive(process: int) -> bool:
    """Whether the process exists and has not ended."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_copy_makes_calls_and_their_values_arrive_whole() -> None:
    process, here, sizes, arrived = run("""
functions["size"] = lambda count: (os.getpid(), b"x" * count)
workers.prepare()
arrived = []
jobs = [start("size", count, never, lambda: arrived.append(1)) for count in (0, 10, 5_000_000, 70_000)]
values = [job.result() for job in jobs]
workers.close()
print(json.dumps([values[0][0], os.getpid(), [len(value[1]) for value in values], len(arrived)]))
""")
    assert process != here
    assert sizes == [0, 10, 5_000_000, 70_000]
    assert arrived == 4


@pytest.mark.parametrize("count", [1, 2, 3])
def test_all_calls_are_made_by_copies_and_never_more_at_once_than_workers(count: int) -> None:
    pids, most, here = run(f"""
workers = SharedWorkers(8, copies=copies({count}), opening=("opening", 1), listener=listener)

def slow(_):
    begun = time.monotonic()
    time.sleep(0.05)
    return os.getpid(), begun, time.monotonic()

functions["slow"] = slow
workers.prepare()
jobs = [start("slow", None, never) for _ in range(40)]
local = [workers.start(lambda: slow(None)) for _ in range(20)]  # calls that no copy can make
calls = [job.result() for job in jobs] + [job.outcome() for job in local]
workers.close()
most = max(sum(other[1] <= call[1] < other[2] for other in calls) for call in calls)
print(json.dumps([[call[0] for call in calls], most, os.getpid()]))
""")
    assert len(set(pids[:40])) == count
    assert here not in pids[:40]
    assert set(pids[40:]) == {here}
    assert most <= 8


@pytest.mark.parametrize("near", [False, True])
def test_a_copy_makes_few_calls_at_once_as_soon_as_its_servers_are_known_to_be_near(*, near: bool) -> None:
    first, most = run(f"""
def slow(_):
    global near
    begun = time.monotonic()
    time.sleep(0.3)
    near = {near}
    return begun, time.monotonic()

functions["slow"] = slow
workers.prepare()
def wave():
    calls = [job.result() for job in [start("slow", None, never) for _ in range(7)]]
    return max(sum(other[0] <= call[0] < other[1] for other in calls) for call in calls)
print(json.dumps([wave(), wave()]))
workers.close()
""")
    assert first == 7
    assert most == (4 if near else 7)


def test_a_copy_makes_its_next_calls_however_late_this_process_takes_their_results() -> None:
    assert run("""
functions["now"] = lambda _: (time.sleep(0.02), time.monotonic())[1]
near = True
workers.prepare()
start("now", None, never).result()
jobs = [start("now", None, never) for _ in range(7)]
sys.setswitchinterval(1)
end = time.monotonic() + 0.5
while time.monotonic() < end:
    pass
print(json.dumps(max(job.result() for job in jobs) < end))
workers.close()
""")


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_few_workers_make_all_calls_with_any_number_of_copies(workers: int) -> None:
    assert run(f"""
signal.alarm(50)  # a copy without a thread would never make its calls
workers = SharedWorkers({workers}, copies=copies(3), opening=("opening", 1), listener=listener)
functions["same"] = lambda value: value
workers.prepare()
jobs = [start("same", number, lambda number=number: number) for number in range(20)]
values = [job.result() for job in jobs]
workers.close()
print(json.dumps(values == list(range(20))))
""")


def test_a_value_that_is_not_plain_is_an_error_of_the_call() -> None:
    assert run("""
signal.alarm(50)  # the call would never end
functions["odd"] = lambda _: object()
workers.prepare()
job = start("odd", None, never)
try:
    job.result()
except ValueError as error:
    print(json.dumps("unmarshallable" in str(error)))
workers.close()
""")


def test_errors_arrive_as_they_were_raised() -> None:
    found = run("""
class Odd(Exception):
    def __init__(self): super().__init__(); self.held = lambda: None
def fail(kind):
    if kind == "missing":
        raise ProjectNotFound("sample", searched=("https://index.example.org/simple/",))
    if kind == "own":
        raise LocksetError("index-refused", "refused", location="here", context=("a", "b"), hint="try")
    raise Odd
functions["fail"] = fail
workers.prepare()
results = []
for kind in ("missing", "own", "odd"):
    try:
        start("fail", kind, never).result()
    except Exception as error:
        facts = getattr(error, "diagnostic", None), getattr(error, "project", None)
        results.append([type(error).__name__, str(error), *facts])
workers.close()
print(json.dumps(results))
""")
    missing, own, odd = found
    assert missing[:2] == ["ProjectNotFound", "No index has a project named `sample`"]
    assert missing[2][3] == ["searched: https://index.example.org/simple/"]
    assert missing[3] == "sample"
    assert own[2] == ["index-refused", "refused", "here", ["a", "b"], "try"]
    assert odd[:2] == ["RuntimeError", "Odd()"], "an error that cannot be sent is described"


def test_the_calls_of_a_copy_that_is_killed_are_made_here() -> None:
    before, after, later, here = run("""
def work(seconds):
    time.sleep(seconds)
    return os.getpid()
functions["work"] = work
workers.prepare()
before = start("work", 0, never).result()
waiting = [start("work", 30, os.getpid) for _ in range(3)]
os.kill(before, signal.SIGKILL)
after = [job.result() for job in waiting]
later = start("work", 0, os.getpid).result()
workers.close()
print(json.dumps([before, after, later, os.getpid()]))
""")
    assert before != here
    assert after == [here] * 3
    assert later == here


_BUSY = """
workers = SharedWorkers(8, copies=copies(2), opening=("opening", 1), listener=listener)
functions["sleep"] = lambda seconds: time.sleep(seconds)
functions["pid"] = lambda _: (time.sleep(0.2), os.getpid())[1]
workers.prepare()
pids = [job.result() for job in [start("pid", None, never) for _ in range(2)]]
again = []
for _ in range(4):
    start("sleep", 30, lambda: again.append(1))
"""


def test_the_end_leaves_no_process_and_waits_for_no_call() -> None:
    pids, seconds, again = run(
        _BUSY
        + """
begun = time.monotonic()
workers.close()
seconds = time.monotonic() - begun
time.sleep(0.2)
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print(json.dumps([pids, seconds, again]))
"""
    )
    assert len(set(pids)) == 2
    assert not any(is_alive_soon(pid) for pid in pids)
    assert seconds < 25
    assert again == [], "a call that is abandoned is not made here"


def test_copies_without_a_call_end_early_and_later_calls_are_made_here() -> None:
    pid, here, later = run("""
functions["pid"] = lambda _: os.getpid()
workers.prepare()
pid = start("pid", None, never).result()
workers.end_idle_copies()
while open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] != "Z":
    time.sleep(0.01)
later = [job.result() for job in [start("pid", None, os.getpid) for _ in range(20)]]
shared = workers.is_shared
workers.close()
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print(json.dumps([pid, os.getpid(), [shared, *later]]))
""")
    assert pid != here
    assert later == [False, *[here] * 20]


def test_a_copy_with_a_call_makes_it_although_idle_ones_end() -> None:
    shared, pid, here = run("""
def work(seconds):
    time.sleep(seconds)
    return os.getpid()

functions["work"] = work
workers.prepare()
job = start("work", 0.5, never)
workers.end_idle_copies()
print(json.dumps([workers.is_shared, job.result(), os.getpid()]))
workers.close()
""")
    assert shared
    assert pid != here


def test_the_copies_of_a_process_that_is_killed_end_too() -> None:
    script = _BUSY + "print(json.dumps(pids), flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    done = subprocess.run([sys.executable, "-c", _START + script], capture_output=True, check=False, timeout=120)
    assert not any(is_alive_soon(pid) for pid in json.loads(done.stdout))


def is_alive_soon(process: int) -> bool:
    """Whether the process is still alive after a minute."""
    deadline = time.monotonic() + 60
    while is_alive(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_alive(process)


def test_the_other_copies_stay_when_one_ends() -> None:
    first, second, later, here = run("""
workers = SharedWorkers(8, copies=copies(2), opening=("opening", 1), listener=listener)
def work(seconds):
    time.sleep(seconds)
    return os.getpid()
functions["work"] = work
workers.prepare()
first, second = [job.result() for job in [start("work", 0.2, never) for _ in range(2)]]
os.kill(first, signal.SIGKILL)
while workers._copies[1:]:
    time.sleep(0.01)
later = [start("work", 0, never).result() for _ in range(3)]
workers.close()
print(json.dumps([first, second, later, os.getpid()]))
""")
    assert later == [second] * 3
    assert len({first, second, here}) == 3


def test_a_copy_of_which_none_can_be_made_serves_alone() -> None:
    assert run("""
from lockset.index.http import process_copies
real, here = process_copies.assistant, os.getpid()
process_copies.assistant = lambda work: real(work) if os.getpid() == here else None
workers = SharedWorkers(8, copies=copies(3), opening=("opening", 1), listener=listener)
functions["pid"] = lambda _: os.getpid()
workers.prepare()
values = [job.result() for job in [start("pid", None, os.getpid) for _ in range(20)]]
workers.close()
print(json.dumps(len(set(values) - {here}) == 1))
""")


def test_the_end_does_not_wait_without_end_for_a_copy_that_was_stopped() -> None:
    pids, seconds = run(
        _BUSY
        + """
begun = time.monotonic()
for pid in pids:
    os.kill(pid, signal.SIGSTOP)
workers.close()
print(json.dumps([pids, time.monotonic() - begun]))
for pid in pids:
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass
"""
    )
    assert not any(is_alive_soon(pid) for pid in pids)
    assert seconds < 30


def test_a_copy_that_is_never_opened_ends_with_this_process() -> None:
    # It holds none of the streams either, which `run` reads to their end.
    assert run("""
copies = ProcessCopy.started(serve, count=3)
print(json.dumps(len(copies) == 3))
""")


def test_a_copy_that_ended_before_it_is_opened_is_not_used() -> None:
    assert run("""
started = ProcessCopy.started(lambda _: None)
os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
workers = SharedWorkers(8, copies=lambda: started, opening=None, listener=listener)
workers.prepare()
values = [start("pid", None, os.getpid).result() for _ in range(3)]
workers.close()
print(json.dumps(values == [os.getpid()] * 3))
""")


def test_a_copy_whose_replies_no_thread_can_read_is_not_used() -> None:
    assert run("""
import threading
def refuse(thread):
    raise RuntimeError("can't start new thread")
threading.Thread.start = refuse
workers.prepare()
values = [start("pid", None, os.getpid).result() for _ in range(10)]
workers.close()
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print(json.dumps(values == [os.getpid()] * 10))
""")


def test_a_copy_that_was_killed_leaves_neither_a_process_nor_a_pipe() -> None:
    assert run("""
functions["pid"] = lambda _: os.getpid()
before = os.listdir("/proc/self/fd")
workers.prepare()
os.kill(start("pid", None, never).result(), signal.SIGKILL)
while start("pid", None, os.getpid).result() != os.getpid():
    time.sleep(0.01)
workers.close()
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print(json.dumps(os.listdir("/proc/self/fd") == before))
""")


def test_calls_end_although_the_progress_of_their_replies_cannot_be_reported() -> None:
    assert run("""
import threading
signal.alarm(50)  # the call would never end
threading.excepthook = lambda _: None
def fail(amount):
    raise OSError
listener.transferred = fail
functions["receive"] = lambda amount: services[0].listener.transferred(amount)
workers.prepare()
value = start("receive", 5, lambda: "here").result()
workers.close()
print(json.dumps(value == "here"))
""")


def test_transfers_of_the_copy_are_reported_here() -> None:
    assert run("""
def receive(amount):
    services[0].listener.transferred(amount)
functions["receive"] = receive
workers.prepare()
for amount in (3, 4, 5):
    start("receive", amount, never).result()
workers.close()
print(json.dumps(listener.total))
""") == 12  # fmt: skip


def test_a_process_with_other_threads_is_not_copied() -> None:
    assert run("""
import threading
threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
functions["pid"] = lambda _: os.getpid()
workers.prepare()
pid = start("pid", None, os.getpid).result()
workers.close()
print(json.dumps(pid == os.getpid()))
""")


_LOCK = """
import os, sys, threading, time
os.environ["LOCKSET_CACHE_DIR"] = {cache!r}
if {threads}:
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
sys.argv = ["lockset", "lock", "requirements.in", "--default-index", {url!r}, *{more!r}]
from lockset.cli.main import main
raise SystemExit(main())
"""


def lock(folder: Path, url: str, *more: str, threads: bool) -> tuple[int, str, str]:
    """Exit code, lock file and messages of a lock with an empty cache, with a copy or with threads alone."""
    code = _LOCK.format(threads=threads, url=url, cache=str(folder / f"cache-{threads}"), more=more)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, encoding="utf-8", check=False, timeout=120
    )
    written = folder / "pylock.toml"
    text = written.read_text(encoding="utf-8") if written.exists() else ""
    written.unlink(missing_ok=True)
    return done.returncode, text, done.stderr


def test_a_lock_with_a_copy_makes_the_same_requests_and_stores_the_same_as_one_with_threads(
    local_index: LocalIndex, tmp_path: Path
) -> None:
    world = local_index.world
    names = [f"sample-{number}" for number in range(30)]
    for name, needed in zip(names, [*names[1:], None], strict=True):
        world.add(name, "1.0", requires=[needed] if needed else [])
        world.add(name, "2.0", requires=[needed] if needed else [])
    (tmp_path / "requirements.in").write_text("\n".join(names[::3]))
    results, requests = [], []
    for threads in (False, True):
        results.append(lock(tmp_path, local_index.url, threads=threads)[:2])
        requests.append(sorted(local_index.paths()))
        local_index.forget()
    assert results[0] == results[1]
    assert results[0][0] == 0
    assert requests[0] == requests[1]
    stored = [
        sorted(str(path.relative_to(folder)) for kind in ("pages", "metadata") for path in folder.rglob(f"{kind}/*/*"))
        for folder in (tmp_path / "cache-False", tmp_path / "cache-True")
    ]
    assert stored[0] == stored[1]
    assert stored[0]


def test_the_copies_of_a_lock_have_ended_before_its_connections_are_closed(
    local_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("sample", "1.0")
    (tmp_path / "requirements.in").write_text("sample\n")
    closing = """
import lockset.index.http.process_copies as copies
close = copies.SharedWorkers.close
def closed(self):
    print("prepared", self._prepared, "shared", self.is_shared, file=sys.stderr)
    close(self)
copies.SharedWorkers.close = closed
"""
    code = _LOCK.format(threads=False, url=local_index.url, cache=str(tmp_path / "cache"), more=())
    code = code.replace("sys.argv =", f"{closing}\nsys.argv =")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "prepared True shared False" in done.stderr


@pytest.mark.parametrize(
    "fault", [{"status": 404}, {"status": 403}, {"status": 503}, {"status": 200, "body": b"{"}], ids=str
)
def test_a_failing_page_is_reported_alike_with_a_copy_and_with_threads(
    local_index: LocalIndex, tmp_path: Path, fault: dict[str, Any]
) -> None:
    local_index.world.add("sample", requires=["broken"]).add("broken")
    local_index.fault("/simple/broken/", times=None, **fault)
    (tmp_path / "requirements.in").write_text("sample\n")
    results = [lock(tmp_path, local_index.url, threads=threads) for threads in (False, True)]
    assert results[0] == results[1]
    assert results[0][0] == 1
    assert "Traceback" not in results[0][2]


def test_a_lock_starts_the_copy_early_unless_pages_were_stored_lately(local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.world.add("sample")
    (tmp_path / "requirements.in").write_text("sample\n")
    environ, line = {"LOCKSET_CACHE_DIR": str(tmp_path / "cache-False")}, ["lock", "requirements.in"]
    assert needs_network(line, environ)
    for option in ("--offline", "--cache-dir=other", "--help", "--directory"):
        assert not needs_network([*line, option], environ)
    assert lock(tmp_path, local_index.url, threads=False)[0] == 0
    assert not needs_network(line, environ)
    assert all(needs_network([*line, option], environ) for option in ("-U", "--upgrade", "--refresh"))
    for folder in (tmp_path / "cache-False").rglob("pages/*"):
        os.utime(folder, (0, 0))
    assert needs_network(line, environ)
