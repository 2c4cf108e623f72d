"""Files that would have one path in a target: the message names the package and both of its members."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lockset.composition.sync_pipeline import InstallOptions
from lockset.errors import LocksetError
from support.builders.wheel import make_wheel
from support.worlds.target_world import World, judge, tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.builders.archives import Artifact
    from support.venvs import VenvMaker

DATA = "sample-1.0.data"


def refusal(world: World, *wheels: Artifact) -> str:
    with pytest.raises(LocksetError) as caught:
        world.sync(*wheels)
    return caught.value.diagnostic.message


COLLISIONS: dict[str, tuple[dict[str, str], list[str]]] = {
    "data on a module": ({"sample.py": "a", f"{DATA}/data/sample.py": "b"}, ["`sample.py`", "`.data/data/sample.py`"]),
    "the same bytes": ({"sample.py": "a", f"{DATA}/data/sample.py": "a"}, ["`sample.py`", "`.data/data/sample.py`"]),
    "data on a script": (
        {f"{DATA}/scripts/run": "a", f"{DATA}/data/bin/run": "b"},
        ["`.data/scripts/run`", "`.data/data/bin/run`"],
    ),
    "data on a rewritten script": (
        {f"{DATA}/scripts/run": "#!python\na", f"{DATA}/data/bin/run": "b"},
        ["`.data/scripts/run`", "`.data/data/bin/run`"],
    ),
    "data on a header": (
        {f"{DATA}/headers/x.h": "a", f"{DATA}/data/include/sample/x.h": "b"},
        ["`.data/headers/x.h`", "`.data/data/include/sample/x.h`"],
    ),
    "a module on a script": ({"bin/run": "a", f"{DATA}/scripts/run": "b"}, ["`bin/run`", "`.data/scripts/run`"]),
    "a module of both roots": ({"sample.py": "a", f"{DATA}/platlib/sample.py": "b"}, ["sample.py", f"{DATA}/platlib"]),
    "a folder on a file": ({"a": "a", f"{DATA}/data/a/b": "b"}, ["`{target}{sep}a`"]),
    "a folder on a file of one scheme": ({"a": "a", "a/b": "b"}, ["`a` is both file and folder"]),
    "a folder on a file of the other root": ({"a": "a", f"{DATA}/purelib/a/b": "b"}, ["`a`", f"`{DATA}/purelib/a/b`"]),
    "a deep folder on a file": ({"x/y": "a", f"{DATA}/data/x/y/z/b": "b"}, ["`{target}{sep}x{sep}y`"]),
}


@pytest.mark.parametrize("case", COLLISIONS)
def test_two_members_of_one_path_are_named(tmp_path: Path, case: str) -> None:
    files, named = COLLISIONS[case]
    target = tmp_path / "target"
    world = World(folder=tmp_path / "world", directory=str(target))
    message = refusal(world, make_wheel(files=files))
    for words in ["sample", *named]:
        assert words.format(target=target, sep=os.sep) in message
    assert not target.exists()


@pytest.mark.parametrize("script", ["#!python\nprint(1)\n", "#!/bin/sh\n"])
def test_a_script_and_a_command_of_one_name_are_named(tmp_path: Path, make_venv: VenvMaker, script: str) -> None:
    world = World(folder=tmp_path / "world", python=str(make_venv("env").path))
    wheel = make_wheel(scripts={"run": script}, entry_points={"console_scripts": {"run": "sample:main"}})
    message = refusal(world, wheel)
    assert "sample 1.0" in message
    assert "`.data/scripts/run` and the command `run` of its entry_points.txt" in message


def test_data_on_a_file_of_its_own_in_an_environment_is_named(tmp_path: Path, make_venv: VenvMaker) -> None:
    venv = make_venv("env")
    world = World(folder=tmp_path / "world", python=str(venv.path))
    inside = venv.site_packages.relative_to(venv.path).as_posix()
    before = tree(venv.path)
    files = {"sample.py": "a", f"{DATA}/data/{inside}/sample.py": "b"}
    assert f"`sample.py` and `.data/data/{inside}/sample.py`" in refusal(world, make_wheel(files=files))
    assert tree(venv.path) == before


@pytest.mark.parametrize("order", [1, -1])
def test_a_file_of_one_package_in_the_way_of_a_folder_of_another_is_named(tmp_path: Path, order: int) -> None:
    target = tmp_path / "target"
    world = World(folder=tmp_path / "world", directory=str(target))
    wheels = [make_wheel("one", files={"thing": "a"}), make_wheel("two", files={"thing/inside.py": "b"})][::order]
    assert f"one 1.0 has a file `{target}{os.sep}thing`, where two 1.0 has a folder" in refusal(world, *wheels)
    world.sync(wheels[0])
    before = tree(target)
    with pytest.raises(LocksetError):
        world.sync(*wheels)
    assert tree(target) == before


@pytest.fixture
def caseless(tmp_path: Path) -> Iterator[Path]:
    """A folder in which upper case and lower case are the same."""
    folder = tmp_path / "caseless"
    folder.mkdir()
    if (folder.parent / "CASELESS").exists():
        yield folder
        return
    image = tmp_path / "image"
    image.write_bytes(bytes(4 << 20))
    commands = [["mkfs.vfat", str(image)], ["mount", "-o", "loop", str(image), str(folder)]]
    try:
        failed = any(subprocess.run(command, capture_output=True, check=False).returncode for command in commands)
    except OSError:  # there is no such command, or this user may not run it
        failed = True
    if failed:
        pytest.skip("no file system here takes both cases for one")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("made", [{"Sample.py": "a", "sample.py": "b"}, {"s/a.py": "a", f"{DATA}/data/S/A.py": "b"}])
def test_names_that_differ_in_case_alone_are_named_where_they_are_one(caseless: Path, made: dict[str, str]) -> None:
    world = World(folder=caseless.parent / "world", directory=str(caseless / "target"))
    message = refusal(world, make_wheel(files=made))
    assert "sample 1.0" in message
    one = ("would both be", "has the same name as another member", "are the same file on Windows")
    assert any(text in message for text in one)


@pytest.mark.skipif(sys.platform == "win32", reason="the real system does so")
def test_what_the_file_system_takes_for_one_name_is_named_by_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system without case: names that differ in case alone meet."""
    real = os.open
    seen: dict[str, str] = {}

    def opener(path: str, flags: int, *more: int, **named: int) -> int:
        if flags & os.O_EXCL and "target" in str(path) and seen.setdefault(str(path).casefold(), path) != path:
            raise FileExistsError(17, "File exists", path)
        return real(path, flags, *more, **named)

    world = World(folder=tmp_path / "world", directory=str(tmp_path / "target"))
    copying = InstallOptions(link_mode="copy")
    monkeypatch.setattr(os, "open", opener)
    with pytest.raises(LocksetError, match=r"sample 1.0 cannot be installed here: `Sample.py` and `sample.py` would"):
        world.sync(make_wheel(files={"sample.py": "a", "Sample.py": "b"}), install_options=copying)
    with pytest.raises(
        LocksetError, match=r"two 1.0 cannot be installed here: .* is the same as a file of one-1.0.dist-info"
    ):
        world.sync(
            make_wheel("one", files={"x.py": "a" * 9}), make_wheel("two", files={"X.py": "b"}), install_options=copying
        )


def test_names_that_differ_in_case_alone_are_two_files_where_they_may(tmp_path: Path) -> None:
    if (tmp_path.parent / tmp_path.name.upper()).exists():
        pytest.skip("the file system takes both for one")
    world = World(folder=tmp_path / "world", directory=str(tmp_path / "target"))
    world.sync(make_wheel(files={"Sample.py": "a", "sample.py": "b"}))
    assert judge(tmp_path / "target") == {"sample": "1.0"}
