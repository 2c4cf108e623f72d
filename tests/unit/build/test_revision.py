"""What names mean in a git repository."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from lockset.build.revision import commit_of
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run([*command, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits: a plain and an annotated tag on the first, a branch on the second."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "one")
    git(folder, "tag", "plain")
    git(folder, "tag", "-a", "annotated", "-m", "told")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "two")
    git(folder, "branch", "topic/x")
    return folder


def meant(repository: Path, revision: str | None) -> str:
    return commit_of(repository.as_uri(), revision, what="a", environ=dict(os.environ))


def test_branches_tags_and_ids_mean_commits(repository: Path) -> None:
    one, two = git(repository, "rev-parse", "HEAD~1"), git(repository, "rev-parse", "HEAD")
    assert meant(repository, None) == two
    assert meant(repository, "topic/x") == two
    assert meant(repository, "plain") == one
    assert meant(repository, "annotated") == one, "the commit, not the tag's own object"
    assert meant(repository, one[:8]) == one
    assert meant(repository, "f" * 40) == "f" * 40, "a full id is what it is; checking it out will tell"


@pytest.mark.parametrize(
    ("revision", "code"),
    [("nowhere", "revision-unknown"), ("deadbeef", "revision-unknown"), ("--upload-pack=touch", "vcs-refused")],
)
def test_what_means_nothing_is_refused(revision: str, code: str, repository: Path) -> None:
    with pytest.raises(LocksetError) as caught:
        meant(repository, revision)
    assert caught.value.diagnostic.code == code


def test_an_empty_repository_has_no_default_branch(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(LocksetError) as caught:
        meant(tmp_path, None)
    assert caught.value.diagnostic.code == "revision-unknown"


def test_a_repository_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocksetError) as caught:
        meant(tmp_path / "none", None)
    assert caught.value.diagnostic.code == "vcs-failed"
    assert "none" in (caught.value.diagnostic.place or "")
