"""`lockset merge-driver`, called by a real git in real merges."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tomli

from lockset.api.merge import write_merge_version
from lockset.errors import LocksetError
from support.command import Command
from support.posix import make_pipe

if TYPE_CHECKING:
    from support.local_index import LocalIndex

DEPENDENCIES = ("a", "b", "c", "d", "e", "f")


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A git repository with a project that is locked, and the driver set up."""

    folder: Path
    index: str
    cli: Command

    def git(self, *arguments: str, code: int | None = 0, **environ: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**os.environ, "LOCKSET_DEFAULT_INDEX": self.index, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def write(self, *dependencies: str, more: str = "") -> None:
        listed = "".join(f"    {one!r},\n" for one in dependencies)
        text = f'[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = [\n{listed}]\n'
        (self.folder / "pyproject.toml").write_text(text + more)

    def lock(self, *options: str) -> None:
        self.cli.ok("lock", "-i", self.index, "--refresh", *options, cwd=self.folder)

    def commit(self, branch: str | None, *dependencies: str, more: str = "") -> None:
        """Commit the project with these dependencies, and its lock, on a branch."""
        if branch is not None:
            self.git("checkout", "-q", "-B", branch, "main" if branch != "main" else "HEAD")
        self.write(*dependencies, more=more)
        self.lock()
        self.git("add", "-A")
        self.git("commit", "-qm", f"{branch}: {', '.join(dependencies)}")

    @property
    def text(self) -> str:
        return (self.folder / "pylock.toml").read_text()

    @property
    def locked(self) -> dict[str, str]:
        return {package["name"]: package["version"] for package in tomli.loads(self.text)["packages"]}


@pytest.fixture
def repository(tmp_path: Path, cli: Command, local_index: LocalIndex) -> Repository:
    for name in (*DEPENDENCIES, "ours", "theirs"):
        local_index.world.add(name, "1.0")
    folder = tmp_path / "repository"
    folder.mkdir()
    made = Repository(folder=folder, index=local_index.url, cli=cli)
    made.git("init", "-q", "-b", "main")
    for key, value in (("user.name", "a"), ("user.email", "a@example.org"), ("commit.gpgsign", "false")):
        made.git("config", key, value)
    cli.ok("merge-driver", "--install", cwd=folder)
    made.commit(None, *DEPENDENCIES)
    return made


def two_branches(repository: Repository) -> None:
    """A branch that adds a package at the front, and main, which adds one at the end."""
    repository.commit("other", "theirs", *DEPENDENCIES)
    repository.git("checkout", "-q", "main")
    repository.commit(None, *DEPENDENCIES, "ours")


def test_two_branches_that_each_add_a_package_merge_without_a_conflict(
    repository: Repository, local_index: LocalIndex
) -> None:
    two_branches(repository)
    for name in DEPENDENCIES:
        local_index.world.add(name, "2.0")  # the pins of both sides are kept
    assert "Merged pylock.toml: 8 packages" in repository.git("merge", "other", "-m", "both")
    assert repository.locked == dict.fromkeys((*DEPENDENCIES, "ours", "theirs"), "1.0")
    assert repository.git("status", "--short") == ""
    repository.cli.ok("lock", "--check", cwd=repository.folder)
    repository.cli.ok("validate", "pylock.toml", "--strict", cwd=repository.folder)


def test_without_the_driver_the_same_merge_leaves_a_conflict_or_a_stale_lock(repository: Repository) -> None:
    repository.cli.ok("merge-driver", "--uninstall", cwd=repository.folder)
    repository.git("add", "-A")
    repository.git("commit", "-qm", "no driver")
    two_branches(repository)
    repository.git("merge", "other", "-m", "both", code=None)
    assert repository.cli("lock", "--check", cwd=repository.folder).code == 1


def test_what_one_side_upgraded_stays_upgraded(repository: Repository, local_index: LocalIndex) -> None:
    local_index.world.add("a", "2.0").add("b", "2.0")
    repository.git("checkout", "-q", "-b", "other")
    repository.lock("-P", "a")
    repository.git("commit", "-qam", "a")
    repository.git("checkout", "-q", "main")
    repository.lock("-P", "b")
    repository.git("commit", "-qam", "b")
    repository.git("merge", "other", "-m", "both")
    assert (repository.locked["a"], repository.locked["b"], repository.locked["c"]) == ("2.0", "2.0", "1.0")


@pytest.mark.parametrize("way", [("rebase", "main", "other"), ("cherry-pick", "other")])
def test_a_rebase_and_a_cherry_pick_merge_the_project_of_their_commit(
    repository: Repository, way: tuple[str, ...]
) -> None:
    two_branches(repository)
    repository.git(*way)
    assert set(repository.locked) == {*DEPENDENCIES, "ours", "theirs"}
    repository.cli.ok("lock", "--check", cwd=repository.folder)


def test_a_stash_is_merged_with_the_project_of_the_stash(repository: Repository) -> None:
    repository.write("theirs", *DEPENDENCIES)
    repository.lock()
    repository.git("stash")
    repository.commit(None, *DEPENDENCIES, "ours")
    repository.git("stash", "pop")
    assert set(repository.locked) == {*DEPENDENCIES, "ours", "theirs"}


def test_a_conflict_of_the_project_is_named_and_leaves_the_markers_of_git(repository: Repository) -> None:
    repository.commit("other", *DEPENDENCIES, "theirs")
    repository.git("checkout", "-q", "main")
    repository.commit(None, *DEPENDENCIES, "ours")
    output = repository.git("merge", "other", code=1)
    assert "pyproject.toml has a merge conflict, too" in output
    assert "<<<<<<<" in repository.text
    assert repository.git("status", "--short").split() == ["UU", "pylock.toml", "UU", "pyproject.toml"]
    repository.write(*DEPENDENCIES, "ours", "theirs")
    repository.lock()
    assert set(repository.locked) == {*DEPENDENCIES, "ours", "theirs"}


def test_requirements_that_do_not_fit_together_leave_the_markers_of_git(
    repository: Repository, local_index: LocalIndex
) -> None:
    local_index.world.add("theirs", "2.0", requires=["a<1"])
    repository.git("checkout", "-q", "-b", "other")
    repository.write("theirs<2", *DEPENDENCIES)
    repository.lock()
    repository.git("commit", "-qam", "theirs")
    repository.git("checkout", "-q", "main")
    repository.commit(None, *DEPENDENCIES, "ours", more='[tool.lockset]\noverrides = ["b", "theirs==3"]\n')
    output = repository.git("merge", "other", code=1)
    assert "error" in output
    assert "Traceback" not in output
    assert "<<<<<<<" in repository.text


def test_an_index_that_is_down_leads_to_markers_and_not_to_waiting(repository: Repository) -> None:
    two_branches(repository)
    down = {"LOCKSET_DEFAULT_INDEX": "http://127.0.0.1:9/simple/", "LOCKSET_NO_CACHE": "1", "LOCKSET_RETRIES": "0"}
    output = repository.git("merge", "other", code=1, **down)
    assert "error" in output
    assert "<<<<<<<" in repository.text


def test_offline_a_merge_uses_the_cache(repository: Repository) -> None:
    two_branches(repository)
    repository.git("merge", "other", "-m", "both", LOCKSET_OFFLINE="1")
    assert set(repository.locked) == {*DEPENDENCIES, "ours", "theirs"}


def test_a_lock_in_a_subfolder_and_one_of_requirements_are_merged(repository: Repository) -> None:
    folder = repository.folder / "service"
    folder.mkdir()

    def lock(*names: str) -> None:
        (folder / "requirements.in").write_text("-r more.in\n" + "".join(f"{name}\n" for name in names))
        (folder / "more.in").write_text("f\n")
        options = ("-i", repository.index, "--python", ">=3.10")
        repository.cli.ok("lock", "requirements.in", *options, cwd=folder)
        repository.git("add", "-A")
        repository.git("commit", "-qm", " ".join(names))

    lock(*"abcde")
    repository.git("checkout", "-q", "-b", "other")
    lock("theirs", *"abcde")
    repository.git("checkout", "-q", "main")
    lock(*"abcde", "ours")
    output = repository.git("merge", "other", "-m", "both")
    assert "Merged service/pylock.toml" in output
    data = tomli.loads((folder / "pylock.toml").read_text())
    assert {package["name"] for package in data["packages"]} == {*"abcdef", "ours", "theirs"}


def test_constraints_of_the_command_that_both_sides_were_made_with_are_kept(
    repository: Repository, local_index: LocalIndex
) -> None:
    local_index.world.add("a", "2.0")
    (repository.folder.parent / "limits.txt").write_text("a<2\n")
    repository.git("checkout", "-q", "-b", "other")
    repository.write("theirs", *DEPENDENCIES)
    repository.lock("-c", "../limits.txt", "-U")
    repository.git("add", "-A")
    repository.git("commit", "-qm", "other")
    repository.git("checkout", "-q", "main")
    repository.write(*DEPENDENCIES, "ours")
    repository.lock("-c", "../limits.txt", "-U")
    repository.git("add", "-A")
    repository.git("commit", "-qm", "main")
    repository.git("merge", "other", "-m", "both")
    assert repository.locked["a"] == "1.0"


def test_a_lock_of_another_tool_is_left_to_it(repository: Repository) -> None:
    name = repository.folder / "pylock.other.toml"
    base = 'lock-version = "1.0"\ncreated-by = "other"\npackages = []\n'
    name.write_text(base)
    repository.git("add", "-A")
    repository.git("commit", "-qm", "other tool")
    repository.git("checkout", "-q", "-b", "other")
    name.write_text(base.replace('"other"', '"theirs"'))
    repository.git("commit", "-qam", "theirs")
    repository.git("checkout", "-q", "main")
    name.write_text(base.replace('"other"', '"ours"'))
    repository.git("commit", "-qam", "ours")
    assert "was not written by `lockset lock`" in repository.git("merge", "other", code=1)
    assert "<<<<<<<" in name.read_text()


def test_the_set_up_is_written_once_and_taken_back_whole(cli: Command, tmp_path: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    attributes, config = folder / ".gitattributes", folder / ".git" / "config"
    attributes.write_text("*.png binary")
    before = config.read_text()
    cli.ok("merge-driver", "--install", cwd=folder)
    written = attributes.read_text()
    assert written == "*.png binary\npylock.toml merge=lockset\npylock.*.toml merge=lockset\n"
    assert "already" in cli.ok("merge-driver", "--install", cwd=folder).stderr
    assert attributes.read_text() == written
    cli.ok("merge-driver", "--uninstall", cwd=folder)
    assert (attributes.read_text(), config.read_text()) == ("*.png binary\n", before)
    assert "no merge driver" in cli.ok("merge-driver", "--uninstall", cwd=folder).stderr


def test_the_set_up_for_a_user_needs_no_repository(cli: Command, tmp_path: Path) -> None:
    cli.ok("merge-driver", "--install", "--global")
    home = tmp_path.parent
    del home
    attributes = subprocess.run(
        ["git", "check-attr", "merge", "pylock.dev.toml"], cwd=_repository(tmp_path), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert attributes.stdout.strip().endswith(": merge: lockset")
    cli.ok("merge-driver", "--uninstall", "--global")
    assert "not in a git working tree" in cli.refused("merge-driver", "--install", cwd=_outside(tmp_path))


def _repository(folder: Path) -> Path:
    made = folder / "some"
    made.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=made, check=True)
    return made


def _outside(folder: Path) -> Path:
    made = folder / "outside"
    made.mkdir()
    return made


@pytest.mark.parametrize(
    "arguments",
    [(), ("a",), ("a", "b", "c", "--install"), ("--install", "--uninstall"), ("a", "b", "c", "--marker-size", "0")],
)
def test_wrong_usage_is_explained(cli: Command, arguments: tuple[str, ...]) -> None:
    cli.refused("merge-driver", *arguments, code=2)


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"[[packages]\n", b"x = 1\n"])
def test_versions_that_are_no_lock_files_leave_the_markers_of_git(repository: Repository, content: bytes) -> None:
    for name in ("base", "ours", "theirs"):
        (repository.folder / name).write_bytes(content + name.encode())
    result = repository.cli("merge-driver", "base", "ours", "theirs", "--path", "pylock.toml", cwd=repository.folder)
    assert result.code == 1
    assert "Traceback" not in result.stderr
    assert sys.getsizeof(result.stderr) < 10_000


@pytest.mark.parametrize("odd", ["pipe", "device", "folder", "missing", "huge"])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_version_that_is_not_a_regular_file_of_usual_size_is_refused_at_once(
    tmp_path: Path, odd: str, which: int
) -> None:
    files = [tmp_path / name for name in ("base", "ours", "theirs")]
    for file in files:
        file.write_text("x = 1\n")
    files[which] = Path("/dev/zero") if odd == "device" else tmp_path / odd
    if odd == "pipe":
        make_pipe(files[which])
    elif odd == "folder":
        files[which].mkdir()
    elif odd == "huge":
        with files[which].open("wb") as huge:
            huge.truncate(1 << 40)
    message = Command(cwd=tmp_path, timeout=120).refused("merge-driver", *files, "--path", "pylock.toml")
    assert str(files[which]) in message


def test_merged_text_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LocksetError, match="Cannot write"):
        write_merge_version(tmp_path, b"a folder is there")
