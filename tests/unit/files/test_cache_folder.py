"""The folder of the cache is the one that `platformdirs` names, and never one of another user."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from platformdirs import user_cache_dir

from lockset.cli.options.common import cache_dir
from lockset.files.cache_folder import cache_folder, default_folder
from support.posix import give_to, is_root

_FOLDERS = st.sampled_from(["", " ", "/", "//", "/a", "/a/", "/a//b", "/a b/ü", "relative", "~", "/a/../b", "C:/a"])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it depends on the version of platformdirs")
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "HOME": _FOLDERS, "XDG_CACHE_HOME": _FOLDERS, "ANDROID_DATA": st.just("/data"),
            "ANDROID_ROOT": st.just("/system"), "PREFIX": st.just("/usr"),
        },
    )
)  # fmt: skip
def test_the_default_folder_is_that_of_platformdirs(environ: dict[str, str]) -> None:
    folder = default_folder(environ)
    with mock.patch.dict(os.environ, environ, clear=True):
        expected = user_cache_dir("lockset", appauthor=False)
    assert folder is None or Path(folder) == Path(expected)
    usual = environ.get("XDG_CACHE_HOME", "").startswith("/") or environ.get("HOME", "").startswith("/")
    assert (folder is not None) == (usual and "ANDROID_DATA" not in environ)


def test_the_cache_is_where_everything_else_looks_for_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings: list[dict[str, str | None]] = [
        {"LOCKSET_CACHE_DIR": str(tmp_path)},
        {"LOCKSET_CACHE_DIR": "~/relative"},
        {"LOCKSET_CACHE_DIR": None, "XDG_CACHE_HOME": str(tmp_path / "xdg")},
        {"LOCKSET_CACHE_DIR": None, "XDG_CACHE_HOME": None},
        {"LOCKSET_CACHE_DIR": None, "XDG_CACHE_HOME": " "},
        {"LOCKSET_CACHE_DIR": None, "XDG_CACHE_HOME": "relative"},
    ]
    for setting in settings:
        for name, value in setting.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        if sys.platform == "linux" or os.environ.get("LOCKSET_CACHE_DIR"):
            assert cache_folder(os.environ) == str(cache_dir(argparse.Namespace()))


def test_a_user_without_a_home_folder_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOCKSET_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(*_: object, **__: object) -> str:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_cache_dir", unknown)
    if os.name != "nt":
        assert cache_folder(os.environ) is None
    assert cache_dir(argparse.Namespace()) is None


@pytest.mark.skipif(not is_root(), reason="files are given to others by root alone")
@pytest.mark.parametrize("made", ["", ".cache", ".cache/lockset/wheels-v1"])
def test_the_cache_of_another_user_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, made: str) -> None:
    """`sudo` leaves HOME as it was: its owner could plant there what is installed for root."""
    (tmp_path / made).mkdir(parents=True, exist_ok=True)
    for path in (tmp_path, *tmp_path.rglob("*")):
        give_to(path, 65534)
    for name in ("LOCKSET_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder(os.environ) is None
    assert cache_dir(argparse.Namespace()) is None
    # Who names a folder means it.
    monkeypatch.setenv("LOCKSET_CACHE_DIR", str(tmp_path / "chosen"))
    assert cache_folder(os.environ) == str(tmp_path / "chosen") == str(cache_dir(argparse.Namespace()))
