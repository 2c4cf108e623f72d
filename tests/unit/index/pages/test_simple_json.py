"""JSON pages: what a value of the wrong type does, and what the fields mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from lockset.errors import LocksetError
from lockset.index.pages.project_page import ProjectDetail
from lockset.index.pages.simple_json import parse_json_page

INDEX = "https://index.example.org/simple/"
FILE: dict[str, Any] = {"filename": "sample-1.tar.gz", "url": "sample-1.tar.gz", "hashes": {"sha256": "AB" * 32}}


def read(page: Any) -> ProjectDetail:
    data = page if isinstance(page, bytes) else json.dumps(page).encode()
    return ProjectDetail(parse_json_page(data, name="sample", page_url=f"{INDEX}sample/", index_url=INDEX))


def page_of(**changes: Any) -> dict[str, Any]:
    return {"meta": {"api-version": "1.3"}, "name": "sample", "files": [FILE | changes]}


def test_all_fields_of_a_file_are_read() -> None:
    detail = read(
        page_of(
            **{
                "size": 12,
                "requires-python": ">=3.8",
                "upload-time": "2024-05-06T07:08:09.12Z",
                "yanked": "why",
                "core-metadata": {"sha256": "cd" * 32},
                "dist-info-metadata": False,
            }
        )
    )
    (file,) = detail.files(Version("1"))
    assert file.url == f"{INDEX}sample/sample-1.tar.gz"
    assert dict(file.hashes) == {"sha256": "ab" * 32}
    assert (file.size, file.requires_python, file.yanked, file.yanked_reason) == (12, ">=3.8", True, "why")
    assert str(file.upload_time) == "2024-05-06 07:08:09.120000+00:00"
    assert (file.metadata, dict(file.metadata_hashes)) == (True, {"sha256": "cd" * 32})


def test_several_hashes_are_all_kept_and_unknown_ones_too() -> None:
    (file,) = read(page_of(hashes={"SHA256": "ab" * 32, "md5": "cd" * 16, "odd": "ef"})).files(Version("1"))
    assert dict(file.hashes) == {"sha256": "ab" * 32, "md5": "cd" * 16, "odd": "ef"}


def test_the_project_status_is_read_from_json() -> None:
    assert read(page_of() | {"project-status": {"status": "quarantined"}}).status == "quarantined"


def test_the_reason_of_a_status_is_one_short_line() -> None:
    marker = {"status": "archived", "reason": "moved\n  to other" + "x" * 1000}
    reason = read(page_of() | {"project-status": marker}).status_reason
    assert reason is not None
    assert (len(reason), reason[:15]) == (300, "moved to otherx")


@pytest.mark.parametrize(
    "marker",
    [
        None,
        "archived",
        ["archived"],
        {},
        {"status": None, "reason": "x"},
        {"status": 1},
        {"status": "active", "reason": "x"},
        {"status": "frozen", "reason": "x"},
        {"status": "Archived"},
    ],
)
def test_a_status_without_a_known_meaning_is_ignored(marker: object) -> None:
    detail = read(page_of() | {"project-status": marker})
    assert (detail.status, detail.status_reason, detail.project_status) == (None, None, None)
    assert detail.versions == (Version("1"),)


@pytest.mark.parametrize("reason", [None, 1, ["x"], "", " \n"])
def test_a_status_counts_without_a_reason(reason: object) -> None:
    detail = read(page_of() | {"project-status": {"status": "deprecated", "reason": reason}})
    assert (detail.status, detail.status_reason) == ("deprecated", None)


@pytest.mark.parametrize("separators", [(",", ":"), None])
def test_the_provenance_of_a_file_is_read(separators: tuple[str, str] | None) -> None:
    file = {**FILE, "provenance": "/integrity/sample", "requires-python": None, "size": 1, "upload-time": None}
    file |= {"url": f"{INDEX}sample-1.tar.gz", "yanked": False}
    page = page_of() | {"files": [dict(sorted(file.items()))]}
    data = json.dumps(page, separators=separators).encode()
    (read_file,) = read(data).files(Version("1"))
    assert read_file.provenance == "https://index.example.org/integrity/sample"


@pytest.mark.parametrize("value", [None, "", 1, ["x"], "file:///etc/passwd", "ftp://index.example.org/x"])
def test_a_provenance_that_is_not_a_web_address_is_ignored(value: object) -> None:
    (file,) = read(page_of(provenance=value)).files(Version("1"))
    assert file.provenance is None


def test_user_info_of_a_provenance_is_dropped() -> None:
    (file,) = read(page_of(provenance="https://me:secret@index.example.org/p")).files(Version("1"))
    assert file.provenance == "https://index.example.org/p"


@pytest.mark.parametrize(
    "changes",
    [
        {"filename": 1},
        {"filename": "../sample-1.tar.gz"},
        {"url": None},
        {"url": ["x"]},
        {"hashes": []},
        {"hashes": {"sha256": 5}},
        {"hashes": None},
        {"size": "12"},
        {"size": -1},
        {"size": True},
        {"requires-python": [">=3"]},
        {"upload-time": 5},
        {"yanked": 1},
        {"core-metadata": "sha256=ab"},
        {"core-metadata": {"sha256": 1}},
    ],
)
def test_a_value_of_the_wrong_type_is_an_error_that_says_so(changes: dict[str, Any]) -> None:
    with pytest.raises(LocksetError) as caught:
        read(page_of(**changes))
    assert caught.value.diagnostic.code == "index-page-invalid"
    assert "sample" in caught.value.diagnostic.message


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"\xff\xfe\x00",
        b"[]",
        b'{"files": {}}',
        b'{"files": [5]}',
        b'{"files": [{}]}',
        b"[" * 200_000,
        b'{"meta": {"api-version": "2.0"}, "files": []}',
        b'{"meta": {"api-version": 1}, "files": []}',
    ],
)
def test_malformed_pages_are_errors(page: bytes) -> None:
    with pytest.raises(LocksetError) as caught:
        read(page)
    assert caught.value.diagnostic.code == "index-page-invalid"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted({*FILE, "size", "yanked", "core-metadata", "requires-python", "upload-time"})), values)
def test_no_value_raises_anything_but_a_lockset_error(key: str, value: Any) -> None:
    try:
        detail = read(page_of(**{key: value}))
    except LocksetError as error:
        assert error.diagnostic.code == "index-page-invalid"  # noqa: PT017 (either this, or a page)
    else:
        for version in detail.versions:
            detail.files(version)


def test_a_link_elsewhere_is_refused_and_counted() -> None:
    assert read(page_of(url="file:///etc/sample-1.tar.gz")).refused == 1
