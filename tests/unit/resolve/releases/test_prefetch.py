"""What will be asked for next is fetched before anybody asks; what is guessed changes no answer."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.resolve.problem.file_policy import FileRules
from lockset.resolve.problem.requirement import parse_dependency
from lockset.resolve.releases.prefetch import PrefetchingRepository
from support.worlds.small_world import Notes, SmallIndex, SmallMetadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lockset.index.pages.project_page import DistributionFile, ProjectDetail
    from lockset.metadata.core import CoreMetadata

LINUX = MarkerSet.parse("sys_platform == 'linux' and python_version >= '3.10'")


class Index(SmallIndex):
    """Whatever is fetched has come by the next question."""

    def __init__(self, packages: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(packages)
        self.fetched: list[str] = []
        self.hidden: set[str] = set()

    def fetch(self, names: Iterable[str], heard: Callable[[str], object]) -> None:
        for name in names:
            if name not in self.fetched:
                self.fetched.append(name)
                heard(name)

    def known(self, name: str) -> ProjectDetail | None:
        if name in self.hidden:
            return None
        try:
            return self.project(name)
        except LocksetError:
            return None

    def is_coming(self, name: str) -> bool:
        return False


class Metadata(SmallMetadata):
    """The same for metadata."""

    def __init__(self, packages: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(packages)
        self.fetched: list[str] = []
        self.built: list[str] = []
        self.coming = False

    def build_ahead(self, files: Sequence[DistributionFile]) -> None:
        release = f"{files[0].project} {files[0].version}"
        if release not in self.built:
            self.built.append(release)
            self.coming = len(self.built) == 1

    def fetch(self, files: Sequence[DistributionFile], heard: Callable[[], object]) -> None:
        release = f"{files[0].project} {files[0].version}"
        if release not in self.fetched:
            self.fetched.append(release)
            heard()

    def known(self, files: Sequence[DistributionFile]) -> CoreMetadata | None:
        try:
            return self.metadata(files)
        except LocksetError:
            return None

    def is_coming(self, files: Sequence[DistributionFile]) -> bool:
        coming, self.coming = self.coming, False
        return coming


def repository(
    packages: Mapping[str, Mapping[str, Any]], *, index: Index | None = None
) -> tuple[PrefetchingRepository, Index, Metadata, Notes]:
    index, metadata, notes = index or Index(packages), Metadata(packages), Notes()
    rules = FileRules(target_region=LINUX, required=MarkerSet.none())
    made = PrefetchingRepository(index=index, metadata=metadata, rules=rules, listener=notes, hash_file=lambda _: {})
    return made, index, metadata, notes


def test_dependencies_are_prefetched_transitively() -> None:
    repo, index, metadata, _ = repository(
        {"a": {"1": {"requires": ["b", "c"]}}, "b": {"1": {"requires": ["d"]}}, "c": {"1": {}}, "d": {"1": {}}}
    )
    repo.hint(["a"])
    repo.releases("a")
    assert index.fetched == ["a", "b", "c", "d"]
    assert metadata.fetched == ["a 1", "b 1", "c 1", "d 1"]


def test_requirements_that_never_apply_are_not_prefetched() -> None:
    requires = [
        "b; sys_platform == 'win32'",
        "c; python_version < '3.9'",
        "d; extra == 'x'",
        "e @ https://x.example.org/e",
    ]
    repo, index, _, _ = repository({"a": {"1": {"requires": requires, "extras": {"y": ["f"]}}}})
    repo.hint(["a"])
    repo.releases("a")
    assert index.fetched == ["a"]


def test_the_release_that_is_fetched_fits_the_requirements() -> None:
    repo, _, metadata, _ = repository(
        {
            "a": {"1": {"requires": ["b<3"]}},
            "b": {
                "3": {},
                "2.5": {"yanked": True},
                "2.4": {"requires-python": "<3.9"},
                "2.3rc1": {},
                "2.2": {"requires-python": ">=3.8"},
                "1": {},
            },
        }
    )
    repo.hint(["a"])
    repo.releases("a")
    assert metadata.fetched == ["a 1", "b 2.2"]


def test_the_newest_release_for_given_specifiers_is_fetched_once_its_page_arrived() -> None:
    b: dict[str, dict[str, Any]] = {"1": {}, "2": {}, "3": {"yanked": True}, "4": {}, "5rc1": {}}
    repo, index, metadata, _ = repository({"a": {"1": {"requires": ["b>3"]}}, "b": b})
    wanted = [parse_dependency(text).specifier for text in ("b>1", "b<4")]
    index.hidden.add("b")
    repo.hint_matching("b", wanted)
    assert metadata.fetched == []
    index.hidden.clear()
    repo.hint(["a"])
    repo.releases("a")
    assert metadata.fetched == ["a 1", "b 4"]
    for _ in range(2):
        repo.hint_matching("b", wanted)
    assert metadata.fetched == ["a 1", "b 4", "b 2"]


def test_what_applies_outside_the_universe_alone_is_not_prefetched() -> None:
    packages: dict[str, dict[str, Any]] = {"a": {"1": {"requires": ["b; platform_system == 'Darwin'"]}}, "b": {"1": {}}}
    repo, index, _, _ = repository(packages)
    repo.hint_requirements([parse_dependency("a")], MarkerSet.parse("platform_system == 'Linux'"))
    repo.releases("a")
    assert index.fetched == ["a"]


def test_what_extras_require_is_prefetched_whenever_they_are_requested() -> None:
    packages: dict[str, dict[str, Any]] = {
        "a": {"1": {"requires": ["b", "c"]}},
        "b": {
            "1": {"requires": ["self-reference; extra == 'all'"], "extras": {"x": ["d"], "all": ["b[x]"], "y": ["e"]}}
        },
        "c": {"1": {"requires": ["b[all]"]}},
        "d": {"1": {}},
        "self-reference": {"1": {}},
    }
    repo, index, metadata, _ = repository(packages)
    repo.hint(["a"])
    repo.releases("a")
    assert index.fetched == ["a", "b", "c", "self-reference", "d"], "`e` is not requested"
    assert metadata.fetched == ["a 1", "b 1", "c 1", "self-reference 1", "d 1"]


def test_what_new_extras_of_a_release_require_is_prefetched_after_its_facts_were_read() -> None:
    packages: dict[str, dict[str, Any]] = {
        "a": {"1": {"extras": {"x": ["d"]}}},
        "b": {"1": {"requires": ["a[x]"]}},
        "d": {"1": {}},
    }
    repo, index, _, _ = repository(packages)
    repo.hint(["a"])
    repo.releases("a")
    assert repo.facts("a", Version("1")) is not None
    repo.hint(["b"])
    repo.releases("b")
    assert index.fetched == ["a", "b", "d"]


def test_specifiers_and_extras_of_the_roots_count_unless_there_are_alternatives() -> None:
    packages: dict[str, dict[str, Any]] = {
        "a": {"2": {}, "1": {"extras": {"x": ["c"]}}},
        "b": {"2": {}, "1": {}},
        "c": {"1": {}},
    }
    repo, index, metadata, _ = repository(packages)
    repo.hint_requirements([parse_dependency(text) for text in ("a[x]<2", "b<1", "b<2")], LINUX)
    repo.releases("a")
    assert index.fetched == ["a", "b", "c"]
    assert metadata.fetched == ["a 1", "b 2", "c 1"]


def test_a_release_is_fetched_for_each_python_where_the_project_is_required() -> None:
    releases = {
        "4": {"requires-python": ">=3.12"},
        "3": {"requires-python": ">=3.12"},
        "2": {"requires-python": ">=3.11"},
        "1": {"requires-python": ">=3.8"},
        "0": {},
    }
    packages: dict[str, dict[str, Any]] = {
        "a": {"1": {"requires": ["b", "c; python_version >= '3.11'"]}},
        "b": releases,
        "c": releases,
    }
    repo, _, metadata, _ = repository(packages)
    repo.hint(["a"])
    repo.releases("a")
    assert metadata.fetched == ["a 1", "b 4", "b 2", "b 1", "c 4", "c 2"]


def test_failures_while_prefetching_are_reported_on_use_only() -> None:
    repo, index, _, notes = repository(
        {"a": {"1": {"requires": ["b", "nowhere", "c"]}}, "b": {"2": {"broken": True}}, "c": {"1": {"requires": ["?"]}}}
    )
    repo.hint(["a"])
    repo.releases("a")
    assert index.fetched == ["a", "b", "nowhere", "c"]
    assert (notes.texts, repo.stepped_over, repo.not_found) == ([], {}, {})
    assert repo.facts("b", Version("2")) is None
    assert list(repo.stepped_over) == [("b", Version("2"))]
    assert not repo.releases("nowhere").versions
    assert list(repo.not_found) == ["nowhere"]


def test_while_one_page_is_coming_the_news_of_others_is_followed() -> None:
    packages: dict[str, dict[str, Any]] = {"a": {"1": {}}, "b": {"1": {"requires": ["c"]}}, "c": {"1": {}}}
    asked_for_c = threading.Event()

    class Slow(Index):
        """`a` does not come before `c` is asked for."""

        def fetch(self, names: Iterable[str], heard: Callable[[str], object]) -> None:
            for name in names:
                self.fetched.append(name)
                if name == "b":
                    threading.Timer(0.05, heard, [name]).start()
                if name == "c":
                    asked_for_c.set()

        def is_coming(self, name: str) -> bool:
            return name == "a" and not asked_for_c.is_set()

    repo, index, _, _ = repository(packages, index=Slow(packages))
    repo.hint(["a", "b"])
    repo.releases("a")
    assert index.fetched == ["a", "b", "c"]


def test_while_one_release_is_built_those_that_are_needed_as_well_are_begun() -> None:
    sdist: dict[str, Any] = {"wheels": [], "sdist": True}
    repo, _, metadata, _ = repository(
        {
            "a": {"1": {"requires": ["b==1", "c<2", "d>=1", "e==1", "f==1; sys_platform == 'win32'"]}},
            "b": {"1": sdist, "2": sdist},
            "c": {"1": {**sdist, "requires": ["g==1"]}, "2": sdist},
            "d": {"1": sdist, "2": sdist},
            "e": {"1": {}},
            "f": {"1": sdist},
            "g": {"1": sdist},
            "h": {"1": sdist, "2": sdist},
        }
    )
    repo.hint_requirements([parse_dependency("a"), parse_dependency("h<2")], LINUX)
    assert metadata.built == [], "nothing is built before something needs a build"
    assert repo.facts("a", Version("1")) is not None
    assert metadata.built == []
    assert repo.facts("b", Version("1")) is not None
    assert metadata.built[0] == "b 1"
    # The metadata of `c` have been fetched ahead, so what these require counts, too.
    assert sorted(metadata.built[1:]) == ["c 1", "g 1", "h 1"]


def test_no_more_releases_are_built_ahead_than_may_be_built() -> None:
    sdist: dict[str, Any] = {"wheels": [], "sdist": True}
    repo, _, metadata, _ = repository({"a": {str(n): sdist for n in range(20)}})
    repo._built["a"] = (0, 5)
    assert repo.facts("a", Version("19")) is not None, "its metadata are static"
    assert metadata.built == []
