"""The lock of a target: one holder, and nobody is left waiting for a file that has gone."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from lockset.files.atomic import LockFile

_HOLD = """
import sys, time
from lockset.files.atomic import LockFile
lock = LockFile(sys.argv[1])
assert lock.take(seconds=0)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "lock")


def test_one_holder_at_a_time(path: str) -> None:
    first, second = LockFile(path), LockFile(path)
    assert first.take(seconds=0)
    assert not second.take(seconds=0.1)
    first.release()
    assert second.take(seconds=0)
    second.release()


def test_a_removed_lock_file_is_not_held(path: str) -> None:
    first, second, third = LockFile(path), LockFile(path), LockFile(path)
    assert first.take(seconds=0)
    Path(path).unlink()
    assert second.take(seconds=0)
    first.release()
    assert not third.take(seconds=0)
    second.release()
    assert third.take(seconds=0)
    third.release()


def test_it_ends_with_the_process_that_holds_it(path: str) -> None:
    with subprocess.Popen([sys.executable, "-c", _HOLD, path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        lock = LockFile(path)
        assert not lock.take(seconds=0)
        holder.kill()
        began = time.monotonic()
        assert lock.take(seconds=30)
        assert time.monotonic() - began < 20
    lock.release()


def test_a_folder_that_has_gone_is_made_again(tmp_path: Path) -> None:
    lock = LockFile(str(tmp_path / "gone" / "lock"))
    assert lock.take(seconds=10)
    lock.release()


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"symbolic|link"):
        LockFile(str(tmp_path / "lock")).take(seconds=0)
    assert not (tmp_path / "elsewhere").exists()
