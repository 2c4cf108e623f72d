"""A wheel that a described interpreter accepts is usable there, by the region of its tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import Tag, parse_tag

from lockset._dataclass import replace
from lockset.index.filenames import tags_of_triple
from lockset.markers import (
    Environment,
    MarkerSet,
    Universe,
    default_build_region,
    described_tags,
    described_target,
    platform_region,
    possible,
    tag_set_region,
    wheel_region,
)
from lockset.markers.universe import MeasuredTags
from lockset.resolve.lock.assemble import _is_usable

PLATFORMS = (
    "linux", "manylinux_2_28_x86_64", "manylinux2014_aarch64", "manylinux1_i686", "musllinux_1_2_x86_64",
    "linux_armv8l", "linux_armv7l", "linux_ppc64le", "macos", "macosx_14_0_arm64", "macosx_10_15_x86_64",
    "macos_x86_64", "windows", "win_amd64", "win32", "win_arm64", "android_24_arm64_v8a", "ios_13_0_arm64_iphoneos",
    "pyodide_2024_0_wasm32",
)  # fmt: skip
PYTHONS = ("3.7", "3.8", "3.9.7", "3.11", "3.13", "3.13t", "3.15")
CPYTHON, PYPY = ("platform_python_implementation == 'CPython'", "platform_python_implementation == 'PyPy'")
LINUX, MACOS = "sys_platform == 'linux'", "sys_platform == 'darwin'"
IMPLEMENTATIONS = ("cpython", "pypy", "graalpy")

described = st.tuples(st.sampled_from(PLATFORMS), st.sampled_from(PYTHONS), st.sampled_from(IMPLEMENTATIONS))


@given(described, st.data())
def test_accepted_tags_have_the_environment_in_their_region(who: tuple[str, str, str], data: st.DataObject) -> None:
    platform, python, implementation = who
    environment = Environment.of_platform(platform, python.removesuffix("t"), implementation)
    tag = data.draw(st.sampled_from(described_tags(platform, python, implementation)))
    assert wheel_region([tag]).evaluate(environment)


@given(described, described, st.data())
def test_an_interpreter_accepts_the_tags_that_packaging_lists(
    who: tuple[str, str, str], other: tuple[str, str, str], data: st.DataObject
) -> None:
    platform, python, implementation = who
    listed = described_tags(*who)
    every = (*listed, *described_tags(*other))
    ones = st.integers(0, len(every) - 1).map(lambda number: every[number])  # hypothesis shows it: not hundreds of tags
    mixed = st.builds(lambda one, two, three: Tag(one.interpreter, two.abi, three.platform), ones, ones, ones)
    mixed |= mixed.map(lambda tag: Tag(tag.interpreter, tag.abi, "any"))
    wheel = data.draw(st.frozensets(ones | mixed, max_size=3))
    target = described_target(platform, python, implementation)
    assert target.accepts(wheel) == (not wheel.isdisjoint(listed))
    assert target.platform_tags == {tag.platform for tag in listed}
    measured = replace(target, measured=MeasuredTags(tags=listed[:5]))
    assert measured.accepts(wheel) == (not wheel.isdisjoint(listed[:5]))
    assert measured.platform_tags == {tag.platform for tag in listed[:5]}


@given(described)
def test_described_environments_can_occur_and_lie_in_their_platforms_region(who: tuple[str, str, str]) -> None:
    platform, python, implementation = who
    environment = Environment.of_platform(platform, python.removesuffix("t"), implementation)
    assert possible().evaluate(environment)
    assert platform_region(platform).evaluate(environment)


INTERPRETERS = (
    *("py3", "py2", "py", "py38", "py311", "py313", "cp3", "cp37", "cp38", "cp311", "cp313", "cp315", "cp27", "cp31"),
    *("pp3", "pp38", "pp311", "pp313", "graalpy311", "graalpy313", "ip34", "jy27"),
)
ABIS = (
    *("none", "abi3", "abi3t", "cp37", "cp37m", "cp37dm", "cp38", "cp38d", "cp38m", "cp311", "cp313", "cp313t"),
    *("cp313td", "cp315", "cp315t", "cp27mu", "pypy38_pp73", "pypy311_pp73", "pypy313_pp73"),
)


@given(described.filter(lambda who: not who[1].endswith("t")), st.data())
def test_default_builds_use_the_wheels_whose_tags_they_accept(who: tuple[str, str, str], data: st.DataObject) -> None:
    platform, python, implementation = who
    accepted = described_tags(platform, python, implementation)
    own_platforms = sorted({tag.platform for tag in accepted})
    interpreter, abi = data.draw(st.sampled_from(INTERPRETERS)), data.draw(st.sampled_from(ABIS))
    tag = Tag(interpreter, abi, data.draw(st.sampled_from(own_platforms)))
    environment = Environment.of_platform(platform, python, implementation)
    assert default_build_region([tag]).evaluate(environment) == (tag in accepted)


@given(described, st.sampled_from(INTERPRETERS), st.sampled_from(ABIS))
def test_another_build_may_use_wheels_that_default_builds_do_not(
    who: tuple[str, str, str], interpreter: str, abi: str
) -> None:
    for platform in ("any", who[0] if "_" in who[0] else "win_amd64"):
        tags = parse_tag(f"{interpreter}-{abi}-{platform}")
        assert default_build_region(tags).implies(wheel_region(tags))


PARTS = st.lists(
    st.sampled_from(["py3", "py2", "cp311", "cp313t", "pp3", "abi3", "none", "any", "win_amd64", "linux_x86_64"]),
    min_size=1,
)


@given(st.tuples(PARTS, PARTS, PARTS))
def test_the_region_of_a_compressed_tag_set_is_that_of_its_tags(parts: tuple[list[str], ...]) -> None:
    text = "-".join(".".join(each) for each in parts)
    assert tag_set_region(text) == wheel_region(parse_tag(text))
    assert tag_set_region(text, default_builds=True) == default_build_region(parse_tag(text))


ODD_PARTS = st.lists(
    st.sampled_from(["py3", "CP311", "3py", "", "abi3", "none", "any", "win_amd64", "a-b"]), max_size=12
)


@given(st.tuples(PARTS | ODD_PARTS, PARTS | ODD_PARTS, PARTS | ODD_PARTS))
def test_a_wheel_is_usable_where_its_tags_are_and_nowhere_if_they_are_not_valid(parts: tuple[list[str], ...]) -> None:
    triple = "-".join(".".join(each) for each in parts)
    for region in (MarkerSet.any(), platform_region("linux"), MarkerSet.of_python(">=3.11")):
        assert _is_usable(triple, region) != wheel_region(tags_of_triple(triple)).is_disjoint(region)


@pytest.mark.parametrize("text", ["", "py3-none", "py3-none-any-x", "py3--any", "py3.-none-any"])
def test_a_tag_set_that_is_not_valid_has_no_region(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any
        tag_set_region(text)


@given(
    st.frozensets(
        st.sampled_from(described_tags("linux", "3.12") + described_tags("macos", "3.9")), min_size=1, max_size=4
    )
)
def test_the_region_of_a_wheel_is_the_union_of_its_tags(tags: frozenset[Tag]) -> None:
    union = MarkerSet.none()
    for tag in sorted(tags, key=str):
        union |= wheel_region([tag])
    assert wheel_region(tags) is union


@pytest.mark.parametrize(
    ("compressed", "expected"),
    [
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
         f"python_version == '3.11' and {CPYTHON} and {LINUX} and platform_machine == 'x86_64'"),
        ("cp39-abi3-win_amd64",
         f"python_version >= '3.9' and {CPYTHON} and sys_platform == 'win32' and platform_machine == 'AMD64'"),
        ("py3-none-any", "python_version >= '3'"),
        ("py2.py3-none-any", "python_version >= '2'"),
        ("py2-none-any", "python_version >= '2' and python_version < '3'"),
        ("py38-none-any", "python_version >= '3.8'"),
        ("py3-none-macosx_11_0_arm64", f"python_version >= '3' and {MACOS} and platform_machine == 'arm64'"),
        ("py3-none-macosx_10_9_universal2",
         f"python_version >= '3' and {MACOS} and (platform_machine == 'arm64' or platform_machine == 'x86_64')"),
        ("pp39-pypy39_pp73-linux_i686",
         f"python_version == '3.9' and {PYPY} and {LINUX} and platform_machine == 'i686'"),
        ("cp313-cp313t-musllinux_1_2_aarch64",
         f"python_version == '3.13' and {CPYTHON} and {LINUX} and platform_machine == 'aarch64'"),
        ("cp310-none-any", f"python_version == '3.10' and {CPYTHON}"),
    ],
)  # fmt: skip
def test_known_tags_have_exact_regions(compressed: str, expected: str) -> None:
    assert wheel_region(parse_tag(compressed)) is MarkerSet.parse(expected)


@pytest.mark.parametrize(
    "compressed",
    [
        "cp314-cp314t-win_amd64",
        "cp315-abi3t-win_amd64",
        "cp38-cp38d-win_amd64",
        "py3-abi3-any",
        "cp3-none-any",
        "cp39-abi3-any",
    ],
)
def test_default_builds_have_no_use_for_wheels_of_other_builds(compressed: str) -> None:
    assert default_build_region(parse_tag(compressed)).is_empty


@pytest.mark.parametrize(
    "compressed",
    [
        *("cp315-abi3.abi3t-win_amd64", "cp27-cp27mu-linux_x86_64", "cp37-cp37m-win_amd64", "pp3-none-any"),
        *("pp311-pypy311_pp73-win_amd64", "graalpy311-graalpy250_311_native-linux_x86_64", "brython3-none-any"),
    ],
)
def test_default_builds_use_the_wheels_of_their_implementation(compressed: str) -> None:
    assert default_build_region(parse_tag(compressed)) is wheel_region(parse_tag(compressed))


def test_unknown_tags_restrict_nothing() -> None:
    assert wheel_region(parse_tag("brython3-none-any")).is_full
    assert wheel_region(parse_tag("py3-none-haiku_1_x86_64")) is MarkerSet.parse("python_version >= '3'")


def test_ladders_go_down_from_the_named_level_with_the_old_names() -> None:
    platforms = [tag.platform for tag in described_tags("manylinux_2_17_x86_64", "3.12") if tag.abi == "cp312"]
    assert platforms[:4] == [
        "linux_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
        "manylinux_2_16_x86_64",
    ]
    assert platforms[-1] == "manylinux1_x86_64"
    assert "manylinux_2_18_x86_64" not in platforms
    musl = [tag.platform for tag in described_tags("musllinux_1_2_aarch64", "3.12") if tag.abi == "cp312"]
    assert musl == ["linux_aarch64", "musllinux_1_2_aarch64", "musllinux_1_1_aarch64", "musllinux_1_0_aarch64"]


def test_ladders_hold_the_kinds_of_tags_wheels_are_published_with() -> None:
    linux, mac, windows = (frozenset(map(str, described_tags(p, "3.12"))) for p in ("linux", "macos", "windows"))
    assert {"cp312-cp312-manylinux_2_28_x86_64", "cp38-abi3-manylinux2014_x86_64", "py3-none-any"} <= linux
    assert {"cp312-cp312-macosx_14_0_arm64", "cp312-cp312-macosx_10_9_universal2", "py2-none-any"}.isdisjoint(linux)
    assert {"cp312-cp312-macosx_11_0_arm64", "cp312-cp312-macosx_10_9_universal2"} <= mac
    assert "cp312-cp312-macosx_10_9_x86_64" not in mac
    assert {"cp312-cp312-win_amd64", "cp312-none-win_amd64", "py3-none-win_amd64"} <= windows
    threaded = frozenset(map(str, described_tags("linux", "3.13t")))
    assert "cp313-cp313t-manylinux_2_17_x86_64" in threaded
    assert "cp313-abi3-manylinux_2_17_x86_64" not in threaded
    pypy = frozenset(map(str, described_tags("linux", "3.10", "pypy")))
    assert {"pp310-pypy310_pp73-manylinux_2_17_x86_64", "pp3-none-any", "py3-none-any"} <= pypy


def test_targets_lie_in_the_universe() -> None:
    universe = Universe.of(requires_python=">=3.9.2,<3.13")
    assert universe.pythons() == ("3.9.2", "3.10.0", "3.11.0", "3.12.0")
    assert len(universe.targets) == 12
    assert all(universe.region.evaluate(target.environment) for target in universe.targets)
    windows = Universe.of(environments=[platform_region("windows")])
    assert {target.environment.sys_platform for target in windows.targets} == {"win32"}
