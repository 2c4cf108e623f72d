"""Advisories read from the OSV schema, joined by their aliases to findings."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from lockset.advisories.advisory import Advisory, mentioned_names, newest_time, read_advisory
from lockset.advisories.database import AdvisoryDatabase
from lockset.advisories.severity import read_severity
from lockset.advisories.vulnerabilities import vulnerabilities_of
from lockset.errors import LocksetError
from support.strategies.hostile_values import changed


def advisory(own: str = "PYSEC-1", name: str = "a", fixed: str = "2", **more: Any) -> Advisory:
    affected = {
        "package": {"name": name, "ecosystem": more.pop("ecosystem", "PyPI")},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
    }
    return read_advisory({"id": own, "affected": [affected], **more})


def found_ids(*advisories: Advisory, version: str = "1") -> list[tuple[str, ...]]:
    database = AdvisoryDatabase(advisories, ())
    return [one.ids for one in vulnerabilities_of(database, "a", Version(version))]


def test_advisories_that_share_an_alias_are_one_finding() -> None:
    ids = found_ids(
        advisory("GHSA-x", aliases=["CVE-1"]), advisory("PYSEC-1", aliases=["CVE-1"]), advisory("PYSEC-2", aliases=[])
    )
    assert ids == [("PYSEC-1", "GHSA-x", "CVE-1"), ("PYSEC-2",)]


def test_a_chain_of_aliases_is_one_finding() -> None:
    ids = found_ids(
        advisory("OSV-1", aliases=["OSV-2"]), advisory("OSV-3", aliases=["OSV-4"]), advisory("OSV-2", aliases=["OSV-4"])
    )
    assert len(ids) == 1


def test_a_withdrawn_advisory_does_not_count() -> None:
    assert found_ids(advisory(withdrawn="2026-01-01T00:00:00Z")) == []
    assert found_ids(advisory(withdrawn="null")) == [("PYSEC-1",)]


def test_names_are_compared_in_their_canonical_form() -> None:
    database = AdvisoryDatabase([advisory(name="Ruamel.Yaml_Clib")], ())
    assert len(vulnerabilities_of(database, "ruamel-yaml-clib", Version("1"))) == 1


@pytest.mark.parametrize("ecosystem", ["npm", "", "Debian:12", "pypi2"])
def test_other_ecosystems_do_not_count(ecosystem: str) -> None:
    assert found_ids(advisory(ecosystem=ecosystem)) == []


def test_a_fix_that_another_advisory_of_the_same_vulnerability_denies_is_none() -> None:
    database = AdvisoryDatabase([advisory("PYSEC-1", fixed="2", aliases=["C-1"]), advisory("C-1", fixed="3")], ())
    (one,) = vulnerabilities_of(database, "a", Version("1"))
    assert one.fixed == ("3",)


def test_the_newer_copy_of_an_advisory_counts() -> None:
    old = advisory(fixed="9", modified="2026-01-01T00:00:00Z")
    new = advisory(fixed="2", modified="2026-02-01T00:00:00Z")
    assert found_ids(old, new, version="5") == found_ids(new, old, version="5") == []


def test_the_summary_of_an_advisory_that_has_one_is_shown() -> None:
    database = AdvisoryDatabase(
        [
            advisory("PYSEC-1", aliases=["GHSA-1"], details="It is bad for many reasons. There is more."),
            advisory("GHSA-1", summary="A short title", database_specific={"severity": "MODERATE"}),
        ],
        (),
    )
    (one,) = vulnerabilities_of(database, "a", Version("1"))
    assert (one.id, one.summary, one.severity.level) == ("PYSEC-1", "A short title", "medium")


def test_without_a_summary_the_first_sentence_of_the_details_is_shown() -> None:
    assert advisory(details="# Impact\n\nIt reads beyond the end. More follows.").summary == "It reads beyond the end."


@pytest.mark.parametrize(
    ("kind", "vector", "score", "level"),
    [
        ("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, "critical"),
        ("CVSS_V3", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5, "high"),
        ("CVSS_V4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3, "critical"),
        ("CVSS_V2", "AV:N/AC:L/Au:N/C:P/I:P/A:P", 7.5, "high"),
        ("CVSS_V3", "CVSS:3.1/nonsense", None, None),
    ],
)
def test_a_vector_has_its_score_and_level(kind: str, vector: str, score: float | None, level: str | None) -> None:
    severity = read_severity([{"type": kind, "score": vector}], None)
    assert (severity.score, severity.level, severity.vector) == (score, level, vector)


def test_the_word_of_the_database_takes_precedence_over_the_score() -> None:
    vector = {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
    assert read_severity([vector], "LOW").level == "low"


@pytest.mark.parametrize(
    "data",
    [None, [], "text", {}, {"id": 3}, {"id": ""}, {"id": "a b"}, {"id": "../x"}, {"id": "A", "affected": {}}],
)
def test_what_is_not_an_advisory_is_refused(data: object) -> None:
    with pytest.raises(LocksetError, match="not a valid advisory"):
        read_advisory(data)


@pytest.mark.parametrize(
    "more",
    [
        {"affected": [None, 1, {"package": 3}, {"package": {"name": 3, "ecosystem": "PyPI"}}]},
        {"affected": None, "aliases": 3, "severity": "x", "references": {"a": 1}, "withdrawn": [1]},
        {"modified": "yesterday", "published": 3, "summary": ["x"], "details": {}, "database_specific": []},
    ],
)
def test_values_of_wrong_types_are_read_as_missing(more: dict[str, Any]) -> None:
    assert read_advisory({"id": "A-1", **more}).affected == {}


def test_names_and_times_are_read_from_bytes_of_json_and_yaml() -> None:
    as_json = b'{"modified": "2026-11-20T10:00:00.5Z", "affected": [{"package":{"ecosystem":"PyPI","name":"Foo.Bar"}}]}'
    as_yaml = b"affected:\n- package:\n    name: Foo.Bar\n    ecosystem: PyPI\nmodified: '2026-11-20T10:00:00Z'\n"
    for data in (as_json, as_yaml):
        assert mentioned_names(data) == {"foo-bar"}
        assert newest_time(data) == datetime(2026, 11, 20, 10, tzinfo=timezone.utc)


def test_without_cvss_the_vector_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cvss", None)
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    severity = read_severity([{"type": "CVSS_V3", "score": vector}], None)
    assert (severity.level, severity.score, severity.vector) == (None, None, vector)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from([
    "id", "affected", "aliases", "summary", "details", "severity", "references", "withdrawn", "modified", "published",
    "database_specific",
])  # fmt: skip
ENTRIES = st.fixed_dictionaries(
    {"package": st.just({"name": "a", "ecosystem": "PyPI"})},
    optional={"ranges": VALUES, "versions": VALUES, "severity": VALUES, "database_specific": VALUES},
)


@given(st.dictionaries(KEYS, VALUES), st.lists(ENTRIES | VALUES, max_size=3))
def test_no_value_of_an_advisory_ends_in_anything_but_an_advisory_or_a_refusal(
    data: dict[str, Any], entries: list[Any]
) -> None:
    try:
        one = read_advisory({**data, "id": "A-1", "affected": entries})
    except LocksetError:
        return
    for finding in vulnerabilities_of(AdvisoryDatabase([one], ()), "a", Version("1")):
        assert finding.id == "A-1"


WHOLE = {
    "id": "GHSA-1",
    "modified": "2026-01-01T00:00:00Z",
    "published": "2026-01-01T00:00:00Z",
    "withdrawn": "",
    "aliases": ["CVE-1"],
    "summary": "A title",
    "details": "More.",
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "references": [{"type": "ADVISORY", "url": "https://example.org/1"}],
    "database_specific": {"severity": "HIGH"},
    "affected": [
        {
            "package": {"name": "a", "ecosystem": "PyPI"},
            "versions": ["1.0"],
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}],
            "database_specific": {"severity": "HIGH"},
        }
    ],
}


@given(changed(WHOLE))
def test_a_hostile_value_at_any_place_is_read_or_refused(data: Any) -> None:
    try:
        one = read_advisory(data)
    except LocksetError:
        return
    vulnerabilities_of(AdvisoryDatabase([one], ()), "a", Version("1"))
