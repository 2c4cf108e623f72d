"""What is remembered of an interpreter holds only while everything that decides it is as it was."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lockset.errors import LocksetError
from lockset.markers import KNOWN_PYTHONS
from lockset.sync.disk.inspect import interpreter as module
from lockset.sync.disk.inspect.interpreter import ask_interpreter
from support.builders.locks import write_lock
from support.builders.wheel import make_wheel
from support.venvs import interpreter

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.sync.target import Interpreter
    from support.command import Command
    from support.venvs import VenvMaker

pytestmark = pytest.mark.skipif(os.name != "posix", reason="interpreters are copied and linked as on POSIX")
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
MARKER = "[externally-managed]\nError=Ask the system's own installer.\n"


def own_python(folder: Path) -> tuple[Path, Path]:
    """A copy of this interpreter with a prefix of its own: its executable, and its standard library."""
    library = folder / f"lib/python{OWN}"
    library.mkdir(parents=True)
    (folder / "bin").mkdir()
    for entry in Path(sysconfig.get_paths()["stdlib"]).iterdir():
        if entry.name not in {"site-packages", "EXTERNALLY-MANAGED"}:
            (library / entry.name).symlink_to(entry)
    (library / "site-packages").mkdir()
    python = folder / "bin/python3"
    shutil.copy(os.path.realpath(sys.executable), python)
    if ask_interpreter(str(python), memory=None).prefix != str(folder):
        pytest.skip("this interpreter does not run from a copy")
    return python, library


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The interpreters that were run."""
    executables: list[str] = []
    real = module._ask

    def noted(executable: str, meanwhile: Callable[[], object] | None) -> object:
        executables.append(executable)
        return real(executable, meanwhile)

    monkeypatch.setattr(module, "_ask", noted)
    return executables


@pytest.mark.parametrize("options", [["--system"], ["--python", "system/bin/python3"]])
def test_a_python_that_became_managed_is_refused_although_it_was_synced_before(
    cli: Command, tmp_path: Path, options: list[str]
) -> None:
    python, library = own_python(tmp_path / "system")
    site = Path(ask_interpreter(str(python), memory=None).paths["purelib"])  # Debian's is not `site-packages`
    path = {"PATH": str(python.parent)}
    write_lock(tmp_path / "pylock.toml", [make_wheel("one")])
    for _ in range(3):
        cli.ok("sync", *options, env=path)
    (library / "EXTERNALLY-MANAGED").write_text(MARKER)
    write_lock(tmp_path / "pylock.toml", [make_wheel("one"), make_wheel("two")])
    assert "Ask the system's own installer" in cli.refused("sync", *options, env=path)
    assert not (site / "two").exists()
    (library / "EXTERNALLY-MANAGED").write_text(MARKER.replace("Ask", "Use"))
    assert "Use the system's own installer" in cli.refused("sync", *options, env=path)
    (library / "EXTERNALLY-MANAGED").unlink()
    cli.ok("sync", *options, env=path)
    assert (site / "two").is_dir()


def test_a_python_that_became_managed_is_refused_where_nothing_is_to_do(cli: Command, tmp_path: Path) -> None:
    python, library = own_python(tmp_path / "system")
    write_lock(tmp_path / "pylock.toml", [make_wheel("one")])
    for _ in range(3):
        cli.ok("sync", "--python", python)
    (library / "EXTERNALLY-MANAGED").write_text(MARKER)
    cli.refused("sync", "--python", python)


def relinked(python: Path, other: Path) -> None:
    python.unlink()
    python.symlink_to(other)


def wrapped(python: Path, other: Path) -> None:
    """The same script as before, which another file makes call another interpreter."""
    python.with_name("chosen").write_text(str(other))


def touched_back(python: Path, other: Path) -> None:
    """Overwritten in place, with size and time restored."""
    del other
    before = python.stat()
    content = python.read_text().replace(str(python.with_name("first")), str(python.with_name("other")))
    python.write_text(content)
    os.utime(python, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", [relinked, wrapped, touched_back])
def test_another_interpreter_at_the_same_path_is_queried(tmp_path: Path, change: Callable[[Path, Path], None]) -> None:
    other = next((p for v in KNOWN_PYTHONS if v != OWN and (p := interpreter(v))), None)
    if other is None:
        pytest.skip("one Python alone")
    own = Path(os.path.realpath(sys.executable))
    python = tmp_path / "python"
    if change is relinked:
        python.symlink_to(own)
    elif change is wrapped:
        (tmp_path / "chosen").write_text(str(own))
        python.write_text(f'#!/bin/sh\nexec "$(cat "{tmp_path}/chosen")" "$@"\n')
    else:
        (tmp_path / "first").symlink_to(own)
        (tmp_path / "other").symlink_to(other)
        python.write_text(f'#!/bin/sh\nexec "{tmp_path}/first" "$@"\n')
    if change is not relinked:
        python.chmod(0o755)
    before = [ask_interpreter(str(python), memory=tmp_path / "memory").version for _ in range(2)]
    assert before == [sys.version_info[:2]] * 2
    change(python, other)
    after = ask_interpreter(str(python), memory=tmp_path / "memory")
    assert after == ask_interpreter(str(python), memory=None)
    assert after.version != sys.version_info[:2]


@pytest.mark.parametrize("location", ["bin/pyvenv.cfg", "pyvenv.cfg"])
def test_a_pyvenv_cfg_that_appears_or_goes_is_seen(tmp_path: Path, location: str) -> None:
    python = tmp_path / "env/bin/python"
    python.parent.mkdir(parents=True)
    base = Path(os.path.realpath(sys.executable))
    python.symlink_to(base)

    def ask() -> Interpreter:
        result = ask_interpreter(str(python), memory=tmp_path / "memory")
        assert result == ask_interpreter(str(python), memory=None)
        return result

    assert not ask().is_virtual
    (tmp_path / "env" / location).write_text(f"home = {base.parent}\n")
    assert ask().is_virtual
    (tmp_path / "env" / location).unlink()
    assert not ask().is_virtual


@pytest.mark.skipif(sys.platform != "linux", reason="manylinux is Linux's")
def test_what_a_module_says_of_manylinux_is_seen_when_it_comes_changes_and_goes(
    tmp_path: Path, make_venv: VenvMaker
) -> None:
    venv = make_venv("env")
    module_file = venv.site_packages / "_manylinux.py"

    def count() -> int:
        result = ask_interpreter(str(venv.python), memory=tmp_path / "memory")
        assert result == ask_interpreter(str(venv.python), memory=None)
        return len(result.platforms)

    usual = count()
    module_file.write_text("def manylinux_compatible(*_):\n    return False\n")
    assert count() < usual
    module_file.write_text("def manylinux_compatible(*_):\n    return None\n")
    shutil.rmtree(venv.site_packages / "__pycache__", ignore_errors=True)
    assert count() == usual
    module_file.write_text("def manylinux_compatible(*_):\n    return False\n")
    shutil.rmtree(venv.site_packages / "__pycache__", ignore_errors=True)
    assert count() < usual
    module_file.unlink()
    assert count() == usual


def test_whether_system_packages_are_seen_is_part_of_what_decides(
    tmp_path: Path, make_venv: VenvMaker, runs: list[str]
) -> None:
    venv = make_venv("env")
    for _ in range(2):
        ask_interpreter(str(venv.python), memory=tmp_path / "memory")
    configuration = venv.path / "pyvenv.cfg"
    configuration.write_text(configuration.read_text().replace("= false", "= true"))
    ask_interpreter(str(venv.python), memory=tmp_path / "memory")
    assert len(runs) == 2


def test_an_interpreter_that_stays_as_it_is_is_run_once(tmp_path: Path, make_venv: VenvMaker, runs: list[str]) -> None:
    venv = make_venv("env")
    results = [ask_interpreter(str(venv.python), memory=tmp_path / "memory") for _ in range(4)]
    assert len(runs) == 1
    assert results == results[:1] * 4


def test_a_caller_s_variables_do_not_change_what_an_interpreter_is(
    tmp_path: Path, make_venv: VenvMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = make_venv("env")
    usual = ask_interpreter(str(venv.python), memory=None)
    monkeypatch.setenv("_PYTHON_HOST_PLATFORM", "linux-sparc")
    assert ask_interpreter(str(venv.python), memory=None) == usual


def test_a_shim_that_chooses_another_environment_is_followed_where_nothing_was_to_do(
    cli: Command, tmp_path: Path, make_venv: VenvMaker
) -> None:
    shim = tmp_path / "shim"
    shim.write_text(f'#!/bin/sh\nexec "$(cat "{tmp_path}/chosen")" "$@"\n')
    shim.chmod(0o755)
    write_lock(tmp_path / "pylock.toml", [make_wheel("one")])
    for name in ("first", "second"):
        venv = make_venv(name)
        (tmp_path / "chosen").write_text(str(venv.python))
        for _ in range(2):
            cli.ok("sync", "--python", shim)
        assert venv.installed() == {"one": "1.0"}


def test_other_work_is_done_while_an_interpreter_is_queried(tmp_path: Path) -> None:
    done: list[str] = []
    for _ in range(2):
        ask_interpreter(sys.executable, memory=tmp_path, meanwhile=lambda: done.append("work"))
    assert done == ["work"], "the second answer comes from the cache"


def test_an_error_of_that_work_ends_the_interpreter(tmp_path: Path) -> None:
    def fail() -> None:
        raise LocksetError("lock-unreadable", "The lock file is not valid")

    with pytest.raises(LocksetError, match="not valid"):
        ask_interpreter(sys.executable, memory=tmp_path, meanwhile=fail)
    assert list(tmp_path.iterdir()) == []
