"""The releases that alone meet a requirement."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from lockset.resolve.problem.requirement import Specifier
from lockset.resolve.releases.repository import Releases
from lockset.resolve.releases.sole_releases import ROOT, RecentRequirements, sole_release


def of(text: str) -> Specifier:
    return Specifier.of(SpecifierSet(text))


@pytest.mark.parametrize(
    ("specifiers", "sole"),
    [
        (["==1.0"], "1.0"),
        (["<2"], "1.0"),
        ([">=1"], None),
        ([">=1", "<2"], "1.0"),
        (["==2.0"], None),
        (["==4.0b1"], None),
        (["==9"], None),
        ([], None),
    ],
)
def test_it_is_final_not_yanked_and_the_only_match(specifiers: list[str], sole: str | None) -> None:
    versions = [Version(text) for text in ("4.0b1", "3.0", "2.0", "1.0")]
    releases = Releases(name="a", versions=versions, stable=0b1110, yanked=0b0100)
    found = sole_release(releases, [of(text) for text in specifiers])
    assert found == (None if sole is None else Version(sole))


def test_each_of_the_last_releases_counts_together_with_the_project() -> None:
    recent = RecentRequirements()
    recent.put(ROOT, ROOT, [("a", of("<9"))])
    for version in range(5):
        recent.put("b", str(version), [("a", of(f"=={version}")), (f"only-of-{version}", of(""))])
    assert recent.names() == {"a", "only-of-2", "only-of-3", "only-of-4"}
    assert recent.alternatives("a") == {
        frozenset({of("<9")}),
        *(frozenset({of("<9"), of(f"=={version}")}) for version in (2, 3, 4)),
    }
    assert recent.alternatives("c") == set()
