"""Who published the packages of two lock files, and whether that is still the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.lockfile.diff import compare_locks
from lockset.lockfile.publishers import keep_identities, publisher_changes, recorded_identities
from lockset.lockfile.read import read_document
from support.builders import locked_package, make_lock, make_wheel

if TYPE_CHECKING:
    from lockset.lockfile.model import Pylock

ORG = {"kind": "GitHub", "repository": "org/a", "workflow": "release.yml"}
THIEF = {"kind": "GitHub", "repository": "thief/a", "workflow": "release.yml"}
GOOGLE = {"kind": "Google", "email": "a@example.org"}


def lock(version: str = "1.0", *identities: dict[str, Any], name: str = "a") -> Pylock:
    entry = locked_package(name, version, wheels=[make_wheel(name, version)])
    if identities:
        entry["attestation-identities"] = list(identities)
    return read_document(make_lock([entry])).lock


def changes(old: Pylock, new: Pylock) -> list[tuple[str, list[str], list[str]]]:
    return [(one.kind, list(map(str, one.old)), list(map(str, one.new))) for one in publisher_changes(old, new)]


def test_another_repository_is_another_publisher() -> None:
    assert changes(lock("1.0", ORG), lock("2.0", THIEF)) == [
        ("changed", ["GitHub org/a release.yml"], ["GitHub thief/a release.yml"])
    ]


def test_a_further_publisher_is_a_change_and_one_fewer_is_none() -> None:
    assert changes(lock("1.0", ORG), lock("2.0", ORG, GOOGLE)) == [
        ("changed", ["GitHub org/a release.yml"], ["Google a@example.org"])
    ]
    assert changes(lock("1.0", ORG, GOOGLE), lock("2.0", GOOGLE)) == []


def test_a_publisher_that_is_not_recorded_any_more_is_lost() -> None:
    assert changes(lock("1.0", ORG), lock("2.0")) == [("lost", ["GitHub org/a release.yml"], [])]


def test_what_the_certificate_does_not_prove_is_no_change() -> None:
    circle = {"kind": "CircleCI", "project_id": "p", "pipeline_definition_id": "d"}
    assert changes(lock("1.0", {**ORG, "environment": "a"}), lock("2.0", {**ORG, "environment": "b"})) == []
    old, new = ({**circle, "vcs_ref": f"refs/tags/v{number}"} for number in (1, 2))
    assert changes(lock("1.0", old), lock("2.0", new)) == []


def test_packages_that_had_no_publisher_or_are_new_have_no_change() -> None:
    assert changes(lock("1.0"), lock("2.0", ORG)) == []
    assert changes(lock("1.0", name="b"), lock("1.0", ORG)) == []
    assert changes(lock("1.0", ORG), lock("1.0", name="b")) == []


def test_identities_of_other_tools_do_not_end_in_an_error() -> None:
    odd = {"kind": "Forge", "x": [1], "y": {"z": 1}, "repository": "r"}
    assert changes(lock("1.0", odd), lock("2.0", odd)) == []
    assert changes(lock("1.0", odd), lock("2.0", ORG)) == [
        ("changed", ["Forge repository=r"], ["GitHub org/a release.yml"])
    ]


def test_a_comparison_of_lock_files_has_the_changes() -> None:
    result = compare_locks(lock("1.0", ORG), lock("1.0", THIEF))
    assert result.is_empty
    assert [one.kind for one in result.publishers] == ["changed"]
    assert compare_locks(lock("1.0", ORG), lock("1.0", ORG)).publishers == ()


def test_identities_are_kept_where_the_files_are_the_same() -> None:
    kept = keep_identities(lock("1.0"), lock("1.0", ORG))
    assert list(map(str, recorded_identities(kept.packages))) == ["GitHub org/a release.yml"]


def test_identities_are_not_kept_for_other_files_or_another_version() -> None:
    other = make_wheel("a", "1.0", files={"more.py": "1"})
    changed = read_document(make_lock([locked_package("a", wheels=[other])])).lock
    more = read_document(
        make_lock([locked_package("a", wheels=[make_wheel("a", "1.0"), make_wheel("a", "1.0", tags="py2-none-any")])])
    ).lock
    for new in (changed, more, lock("2.0")):
        assert recorded_identities(keep_identities(new, lock("1.0", ORG)).packages) == ()
    assert keep_identities(more, lock("1.0")) is more
