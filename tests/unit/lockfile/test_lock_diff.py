"""What changed between two lock files, and what does not count."""

from __future__ import annotations

import re

from lockset.lockfile.diff import LockDiff, compare_locks
from lockset.lockfile.read import read_document

TOP = 'lock-version = "1.0"\ncreated-by = "hand"\n'
A, B = "a" * 64, "b" * 64


def package(name: str = "sample", version: str = "1.0", *, marker: str = "", digest: str = A, tag: str = "py3") -> str:
    file = f'{{path = "{name}-{version}-{tag}-none-any.whl", hashes = {{sha256 = "{digest}"}}}}'
    condition = f'marker = "{marker}"\n' if marker else ""
    return f'[[packages]]\nname = "{name}"\nversion = "{version}"\n{condition}wheels = [{file}]\n'


def between(old: str, new: str) -> LockDiff:
    return compare_locks(
        read_document(TOP + (old or "packages = []")).lock, read_document(TOP + (new or "packages = []")).lock
    )


def kinds(lock_diff: LockDiff) -> list[tuple[str, ...]]:
    return [(change.name, *change.kinds) for change in lock_diff.changes]


def test_order_creator_and_tools_do_not_count() -> None:
    old = package("alpha") + package("beta")
    new = package("beta") + "[packages.tool.x]\ny = 1\n" + package("alpha")
    assert between(old, new).is_empty


def test_packages_come_and_go() -> None:
    assert kinds(between(package("alpha"), package("beta"))) == [("alpha", "removed"), ("beta", "added")]


def test_a_new_version_is_one_change_with_its_files() -> None:
    [change] = between(package(), package(version="1.1", digest=B)).changes
    assert change.kinds == ("version", "files")
    assert change.files_added == ("sample-1.1-py3-none-any.whl",)
    assert change.files_removed == ("sample-1.0-py3-none-any.whl",)


def test_changed_hashes_of_a_file_are_reported() -> None:
    [change] = between(package(), package(digest=B)).changes
    assert change.kinds == ("files",)
    assert change.files_changed == ("sample-1.0-py3-none-any.whl",)


def test_entries_of_one_name_are_paired_by_version_and_marker() -> None:
    old = package(marker="os_name == 'nt'") + package(version="2.0", marker="os_name != 'nt'", digest=B)
    new = package(marker="os_name == 'nt'") + package(version="2.1", marker="os_name != 'nt'", digest=B)
    [change] = between(old, new).changes
    assert change.old is not None
    assert change.new is not None
    assert (str(change.old.version), str(change.new.version)) == ("2.0", "2.1")
    assert kinds(between(package(), package(marker="os_name == 'nt'"))) == [("sample", "marker")]


def test_keys_at_the_top_are_compared() -> None:
    old, new = (
        read_document(TOP + "packages = []\n").lock,
        read_document(TOP + 'requires-python = ">=3.9"\npackages = []\n').lock,
    )
    assert compare_locks(old, new).top == {"requires-python": (None, ">=3.9")}
    assert compare_locks(new, old).top == {"requires-python": (">=3.9", None)}


def test_a_commit_and_a_path_are_sources() -> None:
    vcs = '[[packages]]\nname = "a"\nvcs = {type = "git", url = "https://git.example.org/a", commit-id = "%s"}\n'
    assert kinds(between(vcs % ("a" * 40), vcs % ("b" * 40))) == [("a", "source")]
    directory = '[[packages]]\nname = "a"\ndirectory = {path = "."}\n'
    assert kinds(between(vcs % ("a" * 40), directory)) == [("a", "source")]
    archive = f'[[packages]]\nname = "a"\narchive = {{path = "a.zip", hashes = {{sha256 = "{A}"}}}}\n'
    assert kinds(between(archive, re.sub("a.zip", "b.zip", archive))) == [("a", "source", "files")]
