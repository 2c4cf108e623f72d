"""What surrounds a sync goes wrong: no room, no rights, no time, and others at work in the same place."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from support.builders.locks import locked_file, make_lock, write_lock
from support.builders.wheel import make_wheel
from support.worlds.target_world import judge, tree
from support.worlds.two_locks import BEFORE, NEW, OLD, PLANNED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.command import Command

root_on_linux = pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting is root's on Linux"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_lock(tmp_path / "pylock.old.toml", OLD)
    write_lock(tmp_path / "pylock.new.toml", NEW)
    return tmp_path


@pytest.fixture
def mounted() -> Iterator[Callable[..., None]]:
    made: list[Path] = []

    def mount(location: Path, *options: str) -> None:
        location.mkdir(exist_ok=True)
        done = subprocess.run(["mount", *options, str(location)], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("mounting is not allowed here")
        made.append(location)

    yield mount
    for location in reversed(made):
        subprocess.run(["umount", "-l", location], check=False)


@root_on_linux
def test_a_full_target_is_as_before_and_a_sync_with_room_ends_exact(
    cli: Command, folder: Path, mounted: Callable[..., None]
) -> None:
    mounted(folder / "disk", "-t", "tmpfs", "-o", "size=400k", "tmpfs")
    big = make_wheel("big", "1.0", files={"big.bin": os.urandom(600_000)})
    write_lock(folder / "pylock.big.toml", [*NEW, big])
    target = folder / "disk/target"
    cli.ok("sync", "pylock.old.toml", "--target", target)
    before = tree(target)
    message = cli.refused("sync", "pylock.big.toml", "--target", target)
    assert "The target cannot be changed: No space left on device" in message
    assert "disk/target: error: " in " ".join(message.split())
    assert tree(target) == before
    subprocess.run(["mount", "-o", "remount,size=4m", folder / "disk"], check=True)
    cli.ok("sync", "pylock.big.toml", "--target", target)
    assert judge(target) == {**PLANNED, "big": "1.0"}


@root_on_linux
def test_a_full_cache_is_gone_without(cli: Command, folder: Path, mounted: Callable[..., None]) -> None:
    mounted(folder / "cache", "-t", "tmpfs", "-o", "size=64k", "tmpfs")
    big = make_wheel("big", "1.0", files={"big.bin": os.urandom(600_000)})
    write_lock(folder / "pylock.big.toml", [*NEW, big])
    done = cli.ok("sync", "pylock.big.toml", "--target", "out", env={"LOCKSET_CACHE_DIR": str(folder / "cache")})
    assert "continuing without it" in done.stderr
    assert judge(folder / "out") == {**PLANNED, "big": "1.0"}


@root_on_linux
def test_a_read_only_target_is_refused_in_one_sentence(
    cli: Command, folder: Path, mounted: Callable[..., None]
) -> None:
    cli.ok("sync", "pylock.old.toml", "--target", "out")
    before = tree(folder / "out")
    mounted(folder / "out", "--bind", "-o", "ro", str(folder / "out"))
    subprocess.run(["mount", "-o", "remount,ro,bind", folder / "out"], check=False)
    assert "Read-only file system" in cli.refused("sync", "pylock.new.toml", "--target", "out")
    assert cli("sync", "pylock.old.toml", "--target", "out").code == 0
    assert tree(folder / "out") == before


@root_on_linux
def test_a_read_only_cache_is_gone_without(cli: Command, folder: Path, mounted: Callable[..., None]) -> None:
    (folder / "cache").mkdir()
    mounted(folder / "cache", "--bind", str(folder / "cache"))
    subprocess.run(["mount", "-o", "remount,ro,bind", folder / "cache"], check=True)
    cli.ok("sync", "pylock.new.toml", "--target", "out", env={"LOCKSET_CACHE_DIR": str(folder / "cache")})
    assert judge(folder / "out") == PLANNED


@root_on_linux
@pytest.mark.parametrize("name", ["changes/__init__.py", "changes-1.0.dist-info/RECORD"])
def test_a_file_that_cannot_be_moved_undoes_all(cli: Command, folder: Path, name: str) -> None:
    cli.ok("sync", "pylock.old.toml", "--target", "out", "--link-mode", "copy")
    held = folder / "out" / name
    chattr = shutil.which("chattr")
    if chattr is None or subprocess.run([chattr, "+i", held], capture_output=True, check=False).returncode:
        pytest.skip("the file system has no immutable files")
    try:
        before = tree(folder / "out")
        cli.refused("sync", "pylock.new.toml", "--target", "out")
        assert tree(folder / "out") == before
    finally:
        subprocess.run([chattr, "-i", held], check=True)
    cli.ok("sync", "pylock.new.toml", "--target", "out")
    assert judge(folder / "out") == PLANNED


def test_eight_syncs_of_one_target_and_one_cache_end_as_one_of_them(cli: Command, folder: Path) -> None:
    def begin(lock: str, target: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "lockset", "sync", f"pylock.{lock}.toml", "--target", target]
        return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)

    running = [begin(lock, "one") for lock in ("old", "new") * 3] + [begin("new", "two"), begin("old", "three")]
    for child in running:
        message = child.communicate(timeout=60)[1]
        assert child.returncode == 0, message
    assert judge(folder / "one") in (BEFORE, PLANNED)
    assert judge(folder / "two") == PLANNED
    assert judge(folder / "three") == BEFORE
    for target in ("one", "two", "three"):
        assert not list((folder / target).glob(".lockset*"))
    cli.ok("sync", "pylock.new.toml", "--target", "one")
    assert judge(folder / "one") == PLANNED


class Slow(BaseHTTPRequestHandler):
    """Sends the first bytes of a file, and then nothing for a long time."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x")
        self.wfile.flush()
        self.server.began.set()  # type: ignore[attr-defined]
        time.sleep(120)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_a_sync_that_waits_for_a_file(folder: Path, number: signal.Signals) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    server.began = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    wheel = make_wheel("slow")
    locked = locked_file(wheel, f"http://127.0.0.1:{server.server_address[1]}/")
    (folder / "pylock.slow.toml").write_text(make_lock([{"name": "slow", "version": "1.0", "wheels": [locked]}]))
    command = [sys.executable, "-m", "lockset", "sync", "pylock.slow.toml", "--target", "out"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as child:
        assert server.began.wait(60)  # type: ignore[attr-defined]
        time.sleep(0.2)
        child.send_signal(number)
        message = child.communicate(timeout=60)[1]  # far less than the file takes
    server.shutdown()
    server.server_close()
    assert child.returncode == 128 + number
    assert "Traceback" not in message
    assert not (folder / "out").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_a_kill_at_any_moment_is_healed_by_a_plain_sync(cli: Command, folder: Path) -> None:
    target = folder / "out"
    cli.ok("sync", "pylock.new.toml", "--target", "wanted")
    wanted = tree(folder / "wanted")
    moments = [0.12, 0.2, 0.26, 0.32, 0.4] if os.environ.get("HYPOTHESIS_PROFILE") != "deep" else range(60)
    for moment in moments:
        seconds = moment / 100 if isinstance(moment, int) else moment
        cli.ok("sync", "pylock.old.toml", "--target", target)
        command = [sys.executable, "-m", "lockset", "sync", "pylock.new.toml", "--target", str(target)]
        child = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        child.kill()
        child.wait()
        message = judge(target)
        assert all(version in {BEFORE.get(name), PLANNED.get(name)} for name, version in message.items())
        cli.ok("sync", "pylock.new.toml", "--target", target)
        assert tree(target) == wanted


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the names of files have one encoding")
def test_names_that_the_locale_cannot_write_are_refused_and_utf8_is_named(cli: Command, tmp_path: Path) -> None:
    write_lock(tmp_path / "pylock.toml", [make_wheel("one", files={"one/ü.txt": "x"})])
    narrow = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    message = cli.refused("sync", "--target", "out", env=narrow)
    assert "PYTHONUTF8=1" in message
    assert not (tmp_path / "out").exists()
    cli.ok("sync", "--target", "out", env={**narrow, "PYTHONUTF8": "1"})
    assert judge(tmp_path / "out") == {"one": "1.0"}
