"""A project whose build backend alone knows its dependencies is locked by what the backend says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomli

import lockset
from support.builders.sdist import source_files, write_source_tree

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex

FILES = source_files(
    "app",
    "1.0",
    requires_dist=["a>=1", "b ; sys_platform == 'win32'", "app[y] ; extra == 'x'", "c ; extra == 'y'"],
    extras={"x": [], "y": []},
)
HEAD = '[project]\nname = "app"\nrequires-python = ">=3.10"\n'
GROUPS = '[dependency-groups]\ndev = ["d", "app[x]"]\n'
BOTH = 'dynamic = ["version", "dependencies", "optional-dependencies"]\n'


@pytest.fixture(autouse=True)
def world(local_index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> LocalIndex:
    for name in "abcde":
        local_index.world.add(name, "1.0")
    monkeypatch.setenv("LOCKSET_DEFAULT_INDEX", local_index.url)
    return local_index


def write(folder: Path, head: str) -> None:
    write_source_tree(folder, FILES)
    (folder / "pyproject.toml").write_text(f"{head}{GROUPS}{FILES['pyproject.toml']}")


def markers(folder: Path) -> dict[str, str | None]:
    packages = tomli.loads((folder / "pylock.toml").read_text())["packages"]
    return {p["name"]: p.get("marker") for p in packages}


def test_dependencies_and_extras_are_those_of_the_build(cli: Command, tmp_path: Path) -> None:
    write(tmp_path, HEAD + BOTH)
    result = cli.ok("lock")
    assert "build" in result.stderr.lower()
    assert "app (.)" in result.stderr
    results = markers(tmp_path)
    assert results["a"] is not None
    assert set(results) == {"a", "b", "c", "d"}
    assert results["b"] is not None
    assert "sys_platform == 'win32'" in results["b"].replace('"', "'")
    assert results["c"] is not None
    for part in ("'x' in extras", "'y' in extras", "'dev' in dependency_groups"):
        assert part in results["c"].replace('"', "'")
    data = tomli.loads((tmp_path / "pylock.toml").read_text())
    assert data["extras"] == ["x", "y"]
    assert "app[y] ; extra" not in str(data["tool"])


def test_it_is_locked_as_if_the_file_said_it(cli: Command, tmp_path: Path) -> None:
    write(tmp_path, HEAD + BOTH)
    cli.ok("lock")
    text = (tmp_path / "pylock.toml").read_text()
    (tmp_path / "pylock.toml").unlink()
    written = 'version = "1.0"\ndependencies = ["a>=1", "b ; sys_platform == \'win32\'"]\n'
    extras = '[project.optional-dependencies]\nx = ["app[y]"]\ny = ["c"]\n'
    write(tmp_path, HEAD + written + extras)
    cli.ok("lock")
    assert (tmp_path / "pylock.toml").read_text() == text


def test_what_the_file_says_is_not_taken_from_the_build(cli: Command, tmp_path: Path) -> None:
    write(tmp_path, HEAD + 'dynamic = ["version", "dependencies"]\n[project.optional-dependencies]\nx = ["e"]\n')
    cli.ok("lock")
    assert set(markers(tmp_path)) == {"a", "b", "d", "e"}
    write(tmp_path, HEAD + 'version = "1"\ndependencies = ["e"]\ndynamic = ["optional-dependencies"]\n')
    cli.ok("lock")
    assert set(markers(tmp_path)) == {"c", "d", "e"}


@pytest.mark.parametrize("options", [("--no-build",), ("--only-binary", ":all:"), ("--only-binary", "app")])
def test_without_builds_it_is_refused_with_the_way_out(options: tuple[str, ...], cli: Command, tmp_path: Path) -> None:
    write(tmp_path, HEAD + BOTH)
    paragraph = cli.refused("lock", *options)
    assert "The dependencies and optional-dependencies of app are dynamic" in paragraph
    assert "Allow builds for app, or write them in pyproject.toml" in paragraph
    setuptools = '[tool.setuptools.dynamic]\ndependencies = { file = "r.in" }\n'
    write(tmp_path, HEAD + BOTH + setuptools)
    assert "`lockset lock r.in`" in cli.refused("lock", *options)
    assert not (tmp_path / "pylock.toml").exists()


def test_a_sync_does_not_call_what_only_the_build_knows_a_change(cli: Command, tmp_path: Path) -> None:
    write(tmp_path, HEAD + BOTH)
    cli.ok("lock")
    target = str(tmp_path / "folder")
    assert "has changed" not in cli.ok("sync", "--dry-run", "--target", target).stderr
    cli.ok("sync", "--locked", "--dry-run", "--target", target)
    write(tmp_path, HEAD + BOTH)
    text = (tmp_path / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(text.replace('"d", ', '"d", "e", '))
    assert "`e` is required, but not locked" in cli.ok("sync", "--dry-run", "--target", target).stderr


def test_an_extra_that_only_the_build_knows_can_be_chosen(cli: Command, tmp_path: Path) -> None:
    write(tmp_path, HEAD + BOTH)
    cli.ok("lock", "--extra", "y", "--no-group", "dev")
    assert set(markers(tmp_path)) == {"a", "b", "c"}
    assert "no extra named `z`" in cli("lock", "--extra", "z").stderr


def test_a_check_compares_what_needs_no_build(cli: Command, tmp_path: Path) -> None:
    write(tmp_path, HEAD + BOTH)
    cli.ok("lock")
    result = cli.ok("lock", "--check")
    assert "stale" not in result.stderr
    assert "are dynamic, and were not compared" in result.stderr
    write(tmp_path, HEAD.replace("3.10", "3.9") + BOTH)
    assert "stale: the project runs on Python >=3.9" in cli("lock", "--check").stderr


def test_a_lock_is_made_anew_where_only_the_build_changes(cli: Command, tmp_path: Path) -> None:
    write(tmp_path, HEAD + BOTH)
    cli.ok("lock")
    (tmp_path / "tiny.json").write_text((tmp_path / "tiny.json").read_text().replace("a>=1", "e"))
    cli.ok("lock")
    assert set(markers(tmp_path)) == {"b", "c", "d", "e"}


def test_other_commands_and_the_library_know_it_as_well(cli: Command, tmp_path: Path, world: LocalIndex) -> None:
    write(tmp_path, HEAD + BOTH)
    assert "it is chosen" in cli.ok("why-not", "c").stdout
    indexes = lockset.IndexOptions(index_url=world.url)
    result = lockset.lock(context=lockset.RunContext(folder=tmp_path), indexes=indexes)
    assert {p.name for p in result.lock.packages} == {"a", "b", "c", "d"}
    with pytest.raises(lockset.LocksetError, match="builds are off"):
        lockset.lock(
            context=lockset.RunContext(folder=tmp_path),
            indexes=indexes,
            options=lockset.LockOptions(build_nothing=True),
        )


def test_a_project_that_only_the_table_of_poetry_describes_is_built(cli: Command, tmp_path: Path) -> None:
    files = source_files("app", "1.0", requires_dist=["a"], requires_python=">=3.11,<3.14", extras={"x": ["b"]})
    write_source_tree(tmp_path, files)
    poetry = '[tool.poetry]\nname = "App"\n[tool.poetry.group.test.dependencies]\nc = "*"\n'
    (tmp_path / "pyproject.toml").write_text(poetry + files["pyproject.toml"])
    result = cli.ok("lock")
    assert "Read from other tools' settings: [tool.poetry.group]" in result.stderr
    data = tomli.loads((tmp_path / "pylock.toml").read_text())
    assert data["requires-python"] in {">=3.11,<3.14", "<3.14,>=3.11"}
    assert set(markers(tmp_path)) == {"a", "b", "c"}
    cli.ok("lock", "--check")
    assert "app are dynamic" in cli.refused("lock", "--no-build", "-q")


def test_dynamic_pythons_are_those_of_the_build(cli: Command, tmp_path: Path) -> None:
    files = source_files("app", "1.0", requires_python=">=3.12")
    write_source_tree(tmp_path, files)
    head = '[project]\nname = "app"\nversion = "1.0"\ndependencies = ["a"]\ndynamic = ["requires-python"]\n'
    (tmp_path / "pyproject.toml").write_text(head + files["pyproject.toml"])
    cli.ok("lock")
    assert tomli.loads((tmp_path / "pylock.toml").read_text())["requires-python"] == ">=3.12"


SETUP = "from setuptools import setup\n\nsetup(name='app')\n"


def write_old_project(folder: Path, world: LocalIndex) -> None:
    """A project of setup.py alone, which a stand-in for the legacy backend of setuptools builds."""
    files = source_files(
        "app", "1.0", requires_dist=["a", "b ; extra == 'x'"], requires_python=">=3.11", extras={"x": []}
    )
    backend = f"{files.pop('tiny_backend.py')}\n__legacy__ = sys.modules[__name__]\n"
    world.world.add("setuptools", "80.0", files={"setuptools/__init__.py": "", "setuptools/build_meta.py": backend})
    del files["pyproject.toml"]
    write_source_tree(folder, {**files, "setup.py": SETUP})


@pytest.mark.parametrize("named", [(), ("setup.py",), (".",)])
def test_a_project_of_setup_py_alone_is_locked(
    named: tuple[str, ...], cli: Command, tmp_path: Path, world: LocalIndex
) -> None:
    write_old_project(tmp_path, world)
    assert "Building app (.)" in cli.ok("lock", *named).stderr
    data = tomli.loads((tmp_path / "pylock.toml").read_text())
    assert data["requires-python"] == ">=3.11"
    assert data["extras"] == ["x"]
    assert set(markers(tmp_path)) == {"a", "b"}
    before = (tmp_path / "pylock.toml").read_bytes()
    cli.ok("lock", *named)
    assert (tmp_path / "pylock.toml").read_bytes() == before
    cli.ok("lock", "--check", *named)
    cli.ok("sync", "--dry-run", "--target", str(tmp_path / "folder"))


def test_a_folder_below_setup_py_has_its_lock_next_to_it(
    cli: Command, tmp_path: Path, world: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_old_project(tmp_path, world)
    below = tmp_path / "docs"
    below.mkdir()
    monkeypatch.chdir(below)
    cli.ok("lock", cwd=below)
    assert set(markers(tmp_path)) == {"a", "b"}


def test_what_setup_py_requires_is_locked_with_the_groups(cli: Command, tmp_path: Path) -> None:
    files = source_files("app", "1.0", requires_dist=["a"])
    write_source_tree(tmp_path, {**files, "setup.py": SETUP})
    (tmp_path / "pyproject.toml").write_text(f"[dependency-groups]\ndev = ['app', 'd']\n{files['pyproject.toml']}")
    cli.ok("lock")
    assert set(markers(tmp_path)) == {"a", "d"}


def test_a_conflict_of_a_built_project_names_its_file(cli: Command, tmp_path: Path, world: LocalIndex) -> None:
    write_old_project(tmp_path, world)
    plan = (tmp_path / "tiny.json").read_text().replace("Requires-Dist: a", "Requires-Dist: a>=9")
    (tmp_path / "tiny.json").write_text(plan)
    assert "a>=9 is required in setup.py (as built)" in cli.refused("lock")


def test_a_failed_build_of_the_project_itself_does_not_suggest_another_release(cli: Command, tmp_path: Path) -> None:
    fails = {"prepare_metadata_for_build_wheel": "no compiler", "build_wheel": "no compiler"}
    files = source_files("app", "1.0", fails=fails)
    write_source_tree(tmp_path, files)
    (tmp_path / "pyproject.toml").write_text(f"{HEAD}{BOTH}{files['pyproject.toml']}")
    paragraph = " ".join(cli("lock").stderr.split())
    assert "no compiler" in paragraph
    assert "or write the dependencies and optional-dependencies of app in pyproject.toml" in paragraph
    assert "Use a release" not in paragraph


def test_an_unchanged_project_is_not_built_again(cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def builds(*options: str) -> bool:
        return "Building app" in cli.ok("lock", *options).stderr

    write(tmp_path, HEAD + BOTH)
    assert builds()
    assert not builds()
    assert builds("--refresh")
    (tmp_path / "requirements.txt").write_text("a\n")
    assert builds(), "the build may read any file of the tree"
    assert not builds()
    monkeypatch.setenv("APP_REQUIRES", "b")
    assert builds(), "and any variable"
    assert builds("--config-setting", "x=y"), "and its settings"
    assert not builds("--config-setting", "x=y")
    (tmp_path / "setup.py").write_text("open('../requirements.txt')\n")
    assert builds()
    assert builds(), "a file outside of the tree may change unnoticed"
    assert "are dynamic and need a build" in cli.refused("lock", "--no-build")
