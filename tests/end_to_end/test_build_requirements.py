"""`lock --build` locks what sources are built with; `sync` builds with exactly that, and may be told to require it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tomli

from support.builders import make_sdist
from support.builders.sdist import source_files, write_source_tree

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex
    from support.venvs import Venv, VenvMaker


def source(name: str, requires: str = '"tool"', *, build_requires: tuple[str, ...] = ()) -> dict[str, str]:
    """A source tree whose wheel has a module with the version of the module `tool` that its backend imported."""
    files = source_files(name, "1.0", build_requires=build_requires)
    files["tiny_backend.py"] = files["tiny_backend.py"].replace(
        'plan = _enter("build_wheel")',
        'plan = _enter("build_wheel")\n    import tool\n'
        '    plan["files"] = {f"built_{plan[\'name\']}.py": f"tool = {tool.version!r}\\n"}',
    )
    files["pyproject.toml"] = files["pyproject.toml"].replace("requires = []", f"requires = [{requires}]")
    return files


def add_tool(index: LocalIndex, version: str, **more: Any) -> None:
    index.world.add("tool", version, files={"tool.py": f"version = {version!r}\n"}, **more)


@pytest.fixture
def index(local_index: LocalIndex) -> LocalIndex:
    add_tool(local_index, "1.0")
    local_index.world.add_file("hull", make_sdist("hull", "1.0", more=source("hull")))
    local_index.world.add("mast", "1.0")
    return local_index


@pytest.fixture
def project(cli: Command, tmp_path: Path, index: LocalIndex) -> Path:
    """Locked with its build requirements; since then, there is a newer tool."""
    (tmp_path / "requirements.in").write_text("hull\nmast\n")
    cli.ok("lock", "requirements.in", "--build", "-i", index.url, "--python", ">=3.8")
    add_tool(index, "2.0")
    return tmp_path


@pytest.fixture
def venv(make_venv: VenvMaker) -> Venv:
    return make_venv(".venv")


def packages(path: Path) -> dict[str, str]:
    return {p["name"]: p["version"] for p in tomli.loads(path.read_text())["packages"]}


def tool_of(venv: Venv, name: str = "hull") -> str:
    return venv.run(f"import built_{name}; print(built_{name}.tool)").strip()


def test_the_second_lock_file_is_a_valid_one_with_a_group_for_each_package(cli: Command, project: Path) -> None:
    data = tomli.loads((project / "pylock.build.toml").read_text())
    assert data["dependency-groups"] == ["hull"]
    assert packages(project / "pylock.build.toml") == {"tool": "1.0"}
    assert data["packages"][0]["wheels"][0]["hashes"]
    assert "no errors" in cli.ok("validate", "pylock.build.toml", "pylock.toml").stderr
    assert packages(project / "pylock.toml") == {"hull": "1.0", "mast": "1.0"}


def test_a_sync_builds_with_what_is_locked(cli: Command, project: Path, index: LocalIndex, venv: Venv) -> None:
    cli.ok("sync", "pylock.toml", "-i", index.url)
    assert tool_of(venv) == "1.0"
    (project / "pylock.build.toml").unlink()
    cli.ok("sync", "pylock.toml", "-i", index.url, "--reinstall", "--refresh")
    assert tool_of(venv) == "2.0"


def test_pins_stay_until_they_are_upgraded(cli: Command, project: Path, index: LocalIndex) -> None:
    cli.ok("lock", "requirements.in", "--build", "-i", index.url, "--refresh")
    assert packages(project / "pylock.build.toml") == {"tool": "1.0"}
    done = cli.ok("lock", "requirements.in", "--build", "-U", "-i", index.url, "--refresh")
    assert "Locked 1 package in pylock.build.toml, to build 1 package" in done.stderr
    assert packages(project / "pylock.build.toml") == {"tool": "2.0"}


def test_another_file_than_the_locked_one_is_refused(
    cli: Command, project: Path, index: LocalIndex, venv: Venv
) -> None:
    index.world.projects["tool"] = []
    index.world.add("tool", "1.0", files={"tool.py": "version = 'other'\n"})
    result = cli("sync", "pylock.toml", "-i", index.url, "--no-cache")
    assert result.code == 1
    assert "lockset lock --build -P tool" in " ".join(result.stderr.split())
    assert not venv.installed()


class TestRequired:
    """`--require-build-hashes`."""

    def test_a_build_without_locked_requirements_is_refused(
        self, cli: Command, project: Path, index: LocalIndex, venv: Venv
    ) -> None:
        cli.ok("sync", "pylock.toml", "--require-build-hashes", "-i", index.url)
        assert tool_of(venv) == "1.0"
        (project / "pylock.build.toml").unlink()
        options = ("sync", "pylock.toml", "-i", index.url, "--reinstall")
        result = cli(*options, "--require-build-hashes")
        assert result.code == 1
        assert "lockset lock --build" in result.stderr
        assert "tool" in result.stderr
        cli.ok(*options)

    def test_a_setting_and_a_variable_require_it_and_an_option_does_not(
        self, cli: Command, project: Path, index: LocalIndex, venv: Venv
    ) -> None:
        (project / "pylock.build.toml").unlink()
        (project / "pyproject.toml").write_text("[tool.lockset]\nrequire-build-hashes = true\n")
        options = ("sync", "pylock.toml", "-i", index.url)
        assert cli(*options).code == 1
        cli.ok(*options, "--no-require-build-hashes")
        (project / "pyproject.toml").unlink()
        required = {"LOCKSET_REQUIRE_BUILD_HASHES": "1"}
        assert cli(*options, "--reinstall", env=required).code == 1
        cli.ok(*options, "--reinstall", "--no-require-build-hashes", env=required)
        assert venv.installed() == {"hull": "1.0", "mast": "1.0"}

    def test_wheels_need_no_build_requirements(self, cli: Command, tmp_path: Path, index: LocalIndex) -> None:
        (tmp_path / "requirements.in").write_text("mast\n")
        done = cli.ok("lock", "requirements.in", "--build", "-i", index.url)
        assert "no build requirements" in done.stderr
        assert not (tmp_path / "pylock.build.toml").exists()
        cli.ok("sync", "pylock.toml", "--target", "t", "--require-build-hashes", "-i", index.url)

    def test_metadata_is_built_with_what_is_locked(self, cli: Command, tmp_path: Path, index: LocalIndex) -> None:
        files = {**source("keel"), "PKG-INFO": "Metadata-Version: 1.2\nName: keel\nVersion: 1.0\n"}
        index.world.add_file("keel", make_sdist("keel", "1.0", metadata_version="1.2", more=files))
        (tmp_path / "requirements.in").write_text("keel\n")
        options = ("lock", "requirements.in", "-i", index.url, "--refresh")
        assert "not locked" in cli(*options, "--require-build-hashes").stderr
        cli.ok(*options, "--build", "--require-build-hashes")
        cli.ok(*options, "-U", "--require-build-hashes", "--no-cache")

    def test_what_a_backend_asks_for_in_addition_must_be_locked_too(
        self, cli: Command, tmp_path: Path, index: LocalIndex, venv: Venv
    ) -> None:
        index.world.add("extra-tool", "1.0")
        write_source_tree(tmp_path / "keel", source("keel", build_requires=("extra-tool",)))
        (tmp_path / "requirements.in").write_text("keel @ ./keel\n")
        cli.ok("lock", "requirements.in", "--build", "-i", index.url)
        assert packages(tmp_path / "pylock.build.toml") == {"tool": "1.0", "extra-tool": "1.0"}
        cli.ok("sync", "pylock.toml", "--require-build-hashes", "-i", index.url)
        write_source_tree(tmp_path / "keel", source("keel", build_requires=("mast",)))
        result = cli("sync", "pylock.toml", "--require-build-hashes", "-i", index.url)
        assert result.code == 1
        assert "mast" in result.stderr
        noted = cli.ok("sync", "pylock.toml", "-i", index.url)
        assert "not locked: mast" in " ".join(noted.stderr.split())
        assert tool_of(venv, "keel") == "1.0"


def test_requirements_that_exclude_each_other_are_locked_apart(
    cli: Command, tmp_path: Path, index: LocalIndex, venv: Venv
) -> None:
    add_tool(index, "2.0")
    for name, requires in (("old", '"tool<2"'), ("new", '"tool>=2"')):
        write_source_tree(tmp_path / name, source(name, requires))
    (tmp_path / "requirements.in").write_text("old @ ./old\nnew @ ./new\n")
    cli.ok("lock", "requirements.in", "--build", "-i", index.url)
    assert "no errors" in cli.ok("validate", "pylock.build.toml").stderr
    cli.ok("sync", "pylock.toml", "--require-build-hashes", "-i", index.url)
    assert (tool_of(venv, "old"), tool_of(venv, "new")) == ("1.0", "2.0")


def test_build_requirements_without_wheels_have_theirs_locked_too(
    cli: Command, tmp_path: Path, index: LocalIndex, venv: Venv
) -> None:
    index.world.projects["tool"] = []
    tool = source_files("tool", "3.0", files={"tool.py": "version = '3.0'\n"})
    tool["pyproject.toml"] = tool["pyproject.toml"].replace("requires = []", 'requires = ["mast"]')
    index.world.add_file("tool", make_sdist("tool", "3.0", more=tool))
    (tmp_path / "requirements.in").write_text("hull\n")
    cli.ok("lock", "requirements.in", "--build", "-i", index.url)
    data = tomli.loads((tmp_path / "pylock.build.toml").read_text())
    assert sorted(data["dependency-groups"]) == ["hull", "tool"]
    assert packages(tmp_path / "pylock.build.toml") == {"tool": "3.0", "mast": "1.0"}
    cli.ok("sync", "pylock.toml", "--require-build-hashes", "-i", index.url)
    assert tool_of(venv) == "3.0"


def test_a_wheelhouse_with_both_locks_builds_offline(
    cli: Command, project: Path, index: LocalIndex, venv: Venv
) -> None:
    for name in ("pylock.toml", "pylock.build.toml"):
        cli.ok("download", name, "--dest", "files", "--all-files", "-i", index.url)
    cli.ok("sync", "pylock.toml", "--require-build-hashes", "--offline", "--find-links", "files", "--no-cache")
    assert tool_of(venv) == "1.0"
    assert project.exists()


def test_a_lock_with_a_name_has_a_second_one_with_that_name(
    cli: Command, tmp_path: Path, index: LocalIndex, venv: Venv
) -> None:
    (tmp_path / "requirements.in").write_text("hull\n")
    cli.ok("lock", "requirements.in", "--build", "-i", index.url, "-o", "pylock.dev.toml")
    assert packages(tmp_path / "pylock.dev-build.toml") == {"tool": "1.0"}
    add_tool(index, "2.0")
    cli.ok("sync", "pylock.dev.toml", "--require-build-hashes", "-i", index.url)
    assert tool_of(venv) == "1.0"


@pytest.mark.parametrize("option", ["--check", "-o"])
def test_what_writes_no_file_cannot_lock_build_requirements(cli: Command, option: str) -> None:
    arguments = [option, "-"] if option == "-o" else [option]
    assert "`--build`" in cli.refused("lock", "--build", *arguments, code=2)


def test_a_damaged_lock_of_build_requirements_is_named(
    cli: Command, project: Path, index: LocalIndex, venv: Venv
) -> None:
    (project / "pylock.build.toml").write_text("lock-version = 5\n")
    result = cli("sync", "pylock.toml", "-i", index.url)
    assert result.code == 1
    assert "pylock.build.toml" in result.stderr
    assert not venv.installed()


def test_a_dry_run_writes_neither_file(cli: Command, tmp_path: Path, index: LocalIndex) -> None:
    (tmp_path / "requirements.in").write_text("hull\n")
    done = cli.ok("lock", "requirements.in", "--build", "--dry-run", "-i", index.url)
    assert "Would lock 1 package in pylock.build.toml" in done.stderr
    assert not list(tmp_path.glob("pylock*"))
