"""Which versions match is the same for a look at few of them and for a look at each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import example, given, reject
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from lockset.index.pages.page_table import TableBuilder
from lockset.index.pages.project_page import ProjectDetail, VersionList
from lockset.resolve.releases.admission import matching_bits

if TYPE_CHECKING:
    import pytest

numbers = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
epochs = st.sampled_from(("", "", "", "1!"))
ends = st.sampled_from(("", "", "", "", "a1", "rc2", ".dev0", ".post1", ".post1.dev2", "a1.dev3"))
public = st.builds("{}{}{}".format, epochs, numbers, ends)
versions = st.builds("{}{}".format, public, st.sampled_from(("", "", "", "", "+local", "+1")))
prefixes = st.builds("{}{}.*".format, epochs, numbers)
specifiers = st.one_of(
    st.builds("{}{}".format, st.sampled_from((">=", "<=", ">", "<", "~=", "==", "!=")), public),
    st.builds("{}{}".format, st.sampled_from(("==", "!=", "===")), versions),
    st.builds("{}{}".format, st.sampled_from(("==", "!=")), prefixes),
)


def newest_first(texts: list[str]) -> list[str]:
    by_version = {Version(text): text for text in texts}
    return [by_version[version] for version in sorted(by_version, reverse=True)]


@example(texts=["1.0", "1.0.post1", "1.0a1", "1.1"], parts=[">1.0a1"])
@example(texts=["1.1.dev0", "1.1", "1.0", "1.1+local"], parts=["<1.1"])
@example(texts=["2.2", "2.2.post1", "2.3a1", "3.dev0"], parts=["~=2.2.post1"])
@given(texts=st.lists(versions, max_size=12), parts=st.lists(specifiers, max_size=3))
def test_a_look_at_few_versions_gives_what_a_look_at_each_gives(texts: list[str], parts: list[str]) -> None:
    try:
        requested = SpecifierSet(",".join(parts))
    except InvalidSpecifier:
        reject()  # `~=1`
    listed = VersionList(newest_first(texts))
    bits = matching_bits(requested, listed)
    assert [bool(bits >> at & 1) for at in range(len(listed))] == [
        requested.contains(version, prereleases=True) for version in listed
    ]


@given(texts=st.lists(versions, max_size=12), other=versions)
def test_a_version_has_its_position_whether_it_was_parsed_before_or_not(texts: list[str], other: str) -> None:
    ordered = newest_first(texts)
    eager = [Version(text) for text in ordered]
    for version in (*eager, Version(other)):
        listed = VersionList(ordered)
        assert listed.position(version) == (eager.index(version) if version in eager else None)
        assert (version in listed) == (version in eager)
    assert VersionList(ordered) == eager


@given(texts=st.lists(versions, max_size=12, unique_by=Version), yanked=st.sets(st.integers(0, 11)))
def test_a_page_says_which_versions_are_final_and_which_are_yanked(texts: list[str], yanked: set[int]) -> None:
    builder = TableBuilder("sample")
    withdrawn = {texts[at] for at in yanked if at < len(texts)}
    for text in texts:
        name = f"sample-{text}.tar.gz"
        builder.add(
            name, f"https://x.example.org/{name}", None, None, None, None, "" if text in withdrawn else None, None
        )
    page = ProjectDetail(builder.build(index_url=""))
    finals, gone = page.final_bits, page.yanked_bits
    assert [bool(finals >> at & 1) for at in range(len(texts))] == [not v.is_prerelease for v in page.versions]
    assert [bool(gone >> at & 1) for at in range(len(texts))] == [v in page.yanked_versions for v in page.versions]
    assert page.yanked_versions == {Version(text) for text in withdrawn}
    assert max(finals.bit_length(), gone.bit_length()) <= len(texts)


def test_few_versions_of_many_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def parse(text: str) -> Version:
        parsed.append(text)
        return Version(text)

    monkeypatch.setattr("lockset.index.pages.project_page.parse_version", parse)
    listed = VersionList([f"{major}.{minor}" for major in reversed(range(30)) for minor in reversed(range(30))])
    assert matching_bits(SpecifierSet(">=7.3,<20,!=9.*"), listed).bit_count() == 13 * 30 - 30 - 3
    assert len(parsed) < 10, "those with the numbers of a bound"
