"""A comparison for a review: what matters first, who published it, and what each environment gets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lockset.api.render import render_review
from lockset.lockfile.diff_review import DiffReview, make_review
from lockset.lockfile.read import read_document
from lockset.lockfile.report.environments import report_environments
from support.builders import make_lock
from support.output_schema import check_output

INDEX = "https://index.example.org/simple"
A, B = "a" * 64, "b" * 64
GITHUB = {"kind": "GitHub", "repository": "pallets/flask", "workflow": "publish.yaml"}


def package(name: str, version: str = "1.0", *, digest: str = A, size: int = 1000, **more: Any) -> dict[str, Any]:
    file = f"{name}-{version}-py3-none-any.whl"
    wheel = {"url": f"https://files.example.org/{file}", "size": size, "hashes": {"sha256": digest}}
    return {"name": name, "version": version, "wheels": [wheel]} | {k.replace("_", "-"): v for k, v in more.items()}


def review_of(old: list[dict[str, Any]], new: list[dict[str, Any]], *, roots: list[str] | None = None) -> DiffReview:
    tool = {"tool": {"lockset": {"roots": roots}}} if roots is not None else {}
    before, after = (read_document(make_lock(packages, **tool)).lock for packages in (old, new))
    environments = report_environments(after, usual_pythons=("3.11", "3.13"))
    return make_review(before, after, environments, names=("old.toml", "new.toml"), default_index=INDEX)


def test_alerts_come_first_then_what_the_project_requires() -> None:
    review = review_of(
        [package("a"), package("b"), package("c"), package("d")],
        [package("a", "2.0"), package("b", "2.0"), package("c", "1.1"), package("d", digest=B)],
        roots=["c", "b"],
    )
    assert [(each.change.name, each.direct) for each in review.changes] == [
        ("d", False), ("b", True), ("c", True), ("a", False),
    ]  # fmt: skip
    assert [(each.change.name, alert.kind) for each, alert in review.alerts] == [("d", "hash")]


@pytest.mark.parametrize(
    ("old", "new", "step"),
    [
        ("1.0", "2.0", "major"),
        ("1.0", "1.1", "minor"),
        ("1.0", "1.0.1", "patch"),
        ("1.0", "1!1.0", "major"),
        ("2.0", "1.9", "older"),
        (None, "1.0", "added"),
        ("1.0", None, "removed"),
    ],
)
def test_each_step_has_its_name(old: str | None, new: str | None, step: str) -> None:
    before, after = ([] if version is None else [package("a", version)] for version in (old, new))
    [change] = review_of(before, after).changes
    assert change.step == step


@pytest.mark.parametrize(
    ("old", "new", "alert"),
    [
        ([GITHUB], [GITHUB | {"workflow": "other.yaml"}], None),
        ([GITHUB], [GITHUB | {"repository": "attacker/flask"}],
         "was published by GitHub pallets/flask, and now by GitHub attacker/flask"),
        ([GITHUB], [GITHUB, GITHUB | {"repository": "pallets/other"}], None),
        ([], [GITHUB], None),
    ],
)  # fmt: skip
def test_another_publisher_is_an_alert(old: list[Any], new: list[Any], alert: str | None) -> None:
    review = review_of(
        [package("flask") | ({"attestation-identities": old} if old else {})],
        [package("flask", "1.1", attestation_identities=new)],
    )
    assert [each.text for _, each in review.alerts] == ([] if alert is None else [alert])


def test_a_publisher_that_is_gone_is_an_alert_only_where_others_are_recorded() -> None:
    old = [package("flask", attestation_identities=[GITHUB])]
    assert review_of(old, [package("flask", "1.1")]).alerts == ()
    others = [package("flask", "1.1"), package("other", attestation_identities=[GITHUB])]
    assert [alert.kind for _, alert in review_of(old, others).alerts] == ["publisher"]


def test_links_are_known_pages() -> None:
    [change] = review_of([package("flask")], [package("flask", "1.1", attestation_identities=[GITHUB])]).changes
    assert change.links == (
        ("project", "https://index.example.org/project/flask/1.1/"),
        ("repository", "https://github.com/pallets/flask"),
        ("releases", "https://github.com/pallets/flask/releases"),
    )
    hostile = GITHUB | {"repository": '../x" onclick="'}
    other = package("flask", "1.1", index="https://other.example.org/simple", attestation_identities=[hostile])
    assert review_of([package("flask")], [other]).changes[0].links == ()


def test_a_change_says_where_it_matters() -> None:
    windows = package("colors", marker="sys_platform == 'win32'")
    [change] = review_of([], [windows]).changes
    assert (change.where, change.markers) == ("Windows x86_64", (None, "sys_platform == 'win32'"))
    [removed] = review_of([package("colors")], []).changes
    assert removed.where == "everywhere"


def test_each_environment_has_its_effect() -> None:
    low, high = "python_version < '3.12'", "python_version >= '3.12'"
    old = [package("numpy", "1.0"), package("gone")]
    new = [package("numpy", "1.0", marker=low), package("numpy", "2.0", marker=high, size=2000)]
    effects = review_of(old, new).effects
    assert [(each.environments, each.added, each.removed, each.changed) for each in effects] == [
        ("everywhere with Python 3.11", (), ("gone",), ()),
        ("everywhere with Python 3.13", (), ("gone",), ("numpy",)),
    ]
    assert [(each.bytes_before, each.bytes_after) for each in effects] == [(2000, 1000), (2000, 2000)]


def test_nothing_changes_between_equal_lock_files() -> None:
    review = review_of([package("a")], [package("a")])
    assert (review.diff.is_empty, review.changes, review.effects) == (True, (), ())
    assert "install the same" in render_review(review, "markdown")
    assert "install the same" in render_review(review, "html")


def test_long_lists_are_folded_and_bounded() -> None:
    many = review_of([], [package(f"p{number}") for number in range(900)])
    text = render_review(many, "markdown")
    assert len(text) < 65_000
    assert "<summary><b>Packages</b>: 900 packages</summary>" in text
    assert "<details data-search>" in render_review(many, "html")
    few = render_review(review_of([], [package("p")]), "html")
    assert "<details open data-search>" in few


def test_json_is_as_its_schema_says() -> None:
    review = review_of([package("a"), package("b")], [package("a", "2.0"), package("b", digest=B)], roots=["a"])
    value = json.loads(render_review(review, "json"))
    check_output(value, "diff")
    assert [(each["name"], each["direct"], [a["kind"] for a in each["alerts"]]) for each in value["changes"]] == [
        ("a", True, []), ("b", False, ["hash"]),
    ]  # fmt: skip
