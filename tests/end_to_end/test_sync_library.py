"""Syncing as a library does it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import lockset

if TYPE_CHECKING:
    from pathlib import Path

    from support.local_index import LocalIndex


@pytest.fixture
def locked(local_index: LocalIndex, tmp_path: Path) -> Path:
    local_index.world.add("a", "1.0", requires=["b"]).add("b", "2.0").add("c", "1.0")
    project = '[project]\nname = "app"\nrequires-python = ">=3.10"\ndependencies = ["a"]\n'
    (tmp_path / "pyproject.toml").write_text(project + '[project.optional-dependencies]\nmore = ["c"]\n')
    result = lockset.lock(
        context=lockset.RunContext(folder=tmp_path), indexes=lockset.IndexOptions(index_url=local_index.url)
    )
    result.write(tmp_path / "pylock.toml")
    return tmp_path / "pylock.toml"


def test_an_environment_becomes_what_the_lock_says(locked: Path, tmp_path: Path) -> None:
    venv = tmp_path / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    options = lockset.SyncOptions(extras=["More"])
    planned = lockset.sync_target(locked, python=venv, options=lockset.SyncOptions(check_only=True))
    assert [(step.action, step.name) for step in planned.plan.changes] == [("install", "a"), ("install", "b")]
    assert not planned.changed
    done = lockset.sync_target(
        locked, python=venv, options=options, context=lockset.RunContext(cache=tmp_path / "cache")
    )
    assert done.changed
    assert not lockset.sync_target(locked, python=venv, options=options).plan.changes
    back = lockset.sync_target([locked], python=venv)
    assert [(step.action, step.name) for step in back.plan.changes] == [("remove", "c")]


def test_a_folder_for_another_machine(locked: Path, tmp_path: Path) -> None:
    described = lockset.DescribedInterpreter(platform="windows", python="3.12")
    options = lockset.SyncOptions(directory=tmp_path / "out", described=described)
    assert lockset.sync_target(locked, options=options).target.kind == "directory"
    assert {path.name for path in (tmp_path / "out").glob("*.dist-info")} == {"a-1.0.dist-info", "b-2.0.dist-info"}


def test_refusals_are_values(locked: Path, tmp_path: Path) -> None:
    with pytest.raises(lockset.LocksetError) as caught:
        lockset.sync_target(locked)
    assert caught.value.diagnostic.code == "python-missing"
    with pytest.raises(lockset.LocksetError) as caught:
        lockset.sync_target(tmp_path / "none.toml", python=sys.executable)
    assert caught.value.diagnostic.code == "lock-not-found"
