"""Pages as the public index writes them are scanned by runs of files of one version that are alike."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from lockset.index.pages import json_fast
from lockset.index.pages.json_fast import scan_json
from lockset.index.pages.project_page import ProjectDetail

WHEEL = "-py3-none-any.whl"


FACTS: dict[str, Any] = {
    "hashes": {"sha256": "0" * 64},
    "provenance": None,
    "requires-python": ">=3.8",
    "size": 1,
    "upload-time": "2024-05-06T07:08:09.123456Z",
    "yanked": False,
}


def scanned(*files: tuple[str, dict[str, Any]]) -> ProjectDetail:
    entries = [
        dict(sorted({**FACTS, "filename": name, "url": f"https://files.example.org/{name}", **changes}.items()))
        for name, changes in files
    ]
    data = json.dumps({"files": entries, "meta": {"api-version": "1.3"}}, separators=(",", ":")).encode()
    page = scan_json(data, name="sample", page_url="https://index.example.org/simple/sample/")
    assert page is not None
    return ProjectDetail(page.table)


def test_a_version_has_the_wheels_and_the_sdist_of_its_run() -> None:
    names = [f"sample-1.0-cp3{minor}-cp3{minor}-any.whl" for minor in range(8, 14)] + ["sample-1.0.tar.gz"]
    detail = scanned(*((name, {}) for name in names))
    version = Version("1.0")
    assert [file.filename for file in detail.files(version)] == names
    assert detail.has_wheel(version)
    assert detail.has_sdist(version)


def test_wheels_of_a_version_beyond_the_length_of_a_run_belong_to_it() -> None:
    names = [f"sample-1.0-{build}-py3-none-any.whl" for build in range(1000)]
    detail = scanned(*((name, {}) for name in names))
    assert [file.filename for file in detail.files(Version("1.0"))] == names
    assert not detail.has_sdist(Version("1.0"))


@pytest.mark.parametrize("changes", [{"requires-python": ">=3.9"}, {"requires-python": None}])
def test_files_of_a_version_keep_different_requires_pythons(changes: dict[str, Any]) -> None:
    detail = scanned(("sample-1.0" + WHEEL, {}), ("sample-1.0.tar.gz", changes))
    assert detail.requires_pythons(Version("1.0")) == {">=3.8", changes["requires-python"]}


def test_a_version_of_which_one_file_is_yanked_is_not() -> None:
    detail = scanned(("sample-1.0" + WHEEL, {"yanked": True}), ("sample-1.0.tar.gz", {}))
    assert not detail.yanked(Version("1.0"))


def test_of_two_links_with_one_file_name_the_first_is_used_and_both_count_as_yanked_or_not() -> None:
    url = "https://files.example.org/other/sample-1.0.tar.gz"
    detail = scanned(("sample-1.0.tar.gz", {"yanked": "why"}), ("sample-1.0.tar.gz", {"url": url}))
    (file,) = detail.files(Version("1.0"))
    assert (file.url, file.yanked) == ("https://files.example.org/sample-1.0.tar.gz", True)
    assert not detail.yanked(Version("1.0"))


def test_the_next_version_begins_a_run_of_its_own() -> None:
    detail = scanned(("sample-1.0" + WHEEL, {}), ("sample-1.0.1" + WHEEL, {}), ("sample-1.0.1.tar.gz", {}))
    assert [str(version) for version in detail.versions] == ["1.0.1", "1.0"]
    assert not detail.has_sdist(Version("1.0"))


METADATA = {"sha256": "1" * 64}
# How the public index shows a wheel, and how others do, or it did.
SHAPES: tuple[dict[str, Any], ...] = (
    {"core-metadata": METADATA, "data-dist-info-metadata": METADATA},
    {"core-metadata": METADATA, "data-dist-info-metadata": METADATA, "provenance": "https://example.org/p"},
    {"core-metadata": METADATA},
    {"core-metadata": False, "data-dist-info-metadata": False},
    {"core-metadata": {}, "data-dist-info-metadata": {}},
    {"gpg-sig": True},
    {"core-metadata": METADATA, "data-dist-info-metadata": METADATA, "size": 0},
    {"core-metadata": METADATA, "data-dist-info-metadata": METADATA, "upload-time": None},
    {"core-metadata": METADATA, "data-dist-info-metadata": METADATA, "yanked": "bad @ all"},
    {"core-metadata": METADATA, "data-dist-info-metadata": METADATA, "requires-python": None},
    {},
)
NAMES = tuple(
    f"{name}-{version}{end}"
    for name in ("sample", "other")
    for version in ("1.0", "2.0")
    for end in (WHEEL, "-cp312-cp312-win_amd64.whl", "-1-py3-none-any.whl", ".tar.gz", ".zip")
)
FILES = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(SHAPES)), max_size=12)


@given(files=FILES)
def test_usual_runs_give_the_table_that_any_run_gives(files: list[tuple[str, dict[str, Any]]]) -> None:
    usual = scanned(*files).table
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_fast, "_plain_run", json_fast._PLAIN.match)
        assert scanned(*files).table == usual


@pytest.mark.parametrize("end", [WHEEL, "-cp312-cp312-win_amd64.whl"])
def test_the_wheels_and_the_sdist_of_the_public_index_are_one_usual_run(end: str) -> None:
    shape = sorted({**SHAPES[0], **FACTS, "filename": "sample-1.0" + end, "url": "/sample-1.0" + end}.items())
    sdist = sorted({**FACTS, "filename": "sample-1.0.tar.gz", "url": "/sample-1.0.tar.gz"}.items())
    data = json.dumps([dict(shape), dict(shape), dict(sdist)], separators=(",", ":")).encode()
    run = json_fast._USUAL.match(data, 1)
    assert run is not None
    assert run.end() == len(data) - 1
    assert run.groups() == (b"sample-1.0", None, b'">=3.8"', b"false", b"sample-1.0.tar.gz")
