"""Requirements by URL or path alone: the project's name is that of the source, as for pip and uv."""

from __future__ import annotations

import subprocess
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
import tomli

from lockset.files.system import processors
from support.builders import make_sdist
from support.builders.archives import Artifact
from support.builders.sdist import source_files, write_source_tree

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex


@pytest.fixture(autouse=True)
def world(local_index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> LocalIndex:
    local_index.world.add("a", "1.0").add("b", "1.0")
    monkeypatch.setenv("LOCKSET_DEFAULT_INDEX", local_index.url)
    return local_index


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run([*command, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def repository(folder: Path, *, static: bool = False) -> str:
    """A repository of the project `computed`, whose name only its build shows, and of `inner` below; the commit."""
    write_source_tree(folder, source_files("computed", "1.0", requires_dist=["a"]))
    if static:
        text = '[project]\nname = "stated"\nversion = "1.0"\ndependencies = ["a"]\n'
        (folder / "pyproject.toml").write_text(text + (folder / "pyproject.toml").read_text())
    (folder / "below").mkdir()
    text = '[project]\nname = "inner"\nversion = "2.0"\ndependencies = ["b"]\n'
    (folder / "below" / "pyproject.toml").write_text(text)
    git(folder, "init", "--quiet")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    return git(folder, "rev-parse", "HEAD")


def entries(folder: Path, name: str = "pylock.toml") -> dict[str, dict[str, Any]]:
    return {package["name"]: package for package in tomli.loads((folder / name).read_text())["packages"]}


def write(folder: Path, *lines: str) -> None:
    (folder / "requirements.in").write_text("".join(f"{line}\n" for line in lines))


def test_a_repository_has_the_name_that_its_files_or_its_build_show(cli: Command, tmp_path: Path) -> None:
    commit = repository(tmp_path / "repo")
    url = f"git+{(tmp_path / 'repo').as_uri()}"
    write(tmp_path, url, f"-e {url}#subdirectory=below ; python_version >= '3.9'")
    notes = cli.ok("lock", "requirements.in").stderr
    assert notes.count("Building git+./repo to obtain its metadata") == 1
    assert set(entries(tmp_path)) == {"a", "b", "computed", "inner"}
    assert entries(tmp_path)["computed"]["vcs"] == {"type": "git", "path": "repo", "commit-id": commit}
    assert entries(tmp_path)["inner"]["vcs"]["subdirectory"] == "below"


def test_a_locked_commit_is_neither_fetched_nor_built_again(cli: Command, tmp_path: Path) -> None:
    repository(tmp_path / "repo")
    write(tmp_path, f"git+{(tmp_path / 'repo').as_uri()}")
    cli.ok("lock", "requirements.in")
    before = (tmp_path / "pylock.toml").read_bytes()
    (tmp_path / "repo").rename(tmp_path / "elsewhere")
    result = cli.ok("lock", "requirements.in")
    assert "Building" not in result.stderr
    assert (tmp_path / "pylock.toml").read_bytes() == before
    assert "git could not" in cli.refused("lock", "requirements.in", "--upgrade")


def test_an_upgrade_reads_the_name_again(cli: Command, tmp_path: Path) -> None:
    repository(tmp_path / "repo", static=True)
    write(tmp_path, f"git+{(tmp_path / 'repo').as_uri()}")
    cli.ok("lock", "requirements.in")
    pyproject = tmp_path / "repo" / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("stated", "renamed"))
    git(tmp_path / "repo", "commit", "-qam", "two")
    cli.ok("lock", "requirements.in")
    assert set(entries(tmp_path)) == {"a", "stated"}
    cli.ok("lock", "requirements.in", "--upgrade-package", "stated")
    assert set(entries(tmp_path)) == {"a", "renamed"}


@pytest.mark.parametrize("options", [("--no-build",), ("--only-binary", ":all:")])
def test_a_name_is_not_worth_a_build_where_builds_are_off(
    options: tuple[str, ...], cli: Command, tmp_path: Path
) -> None:
    repository(tmp_path / "repo")
    write(tmp_path, f"git+{(tmp_path / 'repo').as_uri()}")
    refusal = cli.refused("lock", "requirements.in", *options)
    assert "git+./repo need a build, but builds are off" in refusal
    assert "requirements.in:1" in refusal
    write(tmp_path, f"git+{(tmp_path / 'repo').as_uri()}#subdirectory=below")
    cli.ok("lock", "requirements.in", *options)
    assert set(entries(tmp_path)) == {"b", "inner"}


def test_a_package_that_may_not_be_built_is_refused_once_its_name_is_known(cli: Command, tmp_path: Path) -> None:
    repository(tmp_path / "repo")
    write(tmp_path, f"git+{(tmp_path / 'repo').as_uri()}")
    assert "builds are off" in cli.refused("lock", "requirements.in", "--only-binary", "computed")


def archive_of(name: str, *, suffix: str) -> bytes:
    """An archive of a source tree as forges name it: after a branch."""
    sdist = make_sdist(name, "1.0", requires_dist=["a"], dynamic=["Requires-Dist"])
    if suffix == ".tar.gz":
        return sdist.content
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in source_files(name, "1.0", requires_dist=["a"]).items():
            archive.writestr(f"{name}-main/{path}", text)
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", [".tar.gz", ".zip"])
def test_an_archive_is_named_by_its_content(suffix: str, cli: Command, tmp_path: Path) -> None:
    content = archive_of("packed", suffix=suffix)
    (tmp_path / f"main{suffix}").write_bytes(content)
    write(tmp_path, f"./main{suffix}")
    cli.ok("lock", "requirements.in")
    assert set(entries(tmp_path)) == {"a", "packed"}
    assert entries(tmp_path)["packed"]["archive"]["path"] == f"main{suffix}"


def test_an_archive_by_url_is_named_by_its_content_and_fetched_once(
    cli: Command, world: LocalIndex, tmp_path: Path
) -> None:
    artifact = Artifact(filename="main.zip", content=archive_of("packed", suffix=".zip"), metadata=b"")
    world.world.add_file("elsewhere", artifact)
    url = world.file_url("elsewhere", "main.zip")
    write(tmp_path, url)
    cli.ok("lock", "requirements.in")
    assert entries(tmp_path)["packed"]["archive"]["url"] == url
    before = (tmp_path / "pylock.toml").read_bytes()
    assert "Building" not in cli.ok("lock", "requirements.in").stderr
    assert (tmp_path / "pylock.toml").read_bytes() == before
    assert [one.method for one in world.seen if one.path.endswith("main.zip")] == ["HEAD", "GET", "HEAD"]


@pytest.mark.parametrize("place", ["requirements", "editable", "folder"])
def test_a_folder_whose_name_is_computed_is_built(place: str, cli: Command, tmp_path: Path) -> None:
    write_source_tree(tmp_path / "tree", source_files("computed", "1.0", requires_dist=["a"]))
    write(tmp_path, "b", *(["./tree"] if place == "requirements" else []))
    if place == "folder":
        (tmp_path / "tree" / "setup.py").write_text("from setuptools import setup\nsetup(name=name())\n")
        cli.ok("lock", "tree")
        assert set(entries(tmp_path)) == {"a"}
        assert "up to date" in cli.ok("lock", "--check", "tree").stderr
        return
    options = ("--editable", "./tree") if place == "editable" else ()
    cli.ok("lock", "requirements.in", *options)
    assert set(entries(tmp_path)) == {"a", "b", "computed"}
    assert entries(tmp_path)["computed"]["directory"] == {"path": "tree"} | (
        {"editable": True} if place == "editable" else {}
    )


def test_a_check_knows_the_names_from_the_lock_alone(cli: Command, tmp_path: Path) -> None:
    repository(tmp_path / "repo")
    write_source_tree(tmp_path / "tree", source_files("folder", "1.0"))
    url = f"git+{(tmp_path / 'repo').as_uri()}"
    write(tmp_path, url, "./tree")
    cli.ok("lock", "requirements.in")
    (tmp_path / "repo").rename(tmp_path / "elsewhere")
    assert "up to date" in cli.ok("lock", "--check", "requirements.in").stderr
    target = ("--target", tmp_path / "target", "--dry-run")
    assert "has changed" not in cli.ok("sync", *target).stderr
    write(tmp_path, url, "./tree", f"{url}#subdirectory=below")
    result = cli("lock", "--check", "requirements.in")
    assert result.code == 1
    assert "requirements.in:3: `git+file:" in result.stderr
    assert "is required, but not locked" in cli.ok("sync", *target).stderr


def test_a_conversion_reads_names_and_builds_nothing(cli: Command, tmp_path: Path) -> None:
    commit = repository(tmp_path / "repo")
    url = f"git+{(tmp_path / 'repo').as_uri()}@{commit}"
    write(tmp_path, f"{url}#subdirectory=below")
    cli.ok("convert", "requirements.in", "-o", "pylock.toml")
    assert entries(tmp_path)["inner"]["vcs"]["commit-id"] == commit
    write(tmp_path, url)
    assert "does not name its project" in cli.refused("convert", "requirements.in", "-o", "pylock.toml")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("git+ssh://git@-oProxyCommand=x/y", "not the URL of a repository"),
        ("git+file:///nowhere/at/all", "git could not reach"),
        ("git+https://user:pw@index.example.org/x@-r", "is not a valid revision"),
        ("hg+https://index.example.org/x", "does not name its project"),
        ("https://index.example.org/x", "does not name its project"),
        ("./no-such-folder", "There is no file or folder"),
    ],
)
def test_what_has_no_name_to_read_is_refused(line: str, words: str, cli: Command, tmp_path: Path) -> None:
    write(tmp_path, line)
    refusal = cli.refused("lock", "requirements.in")
    assert words in refusal
    assert "unnamed-project" not in refusal
    assert "pw" not in refusal
    assert not (tmp_path / "pylock.toml").exists()


def test_a_constraint_needs_a_name(cli: Command, tmp_path: Path) -> None:
    repository(tmp_path / "repo")
    (tmp_path / "constraints.txt").write_text(f"git+{(tmp_path / 'repo').as_uri()}\n")
    write(tmp_path, "a", "-c constraints.txt")
    assert "does not name its project" in cli.refused("lock", "requirements.in")


WAITING = """
import os, pathlib, time, sys
sys.path.insert(0, os.getcwd())
from tiny_backend import *


def get_requires_for_build_wheel(config_settings=None):
    own = pathlib.Path(os.environ["MEETING"])
    (own / pathlib.Path.cwd().name).touch()
    end = time.monotonic() + 60
    while len(os.listdir(own)) < 2:
        if time.monotonic() > end:
            raise SystemExit("the other build has not begun")
        time.sleep(0.01)
    return []
"""


@pytest.mark.skipif(processors() < 2, reason="one build for each processor")
@pytest.mark.parametrize("named", [True, False])
def test_several_sources_are_read_at_the_same_time(
    named: bool,  # noqa: FBT001 (of pytest)
    cli: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "meeting").mkdir()
    monkeypatch.setenv("MEETING", str(tmp_path / "meeting"))
    for name in ("one", "two"):
        files = source_files(name, "1.0", requires_dist=["a"])
        files["waiting.py"] = WAITING
        files["pyproject.toml"] = files["pyproject.toml"].replace("tiny_backend", "waiting")
        write_source_tree(tmp_path / name, files)
    write(tmp_path, *(f"{name} @ ./{name}" if named else f"./{name}" for name in ("one", "two")))
    cli.ok("lock", "requirements.in")
    assert set(entries(tmp_path)) == {"a", "one", "two"}
