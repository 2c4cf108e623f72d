"""Faults below the program: system calls that fail, and kills in the middle of them, injected by strace.

The deep profile (HYPOTHESIS_PROFILE=deep) strikes every changing call of a sync; otherwise some are struck.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pytest

from support.builders.locks import write_lock
from support.worlds.target_world import judge, tree
from support.worlds.two_locks import BEFORE, NEW, OLD, PLANNED

if TYPE_CHECKING:
    from pathlib import Path


CALLS = (
    "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "link", "linkat", "write",
    "fsync", "fdatasync", "ftruncate", "chmod", "fchmod", "utimensat", "symlink", "flock", "ioctl",
)  # fmt: skip
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
SAMPLES = 6


@cache
def can_trace() -> bool:
    strace = shutil.which("strace")
    if strace is None:
        return False
    done = subprocess.run([strace, "-e", "inject=mkdir:error=EIO", "true"], capture_output=True, check=False)
    return done.returncode == 0


pytestmark = pytest.mark.skipif(not can_trace(), reason="strace cannot trace here")


@dataclass(frozen=True)
class Station:
    """A folder with two lock files, a target that is as the old one says, and the same once more to start anew from."""

    folder: Path

    @property
    def target(self) -> Path:
        return self.folder / "live/target"

    def reset(self) -> None:
        shutil.rmtree(self.folder / "live", ignore_errors=True)
        shutil.copytree(self.folder / "start", self.folder / "live", symlinks=True)

    def sync(self, lock: str = "new", *tracing: str) -> subprocess.CompletedProcess[str]:
        """A plain sync, under strace where told."""
        command = [sys.executable, "-B", "-m", "lockset", "sync", f"pylock.{lock}.toml", "--target", str(self.target)]
        log = self.folder / "strace.log"
        if tracing:
            command = ["strace", "-f", "-qq", "-o", str(log), *tracing, *command]
        environ = {**os.environ, "LOCKSET_CACHE_DIR": str(self.folder / "live/cache")}
        return subprocess.run(
            command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False, timeout=120
        )


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Station:
    folder = tmp_path_factory.mktemp("station")
    for lock, wheels in (("old", OLD), ("new", NEW)):
        write_lock(folder / f"pylock.{lock}.toml", wheels)
    made = Station(folder)
    (folder / "live").mkdir()
    done = made.sync("old")
    assert done.returncode == 0, done.stderr
    shutil.copytree(folder / "live", folder / "start", symlinks=True)
    return made


@pytest.fixture(scope="module")
def wanted(station: Station) -> dict[str, bytes | str]:
    station.reset()
    assert station.sync().returncode == 0
    return tree(station.target)


@pytest.fixture(scope="module")
def strikes(station: Station, wanted: object) -> list[tuple[str, int]]:
    """Every changing call that such a sync makes in one of its threads, with its number."""
    station.reset()
    known = [f"?{call}" for call in CALLS]
    assert station.sync("new", "-e", f"trace={','.join(known)}").returncode == 0
    seen: dict[tuple[str, str], int] = {}
    for line in (station.folder / "strace.log").read_text().splitlines():
        match = re.match(r"(\d+)\s+(\w+)\(", line)
        if match:
            seen[match[1], match[2]] = seen.get((match[1], match[2]), 0) + 1
    most: dict[str, int] = {}
    for (_, call), count in seen.items():
        most[call] = max(most.get(call, 0), count)
    results = [(call, number) for call, count in sorted(most.items()) for number in range(1, count + 1)]
    assert len(results) > 60
    return results if DEEP else random.Random(7).sample(results, SAMPLES)


def is_old_or_new(folder: Path) -> None:
    """Nothing that is not whole calls itself installed."""
    message = judge(folder)
    assert all(version in {BEFORE.get(name), PLANNED.get(name)} for name, version in message.items()), message


def check_healed(station: Station, wanted: dict[str, bytes | str], where: object) -> None:
    done = station.sync()
    assert done.returncode == 0, (where, done.stderr)
    assert tree(station.target) == wanted, where


def test_a_kill_at_any_system_call_is_healed(
    station: Station, wanted: dict[str, bytes | str], strikes: list[tuple[str, int]]
) -> None:
    killed = 0
    for call, number in strikes:
        station.reset()
        done = station.sync("new", "-e", f"inject={call}:signal=KILL:when={number}")
        killed += done.returncode != 0
        is_old_or_new(station.target)
        check_healed(station, wanted, (call, number))
    assert killed > len(strikes) // 2


@pytest.mark.parametrize("error", ["EIO", "ENOSPC", "EACCES", "EMFILE"])
def test_a_call_that_fails_once_is_overcome_or_undone(
    station: Station, wanted: dict[str, bytes | str], strikes: list[tuple[str, int]], error: str
) -> None:
    before = tree(station.folder / "start/target")
    for call, number in strikes:
        station.reset()
        done = station.sync("new", "-e", f"inject={call}:error={error}:when={number}")
        where = (call, number, error, done.stderr)
        assert "Traceback" not in done.stderr, where
        result = tree(station.target)
        if done.returncode == 0:
            assert result == wanted, where
        else:
            assert {path for path in result if not path.startswith(".lockset")} == set(before), where
        check_healed(station, wanted, where)


@pytest.mark.parametrize("error", ["EIO", "ENOSPC", "EACCES"])
@pytest.mark.parametrize("call", ["rename", "link", "write", "fsync", "mkdir", "unlink,?unlinkat", "rmdir"])
def test_a_call_that_always_fails_harms_nothing(
    station: Station, wanted: dict[str, bytes | str], call: str, error: str
) -> None:
    if not DEEP and (len(call) + len(error)) % 3:
        pytest.skip("one of three, but for the deep profile")
    station.reset()
    done = station.sync("new", "-e", f"inject={call}:error={error}")
    assert "Traceback" not in done.stderr
    is_old_or_new(station.target)
    if done.returncode == 0:
        assert judge(station.target) == PLANNED
    check_healed(station, wanted, (call, error))
