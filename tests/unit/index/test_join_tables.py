"""Several indexes as one page: whose status counts."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from lockset.index.pages.project_page import ProjectDetail
from lockset.index.pages.simple_json import parse_json_page
from lockset.index.strategy import first_match, join_tables
from support.builders import PageFile
from support.builders.pages import page_json

INDEX = "https://index.example.org/simple/"


def table(version: str, status: str | None) -> ProjectDetail:
    files = [PageFile(filename=f"a-{version}.tar.gz", url=f"https://x.example.org/a-{version}.tar.gz")]
    page = page_json("a", files, status=None if status is None else {"status": status, "reason": f"it is {status}"})
    return ProjectDetail(parse_json_page(page.encode(), name="a", page_url=f"{INDEX}a/", index_url=INDEX))


def test_a_project_that_one_index_quarantines_is_quarantined() -> None:
    for statuses in permutations(["archived", None, "quarantined"]):
        joined = ProjectDetail(join_tables(table(str(at), status).table for at, status in enumerate(statuses)))
        assert (joined.status, joined.status_reason) == ("quarantined", "it is quarantined")


def test_the_first_status_counts_otherwise() -> None:
    joined = ProjectDetail(
        join_tables(table(str(at), s).table for at, s in enumerate([None, "archived", "deprecated"]))
    )
    assert (joined.status, joined.status_reason) == ("archived", "it is archived")


@given(indexes=st.lists(st.lists(st.sampled_from(["1", "1.0", "2", "3.0"]), unique=True), min_size=1, max_size=3))
def test_with_the_first_match_each_version_comes_from_the_first_index_that_has_it(indexes: list[list[str]]) -> None:
    tables = [
        parse_json_page(
            page_json("a", [_wheel(number, text) for text in versions]).encode(),
            name="a",
            page_url=f"https://index-{number}.example.org/a/",
            index_url=f"https://index-{number}.example.org/",
        )
        for number, versions in enumerate(indexes)
    ]
    joined = ProjectDetail(join_tables(first_match(tables)))
    found = {version: {file.url[8:15] for file in joined.files(version)} for version in joined.versions}
    wanted = {
        Version(text): {f"index-{next(n for n, has in enumerate(indexes) if Version(text) in map(Version, has))}"}
        for versions in indexes
        for text in versions
    }
    assert found == wanted


def _wheel(index: int, version: str) -> PageFile:
    name = f"a-{version}-py3-none-any.whl"
    return PageFile(filename=name, url=f"https://index-{index}.example.org/{name}")
