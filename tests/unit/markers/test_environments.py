"""Environments of described platforms have the values that interpreters there report."""

from __future__ import annotations

import pytest

from lockset.errors import LocksetError
from lockset.markers import Environment, described_tags


@pytest.mark.parametrize(
    ("platform", "sys_platform", "system", "os_name", "machine"),
    [
        ("linux", "linux", "Linux", "posix", "x86_64"),
        ("manylinux_2_28_aarch64", "linux", "Linux", "posix", "aarch64"),
        ("manylinux2014_i686", "linux", "Linux", "posix", "i686"),
        ("musllinux_1_2_armv7l", "linux", "Linux", "posix", "armv7l"),
        ("macos", "darwin", "Darwin", "posix", "arm64"),
        ("macosx_10_15_x86_64", "darwin", "Darwin", "posix", "x86_64"),
        ("windows", "win32", "Windows", "nt", "AMD64"),
        ("win_amd64", "win32", "Windows", "nt", "AMD64"),
        ("win-arm64", "win32", "Windows", "nt", "ARM64"),
        ("win32", "win32", "Windows", "nt", "x86"),
    ],
)
def test_platform_values(platform: str, sys_platform: str, system: str, os_name: str, machine: str) -> None:
    made = Environment.of_platform(platform, "3.12")
    assert (made.sys_platform, made.platform_system, made.os_name, made.platform_machine) == (
        sys_platform,
        system,
        os_name,
        machine,
    )


@pytest.mark.parametrize(
    ("python", "full", "minor"),
    [("3.12", "3.12.0", "3.12"), ("3.12.4", "3.12.4", "3.12"), ("3.14.0rc1", "3.14.0rc1", "3.14")],
)
def test_python_values(python: str, full: str, minor: str) -> None:
    made = Environment.of_platform("linux", python)
    assert (made.python_full_version, made.python_version, made.implementation_version) == (full, minor, full)
    assert made.as_dict()["python_version"] == minor


def test_implementations_have_both_names() -> None:
    made = Environment.of_platform("linux", "3.10", "pypy")
    assert (made.implementation_name, made.platform_python_implementation) == ("pypy", "PyPy")


@pytest.mark.parametrize(
    ("platform", "python", "code"),
    [
        ("amiga", "3.12", "unknown-platform"),
        ("", "3.12", "unknown-platform"),
        ("linux_it's", "3.12", "unknown-platform"),
        ("linux", "3", "python-version-invalid"),
        ("linux", "x", "python-version-invalid"),
    ],
)
def test_unknown_names_are_refused(platform: str, python: str, code: str) -> None:
    with pytest.raises(LocksetError) as refused:
        described_tags(platform, python)
    assert refused.value.diagnostic.code == code
    with pytest.raises(LocksetError) as refused:
        Environment.of_platform(platform, python)
    assert refused.value.diagnostic.code == code


@pytest.mark.parametrize("platform", ["win_foo", "android_24_mips"])
def test_tags_need_a_known_machine_where_tags_name_few(platform: str) -> None:
    with pytest.raises(LocksetError) as refused:
        described_tags(platform, "3.12")
    assert refused.value.diagnostic.code == "unknown-platform"
