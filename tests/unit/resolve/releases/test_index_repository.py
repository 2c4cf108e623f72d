"""Which files count, and where a release serves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from packaging.version import Version

from lockset.errors import BuildFailedError, BuildNeededError, IndexUnreachableError, LocksetError
from lockset.index.ports import ProjectNotFound
from lockset.markers import MarkerSet, platform_region
from lockset.resolve.problem.file_policy import FileRules
from lockset.resolve.releases import index_repository
from lockset.resolve.releases.requires_python import requires_python_region
from support.worlds.small_world import Notes, SmallMetadata, small_repository

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lockset.index.pages.project_page import DistributionFile
    from lockset.metadata.core import CoreMetadata
    from lockset.resolve.releases.index_repository import IndexRepository

LINUX = platform_region("manylinux_2_28_x86_64") & MarkerSet.parse("sys_platform == 'linux'")
WINDOWS = platform_region("win_amd64")
CPYTHON_312 = MarkerSet.parse("python_version == '3.12' and implementation_name == 'cpython'")
NONE = MarkerSet.none()


def rules(**changes: Any) -> FileRules:
    values: dict[str, Any] = {"target_region": NONE, "must_have": NONE, "required": NONE}
    return FileRules(**(values | changes))


def repository(packages: Mapping[str, Any], **changes: Any) -> IndexRepository:
    return small_repository(packages, rules(**changes))


def versions(made: IndexRepository, name: str = "a") -> list[str]:
    return [str(v) for v in made.releases(name).versions]


ONE, TWO = Version("1"), Version("2")
WIN_WHEEL = ["py3-none-win_amd64"]
BOTH = {"wheels": ["py3-none-win_amd64", "py3-none-manylinux_2_17_x86_64"]}


def test_an_unknown_project_has_no_releases_and_is_remembered() -> None:
    made = repository({})
    assert versions(made) == []
    assert isinstance(made.not_found["a"], ProjectNotFound)


def test_releases_without_usable_files_do_not_exist() -> None:
    world = {"a": {"1": {"sdist": True}, "2": {"wheels": [], "sdist": True}, "3": {}}}
    assert versions(repository(world)) == ["3", "2", "1"]
    assert versions(repository(world, no_build=frozenset({"a"}))) == ["3", "1"]
    assert versions(repository(world, no_build=frozenset({":all:"}))) == ["3", "1"]
    assert versions(repository(world, no_binary=frozenset({"a"}))) == ["2", "1"]
    assert versions(repository(world, no_binary=frozenset({"b"}))) == ["3", "2", "1"]


def test_only_usable_files_are_recorded() -> None:
    world = {"a": {"1": {"sdist": True}}}

    def names(**changes: Any) -> list[str]:
        return [f.filename for f in repository(world, **changes).files("a", ONE)]

    assert names() == ["a-1-py3-none-any.whl", "a-1.tar.gz"]
    assert names(no_build=frozenset({"a"})) == ["a-1-py3-none-any.whl"]
    assert names(no_binary=frozenset({":all:"})) == ["a-1.tar.gz"]


def test_yanked_files_are_left_out_unless_all_are() -> None:
    world = {"a": {"1": {"sdist": True, "yanked-files": ["whl"]}, "2": {"sdist": True, "yanked": "why"}}}
    made = repository(world)
    assert [f.filename for f in made.files("a", ONE)] == ["a-1.tar.gz"]
    assert len(made.files("a", TWO)) == 2
    releases = made.releases("a")
    assert [releases.yanked >> i & 1 for i in range(2)] == [1, 0]


def test_files_uploaded_later_or_nobody_knows_when_do_not_exist() -> None:
    limit = datetime(2025, 1, 1, tzinfo=timezone.utc)
    early, late = datetime(2024, 12, 31, tzinfo=timezone.utc), datetime(2025, 1, 1, tzinfo=timezone.utc)
    releases = {"1": {"uploaded": early}, "2": {"uploaded": late}, "3": {}}
    world = {"a": releases, "b": releases}
    made = repository(world, uploaded_before=limit, uploaded_before_of={"b": None})
    assert versions(made) == ["1"]
    assert versions(made, "b") == ["3", "2", "1"]


def test_a_release_serves_where_requires_python_admits() -> None:
    world = {"a": {"1": {"requires-python": ">=3.9,<3.14", "sdist": True}, "2": {"requires-python": "what?"}}}
    strict = repository(world)
    assert strict.serves("a", ONE) is MarkerSet.of_python(">=3.9,<3.14")
    assert strict.serves("a", TWO).is_full
    targets = LINUX & CPYTHON_312
    capless = repository(world, ignore_caps=True, target_region=targets)
    assert capless.serves("a", ONE) is MarkerSet.of_python(">=3.9")
    assert capless.strictly_serves("a", ONE) is MarkerSet.of_python(">=3.9,<3.14")


def test_the_pythons_of_a_release_are_worked_out_once_for_all_files_that_state_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts: list[str] = []

    def recorded(text: str) -> MarkerSet:
        texts.append(text)
        return requires_python_region(text)

    monkeypatch.setattr(index_repository, "requires_python_region", recorded)
    wheels = [f"cp{minor}-cp{minor}-win_amd64" for minor in range(310, 315)]
    packages = {"a": {str(v): {"wheels": wheels, "requires-python": ">=3.10"} for v in range(1, 4)}}
    made = repository(packages, required=platform_region("windows"))
    for version in versions(made):
        assert not made.serves("a", Version(version)).is_empty
    assert texts == [">=3.10"]


def test_a_cap_below_every_requested_python_counts_always() -> None:
    world = {"a": {"1": {"requires-python": "<3.9", "sdist": True}}}
    made = repository(world, ignore_caps=True, target_region=LINUX & CPYTHON_312)
    assert made.serves("a", ONE) is MarkerSet.of_python("<3.9")


def test_wheels_serve_their_platform_and_an_sdist_every_one() -> None:
    world = {"a": {"1": {"wheels": WIN_WHEEL, "sdist": True}, "2": {"wheels": WIN_WHEEL}}}
    made = repository(world, target_region=(LINUX | WINDOWS) & CPYTHON_312)
    assert made.wheels_serve("a", ONE) is None
    wheels = made.wheels_serve("a", TWO)
    assert wheels is not None
    assert wheels.is_disjoint(LINUX & CPYTHON_312)
    assert (WINDOWS & CPYTHON_312).implies(wheels)
    assert made.serves("a", TWO).is_full


def test_targets_without_any_file_only_count_when_required() -> None:
    world = {"a": {"1": {"wheels": WIN_WHEEL}, "2": {"wheels": WIN_WHEEL}}}
    targets = (LINUX | WINDOWS) & CPYTHON_312
    assert repository(world, target_region=targets).serves("a", TWO).is_full
    strict = repository(world, target_region=targets, must_have=targets).serves("a", TWO)
    assert strict.is_disjoint(LINUX & CPYTHON_312)


def test_an_sdist_serves_everywhere_but_not_where_wheels_are_required() -> None:
    world = {"a": {"1": {"wheels": WIN_WHEEL, "sdist": True}}}
    targets = (LINUX | WINDOWS) & CPYTHON_312
    assert repository(world, target_region=targets).serves("a", ONE).is_full
    assert (
        repository(world, target_region=targets, no_build=frozenset({"a"}), must_have=targets)
        .serves("a", ONE)
        .is_disjoint(LINUX & CPYTHON_312)
    )
    assert (
        repository(world, target_region=targets, required=LINUX & CPYTHON_312)
        .serves("a", ONE)
        .is_disjoint(LINUX & CPYTHON_312)
    )


def test_metadata_is_requested_once_and_skipped_where_broken() -> None:
    world: dict[str, Any] = {"a": {"1": {"requires": ["b"]}, "2": {"broken": True}, "3": {"requires": ["=!"]}}}
    metadata, notes = SmallMetadata(world), Notes()
    made = small_repository(world, rules(), notes, metadata)
    assert [d.text for d in (made.facts("a", ONE) or pytest.fail("usable")).dependencies] == ["b"]
    assert made.facts("a", ONE) is made.facts("a", ONE)
    assert made.facts("a", TWO) is None
    assert made.facts("a", Version("3")) is None
    assert metadata.asked == [("a", "1"), ("a", "2"), ("a", "3")]
    assert ["a 2" in notes.texts[0], "a 3" in notes.texts[1]] == [True, True]


def test_a_failure_that_says_nothing_of_the_release_is_passed_on() -> None:
    class Unreachable(SmallMetadata):
        def metadata(self, files: object) -> CoreMetadata:
            raise IndexUnreachableError("nobody answers")

    made = small_repository({"a": {"1": {}}}, rules(), metadata=Unreachable({}))
    with pytest.raises(LocksetError, match="nobody answers"):
        made.facts("a", ONE)


def test_overrides_keep_extras_and_markers_and_excludes_drop() -> None:
    world = {"a": {"1": {"requires": ["b[x]<2 ; sys_platform == 'win32'", "c>=1", "d"]}}}
    made = repository(world, overrides={"b": ("b==3 ; python_version >= '3.12'", "b==4")}, excludes=frozenset({"c"}))
    facts = made.facts("a", ONE)
    assert facts is not None
    windows = MarkerSet.parse("sys_platform == 'win32'")
    assert [(d.text, d.marker) for d in facts.dependencies] == [
        ("b[x]==3", windows & MarkerSet.parse("python_version >= '3.12'")),
        ("b[x]==4", windows),
        ("d", MarkerSet.any()),
    ]


def test_an_override_does_not_spread_out_of_an_or() -> None:
    world = {"a": {"1": {"requires": ["b ; os_name == 'nt' or os_name == 'posix'"]}}}
    made = repository(world, overrides={"b": ("b==3 ; sys_platform == 'linux' or sys_platform == 'darwin'",)})
    facts = made.facts("a", ONE)
    assert facts is not None
    left, right = (
        MarkerSet.parse("os_name == 'nt' or os_name == 'posix'"),
        MarkerSet.parse("sys_platform == 'linux' or sys_platform == 'darwin'"),
    )
    assert facts.dependencies[0].marker is left & right


def test_requires_python_is_given_where_files_agree() -> None:
    made = repository({"a": {"1": {"requires-python": ">=3.9", "sdist": True}, "2": {}}})
    assert made.requires_python("a", ONE) == ">=3.9"
    assert made.requires_python("a", TWO) is None


class Builds(SmallMetadata):
    """Metadata of sdists that only builds tell; `built` counts them."""

    def __init__(self, packages: Mapping[str, Any], *, allowed: bool = True) -> None:
        super().__init__(packages)
        self.built: list[str] = []
        self._allowed = allowed

    def unbuilt(self) -> Builds:
        return Builds(self._packages, allowed=False)

    def metadata(self, files: Sequence[DistributionFile]) -> CoreMetadata:
        if not self._allowed:
            raise BuildNeededError("Only a build would tell")
        self.built.append(str(files[0].version))
        if files[0].version.major % 2:
            raise BuildFailedError("It does not build")
        return replace(super().metadata(files), origin="built")


def test_builds_of_a_project_are_limited_and_the_limit_is_reported_once() -> None:
    world = {"a": {str(n): {"wheels": [], "sdist": True} for n in range(1, 51)}}
    metadata, notes = Builds(world), Notes()
    made = small_repository(world, rules(), listener=notes, metadata=metadata)
    results = [made.facts("a", version) for version in made.releases("a").versions]
    assert metadata.built == [str(n) for n in range(50, 40, -1)]
    assert [f is not None for f in results] == [n > 40 and n % 2 == 0 for n in range(50, 0, -1)]
    assert made.unbuilt == {"a"}
    assert [text for text in notes.texts if "does not build" not in text] == [
        "a 40 is skipped: 5 releases could not be built: no more are tried"
    ]
    assert ("a", Version("39")) not in made.stepped_over
