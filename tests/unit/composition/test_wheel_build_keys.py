"""The key of a build covers what its result depends on besides the source, and nothing that only differs by run."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from lockset._dataclass import replace
from lockset.build.policy import BuildPolicy
from lockset.composition.builds.build_lock import BuildLock
from lockset.composition.builds.environments import SyncedEnvironmentMaker
from lockset.index.options import IndexOptions
from lockset.progress import NullListener
from lockset.sources.requirements.requirement_line import parse_requirement
from lockset.sync.disk.request import LockSource

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.lockfile.model import Pylock

BUILD_LOCK = """\
lock-version = "1.0"
dependency-groups = ["sample"]
created-by = "test"
packages = []
"""


def _no_lock(*_: object) -> Pylock:
    raise AssertionError


MAKER = SyncedEnvironmentMaker(
    options=IndexOptions(),
    cache=None,
    python=sys.executable,
    now=datetime(2026, 1, 1, tzinfo=timezone.utc),
    listener=NullListener(),
    lock=_no_lock,
)


def key_of(maker: SyncedEnvironmentMaker = MAKER) -> str | None:
    return maker.wheel_builds(NullListener()).build_key("sample")


@pytest.fixture(autouse=True)
def _own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)


@pytest.mark.parametrize(
    "change",
    [
        {"policy": BuildPolicy(settings={"fast": "no"})},
        {"policy": BuildPolicy(package_settings={"sample": {"fast": "no"}})},
        {"constraints": (parse_requirement("setuptools<70", origin="test"),)},
        {"options": IndexOptions(index_url="https://other.example.org/simple")},
        {"build_locks": (BuildLock(LockSource(folder="/project", data=BUILD_LOCK.encode(), path="pylock.toml")),)},
    ],
)
def test_settings_and_build_requirements_belong_to_the_key(change: dict[str, Any]) -> None:
    assert key_of(replace(MAKER, **change)) not in {key_of(), None}


def test_an_interpreter_belongs_to_the_key(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.touch()
    assert key_of(replace(MAKER, python=str(python))) != key_of()


@pytest.mark.parametrize("name", ["CFLAGS", "CMAKE_ARGS", "SETUPTOOLS_SCM_PRETEND_VERSION", "PATH"])
def test_variables_that_builds_read_belong_to_the_key(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = key_of()
    monkeypatch.setenv(name, "/other")
    assert key_of() != before


@pytest.mark.parametrize("name", ["PWD", "SHLVL", "GITHUB_RUN_ID", "CI_JOB_ID", "LOCKSET_CACHE_DIR"])
def test_variables_of_one_run_or_shell_do_not(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = key_of()
    monkeypatch.setenv(name, "other")
    assert key_of() == before


def test_the_active_environment_does_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = key_of()
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin")
    assert key_of() == before


def test_builds_in_the_present_environment_have_no_key() -> None:
    assert key_of(replace(MAKER, policy=BuildPolicy(not_isolated=frozenset({"sample"})))) is None
