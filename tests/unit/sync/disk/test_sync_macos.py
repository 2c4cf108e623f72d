"""macOS, on which no test has run: what can be shown of it by an interpreter that answers as there, and by fakes.

The table of docs/pages/reference/platforms.md says which test stands for which point.
"""

from __future__ import annotations

import json
import os
import platform
import runpy
import subprocess
import sys
import sysconfig
import unicodedata
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from packaging.tags import compatible_tags, cpython_tags, mac_platforms

from lockset.composition.sync_pipeline import InstallOptions
from lockset.errors import LocksetError
from lockset.files import system
from lockset.sync.disk.request import environment_target
from lockset.sync.target import Interpreter, interpreter_tags
from support.builders.wheel import make_wheel
from support.worlds.target_world import World, judge

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fakes of a POSIX system")

FRAMEWORK = "/Library/Frameworks/Python.framework/Versions/3.12"
MACH_O = bytes.fromhex("cffaedfe0c000001") + b"#!python\nsigned" * 40
Answer = Any


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """What an interpreter on macOS would answer: `answer(version, machine, built_for)`."""

    def ask(version: str, machine: str, built_for: str) -> Answer:
        monkeypatch.setattr(sys, "platform", "darwin")
        monkeypatch.setattr(platform, "system", lambda: "Darwin")
        monkeypatch.setattr(platform, "mac_ver", lambda: (version, ("", "", ""), machine))
        monkeypatch.setattr(sysconfig, "get_platform", lambda: built_for)
        with monkeypatch.context() as alone:
            alone.setattr(os, "environ", dict(os.environ))
            runpy.run_path(_SCRIPT)
        return json.loads(capsys.readouterr().out.rpartition("lockset-facts:")[2])

    return ask


_SCRIPT = str(Path(system.__file__).parents[1] / "sync" / "disk" / "inspect" / "interpreter_script.py")


@pytest.mark.parametrize("version", ["10.15.7", "11.0", "14.5", "26.1"])
@pytest.mark.parametrize(
    ("machine", "built_for"),
    [("arm64", "macosx-10.9-universal2"), ("x86_64", "macosx-10.9-universal2"), ("arm64", "macosx-11.0-arm64")],
)
def test_tags_are_those_that_packaging_gives_for_the_system_that_runs(
    answer: Callable[..., Answer], version: str, machine: str, built_for: str
) -> None:
    message = Interpreter.from_facts("/python", answer(version, machine, built_for))
    major, minor = map(int, version.split(".")[:2])
    platforms = list(mac_platforms((major, minor), machine))
    own = sys.version_info[:2]
    assert interpreter_tags(message) == (
        *cpython_tags(own, message.abis, platforms),
        *compatible_tags(own, f"cp{own[0]}{own[1]}", platforms),
    )


def test_a_python_that_was_built_for_an_old_system_gets_the_tags_of_the_one_that_runs(
    answer: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a Python hears `10.16`, unless it is told to want no compatibility."""

    def run(command: list[str], *, env: dict[str, str], **_: object) -> SimpleNamespace:
        assert command[0] == sys.executable
        return SimpleNamespace(stdout=b"13.2\n" if env["SYSTEM_VERSION_COMPAT"] == "0" else b"10.16\n")

    monkeypatch.setattr(subprocess, "run", run)
    assert answer("10.16", "x86_64", "macosx-10.9-x86_64")["mac"] == [13, 2, "x86_64"]


def test_a_framework_build_is_synced_where_it_says_that_its_packages_are() -> None:
    library = f"{FRAMEWORK}/lib/python3.12"
    facts = {
        "version": [3, 12], "implementation": "cpython", "markers": {}, "abis": ["cp312"], "platforms": [],
        "mac": [14, 5, "arm64"], "prefix": FRAMEWORK, "base_prefix": FRAMEWORK, "managed": None, "launcher": "posix",
        "relocatable": False, "headers": f"{FRAMEWORK}/include/python3.12",
        "paths": {"purelib": f"{library}/site-packages", "platlib": f"{library}/site-packages",
                  "scripts": f"{FRAMEWORK}/bin", "data": FRAMEWORK, "stdlib": library},
    }  # fmt: skip
    target = environment_target(Interpreter.from_facts(f"{FRAMEWORK}/bin/python3.12", facts))
    assert target.kind == "system"
    assert (target.layout.purelib, target.layout.scripts) == (f"{library}/site-packages", f"{FRAMEWORK}/bin")


def test_signed_binaries_are_copied_byte_for_byte(tmp_path: Path) -> None:
    """A changed byte would end the signature; only text that begins with `#!python` is rewritten."""
    files: dict[str, str | bytes] = {"ext/native.so": MACH_O, "signed-1.0.data/scripts/native": MACH_O}
    world = World(folder=tmp_path / "world", directory=str(tmp_path / "target"))
    world.sync(make_wheel("signed", files=files))
    assert (tmp_path / "target/ext/native.so").read_bytes() == MACH_O
    assert (tmp_path / "target/bin/native").read_bytes() == MACH_O


@pytest.mark.skipif(sys.getfilesystemencoding() == "ascii", reason="this locale has ASCII names alone")
def test_names_that_differ_in_the_way_accents_are_written_are_named_where_they_are_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open
    seen: dict[str, str] = {}

    def opener(path: str, flags: int, *more: int, **named: int) -> int:
        one = unicodedata.normalize("NFD", str(path))
        if flags & os.O_EXCL and "target" in one and seen.setdefault(one, str(path)) != str(path):
            raise FileExistsError(17, "File exists", path)
        return real(path, flags, *more, **named)

    composed, apart = unicodedata.normalize("NFC", "caf\xe9.py"), unicodedata.normalize("NFD", "caf\xe9.py")
    world = World(folder=tmp_path / "world", directory=str(tmp_path / "target"))
    monkeypatch.setattr(os, "open", opener)
    with pytest.raises(LocksetError, match=r"sample 1.0 cannot be installed here: `.*` and `.*` would"):
        world.sync(make_wheel(files={composed: "a", apart: "b"}), install_options=InstallOptions(link_mode="copy"))
    assert not (tmp_path / "target" / composed).exists()


def test_a_target_is_the_same_by_its_real_path_and_by_a_link_above_it(tmp_path: Path) -> None:
    """As /tmp is a link to /private/tmp."""
    (tmp_path / "private" / "tmp").mkdir(parents=True)
    (tmp_path / "tmp").symlink_to("private/tmp", target_is_directory=True)
    world = World(folder=tmp_path / "world", directory=str(tmp_path / "tmp" / "target"))
    wheel = make_wheel("one")
    world.sync(wheel)
    world.directory = str(tmp_path / "private" / "tmp" / "target")
    again = world.sync(wheel)
    assert {step.action for step in again.plan.steps} == {"keep"}
    assert judge(tmp_path / "private" / "tmp" / "target") == {"one": "1.0"}


def test_nothing_is_cloned_by_a_call_that_only_linux_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    (tmp_path / "a").write_text("a")
    with (tmp_path / "a").open("rb") as source, (tmp_path / "b").open("wb") as goal:
        assert not system.clone(source.fileno(), goal.fileno())
        assert system.copy_range(source.fileno(), goal.fileno(), 1) == 0


def test_a_file_that_chflags_made_immutable_is_known_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    flags = {"free": 0, "fixed": 0x2, "system": 0x20000}
    monkeypatch.setattr(os, "lstat", lambda path: SimpleNamespace(st_flags=flags[path]))
    assert [system.is_fixed(name) for name in flags] == [False, True, True]


def test_a_lock_of_a_target_has_one_holder_by_flock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    descriptors = [os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT) for _ in range(2)]
    assert [system.flock(descriptor) for descriptor in descriptors] == [True, False]
    os.close(descriptors[0])
    assert system.flock(descriptors[1])
    os.close(descriptors[1])
