"""A sync with nothing to do ends at once, and only then: whatever has changed since is seen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lockset.files.cache_folder import cache_folder
from support.builders.locks import locked_file, make_lock
from support.builders.wheel import make_wheel
from support.venvs import Venv
from support.worlds.target_world import judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.venvs import VenvMaker


# All that such a run may import besides what the interpreter itself has at its start.
ALLOWED = {
    "__future__", "_collections_abc", "errno", "gc", "lockset", "lockset._version", "lockset.cli",
    "lockset.cli.fast_path", "lockset.cli.fast_path.command_key", "lockset.cli.fast_path.sync", "lockset.cli.main",
    "lockset.files", "lockset.files.cache_folder", "lockset.files.record_store", "lockset.files.system", "marshal",
    "zlib",
}  # fmt: skip
_RUN = """
import atexit, sys
before = set(sys.modules)
atexit.register(lambda: print(*sorted(set(sys.modules) - before)))
sys.argv = ["lockset", *{arguments!r}]
from lockset.cli.main import main
raise SystemExit(main())
"""


@pytest.fixture
def project(tmp_path: Path, make_venv: VenvMaker) -> Path:
    """An environment that is as locked, as a sync has left it."""
    folder = tmp_path / "project"
    folder.mkdir()
    write_lock(folder, "1.0")
    make_venv("project/.venv")
    assert run(folder).returncode == 0
    return folder


@pytest.fixture
def venv(project: Path, make_venv: VenvMaker) -> Venv:
    return Venv(path=project / ".venv", version=f"{sys.version_info.major}.{sys.version_info.minor}")


def write_lock(folder: Path, version: str) -> None:
    wheel = make_wheel("sample", version, files={"sample/__init__.py": f"v = {version!r}\n", "sample/more.py": "x"})
    (folder / wheel.filename).write_bytes(wheel.content)
    locked: dict[str, Any] = locked_file(wheel)
    del locked["url"]
    package = {"name": "sample", "version": version, "wheels": [locked | {"path": wheel.filename}]}
    (folder / "pylock.toml").write_text(make_lock([package]))


def run(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _RUN.format(arguments=["sync", *arguments])]
    environ = {**os.environ, **(env or {})}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def is_recalled(done: subprocess.CompletedProcess[str]) -> bool:
    return "argparse" not in done.stdout.split()


def test_a_run_with_nothing_to_do_imports_next_to_nothing(project: Path) -> None:
    done = run(project)
    assert (done.returncode, done.stderr) == (0, "The only package matches the lock file\n")
    assert set(done.stdout.split()) <= ALLOWED


def test_quiet_runs_are_quiet_and_others_are_not(project: Path) -> None:
    assert run(project, "-q").stderr == ""
    done = run(project, "-q")
    assert (done.stderr, is_recalled(done)) == ("", True)
    assert run(project).stderr == "The only package matches the lock file\n"


def test_many_files_are_looked_at_by_two_processes(tmp_path: Path, make_venv: VenvMaker) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    wheel = make_wheel("sample", files={f"sample/m{number}.py": "" for number in range(4000)})
    (folder / wheel.filename).write_bytes(wheel.content)
    locked: dict[str, Any] = locked_file(wheel)
    del locked["url"]
    package = {"name": "sample", "version": "1.0", "wheels": [locked | {"path": wheel.filename}]}
    (folder / "pylock.toml").write_text(make_lock([package]))
    env = make_venv("project/.venv")
    run(folder)
    assert is_recalled(run(folder))
    for number in (0, 1999, 3999):
        path = env.site_packages / f"sample/m{number}.py"
        path.unlink()
        path.write_text("changed")
        done = run(folder)
        assert not is_recalled(done)
        assert "Repaired 1 package in " in done.stderr
        assert is_recalled(run(folder))


def in_place(venv: Venv) -> None:
    path = venv.site_packages / "sample/__init__.py"
    content = path.read_text()
    path.unlink()
    path.write_text(content.replace("1", "2"))


def same_size(venv: Venv) -> None:
    with (venv.site_packages / "sample/more.py").open("r+") as file:
        file.write("y")


def foreign(venv: Venv) -> None:
    folder = venv.site_packages / "other-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (folder / "RECORD").write_text("other-1.0.dist-info/METADATA,,\nother-1.0.dist-info/RECORD,,\n")


def linked(venv: Venv) -> None:
    (venv.site_packages / "sample/more.py").unlink()
    (venv.site_packages / "sample/more.py").symlink_to("/etc/hostname")


def moved(path: Path) -> None:
    """What is there is the very same, and somewhere else."""
    shutil.move(path, path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere", target_is_directory=True)


def info(venv: Venv) -> Path:
    return next(venv.site_packages.glob("sample-*.dist-info"))


CHANGES: dict[str, Callable[[Venv], object]] = {
    "a file is changed": in_place,
    "a byte is changed in place": same_size,
    "a file is gone": lambda venv: (venv.site_packages / "sample/more.py").unlink(),
    "a file is a link": linked,
    "a folder is a link to the same": lambda venv: moved(venv.site_packages / "sample"),
    "the metadata is a link to the same": lambda venv: moved(info(venv)),
    "a folder is gone": lambda venv: shutil.rmtree(venv.site_packages / "sample"),
    "RECORD is gone": lambda venv: (info(venv) / "RECORD").unlink(),
    "RECORD is cut": lambda venv: os.truncate(info(venv) / "RECORD", 10),
    "METADATA is gone": lambda venv: (info(venv) / "METADATA").unlink(),
    "all of the metadata is gone": lambda venv: shutil.rmtree(info(venv)),
    "another distribution has come": foreign,
    "the folder of modules is gone": lambda venv: shutil.rmtree(venv.site_packages),
    "the lock is another": lambda venv: write_lock(venv.path.parent, "2.0"),
    "the lock of a killed sync": lambda venv: (venv.path / ".lockset.lock").touch(),
    "leftovers of a crash": lambda venv: (venv.path / ".lockset/new").mkdir(parents=True),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_any_change_is_detected_and_repaired(project: Path, venv: Venv, change: Callable[[Venv], object]) -> None:
    # Repaired files must not be the store's own, which a change in place would reach.
    assert run(project, "--link-mode", "copy", "--reinstall").returncode == 0
    assert run(project).returncode == 0
    assert is_recalled(run(project))
    change(venv)
    done = run(project)
    assert not is_recalled(done)
    assert done.returncode == 0, done.stderr
    version = "2.0" if "2.0" in (project / "pylock.toml").read_text() else "1.0"
    assert judge(venv.site_packages) == {"sample": version}
    assert not list(venv.path.glob(".lockset*"))
    assert is_recalled(run(project))


def test_a_changed_location_of_the_environment_is_not_recalled(project: Path, make_venv: VenvMaker) -> None:
    below = project / "below"
    below.mkdir()
    run(below)
    assert is_recalled(run(below))
    nearer = make_venv("project/below/.venv")
    done = run(below)
    assert not is_recalled(done)
    assert judge(nearer.site_packages) == {"sample": "1.0"}
    other = make_venv("elsewhere")
    assert not is_recalled(run(below, env={"VIRTUAL_ENV": str(other.path)}))
    assert judge(other.site_packages) == {"sample": "1.0"}
    write_lock(below, "2.0")
    assert not is_recalled(run(below))
    assert judge(nearer.site_packages) == {"sample": "2.0"}


@pytest.mark.parametrize("option", ["--verify-files", "--json", "--reinstall", "--no-cache", "-v", "--check"])
def test_options_are_part_of_the_question(project: Path, option: str) -> None:
    assert not is_recalled(run(project, option))
    # What looks deeper, reports, or repeats is done every time.
    assert is_recalled(run(project, option)) == (option == "--check")


@pytest.mark.parametrize("variable", ["LOCKSET_DEFAULT_INDEX", "PIP_INDEX_URL", "UV_INDEX_URL"])
def test_a_variable_with_a_secret_is_not_stored(project: Path, tmp_path: Path, variable: str) -> None:
    env = {variable: "https://user:hushhush@i.example.org/simple", "LOCKSET_CACHE_DIR": str(tmp_path / "kept")}
    assert run(project, env=env).returncode == 0
    done = run(project, env=env)
    assert (done.returncode, done.stderr) == (0, "The only package matches the lock file\n")
    kept = [path.read_bytes() for path in (tmp_path / "kept").rglob("*") if path.is_file()]
    assert kept
    assert not any(b"hushhush" in data for data in kept)


@pytest.mark.parametrize("harm", ["cut", "emptied", "changed", "garbage", "open to others", "a folder"])
def test_a_record_that_is_odd_is_none(project: Path, harm: str) -> None:
    cache = cache_folder(os.environ)
    assert cache is not None
    for record in Path(cache, "recall-v1").iterdir():
        data = record.read_bytes()
        if harm == "cut":
            record.write_bytes(data[: len(data) // 2])
        elif harm == "emptied":
            record.write_bytes(b"")
        elif harm == "changed":
            record.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
        elif harm == "garbage":
            record.write_bytes(os.urandom(200))
        elif harm == "open to others":
            record.chmod(0o666)
        else:
            record.unlink()
            record.mkdir()
    done = run(project)
    assert (done.returncode, done.stderr) == (0, "The only package matches the lock file\n")
    assert not is_recalled(done)
