"""Interpreters that this machine has not: what the question to one answers when the system around it says so."""

from __future__ import annotations

import json
import os
import platform
import runpy
import struct
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging import _manylinux, _musllinux, markers, tags

from lockset.files import system
from lockset.sync.disk.inspect.interpreter import _EXECUTE
from lockset.sync.target import Interpreter, interpreter_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="fakes of Linux systems")

SCRIPT = str(Path(system.__file__).parents[1] / "sync" / "disk" / "inspect" / "interpreter_script.py")
GLIBC, MUSL = "/lib64/ld-linux-x86-64.so.2", "ld-musl-x86_64.so.1"
# Class, byte order, machine and flags of ELF headers: x86_64, i686, aarch64, armv7 with hard and soft float, s390x.
X86_64, I686, AARCH64 = (2, 1, 62, 0), (1, 1, 3, 0), (2, 1, 183, 0)
ARM_HARD, ARM_SOFT, S390X = (1, 1, 40, 0x05000400), (1, 1, 40, 0x05000200), (2, 2, 22, 0)
ELF = tuple[int, int, int, int]


def elf(kind: ELF, loader: str) -> bytes:
    """A program header table with one entry: the path of the loader."""
    width, order, machine, flags = kind
    end = "<" if order == 1 else ">"
    head = b"\x7fELF" + bytes([width, order, 1]) + bytes(9)
    text = loader.encode() + b"\0"
    if width == 2:
        head += struct.pack(end + "HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, flags, 64, 56, 1, 0, 0, 0)
        entry = struct.pack(end + "IIQQQQQQ", 3, 4, 64 + 56, 0, 0, len(text), len(text), 1)
    else:
        head += struct.pack(end + "HHIIIIIHHHHHH", 2, machine, 1, 0, 52, 0, flags, 52, 32, 1, 0, 0, 0)
        entry = struct.pack(end + "IIIIIIII", 3, 52 + 32, 0, 0, len(text), len(text), 4, 1)
    return head + entry + text


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """Packaging remembers what it saw of the system."""
    remembered = [_manylinux._get_glibc_version, _musllinux._get_musl_version]
    # Since packaging 26.3.
    environment = getattr(markers, "_cached_default_environment", None)
    if environment is not None:
        remembered.append(environment)
    for function in remembered:
        function.cache_clear()
    yield
    for function in remembered:
        function.cache_clear()


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[], Any]:
    def ask() -> Any:
        with monkeypatch.context() as alone:
            alone.setattr(os, "environ", dict(os.environ))
            runpy.run_path(SCRIPT)
        return json.loads(capsys.readouterr().out.rpartition("lockset-facts:")[2])

    return ask


def test_the_answer_is_the_json_of_the_standard_library(capsys: pytest.CaptureFixture[str]) -> None:
    written = runpy.run_path(SCRIPT)["_json"]
    capsys.readouterr()

    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.just("\udcff"), _containers))
    def compare(value: object) -> None:
        assert written(value) == json.dumps(value)

    compare()


def _containers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(values) | st.dictionaries(st.text(), values)


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="others have their own start")
def test_the_question_imports_neither_json_nor_platform() -> None:
    code = f"{_EXECUTE}; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-I", "-c", code, SCRIPT], capture_output=True, encoding="utf-8", check=True)
    # They would cost a first sync twenty milliseconds.
    assert not {"json", "platform", "re", "subprocess", "typing"} & set(done.stderr.split())


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Make this interpreter one of another machine and C library."""

    def become(kind: ELF, machine: str, *, loader: str, glibc: str | None) -> None:
        program = tmp_path / "python"
        program.write_bytes(elf(kind, loader))
        monkeypatch.setattr(sys, "executable", str(program))
        monkeypatch.setattr(sysconfig, "get_platform", lambda: f"linux-{machine}")
        monkeypatch.setattr(tags, "_32_BIT_INTERPRETER", False)
        monkeypatch.setattr(os, "confstr", lambda _: glibc)
        # Where that has no answer, packaging asks the library of the process that runs.
        monkeypatch.setattr(_manylinux, "_glibc_version_string_ctypes", lambda: None)

    return become


@pytest.mark.parametrize(
    ("kind", "machine"),
    [(X86_64, "x86_64"), (AARCH64, "aarch64"), (ARM_HARD, "armv7l"), (ARM_SOFT, "armv7l"), (S390X, "s390x")],
)
@pytest.mark.parametrize("glibc", ["glibc 2.17", "glibc 2.36", "glibc 2.4", None])
def test_the_platforms_of_a_glibc_are_those_that_packaging_gives(
    pretend: Callable[..., None], answer: Callable[[], Any], kind: ELF, machine: str, glibc: str | None
) -> None:
    pretend(kind, machine, loader=GLIBC, glibc=glibc)
    assert answer()["platforms"] == list(tags.platform_tags())


@pytest.mark.parametrize("version", ["1.2.4", "1.1.24", "1.0.0"])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_platforms_of_a_musl_are_those_that_packaging_gives(
    pretend: Callable[..., None], answer: Callable[[], Any], tmp_path: Path, version: str, machine: str
) -> None:
    loader = tmp_path / MUSL
    loader.write_text(f"#!/bin/sh\nprintf 'musl libc (x86_64)\\nVersion {version}\\n' >&2\nexit 1\n")
    loader.chmod(0o755)
    pretend(X86_64 if machine == "x86_64" else AARCH64, machine, loader=str(loader), glibc=None)
    platforms = answer()["platforms"]
    assert platforms == list(tags.platform_tags())
    minor = int(version.split(".")[1])
    assert platforms[1] == f"musllinux_1_{minor}_{machine}"
    assert platforms[-1] == f"musllinux_1_0_{machine}"


def test_a_musl_whose_loader_says_nothing_has_no_musl_tags(
    pretend: Callable[..., None], answer: Callable[[], Any], tmp_path: Path
) -> None:
    loader = tmp_path / MUSL
    loader.write_text("#!/bin/sh\nexit 0\n")
    loader.chmod(0o755)
    pretend(X86_64, "x86_64", loader=str(loader), glibc=None)
    assert answer()["platforms"] == list(tags.platform_tags()) == ["linux_x86_64"]


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"#!/bin/sh\n", elf(X86_64, MUSL)[:70]])
def test_a_program_that_is_not_a_whole_elf_file_has_the_general_platform(
    pretend: Callable[..., None], answer: Callable[[], Any], content: bytes
) -> None:
    pretend(X86_64, "x86_64", loader=GLIBC, glibc=None)
    Path(sys.executable).write_bytes(content)
    assert answer()["platforms"] == ["linux_x86_64"]


@pytest.mark.parametrize(
    ("version", "threads"),
    [((3, 12), 0), ((3, 13), 0), ((3, 13), 1), ((3, 14), 0), ((3, 14), 1), ((3, 15), 0), ((3, 15), 1)],
)
@pytest.mark.parametrize("debug", [0, 1])
def test_the_tags_of_a_build_are_those_that_packaging_gives(
    answer: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, version: tuple[int, int], threads: int, debug: int
) -> None:
    real = sysconfig.get_config_var
    message = {"Py_GIL_DISABLED": threads, "Py_DEBUG": debug, "py_version_nodot": f"{version[0]}{version[1]}"}
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: message.get(name, real(name)))
    monkeypatch.setattr(sys, "version_info", SimpleVersion((*version, 0, "final", 0)))
    facts = answer() | {"version": list(version)}
    result = interpreter_tags(Interpreter.from_facts("/python", facts))
    nodot = f"{version[0]}{version[1]}"
    expected = (*tags.cpython_tags(version), *tags.compatible_tags(version, interpreter=f"cp{nodot}"))
    assert result == expected
    stable = [tag for tag in result if tag.abi == "abi3" and tag.interpreter == f"cp{nodot}"]
    assert bool(stable) is not bool(threads)


class SimpleVersion(tuple[Any, ...]):
    """`sys.version_info` of another Python."""

    __slots__ = ()
    major = property(lambda self: self[0])
    minor = property(lambda self: self[1])
    micro = property(lambda self: self[2])
    releaselevel = property(lambda self: self[3])
    serial = property(lambda self: self[4])


def test_a_release_in_development_has_the_markers_that_packaging_gives(
    answer: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    implementation = SimpleNamespace(
        name="cpython", cache_tag="cpython-315", version=SimpleVersion((3, 15, 0, "alpha", 2))
    )
    monkeypatch.setattr(sys, "implementation", implementation)
    monkeypatch.setattr(platform, "python_version", lambda: "3.15.0a2")
    monkeypatch.setattr(platform, "python_version_tuple", lambda: ("3", "15", "0a2"))
    assert answer()["markers"] == markers.default_environment()
