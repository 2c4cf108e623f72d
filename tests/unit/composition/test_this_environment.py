"""A lock for one interpreter takes what that interpreter takes: its C library, its macOS, its kind of build."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lockset.composition.this_environment import options_for_interpreter
from lockset.markers import Environment
from lockset.resolve.problem.options import LockOptions
from lockset.sync.target import Interpreter
from support.worlds.small_world import SmallWorld, entries

GLIBC = [f"manylinux_2_{minor}_x86_64" for minor in range(39, 16, -1)]
MUSL = ["musllinux_1_2_x86_64", "musllinux_1_1_x86_64", "musllinux_1_0_x86_64"]


def interpreter(
    platforms: list[str],
    *,
    described: str = "linux",
    kind: str = "cpython",
    abis: tuple[str, ...] = ("cp312",),
    mac: Any = None,
) -> Interpreter:
    environment = Environment.of_platform(described, "3.12.4", kind)
    facts: dict[str, Any] = {
        "version": [3, 12],
        "implementation": kind,
        "markers": environment.as_dict(),
        "abis": list(abis),
        "platforms": platforms,
        "mac": mac,
        "paths": {"stdlib": ""},
        "headers": "",
        "prefix": "/v",
        "base_prefix": "/usr",
        "managed": None,
        "launcher": "posix",
        "relocatable": False,
    }
    return Interpreter.from_facts("/v/bin/python", facts)


def locked(where: Interpreter, **wheels: list[str]) -> tuple[list[str], list[str]]:
    """The entries of a lock for `where` of a project with one release for each keyword, and the warnings."""
    world = SmallWorld(
        {
            "project": {"dependencies": ["a"]},
            "packages": {"a": {version.strip("v"): {"wheels": tags} for version, tags in wheels.items()}},
        }
    )
    result = world.lock(choices=LockOptions(**options_for_interpreter(where)))
    return entries(result.lock), [gap.text for gap in result.gaps]


def test_the_level_of_the_c_library_counts() -> None:
    new = interpreter(["linux_x86_64", *GLIBC])
    assert options_for_interpreter(new)["platforms"] == ("manylinux_2_39_x86_64",)
    releases = {"v1": ["py3-none-manylinux_2_17_x86_64"], "v2": ["py3-none-manylinux_2_34_x86_64"]}
    assert locked(new, **releases) == (["a 2"], [])
    old = interpreter(["linux_x86_64", *GLIBC[-3:]])
    assert options_for_interpreter(old)["platforms"] == ("manylinux_2_19_x86_64",)
    assert locked(old, **releases) == (["a 1"], [])


def test_musl_takes_no_wheel_for_glibc() -> None:
    alpine = interpreter(["linux_x86_64", *MUSL])
    assert options_for_interpreter(alpine)["platforms"] == ("musllinux_1_2_x86_64",)
    releases = {"v1": ["py3-none-musllinux_1_1_x86_64"], "v2": ["py3-none-manylinux_2_17_x86_64"]}
    assert locked(alpine, **releases) == (["a 1"], [])
    assert locked(interpreter(["linux_x86_64", *GLIBC]), **releases) == (["a 2"], [])


def test_an_index_of_ones_own_may_have_wheels_for_plain_linux() -> None:
    assert locked(interpreter(["linux_x86_64"]), v1=["py3-none-linux_x86_64"]) == (["a 1"], [])


def test_the_level_of_macos_counts() -> None:
    mac = interpreter([], described="macos_arm64", mac=[13, 1, "arm64"])
    assert options_for_interpreter(mac)["platforms"] == ("macosx_13_1_arm64",)
    releases = {"v1": ["py3-none-macosx_12_0_arm64"], "v2": ["py3-none-macosx_14_0_arm64"]}
    assert locked(mac, **releases) == (["a 1"], [])


def test_a_free_threaded_build_takes_its_own_wheels() -> None:
    threaded = interpreter(["linux_x86_64", *GLIBC], abis=("cp312t",))
    releases = {"v1": ["cp312-cp312t-manylinux_2_17_x86_64"], "v2": ["cp312-cp312-manylinux_2_17_x86_64"]}
    assert locked(threaded, **releases) == (["a 1"], [])
    assert locked(interpreter(["linux_x86_64", *GLIBC]), **releases) == (["a 2"], [])


def test_pypy_takes_its_own_wheels() -> None:
    pypy = interpreter(["linux_x86_64", *GLIBC], kind="pypy", abis=("pypy312_pp73",))
    releases = {"v1": ["pp312-pypy312_pp73-manylinux_2_17_x86_64"], "v2": ["cp312-cp312-manylinux_2_17_x86_64"]}
    assert locked(pypy, **releases) == (["a 1"], [])


def test_what_has_no_file_here_is_reported() -> None:
    entries_there, warnings = locked(interpreter(["linux_x86_64", *MUSL]), v1=["py3-none-manylinux_2_17_x86_64"])
    assert entries_there == ["a 1"]
    assert warnings == ["a 1 has no file for musllinux_1_2_x86_64 on Python 3.12: it cannot be installed there"]


@pytest.mark.parametrize("full", ["3.15.0a2", "3.15.0rc1+"])
def test_a_prerelease_of_python_stands_for_its_series(full: str) -> None:
    result = interpreter(["linux_x86_64", *GLIBC], abis=("cp315",))
    markers = {**result.markers, "python_version": "3.15", "python_full_version": full}
    fields = options_for_interpreter(result._replace(version=(3, 15), markers=markers))
    assert fields["python"] == "3.15"
    assert fields["interpreter"].environment.python_full_version == "3.15.0"
    assert replace(LockOptions(**fields), upgrade=True).python == "3.15"
