"""`lockset diff` with revisions of git, as `git diff` takes them."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.builders import make_lock

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command


def lock(version: str) -> str:
    return make_lock([{"name": "tree", "version": version, "directory": {"path": "./tree"}}])


def git(folder: Path, *arguments: str) -> None:
    settings = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True, env=dict(os.environ))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Versions 1 and 2 on main, 3 on a branch from the first commit, 4 in the working folder."""
    git(tmp_path, "init", "-q", "-b", "main")
    for branch, version in ((None, "1"), (None, "2"), ("feature", "3")):
        if branch is not None:
            git(tmp_path, "checkout", "-q", "-b", branch, "HEAD~1")
        (tmp_path / "pylock.toml").write_text(lock(version))
        git(tmp_path, "add", "pylock.toml")
        git(tmp_path, "commit", "-q", "-m", version)
    (tmp_path / "pylock.toml").write_text(lock("4"))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "change"),
    [
        ((), "3 → 4"),
        (("HEAD",), "3 → 4"),
        (("HEAD~1",), "1 → 4"),
        (("main",), "2 → 4"),
        (("main..",), "2 → 3"),
        (("..main",), "3 → 2 (older)"),
        (("main...",), "1 → 3"),
        (("HEAD~1", "main"), "1 → 2"),
        (("HEAD~1", "pylock.toml"), "1 → 4"),
        (("pylock.toml", "main"), "4 → 2 (older)"),
        (("main:pylock.toml",), "2 → 4"),
        (("HEAD~1:pylock.toml", "main"), "1 → 2"),
    ],
)
def test_revisions_are_compared(repository: Path, cli: Command, arguments: tuple[str, ...], change: str) -> None:
    assert cli.ok("diff", *arguments, cwd=repository).stdout == f"~ tree {change}\n"


def test_the_lock_file_of_a_folder_above_is_compared(repository: Path, cli: Command) -> None:
    below = repository / "src" / "pkg"
    below.mkdir(parents=True)
    assert cli.ok("diff", "main", cwd=below).stdout == "~ tree 2 → 4\n"


def test_a_lock_file_with_another_name_is_compared(repository: Path, cli: Command) -> None:
    (repository / "pylock.dev.toml").write_text(lock("5"))
    git(repository, "add", "pylock.dev.toml")
    git(repository, "commit", "-q", "-m", "dev")
    (repository / "pylock.dev.toml").write_text(lock("6"))
    assert cli.ok("diff", "HEAD", "pylock.dev.toml", cwd=repository).stdout == "~ tree 5 → 6\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "There is neither a file `nowhere` nor a `pylock.toml` in that revision of git"),
        (("nowhere..main",), "There is neither a file `nowhere` nor"),
        (("nowhere...main",), "git finds no common ancestor"),
        (("absent.toml",), "absent.toml"),
        (("--", "-x..main"), "There is no file `-x..main`"),
        (("--", "main..--output=x"), "`--output=x` is not a revision"),
        (("--", "main...--all"), "`--all` is not a revision"),
    ],
)
def test_what_git_lacks_is_one_clear_error(
    repository: Path, cli: Command, arguments: tuple[str, ...], message: str
) -> None:
    done = cli("diff", *arguments, cwd=repository)
    assert done.code == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (repository / "x").exists()


def test_a_file_that_was_never_committed_is_reported(tmp_path: Path, cli: Command) -> None:
    (tmp_path / "pylock.toml").write_text(lock("1"))
    outside = cli("diff", cwd=tmp_path)
    assert (outside.code, outside.stdout) == (1, "")
    git(tmp_path, "init", "-q")
    done = cli("diff", cwd=tmp_path)
    assert done.code == 1
    assert "git has no `pylock.toml` in the last commit" in done.stderr
    assert "lockset diff OLD NEW" in done.stderr


def test_formats_go_where_they_belong(repository: Path, cli: Command) -> None:
    assert cli.ok("diff", "--format", "html", cwd=repository).stdout == ""
    assert (repository / "lockset-diff.html").read_text("utf-8").startswith("<!doctype html>")
    cli.ok("diff", "-o", "review.md", cwd=repository)
    assert (repository / "review.md").read_text("utf-8").startswith("**1 updated**")
    assert cli.ok("diff", "--format", "json", cwd=repository).json()["changes"][0]["name"] == "tree"
    refused = cli("diff", "-o", "review.txt", cwd=repository)
    assert refused.code == 2
    assert "A file needs a format" in refused.stderr


def test_names_of_files_are_shown_only_when_verbose(tmp_path: Path, cli: Command) -> None:
    def with_tags(*tags: str) -> str:
        wheels = [{"url": f"https://files.example.org/a-1-{tag}.whl", "hashes": {"sha256": "a" * 64}} for tag in tags]
        return make_lock([{"name": "a", "version": "1", "wheels": wheels}])

    (tmp_path / "pylock.old.toml").write_text(with_tags("py3-none-any"))
    (tmp_path / "pylock.toml").write_text(with_tags("py3-none-any", "py2-none-any", "py30-none-any"))
    short = cli.ok("diff", "pylock.old.toml").stdout
    assert short == "~ a 1\n    files added: 2\n"
    assert "a-1-py2-none-any.whl, a-1-py30-none-any.whl" in cli.ok("diff", "pylock.old.toml", "-v").stdout


def test_without_a_lock_file_the_folder_that_was_searched_is_named(cli: Command, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert f"There is no pylock.toml in {folder} or above it" in cli.refused("diff", cwd=folder)
