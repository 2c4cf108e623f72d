"""Which environment is the active one: a virtual one, or one of conda that is for projects."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lockset.errors import LocksetError
from lockset.sync.disk.inspect.interpreter import interpreter_of
from lockset.sync.disk.request import active_environment

PYTHON = "python.exe" if os.name == "nt" else "bin/python"


@pytest.fixture
def conda(tmp_path: Path) -> str:
    path = tmp_path / "envs/lab" / PYTHON
    path.parent.mkdir(parents=True)
    path.touch()
    return str(tmp_path / "envs/lab")


def test_an_environment_of_conda_counts_unless_it_is_its_base(conda: str) -> None:
    assert active_environment({}) is None
    assert active_environment({"CONDA_PREFIX": conda}) == conda
    assert active_environment({"CONDA_PREFIX": conda, "CONDA_DEFAULT_ENV": "lab"}) == conda
    for name in ("base", "root"):
        assert active_environment({"CONDA_PREFIX": conda, "CONDA_DEFAULT_ENV": name}) is None
    assert Path(interpreter_of(conda)) == Path(conda, PYTHON)


def test_an_environment_of_conda_without_a_python_does_not_count(tmp_path: Path) -> None:
    assert active_environment({"CONDA_PREFIX": str(tmp_path)}) is None
    assert active_environment({"CONDA_PREFIX": str(tmp_path / "missing"), "VIRTUAL_ENV": ""}) is None


def test_a_virtual_environment_takes_precedence(conda: str) -> None:
    assert active_environment({"CONDA_PREFIX": conda, "VIRTUAL_ENV": "/work/.venv"}) == "/work/.venv"


@pytest.mark.skipif(os.name == "nt", reason="environments have no links there")
@pytest.mark.parametrize("path", ["env", "env/bin/python", "env/bin/python3"])
def test_an_environment_whose_base_was_removed_is_reported_as_one(tmp_path: Path, path: str) -> None:
    (tmp_path / "env/bin").mkdir(parents=True)
    (tmp_path / "env/pyvenv.cfg").write_text(f"home = {tmp_path}/gone/bin\n")
    (tmp_path / "env/bin/python").symlink_to(tmp_path / "gone/bin/python3.12")
    (tmp_path / "env/bin/python3").symlink_to("python")
    with pytest.raises(LocksetError) as caught:
        interpreter_of(str(tmp_path / path))
    assert caught.value.diagnostic.code == "python-not-found"
    assert caught.value.diagnostic.location == str(tmp_path / "env")
    assert "gone/bin/python3.12" in caught.value.diagnostic.message
    assert "--create-venv" in (caught.value.diagnostic.hint or "")
