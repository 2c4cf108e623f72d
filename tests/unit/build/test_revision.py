"""What names mean in a git repository."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from lockset.build.checkout import checkout
from lockset.build.revision import commit_of
from lockset.composition.connections import connect
from lockset.composition.conversions.live_remote import LiveRemote
from lockset.errors import LocksetError
from lockset.index.options import IndexOptions

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command


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
    return commit_of(repository.as_uri(), revision, what="a", environ=dict(os.environ), offline=False)


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
    [("nowhere", "unknown-revision"), ("deadbeef", "unknown-revision"), ("--upload-pack=touch", "vcs-refused")],
)
def test_what_means_nothing_is_refused(revision: str, code: str, repository: Path) -> None:
    with pytest.raises(LocksetError) as caught:
        meant(repository, revision)
    assert caught.value.diagnostic.code == code


def test_an_empty_repository_has_no_default_branch(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(LocksetError) as caught:
        meant(tmp_path, None)
    assert caught.value.diagnostic.code == "unknown-revision"


def test_a_repository_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocksetError) as caught:
        meant(tmp_path / "none", None)
    assert caught.value.diagnostic.code == "vcs-failed"
    assert "none" in (caught.value.diagnostic.location or "")


def test_a_branch_goes_before_a_tag_of_its_name_wherever_the_name_is_requested(repository: Path) -> None:
    one, two = git(repository, "rev-parse", "HEAD~1"), git(repository, "rev-parse", "HEAD")
    for tag in (("v1",), ("-a", "v1", "-m", "told")):
        git(repository, "tag", *tag, one)
        assert meant(repository, "v1") == one
        git(repository, "branch", "v1", two)
        assert meant(repository, "v1") == two
        connection = connect(IndexOptions(), cache=None, clock=lambda: 0.0, environ={})
        assert LiveRemote(connection, offline=False).commit(repository.as_uri(), "v1") == two
        connection.close()
        git(repository, "branch", "-D", "v1")
        git(repository, "tag", "-d", "v1")


@pytest.mark.parametrize("tag", [("v1",), ("-a", "v1", "-m", "told")])
def test_a_whole_reference_means_the_commit(repository: Path, tag: tuple[str, ...]) -> None:
    one = git(repository, "rev-parse", "HEAD~1")
    git(repository, "tag", *tag, one)
    git(repository, "branch", "v1", "HEAD")
    assert meant(repository, "refs/tags/v1") == one
    assert meant(repository, "refs/heads/v1") == git(repository, "rev-parse", "HEAD")


ELSEWHERE = [
    "https://host.example.org/a.git",
    "git+https://user:secret@host.example.org/a.git",
    "http://host.example.org/a",
    "ssh://git@host.example.org/a",
    "git@host.example.org:a.git",
    "git://host.example.org/a",
]


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `git` that leaves a mark, and can do nothing."""
    mark, program = tmp_path / "called", tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {mark}\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return mark


@pytest.mark.parametrize("url", ELSEWHERE)
def test_offline_git_is_not_called_for_a_repository_elsewhere(url: str, called: Path, tmp_path: Path) -> None:
    environ = dict(os.environ)
    for call in (
        lambda: commit_of(url, "main", what="a", environ=environ, offline=True),
        lambda: checkout("git", url, "0" * 40, tmp_path / "tree", what="a", environ=environ, offline=True),
    ):
        with pytest.raises(LocksetError) as caught:
            call()
        assert caught.value.diagnostic.code == "offline"
        assert "secret" not in repr(caught.value.diagnostic)
    assert not called.exists()


@pytest.mark.parametrize("url", ELSEWHERE[:4])
@pytest.mark.parametrize("revision", ["", "@main", f"@{'0' * 40}"])
def test_lock_offline_does_not_call_git_for_a_repository_elsewhere(
    cli: Command, called: Path, tmp_path: Path, url: str, revision: str
) -> None:
    (tmp_path / "requirements.in").write_text(f"hull @ git+{url.removeprefix('git+')}{revision}\n")
    paragraph = cli.refused("lock", "requirements.in", "--python", ">=3.10", "--offline", "--no-index")
    assert "network is disabled" in paragraph
    assert "secret" not in paragraph
    assert not called.exists()


def test_lock_offline_reads_a_repository_on_this_machine_but_nothing_behind_it(
    cli: Command, repository: Path, tmp_path: Path
) -> None:
    (repository / "pyproject.toml").write_text('[project]\nname = "hull"\nversion = "1.0"\n')
    git(repository, "add", "pyproject.toml")
    git(repository, "commit", "--quiet", "-m", "three")
    (tmp_path / "requirements.in").write_text(f"hull @ git+{repository.as_uri()}\n")
    lock = ("lock", "requirements.in", "--python", ">=3.10", "--offline", "--no-index")
    cli.ok(*lock)
    modules = '[submodule "x"]\n\tpath = x\n\turl = https://host.example.org/x.git\n'
    (repository / ".gitmodules").write_text(modules)
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},x")
    git(repository, "add", ".gitmodules")
    git(repository, "commit", "--quiet", "-m", "four")
    assert "not allowed" in cli.refused(*lock, "--upgrade")
