"""Several indexes as one page: whose status counts."""

from __future__ import annotations

from itertools import permutations

from lockset.index.pages.project_page import ProjectDetail
from lockset.index.pages.simple_json import parse_json_page
from lockset.index.strategy import join_tables
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
