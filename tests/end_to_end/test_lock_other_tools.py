"""What tables of uv, Poetry, PDM, Hatch and Pipenv say of packages is never passed over in silence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import tomli

from support.builders import make_wheel
from support.builders.sdist import source_files, write_source_tree

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command, Result
    from support.local_index import LocalIndex

    App = tuple[Command, LocalIndex, Path]

PROJECT = """
[project]
name = "app"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["acme-core"]

[project.optional-dependencies]
cpu = ["acme-cpu"]

[dependency-groups]
docs = ["acme-docs"]
"""
INNER = '[[TABLE]]\nname = "in"\nurl = "https://u:p@in.example.org/simple"\n'
POETRY = 'priority = "explicit"\n[tool.poetry.dependencies]\nacme-core = { source = "in" }\n'
UV = """
[tool.uv.sources]
acme-core = { path = "../core" }
"""


@pytest.fixture
def world(local_index: LocalIndex) -> LocalIndex:
    """An index where a stranger has the names of the project's own packages."""
    for name in ("acme-core", "acme-cpu", "acme-docs"):
        local_index.world.add(name, "99.0")
    return local_index


@pytest.fixture
def app(cli: Command, world: LocalIndex, tmp_path: Path) -> App:
    return cli, world, tmp_path / "app"


def write(folder: Path, *texts: str, name: str = "pyproject.toml") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join(texts))


def tree(folder: Path, name: str, *requires: str, more: str = "") -> None:
    folder.mkdir(parents=True)
    write_source_tree(folder, source_files(name, "1.5"))
    head = f'[project]\nname = "{name}"\nversion = "1.5"\ndependencies = {list(requires)}\n{more}\n'
    (folder / "pyproject.toml").write_text(head + (folder / "pyproject.toml").read_text())


def lock(cli: Command, folder: Path, index: LocalIndex, *options: object) -> Result:
    return cli("lock", "-i", index.url, *options, cwd=folder)


def locked(folder: Path) -> dict[str, str | None]:
    packages = tomli.loads((folder / "pylock.toml").read_text())["packages"]
    return {p["name"]: p.get("version") for p in packages}


@pytest.mark.parametrize(
    ("tables", "table", "shown"),
    [
        (UV, "[tool.uv.sources]", "acme-core: the path ../core"),
        (
            '[tool.uv.sources]\n"Acme_Core" = { git = "https://example.org/core", tag = "v1", subdirectory = "a" }',
            "[tool.uv.sources]",
            "acme-core: the git repository https://example.org/core",
        ),
        ("[tool.uv.sources]\nacme-core = { workspace = true }", "[tool.uv.sources]", "acme-core: the workspace"),
        (
            '[tool.uv.sources]\nacme-core = [{ url = "https://example.org/a.whl", marker = "os_name == \'nt\'" }]',
            "[tool.uv.sources]",
            "acme-core: https://example.org/a.whl",
        ),
        (
            INNER.replace("TABLE", "tool.uv.index")
            + 'explicit = true\n[tool.uv.sources]\nacme-core = { index = "in" }',
            "[tool.uv.sources]",
            "acme-core: the index in (https://in.example.org/simple)",
        ),
        (
            '[tool.poetry.dependencies]\nacme-core = { path = "../core", develop = true }',
            "[tool.poetry.dependencies]",
            "acme-core: the path ../core",
        ),
        (
            INNER.replace("TABLE", "tool.poetry.source") + POETRY,
            "[tool.poetry.dependencies]",
            "acme-core: the index in (https://in.example.org/simple)",
        ),
        (
            '[tool.poetry.group.docs.dependencies]\nacme-docs = { git = "git@example.org:a/docs.git" }',
            "[tool.poetry.group.docs.dependencies]",
            "acme-docs: the git repository git@example.org:a/docs.git",
        ),
        (
            '[[tool.pdm.source]]\nname = "in"\nurl = "https://in.example.org/simple"\ninclude_packages = ["acme-co*"]',
            "[[tool.pdm.source]]",
            "acme-core: the index in (https://in.example.org/simple)",
        ),
    ],
)
def test_a_requirement_whose_source_another_table_names_is_refused(
    tables: str, table: str, shown: str, app: App
) -> None:
    cli, world, folder = app
    write(folder, PROJECT, tables)
    paragraph = cli.refused("lock", "-i", world.url, cwd=folder)
    assert f"{table} says where acme-" in paragraph
    assert shown in paragraph
    assert "`no-sources = [" in paragraph
    assert not (folder / "pylock.toml").exists()


@pytest.mark.parametrize("command", [("lock", "--check"), ("why-not", "acme-core")])
def test_other_commands_that_lock_refuse_it_as_well(
    command: tuple[str, ...], cli: Command, world: LocalIndex, tmp_path: Path
) -> None:
    write(tmp_path / "app", PROJECT, UV)
    assert lock(cli, tmp_path / "app", world, "--no-sources").code == 0
    assert "[tool.uv.sources] says" in cli.refused(*command, "-i", world.url, cwd=tmp_path / "app")


def test_what_the_hint_writes_locks_the_named_folder(cli: Command, world: LocalIndex, tmp_path: Path) -> None:
    tree(tmp_path / "core lib", "acme-core")
    project = PROJECT + '[tool.uv.sources]\nacme-core = { path = "../core lib" }\n'
    write(tmp_path / "app", project)
    overrides = re.search(r"`(overrides = .*?)`", cli.refused("lock", "-i", world.url, cwd=tmp_path / "app"))
    assert overrides is not None
    write(tmp_path / "app", project, "[tool.lockset]", overrides[1])
    assert lock(cli, tmp_path / "app", world).code == 0
    package = next(
        p for p in tomli.loads((tmp_path / "app/pylock.toml").read_text())["packages"] if "core" in p["name"]
    )
    assert package["directory"] == {"path": "../core lib"}


def test_what_the_hint_writes_of_an_index_locks_from_it(cli: Command, world: LocalIndex, tmp_path: Path) -> None:
    world.world.add_file("inner/acme-core", make_wheel("acme-core", "1.0"))
    url = world.url
    index = f'[[tool.uv.index]]\nname = "in"\nurl = "{url}"\nexplicit = true\n'
    project = f'{PROJECT}{index}[tool.uv.sources]\nacme-core = {{ index = "in" }}\n'
    write(tmp_path / "app", project)
    setting = re.search(r"`(index = .*?)`", cli.refused("lock", cwd=tmp_path / "app"))
    assert setting is not None
    write(tmp_path / "app", project, "[tool.lockset]", setting[1])
    assert lock(cli, tmp_path / "app", world).code == 0


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        (("--no-sources",), ""),
        (("--no-sources-package", "Acme.Core"), ""),
        ((), "[tool.lockset]\nno-sources = true"),
        ((), "[tool.lockset]\nno-sources = ['acme_core']"),
    ],
)
def test_the_index_is_taken_where_the_user_says_so(
    options: tuple[str, ...], settings: str, cli: Command, world: LocalIndex, tmp_path: Path
) -> None:
    write(tmp_path / "app", PROJECT, UV, settings)
    assert lock(cli, tmp_path / "app", world, *options).code == 0
    assert locked(tmp_path / "app")["acme-core"] == "99.0"


@pytest.mark.parametrize(
    "more",
    [
        '[tool.uv.sources]\nother = { path = "../other" }',
        '[tool.uv.sources]\nacme-cpu = { path = "../cpu", group = "docs" }',
        '[tool.uv.sources]\nacme-docs = { path = "../docs" }\n[tool.lockset]\nexcludes = ["acme-docs"]',
        "[tool.uv]\npackage = true",
        "[tool.poetry]\nrequires-poetry = '>=2.0'\n[tool.hatch.version]\npath = 'a.py'\n[tool.pdm.scripts]\na = 'b'",
        "[tool]\nuv = 1\npoetry = []\npdm = 'x'\nhatch = 3",
        "[tool.uv]\nsources = 1\nindex = {}\n[tool.poetry]\nsource = 2\ngroup = 3\ndependencies = 4",
    ],
)
def test_nothing_is_said_where_no_other_table_decides(
    more: str, cli: Command, world: LocalIndex, tmp_path: Path
) -> None:
    write(tmp_path / "app", PROJECT, more)
    result = lock(cli, tmp_path / "app", world)
    assert result.code == 0, str(result)
    assert "not read" not in result.stderr


def test_a_source_of_a_group_that_is_not_locked_is_not_refused(cli: Command, world: LocalIndex, tmp_path: Path) -> None:
    write(tmp_path / "app", PROJECT, '[tool.uv.sources]\nacme-docs = { path = "../docs" }')
    assert lock(cli, tmp_path / "app", world).code == 1
    assert lock(cli, tmp_path / "app", world, "--no-group", "docs").code == 0


def test_a_source_of_the_root_of_a_workspace_counts_for_its_members(
    cli: Command, world: LocalIndex, tmp_path: Path
) -> None:
    write(
        tmp_path, '[tool.uv.workspace]\nmembers = ["packages/*"]\n[tool.uv.sources]\nacme-core = { workspace = true }'
    )
    (tmp_path / "packages").mkdir()
    tree(tmp_path / "packages/core", "acme-core")
    write(tmp_path / "packages/app", PROJECT)
    paragraph = cli.refused("lock", "-i", world.url, cwd=tmp_path / "packages/app")
    assert 'overrides = ["acme-core @ file:../core"]' in paragraph
    assert "../../pyproject.toml" in paragraph


def test_sources_that_a_locked_folder_names_count(cli: Command, world: LocalIndex, tmp_path: Path) -> None:
    tree(tmp_path / "lib", "lib", "acme-core", more=UV)
    (tmp_path / "requirements.in").write_text("-e ./lib\n")
    assert "acme-core: the path" in cli.refused("lock", "requirements.in", "-i", world.url, "--python", ">=3.10")
    cli.ok("lock", "requirements.in", "-i", world.url, "--python", ">=3.10", "--no-sources-package", "acme-core")


def test_sources_of_the_workspace_around_a_locked_folder_count(cli: Command, world: LocalIndex, tmp_path: Path) -> None:
    sources = "[tool.uv.sources]\nacme-core = { workspace = true }"
    write(tmp_path, '[tool.uv.workspace]\nmembers = ["packages/*"]', sources)
    (tmp_path / "packages").mkdir()
    tree(tmp_path / "packages/core", "acme-core")
    tree(tmp_path / "packages/lib", "lib", "acme-core")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/requirements.in").write_text("-e ../packages/lib\n")
    command = ("lock", "requirements.in", "-i", world.url, "--python", ">=3.10")
    core = (tmp_path / "packages/core").as_uri()
    assert f'overrides = ["acme-core @ {core}"]' in cli.refused(*command, cwd=tmp_path / "elsewhere")


def test_a_pattern_of_pdm_counts_whoever_needs_the_package(cli: Command, world: LocalIndex, tmp_path: Path) -> None:
    world.world.add("middle", "1.0", requires=["acme-core"])
    source = '[[tool.pdm.source]]\nname = "in"\nurl = "https://in.example.org/simple"\ninclude_packages = ["acme-*"]'
    write(tmp_path / "app", '[project]\nname = "app"\nversion = "1"\ndependencies = ["middle"]', source)
    assert "acme-core: the index in" in cli.refused("lock", "-i", world.url, cwd=tmp_path / "app")


def test_sources_of_a_script_count(cli: Command, world: LocalIndex, tmp_path: Path) -> None:
    block = (
        "# /// script\n# dependencies = ['acme-core']\n# [tool.uv.sources]\n# acme-core = { path = '../core' }\n# ///\n"
    )
    (tmp_path / "job.py").write_text(block)
    assert "[tool.uv.sources] says where acme-core comes from" in cli.refused("lock", "job.py", "-i", world.url)


@pytest.mark.parametrize(
    ("name", "text", "warning"),
    [
        (
            "pyproject.toml",
            "[tool.uv]\nconstraint-dependencies = ['a<2']\ndefault-groups = ['docs']",
            "`constraint-dependencies` and `default-groups` do not count (write `constraints` and `default-groups` in",
        ),
        ("pyproject.toml", "[tool.uv]\noverride-dependencies = ['a<2']", "`override-dependencies` does not count"),
        (
            "pyproject.toml",
            "[[tool.uv.index]]\nurl = 'https://in.example.org/simple'",
            "[[tool.uv.index]] is not read: no package comes from https://in.example.org/simple",
        ),
        ("uv.toml", "[[index]]\nurl = 'https://in.example.org/simple'", "warning: uv.toml is not read"),
        (
            "pyproject.toml",
            "[[tool.poetry.source]]\nname = 'in'\nurl = 'https://in.example.org/simple'",
            "[[tool.poetry.source]] is not read",
        ),
        (
            "pyproject.toml",
            "[[tool.pdm.source]]\nname = 'pypi'\nurl = 'https://in.example.org/simple'",
            "[[tool.pdm.source]] is not read",
        ),
        ("pyproject.toml", "[tool.uv]\ndev-dependencies = ['a']", "the group dev is not locked"),
        ("pyproject.toml", "[tool.poetry.group.test.dependencies]\na = '*'", "the group test is not locked"),
        ("pyproject.toml", "[tool.poetry.dev-dependencies]\na = '*'", "the group dev is not locked"),
        ("pyproject.toml", "[tool.poetry.dependencies]\na = '*'\npython = '*'", "the requirement a is not locked"),
        ("pyproject.toml", "[tool.pdm.dev-dependencies]\nlint = ['a']", "the group lint is not locked"),
        ("pyproject.toml", "[tool.pdm.resolution.overrides]\na = '1'", "`overrides` does not count"),
        ("pyproject.toml", "[tool.hatch.envs.a]\ndependencies = ['b']", "the environment a is not locked"),
        ("hatch.toml", "[envs.a]\nextra-dependencies = ['b']", "the environment a is not locked"),
        ("Pipfile", "[dev-packages]\na = '*'", "Pipfile is not read: the group dev is not locked"),
    ],
)
def test_other_settings_that_do_not_count_are_warned_of(name: str, text: str, warning: str, app: App) -> None:
    cli, world, folder = app
    write(folder, PROJECT)
    with (folder / name).open("a") as file:
        file.write(f"\n{text}\n")
    for _ in range(2):  # also where the answer is remembered
        result = lock(cli, folder, world)
        assert result.code == 0, str(result)
        assert warning in result.stderr


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("[tool.uv]\nconstraint-dependencies = ['a<2']", "constraints = ['a<2']"),
        ("[tool.uv]\nconstraint-dependencies = ['a<2']", "ignore-tools = ['uv']"),
        ("[tool.hatch.envs.a]\ndependencies = ['b']", "ignore-tools = ['hatch', 'pdm']"),
        ("[tool.poetry.group.docs.dependencies]\nacme-docs = '*'", ""),
        ("[[tool.uv.index]]\nurl = 'INDEX'", ""),
        ("[[tool.uv.index]]\nurl = 'https://in.example.org/simple'", "no-sources = true"),
        ("[[tool.uv.index]]\nname = 'a'\nurl = 'https://in.example.org/simple'\nexplicit = true", ""),
    ],
)
def test_no_warning_where_lockset_has_the_same_setting_or_the_user_knows(
    text: str, setting: str, cli: Command, world: LocalIndex, tmp_path: Path
) -> None:
    write(tmp_path / "app", PROJECT, text.replace("INDEX", world.url), "[tool.lockset]", setting)
    result = lock(cli, tmp_path / "app", world)
    assert result.code == 0, str(result)
    assert "not read" not in result.stderr


def test_a_tool_that_lockset_does_not_know_is_not_ignored(cli: Command, world: LocalIndex, tmp_path: Path) -> None:
    write(tmp_path / "app", PROJECT, "[tool.lockset]\nignore-tools = ['rye']")
    assert "is not one of hatch, pdm, pipenv, poetry, uv: `rye`" in cli.refused("lock", cwd=tmp_path / "app")
