"""The command line on Windows: drives, folders and code pages, Pythons of the registry, commands that are installed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.builders.locks import locked_file, make_lock
from support.builders.wheel import make_wheel
from support.command import Command
from support.worlds.target_world import judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.builders.archives import Artifact
    from support.venvs import VenvMaker

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="what Windows alone has")

FOLDER = "a b é ß"
SPEAKS = "def main():\n    import sys\n    open(sys.argv[1], 'w').write('it ran')\n"
SILENT: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def write_lock(folder: Path, *wheels: Artifact) -> None:
    packages = []
    for wheel in wheels:
        wheel.write(folder)
        name, version = wheel.filename.split("-")[:2]
        file = {key: value for key, value in locked_file(wheel).items() if key != "url"} | {"path": wheel.filename}
        packages.append({"name": name, "version": version, "wheels": [file]})
    (folder / "pylock.toml").write_text(make_lock(packages), encoding="utf-8")


@pytest.fixture
def cli(tmp_path: Path) -> Command:
    """Messages in UTF-8, which name the folder, whatever the code page is."""
    return Command(cwd=tmp_path, env={"PYTHONUTF8": "1"})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with blanks and letters that some code pages lack."""
    folder = tmp_path / FOLDER
    folder.mkdir()
    return folder


def test_commands_of_both_kinds_run_in_a_folder_with_blanks_and_letters(
    cli: Command, place: Path, venv_maker: VenvMaker
) -> None:
    env = venv_maker.below(place)("env ü")
    commands = {"console_scripts": {"speak": "speaks:main"}, "gui_scripts": {"speak-up": "speaks:main"}}
    write_lock(place, make_wheel("speaks", files={"speaks.py": SPEAKS}, entry_points=commands))
    cli.ok("sync", "--python", "env ü", cwd=place)
    for command in ("speak", "speak-up"):
        out = place / f"{command} out"
        # Not by a pipe: what Wine starts with the first program of windows would hold that open.
        subprocess.run([env.bin / f"{command}.exe", out], **SILENT, check=True, timeout=60)
        deadline = time.monotonic() + 30
        while not (out.exists() and out.read_text()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert out.read_text() == "it ran"


def test_two_syncs_at_once_leave_what_is_locked(cli: Command, place: Path, venv_maker: VenvMaker) -> None:
    env = venv_maker.below(place)()
    write_lock(place, *(make_wheel(f"p{number}", files={f"p{number}/__init__.py": ""}) for number in range(8)))
    command = [sys.executable, "-m", "lockset", "sync", "--python", "env"]
    both = [subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
    ends = [child.communicate(timeout=120)[0] for child in both]
    assert [child.returncode for child in both] == [0, 0], ends
    assert judge(env.site_packages) == {f"p{number}": "1.0" for number in range(8)}
    cli.ok("check-env", "--python", "env", cwd=place)


def test_a_version_means_a_python_of_the_registry(cli: Command, place: Path) -> None:
    write_lock(place, make_wheel("one"))
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    base = str(Path(sys.base_prefix, "python.exe"))
    broken = str(place / "gone" / "python.exe")
    with registered("A", own, broken), registered("B", own, base), registered("C", "2.6", base):
        result = cli.ok("sync", "--python", own, "--target", "out", "--json", cwd=place, env={"PATH": ""}).json()
        message = cli.refused("sync", "--python", "2.6", "--target", "out", cwd=place, env={"PATH": ""})
    assert os.path.normcase(result["target"]["python"]) == os.path.normcase(base)
    assert "no Python 2.6" in message
    assert "in the registry" in message


@contextmanager
def registered(company: str, version: str, path: str) -> Iterator[None]:
    if sys.platform == "win32":
        import winreg

        root = rf"Software\Python\LocksetTest{company}"
        keys = [root, rf"{root}\{version}", rf"{root}\{version}\InstallPath"]
        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, keys[1]) as key:
            winreg.SetValueEx(key, "SysVersion", 0, winreg.REG_SZ, version)
        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, keys[2]) as key:
            winreg.SetValueEx(key, "ExecutablePath", 0, winreg.REG_SZ, path)
        try:
            yield
        finally:
            for name in reversed(keys):
                winreg.DeleteKey(winreg.HKEY_CURRENT_USER, name)
    else:
        yield


def test_a_path_on_another_drive_is_refused_by_lock_and_convert(cli: Command, place: Path) -> None:
    other = "Q:" if place.drive.upper() != "Q:" else "R:"
    (place / "requirements.txt").write_text(f"tree @ file:///{other}/somewhere/tree\n")
    message = cli.refused("convert", "requirements.txt", cwd=place)
    assert f"`{other}\\somewhere\\tree` is on another drive than the lock file" in message
    assert "another drive" in cli.refused("lock", "requirements.txt", cwd=place)
    assert not (place / "pylock.toml").exists()


def test_a_path_on_the_same_drive_is_relative_with_slashes(cli: Command, place: Path) -> None:
    (place / "requirements.txt").write_text(f"tree @ {(place.parent / 'far off' / 'tree').as_uri()}\n")
    cli.ok("convert", "requirements.txt", cwd=place)
    assert 'path = "../far off/tree"' in (place / "pylock.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("code_page", ["cp437", "cp1252", "cp932", "utf-8"])
def test_letters_that_the_code_page_lacks_end_nothing(cli: Command, place: Path, code_page: str) -> None:
    folder = place / "日本 Ω ł"
    folder.mkdir()
    write_lock(folder, make_wheel("one"))
    command = [sys.executable, "-m", "lockset", "sync", "--target", "ausgabe ü Ж"]
    env = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": code_page}
    done = subprocess.run(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert done.returncode == 0, done
    assert "Installed 1 package" in done.stderr.decode(code_page)
    assert judge(folder / "ausgabe ü Ж") == {"one": "1.0"}
