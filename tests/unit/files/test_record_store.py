"""Small records that are kept between runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from platformdirs import user_cache_dir

from lockset.files import record_store, system
from lockset.files.record_store import default_folder, get_value, put_value


def test_processes_with_the_same_number_may_write_a_record_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of two containers that share a cache."""
    path, replace, values = str(tmp_path / "record"), system.replace, ["other"]

    def replace_later(old: str, new: str) -> None:
        if values:
            put_value(path, "key", values.pop())
            assert get_value(path, "key") == "other"
        replace(old, new)

    monkeypatch.setattr(record_store, "replace", replace_later)
    put_value(path, "key", "own")
    assert get_value(path, "key") == "own"
    assert [one.name for one in tmp_path.iterdir()] == ["record"]


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
