"""A lock of a project whose lock exists changes only what has to change.

The worlds are small, and many of their releases lack files on some platform: what was chosen for the lack of files, or
of anything better, must be chosen again.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given, note
from hypothesis import strategies as st

from lockset._dataclass import replace
from lockset.errors import LocksetError
from support.worlds.small_world import SmallWorld, entries, selected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.composition.lock_assembly import LockResult

NAMES = ("a", "b", "c")
TAGS = (
    *("py3-none-any", "py3-none-win_amd64", "py3-none-manylinux_2_17_x86_64", "py3-none-macosx_11_0_arm64"),
    *("cp312-cp312-win_amd64", "cp312-cp312-manylinux_2_17_x86_64", "cp311-cp311-manylinux_2_17_x86_64"),
)
PLATFORMS = ("manylinux_2_28_x86_64", "win_amd64", "macosx_14_0_arm64")
CHOICES: tuple[dict[str, Any], ...] = (
    {"fork": "fewest"},
    {"fork": "newest"},
    {"resolution": "lowest"},
    {"resolution": "lowest-direct"},
)
MARKERS = (
    *("", "", " ; sys_platform == 'win32'", " ; sys_platform != 'win32'", " ; sys_platform == 'darwin'"),
    *(" ; sys_platform == 'linux'", " ; python_version >= '3.12'"),
)


def requirements(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    specifiers = st.sampled_from(("", "", "<3", "<2", ">=2", "==1", "!=2"))
    return st.builds(
        lambda name, specifier, marker: f"{name}{specifier}{marker}",
        st.sampled_from(names),
        specifiers,
        st.sampled_from(MARKERS),
    )


@st.composite
def worlds(draw: st.DrawFn, tags: tuple[str, ...] = TAGS) -> dict[str, Any]:
    names = NAMES[: draw(st.integers(1, 3))]
    release = st.fixed_dictionaries(
        {
            "requires": st.lists(requirements(names), max_size=2),
            "wheels": st.lists(st.sampled_from(tags), min_size=1, max_size=3, unique=True),
        },
        optional={"requires-python": st.sampled_from((">=3.12", "<3.13", ">=3.11,<3.14"))},
    )
    releases = st.dictionaries(st.sampled_from(("1", "2", "3")), release, min_size=1)
    return {
        "project": {
            "requires-python": draw(st.sampled_from(("==3.12.*", ">=3.11,<3.14", ">=3.12,<3.14", ">=3.11"))),
            "dependencies": draw(st.lists(requirements(names), min_size=1, max_size=3)),
        },
        "choices": draw(st.sampled_from(CHOICES)),
        "packages": {name: draw(releases) for name in names},
    }


def first_lock(data: Mapping[str, Any]) -> LockResult:
    """The first lock of the world; the example does not count where there is none."""
    note(repr(data))
    try:
        return SmallWorld(data).lock()
    except LocksetError as error:
        assume(error.diagnostic.code not in {"no-resolution", "no-environment", "no-python-left"})
        raise


def locked_again(data: Mapping[str, Any], first: LockResult, **changes: Any) -> LockResult:
    world = SmallWorld(data)
    return world.lock(old=first.lock, choices=replace(world.choices, **changes))


@given(data=worlds())
def test_a_second_lock_is_the_first_one(data: dict[str, Any]) -> None:
    first = first_lock(data)
    assert locked_again(data, first).text == first.text


@given(data=worlds())
def test_an_upgrade_of_everything_to_the_same_releases_is_the_first_lock(data: dict[str, Any]) -> None:
    first = first_lock(data)
    assert locked_again(data, first, upgrade=True).text == first.text


@given(data=worlds(tags=("py3-none-any",)), name=st.sampled_from(NAMES))
def test_an_upgrade_of_one_package_to_its_own_version_changes_nothing(data: dict[str, Any], name: str) -> None:
    first = first_lock(data)
    # Without its pin, a package may be divided in another way: that is better or as good.
    assume(all(package.marker is None for package in first.lock.packages))
    assert locked_again(data, first, upgrade_packages=frozenset({name})).text == first.text


@given(data=worlds())
def test_the_order_of_the_requirements_changes_no_version_of_a_lock(data: dict[str, Any]) -> None:
    first = first_lock(data)
    other = copy.deepcopy(data)
    other["project"]["dependencies"].reverse()
    assert entries(locked_again(other, first).lock) == entries(first.lock)


@given(data=worlds())
def test_a_project_that_nothing_requires_changes_nothing(data: dict[str, Any]) -> None:
    first = first_lock(data)
    other = {**data, "packages": {**data["packages"], "unrelated": {"1": {"requires": ["a"]}}}}
    assert locked_again(other, first).text == first.text


@given(data=worlds())
def test_new_releases_change_nothing_where_nothing_lacks_a_file(data: dict[str, Any]) -> None:
    first = first_lock(data)
    assume(not first.gaps)
    other = copy.deepcopy(data)
    for releases in other["packages"].values():
        releases["9"] = {}
    assert entries(locked_again(other, first).lock) == entries(first.lock)


@given(data=worlds(), platform=st.sampled_from(PLATFORMS))
def test_a_lock_of_one_platform_has_the_versions_of_the_lock_of_all(data: dict[str, Any], platform: str) -> None:
    first = first_lock(data)
    assume(not first.gaps)
    part = locked_again(data, first, platforms=(platform,))
    for python in ("3.11", "3.12", "3.13"):
        if first.lock.requires_python is None or f"{python}.5" in first.lock.requires_python:
            environment = f"{python}.5 {platform}"
            assert sorted(selected(part.lock, environment)) == sorted(selected(first.lock, environment))
