"""A project's page is the same whatever form it came in, and tells everything without decoding more than asked."""

from __future__ import annotations

import marshal
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from lockset.index.pages import project_page
from lockset.index.pages.page_table import PageTable, TableBuilder, is_table
from lockset.index.pages.project_page import ProjectDetail, with_likely_rows
from lockset.index.pages.simple_html import parse_html
from lockset.index.pages.simple_json import parse_json_page
from support.builders.pages import PageFile, page_html, page_json
from support.fakes.fake_index import INDEX_URL, detail_of

PAGE = f"{INDEX_URL}sample/"

_EARLIEST = datetime(2005, 1, 1)  # noqa: DTZ001 (hypothesis wants bounds without a zone)
versions = st.builds(
    lambda release, suffix: ".".join(map(str, release)) + suffix,
    st.lists(st.integers(0, 30), min_size=1, max_size=3),
    st.sampled_from(["", "a1", "rc2", ".post1", ".dev3", "+local.1"]),
)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
suffixes = st.sampled_from([".tar.gz", ".zip", "-py3-none-any.whl", "-1-cp312-cp312-manylinux_2_28_x86_64.whl"])
requires = st.none() | st.sampled_from([">=3.8", "<4,>=3.9", "~=3.7.0", "not a specifier", '>3 & "quoted" <b>'])


@st.composite
def page_files(draw: st.DrawFn) -> PageFile:
    filename = f"sample-{draw(versions)}{draw(suffixes)}"
    return PageFile(
        filename=filename,
        url=f"https://files.example.org/{draw(st.integers(0, 9))}/{filename}",
        hashes={"sha256": draw(digests)},
        requires_python=draw(requires),
        upload_time=draw(st.none() | st.datetimes(_EARLIEST, timezones=st.just(timezone.utc))),
        yanked=draw(st.booleans() | st.just("broken & bad")),
        metadata=draw(st.sampled_from([False, True])),
    )


def facts(detail: ProjectDetail) -> list[Any]:
    return [(version, sorted(detail.files(version), key=lambda file: file.filename)) for version in detail.versions]


@given(st.lists(page_files(), max_size=12))
def test_html_and_json_say_the_same(files: list[PageFile]) -> None:
    html = parse_html(page_html("sample", files).encode(), name="sample", page_url=PAGE, index_url=INDEX_URL)
    json = parse_json_page(page_json("sample", files).encode(), name="sample", page_url=PAGE, index_url=INDEX_URL)
    assert facts(ProjectDetail(html)) == facts(ProjectDetail(json))
    # But for how the files are kept: either keeps pieces of its own page.
    assert html._replace(blobs=(), page_url="") == json._replace(blobs=(), page_url="")


@given(st.lists(page_files(), max_size=12))
def test_a_page_holds_each_file_once_under_its_version_newest_first(files: list[PageFile]) -> None:
    detail = detail_of("sample", files)
    assert list(detail.versions) == sorted(set(detail.versions), reverse=True)
    held = {file.filename: file for version in detail.versions for file in detail.files(version)}
    assert held.keys() == {file.filename for file in files}
    first = {file.filename: file for file in reversed(files)}
    for filename, file in held.items():
        assert file.url == first[filename].url
        assert dict(file.hashes) == dict(first[filename].hashes)
        assert file.requires_python == first[filename].requires_python
        assert file.upload_time == first[filename].upload_time
        assert file.yanked == (first[filename].yanked is not False)
        assert file.yanked_reason == (first[filename].yanked if isinstance(first[filename].yanked, str) else None)


@given(st.lists(page_files(), max_size=12, unique_by=lambda file: file.filename))
def test_facts_about_versions_agree_with_their_files(files: list[PageFile]) -> None:
    detail = detail_of("sample", files)
    for version in detail.versions:
        held = detail.files(version)
        assert detail.requires_pythons(version) == {file.requires_python for file in held}
        assert detail.yanked(version) == all(file.yanked for file in held)
        assert detail.has_wheel(version) == any(file.is_wheel for file in held)
        assert detail.has_sdist(version) == any(not file.is_wheel for file in held)
        assert version in detail
        assert {file.version for file in held} == {version}


@given(st.lists(page_files(), max_size=12))
def test_a_table_survives_storage(files: list[PageFile]) -> None:
    detail = detail_of("sample", files)
    plain: Any = tuple(detail.table)
    stored = marshal.loads(marshal.dumps(plain))
    assert is_table(stored)
    assert facts(ProjectDetail(PageTable(*stored))) == facts(detail)


@given(st.lists(page_files(), max_size=12))
def test_rows_of_the_newest_final_version_are_its_files_as_the_page_has_them(files: list[PageFile]) -> None:
    html = parse_html(page_html("sample", files).encode(), name="sample", page_url=PAGE, index_url=INDEX_URL)
    json = parse_json_page(page_json("sample", files).encode(), name="sample", page_url=PAGE, index_url=INDEX_URL)
    for table in (html, json):
        likely = with_likely_rows(table)
        assert facts(ProjectDetail(likely)) == facts(ProjectDetail(table))
        assert with_likely_rows(likely) == likely
        final = [v for v in map(Version, table.versions) if not v.is_prerelease]
        newest = next((v for v in final if not ProjectDetail(table).yanked(v)), None)
        if newest is not None:
            assert not likely.blobs[ProjectDetail(table).versions.index(newest)].startswith((b"{", b"<"))


def test_spellings_of_one_version_are_one_version() -> None:
    files = [
        PageFile(filename=f"sample-{text}.tar.gz", url=f"https://x.example.org/sample-{text}.tar.gz", yanked=yanked)
        for text, yanked in (("1.0", True), ("1", False), ("v1.0.0", True))
    ]
    detail = detail_of("sample", files)
    assert detail.versions == (Version("1"),)
    assert len(detail.files(Version("1.0"))) == 3
    assert not detail.yanked(Version("1"))


@pytest.mark.parametrize(
    "filename",
    [
        "sample-extra-1.0.tar.gz",
        "sample2-1.0-py3-none-any.whl",
        "sample_extra-1.0-py3-none-any.whl",
        "sample-two-1.tar.gz",
        "sample-2-x.tar.gz",
        "sample.tar.gz",
        "sample-1.0.tar.bz2",
        "sample-1.0.exe",
        "sample-1.0-py3-any.whl",
        "sample-1.0-x1-py3-none-any.whl",
        "sample-one-py3-none-any.whl",
        "-1.0.tar.gz",
        "other-1.0.tar.gz",
        "sample- 1.0.tar.gz",
        "sample-1.0 .tar.gz",
        "sample-1.0\n.tar.gz",
        "sample-1.0-py3-none-any\x1b[31m.whl",
        "sample-1.0-py3-none-..\\..\\x.whl",
        "sample-1.0-py3-none-..%2F..%2Fx.whl",
        "sample-1.0-\u0661-py3-none-any.whl",
        f"sample-{'9' * 5000}.tar.gz",
        f"sample-1.0-{'9' * 5000}-py3-none-any.whl",
    ],
)
def test_a_file_that_does_not_belong_wholly_is_left_out(filename: str) -> None:
    url = "https://x.example.org/" + quote(filename, safe="%")
    detail = detail_of("sample", [PageFile(filename=filename, url=url)])
    assert detail.versions == ()


@pytest.mark.parametrize("filename", ["Sample-1.0.tar.gz", "sAmple-1.0-py3-none-any.whl"])
def test_other_spellings_of_the_project_belong(filename: str) -> None:
    detail = detail_of("Sample", [PageFile(filename=filename, url=f"https://x.example.org/{filename}")])
    assert detail.name == "sample"
    assert detail.versions == (Version("1.0"),)


def test_tags_and_build_are_read_from_the_name() -> None:
    name = "sample-1.0-2b-py2.py3-none-any.whl"
    (file,) = detail_of("sample", [PageFile(filename=name, url=f"https://x.example.org/{name}")]).files(Version("1"))
    assert {str(tag) for tag in file.tags} == {"py2-none-any", "py3-none-any"}
    assert file.build == (2, "b")
    assert file.is_wheel
    (sdist,) = detail_of("sample", [PageFile(filename="sample-1.zip", url="https://x.example.org/sample-1.zip")]).files(
        Version("1")
    )
    assert (sdist.tags, sdist.build, sdist.is_wheel) == (frozenset(), (), False)


def test_of_a_stored_page_only_what_is_used_is_parsed_and_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    builder = TableBuilder("sample")
    for number in range(10_000):
        filename = f"sample-{number // 500}.{number % 500}-py3-none-any.whl"
        builder.add(filename, f"https://x.example.org/{filename}", "0" * 64, None, ">=3.8", None, None, None)
    plain: Any = tuple(builder.build(index_url=INDEX_URL))
    stored = marshal.dumps(plain, 4)
    calls: list[str] = []

    def counted(name: str) -> Any:
        function = getattr(project_page, name)

        def call(*args: Any, **values: Any) -> Any:
            calls.append(name)
            return function(*args, **values)

        return call

    for name in ("parse_version", "DistributionFile"):
        monkeypatch.setattr(project_page, name, counted(name))
    detail = ProjectDetail(PageTable(*marshal.loads(stored)))
    assert detail.versions[0] == Version("19.499")
    assert len(detail.files(detail.versions[0])) == 1
    assert Version("7.3") in detail
    assert calls.count("DistributionFile") == 1
    assert calls.count("parse_version") <= 1 + 15, "the newest, and a binary search among ten thousand"


@pytest.mark.parametrize("value", [None, (), (1, 2), tuple(range(10)), (99, *range(9)), {"format": 3}])
def test_malformed_tables_are_recognized(value: object) -> None:
    assert not is_table(value)
