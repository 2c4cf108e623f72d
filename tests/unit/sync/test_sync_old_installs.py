"""Installs that other tools left: removed whole, or refused and named; never removed by half, never passed over."""

from __future__ import annotations

import os
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest

from support.builders.locks import write_lock
from support.builders.wheel import make_wheel
from support.worlds.target_world import judge, tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command
    from support.venvs import Venv, VenvMaker

PKG_INFO = "Metadata-Version: 1.0\nName: Oldthing\nVersion: 0.9\n"
HEAD = "#!{python}\n# EASY-INSTALL-ENTRY-SCRIPT: 'Oldthing==0.9','console_scripts','old'\nimport old_thing\n"


def put(path: Path, content: str = "x = 1\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def command(venv: Venv) -> None:
    put(venv.bin / "old", HEAD)


def egg_link(venv: Venv) -> None:
    source = venv.path.parent / "source"
    put(source / "Oldthing.egg-info/PKG-INFO", PKG_INFO)
    put(source / "old_thing.py")
    put(venv.site_packages / "Oldthing.egg-link", f"{source}\n.")
    put(venv.site_packages / "easy-install.pth", f"{source}\n")
    command(venv)


def egg_link_without_its_line(venv: Venv) -> None:
    egg_link(venv)
    (venv.site_packages / "easy-install.pth").unlink()


def egg_link_to_nowhere(venv: Venv) -> None:
    put(venv.site_packages / "Oldthing.egg-link", "/nowhere/at/all\n.")


def empty_egg_link(venv: Venv) -> None:
    put(venv.site_packages / "OldThing.egg-link", "")


def line_without_its_egg_link(venv: Venv) -> None:
    egg_link(venv)
    (venv.site_packages / "Oldthing.egg-link").unlink()


def egg_folder(venv: Venv) -> None:
    put(venv.site_packages / "Oldthing-0.9-py3.8.egg/EGG-INFO/PKG-INFO", PKG_INFO)
    put(venv.site_packages / "Oldthing-0.9-py3.8.egg/old_thing.py")
    text = "import sys; sys.__plen = len(sys.path)\n./Oldthing-0.9-py3.8.egg\nimport sys; new=sys.path[sys.__plen:]\n"
    put(venv.site_packages / "easy-install.pth", text)
    command(venv)


def zipped_egg(venv: Venv) -> None:
    with zipfile.ZipFile(venv.site_packages / "Oldthing-0.9-py3.8.egg", "w") as archive:
        archive.writestr("EGG-INFO/PKG-INFO", PKG_INFO)
        archive.writestr("old_thing.py", "x = 1\n")
    put(venv.site_packages / "easy-install.pth", "./Oldthing-0.9-py3.8.egg\n")
    command(venv)


def egg_without_metadata(venv: Venv) -> None:
    put(venv.site_packages / "Oldthing-0.9-py3.8.egg/old_thing.py")
    put(venv.site_packages / "easy-install.pth", "./Oldthing-0.9-py3.8.egg\n")


def sources_listed(venv: Venv) -> None:
    info = venv.site_packages / "Oldthing-0.9-py3.8.egg-info"
    put(info / "PKG-INFO", PKG_INFO)
    put(info / "top_level.txt", "old_thing\n")
    put(info / "SOURCES.txt", "setup.py\nsrc/old_thing/__init__.py\nsrc/old_thing/data/one.txt\n../../escape.py\n")
    put(venv.site_packages / "old_thing/__init__.py")
    put(venv.site_packages / "old_thing/data/one.txt")


def metadata_alone(venv: Venv) -> None:
    put(venv.site_packages / "Oldthing-0.9.dist-info/METADATA", PKG_INFO)


def empty_dist_info(venv: Venv) -> None:
    (venv.site_packages / "Oldthing-0.9.dist-info").mkdir()


def file_for_dist_info(venv: Venv) -> None:
    put(venv.site_packages / "Oldthing-0.9.dist-info", "nothing")


def distutils_metadata_alone(venv: Venv) -> None:
    put(venv.site_packages / "Oldthing-0.9.egg-info", PKG_INFO)


def twins(venv: Venv) -> None:
    for version in ("0.8", "0.9"):
        info = f"Oldthing-{version}.dist-info"
        put(venv.site_packages / info / "METADATA", PKG_INFO.replace("0.9", version))
        put(venv.site_packages / info / "RECORD", f"old_thing.py,,\n{info}/METADATA,,\n{info}/RECORD,,\n")
    put(venv.site_packages / "old_thing.py")
    put(venv.site_packages / "old_thing.pyc", "")


def without_metadata(venv: Venv) -> None:
    info = "Oldthing-0.9.dist-info"
    put(venv.site_packages / info / "RECORD", f"old_thing.py,,\n{info}/RECORD,,\n")
    put(venv.site_packages / "old_thing.py")


REMOVED = [
    egg_link, egg_link_without_its_line, egg_link_to_nowhere, empty_egg_link, line_without_its_egg_link, egg_folder,
    zipped_egg, egg_without_metadata, sources_listed, metadata_alone, empty_dist_info, file_for_dist_info,
    distutils_metadata_alone, twins, without_metadata,
]  # fmt: skip


def distutils(venv: Venv) -> None:
    distutils_metadata_alone(venv)
    put(venv.site_packages / "old_thing.py")


def egg_info_without_a_list(venv: Venv) -> None:
    sources_listed(venv)
    put(venv.site_packages / "old_thing/of_nobody.txt")


def without_record(venv: Venv) -> None:
    metadata_alone(venv)
    put(venv.site_packages / "old_thing/__init__.py")


def without_record_and_metadata(venv: Venv) -> None:
    empty_dist_info(venv)
    put(venv.site_packages / "some_other_name.py")


def without_record_and_a_command(venv: Venv) -> None:
    metadata_alone(venv)
    put(venv.site_packages / "Oldthing-0.9.dist-info/entry_points.txt", "[console_scripts]\nold = old_thing:main\n")
    put(venv.bin / "old")


def without_record_editable(venv: Venv) -> None:
    metadata_alone(venv)
    put(venv.site_packages / "__editable__.oldthing-0.9.pth", f"{venv.path.parent}\n")


def unreadable_record(venv: Venv) -> None:
    without_record(venv)
    put(venv.site_packages / "Oldthing-0.9.dist-info/RECORD", "one,two\n")


def cut_record(venv: Venv) -> None:
    without_record(venv)
    put(venv.site_packages / "old_thing/more.py")
    put(venv.site_packages / "Oldthing-0.9.dist-info/RECORD", "old_thing/__init__.py,,\n")


REFUSED = [
    distutils, egg_info_without_a_list, without_record, without_record_and_metadata, without_record_and_a_command,
    without_record_editable, unreadable_record, cut_record,
]  # fmt: skip


def differs(cli: Command, venv: Venv) -> None:
    """Every way to look says that the environment is not as locked."""
    for options in (["check-env"], ["sync", "--check"]):
        result = cli(*options, "--python", venv.path)
        assert result.code == 1, str(result)
        assert "old" in result.stderr
        result = cli(*options, "--python", venv.path, "--json")
        assert result.code == 1, str(result)
        steps = {step["name"]: step for step in result.json()["steps"]}
        assert steps["oldthing"]["action"] not in {"keep", "install"}


def importable(venv: Venv) -> str:
    code = "import importlib.util as u; print(*[n for n in ('old_thing',) if u.find_spec(n)])"
    return venv.run(code).strip()


@pytest.mark.parametrize("made", REMOVED)
def test_what_can_be_removed_with_certainty_is_removed_whole(
    cli: Command, tmp_path: Path, make_venv: VenvMaker, made: Callable[[Venv], None]
) -> None:
    venv = make_venv("env")
    before = tree(venv.path)
    made(venv)
    sources = tree(tmp_path / "source") if (tmp_path / "source").exists() else None
    write_lock(tmp_path / "pylock.toml", [])
    differs(cli, venv)
    cli.ok("sync", "--python", venv.path)
    assert tree(venv.path) == before
    assert importable(venv) == ""
    assert sources is None or tree(tmp_path / "source") == sources
    cli.ok("check-env", "--python", venv.path)


@pytest.mark.parametrize("made", REFUSED)
def test_what_cannot_be_removed_with_certainty_is_named_and_nothing_changes(
    cli: Command, tmp_path: Path, make_venv: VenvMaker, made: Callable[[Venv], None]
) -> None:
    venv = make_venv("env")
    made(venv)
    before = tree(venv.path)
    write_lock(tmp_path / "pylock.toml", [make_wheel("one")])
    differs(cli, venv)
    message = cli.refused("sync", "--python", venv.path)
    assert "oldthing" in message
    assert "--keep oldthing" in message
    assert tree(venv.path) == before
    cli.ok("sync", "--python", venv.path, "--keep", "oldthing")
    assert venv.run("import one") == ""
    cli.ok("sync", "--python", venv.path, "--inexact")
    assert importable(venv) or made in {
        without_record_and_metadata,
        without_record_and_a_command,
        without_record_editable,
    }


@pytest.mark.parametrize("made", [*REMOVED, *REFUSED])
def test_a_newer_version_replaces_all_of_it_or_is_refused(
    cli: Command, tmp_path: Path, make_venv: VenvMaker, made: Callable[[Venv], None]
) -> None:
    venv = make_venv("env")
    made(venv)
    before = tree(venv.path)
    new = make_wheel("oldthing", "2.0", files={"new_thing.py": "x = 2\n"})
    write_lock(tmp_path / "pylock.toml", [new])
    differs(cli, venv)
    if made in REFUSED:
        assert "oldthing" in cli.refused("sync", "--python", venv.path)
        assert tree(venv.path) == before
    else:
        cli.ok("sync", "--python", venv.path)
        assert judge(venv.site_packages) == {"oldthing": "2.0"}
        assert importable(venv) == ""
        assert {path.name for path in venv.site_packages.glob("[oO]ld*")} == {"oldthing-2.0.dist-info"}
        cli.ok("check-env", "--python", venv.path)


@pytest.mark.parametrize("made", [distutils, without_record, unreadable_record, cut_record])
def test_a_newer_version_with_the_same_files_replaces_it(
    cli: Command, tmp_path: Path, make_venv: VenvMaker, made: Callable[[Venv], None]
) -> None:
    venv = make_venv("env")
    made(venv)
    files = dict.fromkeys(("old_thing.py", "old_thing/__init__.py", "old_thing/more.py"), "x = 2\n")
    write_lock(tmp_path / "pylock.toml", [make_wheel("oldthing", "2.0", files=files)])
    cli.ok("sync", "--python", venv.path)
    assert judge(venv.site_packages) == {"oldthing": "2.0"}


def test_a_hyphen_in_the_name_of_an_egg_link_is_part_of_the_name(
    cli: Command, tmp_path: Path, make_venv: VenvMaker
) -> None:
    venv = make_venv("env")
    put(venv.site_packages / "old-thing.egg-link", "/nowhere/at/all\n.")
    write_lock(tmp_path / "pylock.toml", [])
    cli.ok("sync", "--python", venv.path, "--keep", "old-thing")
    assert (venv.site_packages / "old-thing.egg-link").exists()


def test_other_lines_and_commands_stay(cli: Command, tmp_path: Path, make_venv: VenvMaker) -> None:
    venv = make_venv("env")
    egg_link(venv)
    put(tmp_path / "kept/kept.py")
    put(venv.site_packages / "easy-install.pth", f"{tmp_path}/source\n{tmp_path}/kept\n")
    put(venv.bin / "mine", HEAD.replace("Oldthing", "mine"))
    put(venv.site_packages / "user.pth", f"{tmp_path}/source\n")
    write_lock(tmp_path / "pylock.toml", [])
    cli.ok("sync", "--python", venv.path)
    assert (venv.site_packages / "easy-install.pth").read_text() == f"{tmp_path}/kept\n"
    assert (venv.bin / "mine").exists()
    assert not (venv.bin / "old").exists()
    assert (venv.site_packages / "user.pth").exists()


def test_a_kept_egg_keeps_its_line(cli: Command, tmp_path: Path, make_venv: VenvMaker) -> None:
    venv = make_venv("env")
    egg_folder(venv)
    put(venv.site_packages / "Gone-1.egg/EGG-INFO/PKG-INFO", "Name: gone\nVersion: 1\n")
    with (venv.site_packages / "easy-install.pth").open("a") as file:
        file.write("./Gone-1.egg\n")
    write_lock(tmp_path / "pylock.toml", [])
    cli.ok("sync", "--python", venv.path, "--keep", "oldthing")
    assert importable(venv) == "old_thing"
    assert not (venv.site_packages / "Gone-1.egg").exists()
    assert "Gone" not in (venv.site_packages / "easy-install.pth").read_text()


def test_an_old_install_next_to_a_newer_one_is_removed(cli: Command, tmp_path: Path, make_venv: VenvMaker) -> None:
    venv = make_venv("env")
    write_lock(tmp_path / "pylock.toml", [make_wheel("oldthing", "2.0", files={"new_thing.py": "x = 2\n"})])
    cli.ok("sync", "--python", venv.path)
    before = tree(venv.path)
    for made in (egg_link, zipped_egg, metadata_alone):
        made(venv)
        differs(cli, venv)
        cli.ok("sync", "--python", venv.path)
        assert tree(venv.path) == before
    egg_link(venv)
    write_lock(tmp_path / "pylock.toml", [])
    cli.ok("sync", "--python", venv.path)
    assert judge(venv.site_packages) == {}
    assert importable(venv) == ""


def test_a_line_that_appears_after_a_sync_with_nothing_to_do_is_seen(
    cli: Command, tmp_path: Path, make_venv: VenvMaker
) -> None:
    venv = make_venv("env")
    write_lock(tmp_path / "pylock.toml", [make_wheel("one")])
    for _ in range(3):
        cli.ok("sync", "--python", venv.path)
    line_without_its_egg_link(venv)
    cli.ok("sync", "--python", venv.path)
    assert importable(venv) == ""


def test_files_that_only_look_like_eggs_are_left_alone(cli: Command, tmp_path: Path, make_venv: VenvMaker) -> None:
    venv = make_venv("env")
    put(venv.site_packages / "breakfast.egg", "an omelette")
    put(venv.site_packages / "nest.egg/one.txt")
    put(venv.site_packages / "easy-install.pth", "/nowhere\n")
    write_lock(tmp_path / "pylock.toml", [])
    before = tree(venv.path)
    cli.ok("check-env", "--python", venv.path)
    cli.ok("sync", "--python", venv.path)
    assert tree(venv.path) == before


@pytest.mark.skipif(os.name != "posix", reason="pipes with names are POSIX's")
@pytest.mark.parametrize("name", ["easy-install.pth", "Old.egg-link", "Old-1.egg-info", "Old-1.egg", "Old-1.dist-info"])
def test_a_pipe_in_the_place_of_metadata_is_not_waited_for(
    cli: Command, tmp_path: Path, make_venv: VenvMaker, name: str
) -> None:
    venv = make_venv("env")
    subprocess.run(["mkfifo", venv.site_packages / name], check=True)
    write_lock(tmp_path / "pylock.toml", [])
    assert cli("sync", "--python", venv.path).code in {0, 1}
