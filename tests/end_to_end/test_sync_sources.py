"""Sources of every kind by the command: git, archives, directories that change, editables, config settings."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from support.builders.archives import Artifact
from support.builders.forged_zip import Entry, forge
from support.builders.locks import locked_file, make_lock
from support.builders.sdist import make_sdist, source_files, write_source_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from support.command import Command
    from support.venvs import Venv, VenvMaker

Git = "Callable[..., str]"


@pytest.fixture
def venv(make_venv: VenvMaker) -> Venv:
    return make_venv(".venv")


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    """Git in a folder, with a user of its own."""

    def run(folder: Path, *arguments: str) -> str:
        who = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always")
        done = subprocess.run(
            ["git", *who, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "HOME": str(tmp_path)},
        )
        return done.stdout.strip()

    return run


def lock(folder: Path, *packages: dict[str, Any]) -> None:
    (folder / "pylock.toml").write_text(make_lock(packages))


def repository(folder: Path, git: Callable[..., str], files: Mapping[str, str | bytes]) -> str:
    write_source_tree(folder, files)
    git(folder, "init", "--quiet", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "-m", "one")
    return git(folder, "rev-parse", "HEAD")


def vcs(path: Path, commit: str, **more: str) -> dict[str, Any]:
    return {"name": "here", "vcs": {"type": "git", "url": path.as_uri(), "commit-id": commit, **more}}


def direct_url(venv: Venv) -> Any:
    (path,) = venv.site_packages.glob("here-*.dist-info/direct_url.json")
    return json.loads(path.read_text())


def test_a_commit_is_installed_exactly_and_known_again(
    cli: Command, tmp_path: Path, venv: Venv, git: Callable[..., str]
) -> None:
    first = repository(tmp_path / "repo", git, source_files("here", "3.0"))
    write_source_tree(tmp_path / "repo", source_files("here", "4.0"))
    git(tmp_path / "repo", "commit", "--quiet", "-am", "two")
    second = git(tmp_path / "repo", "rev-parse", "HEAD")
    lock(tmp_path, vcs(tmp_path / "repo", first, **{"requested-revision": "v3"}))
    cli.ok("sync")
    assert venv.installed() == {"here": "3.0"}
    assert direct_url(venv) == {
        "url": (tmp_path / "repo").as_uri(),
        "vcs_info": {"vcs": "git", "requested_revision": "v3", "commit_id": first},
    }
    assert cli("sync", "--check").code == 0
    lock(tmp_path, vcs(tmp_path / "repo", second))
    cli.ok("sync")
    assert venv.installed() == {"here": "4.0"}


def test_submodules_and_subdirectories_come_along(
    cli: Command, tmp_path: Path, venv: Venv, git: Callable[..., str]
) -> None:
    repository(tmp_path / "inner", git, source_files("here", "5.0"))
    outer = tmp_path / "outer"
    repository(outer, git, {"README": "outer"})
    git(outer, "submodule", "--quiet", "add", (tmp_path / "inner").as_uri(), "parts/inner")
    git(outer, "commit", "--quiet", "-m", "with a submodule")
    lock(tmp_path, vcs(outer, git(outer, "rev-parse", "HEAD"), subdirectory="parts/inner"))
    cli.ok("sync")
    assert venv.installed() == {"here": "5.0"}
    assert direct_url(venv)["subdirectory"] == "parts/inner"


@pytest.mark.parametrize(
    "change",
    [
        {"url": "ext::sh -c touch% canary"},
        {"url": "--upload-pack=touch canary"},
        {"url": "ssh://-oProxyCommand=touch%20canary/x"},
        {"url": "fd::17/x"},
        {"url": "https://--upload-pack=x/x"},
        {"url": "-oProxyCommand=touch canary:x"},
        {"url": "file://other.example.org/repo"},
        {"commit-id": "main"},
        {"commit-id": "--output=canary"},
        {"commit-id": "abc1234"},
        {"type": "hg"},
        {"type": "--upload-pack=touch canary"},
        {"subdirectory": "../outside"},
        {"subdirectory": "/etc"},
    ],
    ids=str,
)
def test_nothing_of_a_lock_file_becomes_an_option_or_a_place(
    cli: Command, tmp_path: Path, venv: Venv, git: Callable[..., str], change: dict[str, str]
) -> None:
    commit = repository(tmp_path / "repo", git, source_files("here", "3.0"))
    entry = vcs(tmp_path / "repo", commit)
    entry["vcs"] |= change
    lock(tmp_path, entry)
    before = venv.tree()
    cli.refused("sync")
    assert venv.tree() == before
    assert not list(tmp_path.rglob("canary"))


def test_git_variables_of_the_environment_are_not_passed_to_git(
    cli: Command, tmp_path: Path, venv: Venv, git: Callable[..., str]
) -> None:
    commit = repository(tmp_path / "repo", git, source_files("here", "3.0"))
    lock(tmp_path, vcs(tmp_path / "repo", commit))
    elsewhere = {"GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/nowhere", "GIT_CONFIG_PARAMETERS": "'core.bare'='true'"}
    cli.ok("sync", env=elsewhere)
    assert venv.installed() == {"here": "3.0"}


def test_kinds_can_be_refused(cli: Command, tmp_path: Path, venv: Venv, git: Callable[..., str]) -> None:
    commit = repository(tmp_path / "repo", git, source_files("here", "3.0"))
    lock(tmp_path, vcs(tmp_path / "repo", commit))
    assert "--no-vcs" in cli.refused("sync", "--no-vcs")
    lock(tmp_path, {"name": "here", "directory": {"path": "repo"}})
    assert "--no-directory" in cli.refused("sync", "--no-directory")
    sdist = make_sdist("here", "3.0")
    lock(
        tmp_path,
        {"name": "here", "archive": {"url": "https://example.org/x.tar.gz", "hashes": {"sha256": sdist.sha256}}},
    )
    assert "--no-archive" in cli.refused("sync", "--no-archive")


def test_a_directory_is_built_anew_when_it_has_changed(cli: Command, tmp_path: Path, venv: Venv) -> None:
    write_source_tree(tmp_path / "tree", source_files("here", "3.0"))
    lock(tmp_path, {"name": "here", "directory": {"path": "tree"}})
    cli.ok("sync")
    assert cli("sync", "--check").code == 0
    write_source_tree(tmp_path / "tree", source_files("here", "3.1"))
    result = cli("sync", "--check")
    assert result.code == 1
    assert "its source has changed" in result.stderr
    cli.ok("sync")
    assert venv.installed() == {"here": "3.1"}
    assert cli("sync", "--check").code == 0


def test_an_editable_stands_for_its_tree(cli: Command, tmp_path: Path, venv: Venv) -> None:
    write_source_tree(tmp_path / "tree", {**source_files("here", "3.0"), "here_module.py": "value = 1\n"})
    lock(tmp_path, {"name": "here", "directory": {"path": "tree", "editable": True}})
    cli.ok("sync")
    (tmp_path / "tree/here_module.py").write_text("value = 2\n")
    assert venv.run("import here_module; print(here_module.value)").strip() == "2"
    assert direct_url(venv) == {"url": (tmp_path / "tree").as_uri(), "dir_info": {"editable": True}}
    assert cli("sync", "--check").code == 0
    lock(tmp_path)
    assert "(not in the lock file (an editable install))" in cli.ok("sync").stderr
    lock(tmp_path, {"name": "here", "directory": {"path": "tree", "editable": True}})
    cli.ok("sync", "--no-editable")
    assert direct_url(venv)["dir_info"] == {}


def test_a_path_outside_of_the_lock_file_s_folder_has_to_be_allowed(cli: Command, tmp_path: Path, venv: Venv) -> None:
    write_source_tree(tmp_path / "tree", source_files("here", "3.0"))
    (tmp_path / "below").mkdir()
    lock(tmp_path / "below", {"name": "here", "directory": {"path": "../tree"}})
    assert "--allow-outside-path" in cli.refused("sync", "below/pylock.toml")
    cli.ok("sync", "below/pylock.toml", "--allow-outside-path")
    assert venv.installed() == {"here": "3.0"}


def test_config_settings_reach_the_backend(cli: Command, tmp_path: Path, venv: Venv) -> None:
    files = source_files("here", "3.0")
    backend = str(files["tiny_backend.py"])
    files["tiny_backend.py"] = backend.replace(
        'plan = _enter("build_wheel")',
        'plan = _enter("build_wheel"); plan["files"] = {"told.py": repr(config_settings)}',
    )
    write_source_tree(tmp_path / "tree", files)
    lock(tmp_path, {"name": "here", "directory": {"path": "tree"}})
    cli.ok("sync", "--config-setting", "a=1", "--config-setting", "b=2", "--config-setting", "a=3")
    assert (venv.site_packages / "told.py").read_text() == "{'a': ['1', '3'], 'b': '2'}"
    assert cli("sync", "--config-setting", "nothing", "--reinstall").code == 2


def test_only_binary_and_no_binary_choose_the_kind_of_file(cli: Command, tmp_path: Path, venv: Venv) -> None:
    sdist = make_sdist("here", "3.0")
    (tmp_path / sdist.filename).write_bytes(sdist.content)
    locked: dict[str, Any] = locked_file(sdist)
    del locked["url"]
    lock(tmp_path, {"name": "here", "version": "3.0", "sdist": locked | {"path": sdist.filename}})
    for options in (["--no-build"], ["--only-binary", "here"], ["--only-binary", ":all:"]):
        assert "only wheels are allowed" in cli.refused("sync", *options)
    cli.ok("sync", "--only-binary", "other")
    assert venv.installed() == {"here": "3.0"}


def test_a_zip_archive_that_two_readers_could_read_differently_is_not_built(
    cli: Command, tmp_path: Path, venv: Venv
) -> None:
    files = [Entry(name=f"sample-1.0/{path}".encode(), content=text.encode()) for path, text in source_files().items()]
    sdist = Artifact(filename="sample-1.0.zip", content=forge(*files), metadata=b"")
    (tmp_path / sdist.filename).write_bytes(sdist.content)
    table = {key: value for key, value in locked_file(sdist).items() if key != "url"} | {"path": sdist.filename}
    lock(tmp_path, {"name": "sample", "version": "1.0", "sdist": table})
    cli.ok("sync")
    assert venv.installed() == {"sample": "1.0"}
    for forged in (forge(*files, before=b"junk"), forge(*files, files[0].but(content=b"other")), b""):
        (tmp_path / sdist.filename).write_bytes(forged)
        changed = Artifact(filename=sdist.filename, content=forged, metadata=b"")
        table |= {"size": changed.size, "hashes": {"sha256": changed.sha256}}
        lock(tmp_path, {"name": "sample", "version": "1.0", "sdist": table})
        assert "is not a valid archive" in " ".join(cli.refused("sync").split()) or not forged


def test_a_link_out_of_the_lock_file_s_folder_has_to_be_allowed_too(cli: Command, tmp_path: Path, venv: Venv) -> None:
    write_source_tree(tmp_path / "elsewhere", source_files())
    (tmp_path / "project").mkdir()
    (tmp_path / "project/tree").symlink_to(tmp_path / "elsewhere")
    lock(tmp_path / "project", {"name": "sample", "directory": {"path": "tree"}})
    command = ["sync", "project/pylock.toml", "--python", str(venv.path)]
    assert "outside" in cli.refused(*command)
    cli.ok(*command, "--allow-outside-path")
