"""What tables of uv, Poetry, PDM, Hatch and Pipenv say of packages is applied, or refused, or warned of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tomli

from support.builders.sdist import source_files, write_source_tree
from support.local_index import LocalIndex, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.command import Command, Result
    from support.venvs import VenvMaker

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
TWO_DEFAULTS = """
[[tool.poetry.source]]
name = "in"
url = "https://a.example.org/"
[[tool.pdm.source]]
name = "pypi"
url = "https://b.example.org/"
"""
TWO_SOURCES = """
[tool.uv.sources]
acme-core = { path = "one" }
[tool.poetry.dependencies]
acme-core = { path = "two" }
"""
INDEX_BY_MARKER = """
[[tool.uv.index]]
name = "in"
url = "https://in.example.org/simple"
explicit = true
[tool.uv.sources]
acme-core = [{ index = "in", marker = "os_name == 'nt'" }]
"""
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


@pytest.fixture
def inner() -> Iterator[LocalIndex]:
    """A second index, of the project's own packages."""
    world = World()
    for name in ("acme-core", "acme-cpu", "acme-docs"):
        world.add(name, "1.5")
    with LocalIndex(world) as running:
        yield running


def packages(folder: Path) -> dict[str, dict[str, Any]]:
    return {p["name"]: p for p in tomli.loads((folder / "pylock.toml").read_text())["packages"]}


@pytest.mark.parametrize(
    ("tables", "directory"),
    [
        (UV, {"path": "../core"}),
        ('[tool.uv.sources]\nAcme_Core = { path = "../core", editable = true }', {"path": "../core", "editable": True}),
        (
            '[tool.poetry.dependencies]\nacme-core = { path = "../core", develop = true }',
            {"path": "../core", "editable": True},
        ),
    ],
)
def test_a_folder_that_another_table_names_is_locked(tables: str, directory: dict[str, object], app: App) -> None:
    cli, world, folder = app
    tree(folder.parent / "core", "acme-core")
    write(folder, PROJECT, tables)
    result = lock(cli, folder, world)
    assert result.code == 0, str(result)
    assert packages(folder)["acme-core"]["directory"] == directory
    assert "Read from other tools' settings: [tool." in result.stderr


def test_a_source_with_a_marker_applies_there_alone(app: App) -> None:
    cli, world, folder = app
    tree(folder.parent / "core", "acme-core")
    source = '[tool.uv.sources]\nacme-core = [{ path = "../core", marker = "sys_platform == \'win32\'" }]'
    write(folder, PROJECT, source)
    assert lock(cli, folder, world).code == 0
    entries = [p for p in tomli.loads((folder / "pylock.toml").read_text())["packages"] if p["name"] == "acme-core"]
    assert {p.get("version"): "win32" in p["marker"] for p in entries} == {None: True, "99.0": True}
    assert [p["marker"] for p in entries if "directory" in p] == [
        'sys_platform == "win32" and "default" in dependency_groups'
    ]


def test_a_source_of_a_group_applies_to_its_requirements_alone(app: App) -> None:
    cli, world, folder = app
    tree(folder.parent / "docs", "acme-docs")
    write(folder, PROJECT, '[tool.uv.sources]\nacme-docs = { path = "../docs", group = "docs" }')
    assert lock(cli, folder, world).code == 0
    assert "directory" in packages(folder)["acme-docs"]
    write(folder, PROJECT, '[tool.uv.sources]\nacme-docs = { path = "../docs", extra = "cpu" }')
    assert lock(cli, folder, world, "-U").code == 0
    assert packages(folder)["acme-docs"]["version"] == "99.0"


@pytest.mark.parametrize(
    "tables",
    [
        INNER.replace("TABLE", "tool.uv.index") + 'explicit = true\n[tool.uv.sources]\nacme-core = { index = "in" }',
        INNER.replace("TABLE", "tool.poetry.source") + POETRY,
        INNER.replace("TABLE", "tool.pdm.source") + 'include_packages = ["acme-core"]',
    ],
)
def test_an_index_that_another_table_names_for_a_package_is_its_only_one(
    tables: str, app: App, inner: LocalIndex
) -> None:
    cli, world, folder = app
    write(folder, PROJECT, tables.replace("https://u:p@in.example.org/simple", inner.url))
    result = lock(cli, folder, world)
    assert result.code == 0, str(result)
    assert locked(folder) == {"acme-core": "1.5", "acme-cpu": "99.0", "acme-docs": "99.0"}


@pytest.mark.parametrize(
    ("tables", "versions"),
    [
        ("[[tool.uv.index]]\nurl = 'INNER'", {"1.5"}),
        ("[[tool.poetry.source]]\nname = 'in'\nurl = 'INNER'", {"1.5"}),
        ("[[tool.poetry.source]]\nname = 'in'\nurl = 'INNER'\npriority = 'explicit'", {"99.0"}),
        ("[[tool.pdm.source]]\nname = 'pypi'\nurl = 'INNER'", {"1.5"}),
        ("[[tool.uv.index]]\nurl = 'INNER'\n[[tool.lockset.index]]\nurl = 'WORLD'", {"99.0"}),
        ("[[tool.uv.index]]\nurl = 'INNER'\n[tool.lockset]\nignore-tools = ['uv']", {"99.0"}),
    ],
)
def test_indexes_of_other_tools_are_searched_unless_lockset_has_its_own(
    tables: str, versions: set[str], app: App, inner: LocalIndex
) -> None:
    cli, world, folder = app
    write(folder, PROJECT, tables.replace("INNER", inner.url).replace("WORLD", world.url))
    # Without an option: it would take the place of a default index.
    result = cli("lock", cwd=folder, env={"LOCKSET_DEFAULT_INDEX": world.url if "99.0" in versions else ""})
    assert result.code == 0, str(result)
    assert set(locked(folder).values()) == versions


@pytest.mark.parametrize(
    ("tables", "shown"),
    [
        ("[tool.uv.sources]\nacme-core = { workspace = true }", "acme-core: the workspace"),
        (INDEX_BY_MARKER, "acme-core: the index in (https://in.example.org/simple)"),
        (
            '[[tool.pdm.source]]\nname = "in"\nurl = "https://in.example.org/simple"\ninclude_packages = ["acme-co*"]',
            "acme-core: the index in (https://in.example.org/simple)",
        ),
    ],
)
def test_a_source_that_cannot_be_applied_is_refused(tables: str, shown: str, app: App) -> None:
    cli, world, folder = app
    write(folder, PROJECT, tables)
    paragraph = cli.refused("lock", "-i", world.url, cwd=folder)
    assert "says where acme-core comes from" in paragraph
    assert shown in paragraph
    assert "`no-sources = [" in paragraph
    assert not (folder / "pylock.toml").exists()


@pytest.mark.parametrize(
    ("tables", "part"),
    [
        ('[tool.uv.sources]\nacme-core = { path = "../nowhere" }', "../nowhere"),
        ('[tool.uv.sources]\nacme-core = { url = "https://[" }', "acme-core"),
        ("[tool.uv]\nconstraint-dependencies = ['a <<2']", "pyproject.toml:15:28: error: `a <<2`"),
        ("[tool]\nuv = 1", "`tool.uv` must be a table"),
        ("[tool.uv]\nsources = 1", "`tool.uv.sources` must be a table"),
        ("[tool.uv.sources]\nacme-core = { path = 1 }", "`tool.uv.sources.acme-core.path` must be a string"),
        ("[tool.uv.sources]\nacme-core = { path = 'a', git = 'b' }", "has `path` and `git`"),
        ("[tool.uv.sources]\nacme-core = { path = '.', marker = 'os_name ==' }", "not a valid environment marker"),
        ("[tool.uv.sources]\nacme-core = { index = 'nobody' }", "the index `nobody`, which is not defined"),
        ("[tool.uv]\nindex = {}", "`tool.uv.index` must be an array"),
        ("[tool.uv]\nindex-url = 'http://[::1'", "`tool.uv.index-url` is not the address of an index"),
        ("[tool.uv]\ndefault-groups = ['nothing']", "`tool.uv.default-groups` names `nothing`"),
        ("[tool.uv]\nbuild-constraint-dependencies = 7", "`tool.uv.build-constraint-dependencies` must be"),
        ("[tool.poetry]\nsource = 2", "`tool.poetry.source` must be an array"),
        ("[tool.poetry]\ngroup = 3", "`tool.poetry.group` must be a table"),
        ("[tool.pdm.dev-dependencies]\nlint = 'a'", "`tool.pdm.dev-dependencies.lint` must be an array"),
        (TWO_SOURCES, "[tool.uv.sources] and [tool.poetry.dependencies] name different sources for acme-core"),
        ("[tool.uv]\noverride-dependencies = 7", "tool.uv"),
        ("[tool.uv]\nenvironments = ['sys_platform ==']", "tool.uv"),
        ("[tool.uv]\nrequired-environments = ['sys_platform == \"plan9\"']", "plan9"),
        ("[tool.uv.dependency-groups]\ndocs = { requires-python = 'three' }", "three"),
        ("[tool.poetry.group.test.dependencies]\na = '1.2 || 1.4'", "test"),
        ("[tool.pdm.dev-dependencies]\nlint = ['a b']", "a b"),
        (TWO_DEFAULTS, "https://a.example.org/"),
    ],
)
def test_bad_values_are_refused_with_their_file(tables: str, part: str, app: App) -> None:
    cli, world, folder = app
    write(folder, PROJECT, tables)
    paragraph = cli.refused("lock", "-i", world.url, cwd=folder)
    assert part in paragraph
    assert "pyproject.toml" in paragraph
    assert not (folder / "pylock.toml").exists()


@pytest.mark.parametrize("command", [("lock", "--check"), ("why-not", "acme-core")])
def test_other_commands_that_lock_apply_them_as_well(command: tuple[str, ...], app: App) -> None:
    cli, world, folder = app
    tree(folder.parent / "core", "acme-core")
    write(folder, PROJECT, UV)
    assert lock(cli, folder, world).code == 0
    assert cli(*command, "-i", world.url, cwd=folder).code == 0


def test_sync_knows_that_the_project_has_not_changed(app: App, make_venv: VenvMaker) -> None:
    cli, world, folder = app
    tree(folder.parent / "core", "acme-core")
    write(folder, PROJECT, UV, "[tool.uv]\ndev-dependencies = ['acme-cpu']\nconstraint-dependencies = ['acme-cpu<100']")
    make_venv("app/.venv")
    assert lock(cli, folder, world).code == 0
    result = cli("sync", "--locked", "--dry-run", "--allow-outside-path", cwd=folder)
    assert result.code == 0, str(result)
    assert "changed" not in result.stderr


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
        "[tool]\nuv = 1\npoetry = []\npdm = 'x'\nhatch = 3\nlockset = { ignore-tools = ['uv', 'poetry', 'pdm'] }",
    ],
)
def test_nothing_is_reported_where_no_other_table_decides(
    more: str, cli: Command, world: LocalIndex, tmp_path: Path
) -> None:
    write(tmp_path / "app", PROJECT, more)
    result = lock(cli, tmp_path / "app", world)
    assert result.code == 0, str(result)
    assert "not read" not in result.stderr


def test_a_source_of_the_root_of_a_workspace_applies_to_its_members(
    cli: Command, world: LocalIndex, tmp_path: Path
) -> None:
    write(
        tmp_path, '[tool.uv.workspace]\nmembers = ["packages/*"]\n[tool.uv.sources]\nacme-core = { workspace = true }'
    )
    (tmp_path / "packages").mkdir()
    tree(tmp_path / "packages/core", "acme-core")
    write(tmp_path / "packages/app", PROJECT)
    assert lock(cli, tmp_path / "packages/app", world).code == 0
    locked = tomli.loads((tmp_path / "pylock.app.toml").read_text())["packages"]
    (core,) = (package for package in locked if package["name"] == "acme-core")
    assert core["directory"] == {"path": "packages/core", "editable": True}


def test_sources_that_a_locked_folder_names_apply_to_its_requirements(
    cli: Command, world: LocalIndex, tmp_path: Path
) -> None:
    tree(tmp_path / "core", "acme-core")
    tree(tmp_path / "lib", "lib", "acme-core", more=UV.replace("path", "editable = true, path"))
    (tmp_path / "requirements.in").write_text("-e ./lib\n")
    cli.ok("lock", "requirements.in", "-i", world.url, "--python", ">=3.10")
    assert packages(tmp_path)["acme-core"]["directory"] == {"path": "core", "editable": True}
    cli.ok("lock", "requirements.in", "-U", "-i", world.url, "--python", ">=3.10", "--no-sources-package", "acme-core")
    assert packages(tmp_path)["acme-core"]["version"] == "99.0"


def test_sources_of_the_workspace_around_a_locked_folder_apply(cli: Command, world: LocalIndex, tmp_path: Path) -> None:
    sources = "[tool.uv.sources]\nacme-core = { workspace = true }"
    write(tmp_path, '[tool.uv.workspace]\nmembers = ["packages/*"]', sources)
    (tmp_path / "packages").mkdir()
    tree(tmp_path / "packages/core", "acme-core")
    tree(tmp_path / "packages/lib", "lib", "acme-core")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/requirements.in").write_text("-e ../packages/lib\n")
    cli.ok("lock", "requirements.in", "-i", world.url, "--python", ">=3.10", cwd=tmp_path / "elsewhere")
    assert packages(tmp_path / "elsewhere")["acme-core"]["directory"]["path"] == "../packages/core"


def test_a_pattern_of_pdm_counts_whoever_needs_the_package(cli: Command, world: LocalIndex, tmp_path: Path) -> None:
    world.world.add("middle", "1.0", requires=["acme-core"])
    source = '[[tool.pdm.source]]\nname = "in"\nurl = "https://in.example.org/simple"\ninclude_packages = ["acme-*"]'
    write(tmp_path / "app", '[project]\nname = "app"\nversion = "1"\ndependencies = ["middle"]', source)
    assert "acme-core: the index in" in cli.refused("lock", "-i", world.url, cwd=tmp_path / "app")


def test_sources_of_a_script_apply(cli: Command, world: LocalIndex, tmp_path: Path) -> None:
    tree(tmp_path / "core", "acme-core")
    block = (
        "# /// script\n# dependencies = ['acme-core']\n# [tool.uv.sources]\n# acme-core = { path = 'core' }\n# ///\n"
    )
    (tmp_path / "job.py").write_text(block)
    cli.ok("lock", "job.py", "-o", "pylock.toml", "-i", world.url, "--python", ">=3.10")
    assert packages(tmp_path)["acme-core"]["directory"] == {"path": "core"}


@pytest.mark.parametrize(
    "tables",
    [
        "[tool.uv]\ndev-dependencies = ['acme-more>=2']",
        "[tool.poetry.group.dev.dependencies]\nacme-more = '^2.0'",
        "[tool.poetry.dev-dependencies]\nacme-more = { version = '~2.0', python = '>=3.8' }",
        "[tool.pdm.dev-dependencies]\ndev = ['acme-more<3,>=2']",
    ],
)
def test_groups_of_other_tools_are_locked_and_installed_by_default(tables: str, app: App) -> None:
    cli, world, folder = app
    world.world.add("acme-more", "1.0").add("acme-more", "2.0")
    write(folder, PROJECT, tables)
    assert lock(cli, folder, world).code == 0
    data = tomli.loads((folder / "pylock.toml").read_text())
    assert packages(folder)["acme-more"]["version"] == "2.0"
    assert '"dev" in dependency_groups' in packages(folder)["acme-more"]["marker"]
    assert data["default-groups"] == ["default", "dev"]


@pytest.mark.parametrize(
    ("tables", "check"),
    [
        ("[tool.uv]\nconstraint-dependencies = ['acme-core<99']", lambda data: data["acme-core"]["version"] == "1.0"),
        ("[tool.uv]\noverride-dependencies = ['acme-core==1.0']", lambda data: data["acme-core"]["version"] == "1.0"),
        ("[tool.uv]\nexclude-dependencies = ['acme-core']", lambda data: "acme-core" not in data),
        (
            "[tool.uv.dependency-groups]\ndocs = { requires-python = '>=3.12' }",
            lambda data: 'python_version >= "3.12"' in data["acme-docs"]["marker"],
        ),
    ],
)
def test_keys_of_uv_with_the_same_meaning_are_applied(
    tables: str, check: Callable[[dict[str, dict[str, Any]]], bool], app: App
) -> None:
    cli, world, folder = app
    world.world.add("acme-core", "1.0")
    write(folder, PROJECT, tables)
    assert lock(cli, folder, world).code == 0
    assert check(packages(folder))


def test_environments_and_conflicts_of_uv_are_applied(app: App) -> None:
    cli, world, folder = app
    write(
        folder,
        PROJECT,
        "[tool.uv]\nenvironments = ['sys_platform == \"linux\"']\ndefault-groups = 'all'\n"
        "conflicts = [[{ extra = 'cpu' }, { package = 'app', group = 'docs' }]]",
    )
    result = lock(cli, folder, world)
    assert result.code == 0, str(result)
    data = tomli.loads((folder / "pylock.toml").read_text())
    assert [text for text in data["environments"] if "linux" not in text] == []
    assert "declares them as conflicting" in cli.refused(
        "sync", "--extra", "cpu", "--group", "docs", "--target", "t", "--dry-run", cwd=folder
    )


@pytest.mark.parametrize(
    ("name", "text", "warning"),
    [
        ("pyproject.toml", "[tool.uv]\nno-build = true", "`no-build` does not count (write `no-build` in"),
        ("pyproject.toml", "[tool.uv]\ndependency-metadata = [{ name = 'a' }]", "`dependency-metadata` does not count"),
        ("pyproject.toml", "[tool.poetry.dependencies]\na = '*'\npython = '*'", "the requirement a is not locked"),
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
        ("[[tool.uv.index]]\nurl = 'https://in.example.org/simple'", "ignore-tools = ['uv']"),
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


def test_a_poetry_project_that_is_not_a_package_is_locked_without_a_build(
    cli: Command, world: LocalIndex, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text("""
[tool.poetry]
package-mode = false
[tool.poetry.dependencies]
python = "^3.10"
acme-core = "*"
acme-cpu = { version = "*", optional = true }
[tool.poetry.extras]
fast = ["acme-cpu"]
[tool.poetry.group.docs.dependencies]
acme-docs = "*"
""")
    result = cli.ok("lock", "-i", world.url)
    assert "Building" not in result.stderr
    assert "warning" not in result.stderr
    lock = tomli.loads((tmp_path / "pylock.toml").read_text())
    assert {package["name"]: package.get("marker") for package in lock["packages"]} == {
        "acme-core": '"default" in dependency_groups',
        "acme-cpu": '"fast" in extras',
        "acme-docs": '"docs" in dependency_groups',
    }
    assert lock["requires-python"] == "<4,>=3.10"
    cli.ok("lock", "--check")
