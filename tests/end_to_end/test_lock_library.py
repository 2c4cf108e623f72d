"""Locking as a library does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomli

import lockset
from lockset.markers import Environment, MarkerSet, described_tags
from support.builders import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from support.local_index import LocalIndex


def write_project(folder: Path, more: str = "") -> None:
    project = '[project]\nname = "app"\nrequires-python = ">=3.10"\ndependencies = ["a"]\n'
    (folder / "pyproject.toml").write_text(project + more)


def test_a_project_is_locked_and_written(local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.world.add("a", "1.0", requires=["b ; sys_platform == 'win32'"]).add("b", "2.0")
    write_project(tmp_path)
    result = lockset.lock(
        context=lockset.RunContext(folder=tmp_path), indexes=lockset.IndexOptions(index_url=local_index.url)
    )
    assert [(p.name, str(p.version), str(p.marker or "")) for p in result.lock.packages] == [
        ("a", "1.0", ""),
        ("b", "2.0", 'sys_platform == "win32"'),
    ]
    assert not (tmp_path / "pylock.toml").exists(), "nothing is written unasked"
    result.write(tmp_path / "pylock.toml")
    assert tomli.loads((tmp_path / "pylock.toml").read_text())["lock-version"] == "1.0"
    assert lockset.validate(tmp_path / "pylock.toml").ok


def test_pins_stay_and_choices_count(local_index: LocalIndex, tmp_path: Path) -> None:
    write_project(tmp_path, f'[[tool.lockset.index]]\nurl = "{local_index.url}"\ndefault = true\n')
    local_index.world.add("a", "1.0")
    lockset.lock(context=lockset.RunContext(folder=tmp_path)).write(tmp_path / "pylock.toml")
    local_index.world.add("a", "2.0", requires_python=">=3.12")
    assert [str(p.version) for p in lockset.lock(context=lockset.RunContext(folder=tmp_path)).lock.packages] == ["1.0"]
    upgraded = lockset.lock(
        "pyproject.toml", context=lockset.RunContext(folder=tmp_path), options=lockset.LockOptions(upgrade=True)
    )
    assert [str(p.version) for p in upgraded.lock.packages] == ["1.0", "2.0"]
    narrow = lockset.LockOptions(upgrade=True, python="3.12", platforms=("linux",))
    assert [
        str(p.version) for p in lockset.lock(context=lockset.RunContext(folder=tmp_path), options=narrow).lock.packages
    ] == ["2.0"]


def test_a_failure_is_an_error_with_its_parts(local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.world.add_file("a", make_wheel("a", "1.0", requires_dist=["b<1"])).add("b", "2.0")
    (tmp_path / "requirements.in").write_text("a\n")
    options = lockset.IndexOptions(index_url=local_index.url)
    with pytest.raises(lockset.LocksetError) as caught:
        lockset.lock(["requirements.in"], context=lockset.RunContext(folder=tmp_path), indexes=options)
    message = caught.value.diagnostic
    assert message.code == "no-resolution"
    assert any("a 1.0 needs b<1" in line for line in message.context)


def test_marker_sets_answer_what_the_documentation_says() -> None:
    windows = MarkerSet.parse("sys_platform == 'win32'")
    new = MarkerSet.of_python(">=3.12")
    assert (windows & new).implies(windows)
    assert not windows.implies(new)
    assert MarkerSet.parse("python_version >= '3.12'") is new, "equal sets are the same object"
    assert (windows | ~windows).is_full
    assert windows.is_disjoint(MarkerSet.parse("sys_platform == 'linux'"))
    assert (windows & new).text(given=new) == "sys_platform == 'win32'"
    linux = Environment.of_platform("manylinux_2_28_x86_64", "3.13")
    assert new.evaluate(linux)
    assert not windows.evaluate(linux)
    assert str(described_tags("win_amd64", "3.13")[0]) == "cp313-cp313-win_amd64"
