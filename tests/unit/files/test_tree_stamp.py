"""A stamp differs where a build of the tree could have another result, and stays where it could not."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from lockset.files import tree_stamp as module
from lockset.files.tree_stamp import tree_stamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "src" / "app").mkdir(parents=True)
    (folder / "setup.py").write_text("setup()")
    (folder / "src" / "app" / "__init__.py").write_text("")
    return folder


def stamp(tree: Path, **environ: str) -> str | None:
    return tree_stamp(str(tree), environ)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file's content, of the same size": lambda tree: (tree / "setup.py").write_text("setuP()"),
    "a new file": lambda tree: (tree / "src" / "requirements.txt").write_text("a"),
    "a new hidden file": lambda tree: (tree / ".env").write_text("a"),
    "a package that is called like a folder of builds": lambda tree: _write(tree / "build" / "__init__.py"),
    "a file that is gone": lambda tree: (tree / "setup.py").unlink(),
    "a file that is moved": lambda tree: (tree / "setup.py").rename(tree / "src" / "setup.py"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_build_reads_changes_the_stamp(change: str, tree: Path) -> None:
    before = stamp(tree)
    CHANGES[change](tree)
    assert None is not before != stamp(tree)


KEPT: dict[str, Callable[[Path], object]] = {
    "the same content, written again": lambda tree: (tree / "setup.py").write_text("setup()"),
    "a lock file": lambda tree: (tree / "pylock.toml").write_text("x"),
    "compiled modules": lambda tree: _write(tree / "src" / "__pycache__" / "x.pyc"),
    "built files": lambda tree: _write(tree / "build" / "lib" / "app.py"),
    "what builds write": lambda tree: _write(tree / "src" / "app.egg-info" / "PKG-INFO"),
    "an environment": lambda tree: _write(tree / "env" / "pyvenv.cfg"),
    "a folder of a tool": lambda tree: _write(tree / ".mypy_cache" / "x"),
}


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("x")


@pytest.mark.parametrize("change", KEPT)
def test_what_no_build_reads_keeps_the_stamp(change: str, tree: Path) -> None:
    before = stamp(tree)
    KEPT[change](tree)
    assert None is not before == stamp(tree)


def test_a_large_file_is_compared_by_size_and_time(tree: Path) -> None:
    large = tree / "data"
    large.write_bytes(b"0" * 200_000)
    before = stamp(tree)
    large.write_bytes(b"1" * 200_000)
    os.utime(large, ns=(0, 12345))
    assert stamp(tree) != before


def test_variables_count_unless_they_differ_between_shells(tree: Path) -> None:
    assert stamp(tree) == stamp(tree, SHLVL="2", LOCKSET_CACHE_DIR="x")
    assert stamp(tree) != stamp(tree, APP_VERSION="1")


def test_commits_and_tags_count(tree: Path, tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    git("init", "--quiet")
    git("add", "-A")
    git("commit", "-qm", "one")
    stamps = [stamp(tree)]
    git("commit", "-qm", "two", "--allow-empty")
    stamps.append(stamp(tree))
    git("tag", "v1")
    stamps.append(stamp(tree))
    assert len({*stamps}) == 3
    git("worktree", "add", "-q", "other")
    assert stamp(tmp_path / "other" / "tree") is not None


def test_a_tree_that_is_not_seen_as_a_whole_has_no_stamp(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "link").symlink_to(tree.parent, target_is_directory=True)
    assert stamp(tree) is None
    (tree / "link").unlink()
    assert stamp(tree) is not None
    monkeypatch.setattr(module, "_MOST", 2)
    assert stamp(tree) is None
    assert stamp(tree / "nowhere") is None
