"""A wheel for every Python 3 is known to serve all targets without their tags, of which there are thousands."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import parse_tag

from lockset.index.filenames import tags_of_triple
from lockset.markers import MarkerSet, described_tags, described_target, wheel_region
from lockset.markers.tags import is_for_every_python3
from lockset.markers.universe import TargetInterpreter
from lockset.resolve.releases.wheel_coverage import WheelCoverage

if TYPE_CHECKING:
    from collections.abc import Sequence

PLATFORMS = ("manylinux_2_28_x86_64", "musllinux_1_2_x86_64", "macosx_14_0_arm64", "win_amd64")
PYTHONS = ("3.9", "3.12", "3.14", "3.13t")
PURE = "py3-none-any"
OTHERS = ("py2-none-any", "py312-none-any", "cp3-none-any", "py3-abi3-any", "py3-none-manylinux_2_34_x86_64")
TRIPLES = (PURE, "py2.py3-none-any", *OTHERS, "cp312-cp312-win_amd64", "cp39-abi3-manylinux_2_17_x86_64")


def coverage(targets: Sequence[tuple[str, str]]) -> WheelCoverage:
    made = [described_target(platform, python) for platform, python in targets]
    return WheelCoverage({target: MarkerSet.parse(f"python_version == '{target.python[:4]}'") for target in made})


@given(
    targets=st.lists(st.tuples(st.sampled_from(PLATFORMS), st.sampled_from(PYTHONS)), max_size=4, unique=True),
    wheels=st.lists(st.tuples(st.sampled_from(TRIPLES), st.sampled_from(("", "3.10", "3.12"))), max_size=4),
)
def test_the_tags_of_targets_would_say_the_same(targets: list[tuple[str, str]], wheels: list[tuple[str, str]]) -> None:
    described = [
        (tags, wheel_region(tags) & MarkerSet.of_python(f">={python or '3'}"))
        for tags, python in ((tags_of_triple(triple), python) for triple, python in wheels)
    ]
    by_tags = coverage(targets)
    by_tags.__dict__["_is_python3"] = False
    assert coverage(targets).of(described) is by_tags.of(described)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_described_python_3_accepts_such_a_wheel(platform: str, python: str) -> None:
    (pure,) = parse_tag(PURE)
    assert is_for_every_python3([pure])
    for implementation in ("cpython", "pypy", "graalpy"):
        assert pure in described_tags(platform, python, implementation)


@pytest.mark.parametrize("triple", OTHERS)
def test_other_wheels_are_not_for_every_python_3(triple: str) -> None:
    assert not is_for_every_python3(tags_of_triple(triple))


def test_no_tag_of_a_target_is_made_where_one_wheel_is_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: TargetInterpreter) -> NoReturn:
        raise AssertionError(self.name)

    monkeypatch.setattr(TargetInterpreter, "tags", property(refused))
    tags = tags_of_triple("py2.py3-none-any")
    region = wheel_region(tags)
    assert coverage([(platform, "3.12") for platform in PLATFORMS]).of([(tags, region)]) is region
