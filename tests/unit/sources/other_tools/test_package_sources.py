"""Requirements with the sources that other tools name for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.requirements import Requirement

from lockset.errors import RequirementSyntaxError
from lockset.markers import MarkerSet
from lockset.sources.other_tools.facts import NamedSource
from lockset.sources.other_tools.package_sources import index_sources, with_source

MARKERS = (
    None,
    "sys_platform == 'linux'",
    "sys_platform != 'win32'",
    "python_version < '3.12'",
    "platform_machine == 'arm64' or os_name == 'nt'",
)


def named(marker: str | None = None, *, path: str | None = "../core", index: str | None = None) -> NamedSource:
    return NamedSource(
        tool="uv",
        package="core",
        table="[tool.uv.sources]",
        location="pyproject.toml",
        shown="",
        requirement=None if path is None else f"core @ file:{path}",
        index_name=index,
        index_url=None if index is None else f"https://{index}.example.org/",
        marker=marker,
    )


def region(marker: Marker | None) -> MarkerSet:
    return MarkerSet.any() if marker is None else MarkerSet.of_marker(marker)


@given(st.sampled_from(MARKERS), st.lists(st.sampled_from(MARKERS), min_size=1, max_size=3))
def test_the_parts_of_a_requirement_cover_it_once(marker: str | None, markers: list[str | None]) -> None:
    requirement = Requirement("core[x]>=1" + (f" ; {marker}" if marker else ""))
    parts = list(with_source(requirement, [named(m, path=f"../{n}") for n, m in enumerate(markers)]))
    regions = [region(part.marker) for part, _ in parts]
    whole = region(requirement.marker)
    assert whole.implies(MarkerSet.union(regions))
    assert all((one & other).is_empty for n, one in enumerate(regions) for other in regions[:n])
    assert all(part.extras == {"x"} for part, _ in parts)


@given(st.lists(st.sampled_from(MARKERS), min_size=1, max_size=3))
def test_each_part_comes_from_the_first_source_that_applies(markers: list[str | None]) -> None:
    sources = [named(m, path=f"../{n}") for n, m in enumerate(markers)]
    for part, source in with_source(Requirement("core"), sources):
        where = region(part.marker)
        earlier = sources if source is None else sources[: sources.index(source)]
        assert all((where & region(Marker(s.marker) if s.marker else None)).is_empty for s in earlier)


def test_a_requirement_with_a_url_keeps_it() -> None:
    requirement = Requirement("core @ https://example.org/core.whl")
    assert list(with_source(requirement, [named()])) == [(requirement, None)]


def test_an_index_holds_for_a_package_only_if_it_holds_everywhere() -> None:
    inner = ("inner", "https://inner.example.org/")
    assert index_sources([named(path=None, index="inner")]) == {inner: ["core"]}
    assert index_sources([named("os_name == 'nt'", path=None, index="inner")]) == {}
    assert index_sources([named(path=None, index="inner"), named(path=None, index="other")]) == {}
    assert index_sources([named(path=None, index="inner"), named(path=None, index="inner")]) == {inner: ["core"]}


@pytest.mark.parametrize("path", ["./p" + "1" * 1_200, "//name with a space/core"])
def test_a_source_that_is_not_a_valid_url_is_refused_with_its_table(path: str) -> None:
    with pytest.raises(RequirementSyntaxError, match="`core` has a source that is not valid") as caught:
        list(with_source(Requirement("core"), [named(path=path)]))
    assert caught.value.diagnostic.location == "pyproject.toml [tool.uv.sources]"
