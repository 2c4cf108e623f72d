"""Options that people know from other tools and that lockset has under the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomli

from support.builders.sdist import source_files, write_source_tree

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex
    from support.venvs import Venv, VenvMaker


@pytest.fixture
def index(local_index: LocalIndex) -> LocalIndex:
    for name in ("hull", "keel", "mast"):
        local_index.world.add(name, "1.0")
    return local_index


@pytest.fixture
def project(cli: Command, index: LocalIndex) -> Path:
    """A project with a lock file and, since then, newer versions."""
    (cli.cwd / "pyproject.toml").write_text(
        '[project]\nname = "ship"\nversion = "1"\nrequires-python = ">=3.8"\ndependencies = ["hull"]\n'
        '[dependency-groups]\nrig = ["mast"]\ndocs = ["keel"]\n'
    )
    cli.ok("lock", "-i", index.url)
    for name in ("hull", "keel", "mast"):
        index.world.add(name, "2.0").add(name, "3.0")
    return cli.cwd


def versions(folder: Path) -> dict[str, str]:
    return {p["name"]: p["version"] for p in tomli.loads((folder / "pylock.toml").read_text())["packages"]}


def test_a_package_is_upgraded_to_a_given_version(cli: Command, index: LocalIndex, project: Path) -> None:
    cli.ok("lock", "-P", "Hull==2.0", "-i", index.url, "--refresh")
    assert versions(project) == {"hull": "2.0", "keel": "1.0", "mast": "1.0"}
    cli.ok("lock", "-i", index.url)
    assert versions(project)["hull"] == "2.0"


@pytest.mark.parametrize("text", ["hull @ https://example.org/a.whl", "hull[x]", "hull; os_name == 'nt'", "=1"])
def test_what_is_not_a_version_to_upgrade_to_is_refused(cli: Command, project: Path, text: str) -> None:
    assert "NAME==1.2" in cli.refused("lock", "-P", text, code=2)
    assert versions(project)["hull"] == "1.0"


def test_a_group_is_upgraded(cli: Command, index: LocalIndex, project: Path) -> None:
    cli.ok("lock", "--upgrade-group", "rig", "-i", index.url, "--refresh")
    assert versions(project) == {"hull": "1.0", "keel": "1.0", "mast": "3.0"}
    assert "no dependency group named `nope`" in cli.refused("lock", "--upgrade-group", "nope", "-i", index.url)


def test_the_page_of_one_package_is_revalidated(cli: Command, index: LocalIndex, project: Path) -> None:
    index.forget()
    (project / "pylock.toml").unlink()
    cli.ok("lock", "--refresh-package", "mast", "-i", index.url)
    assert versions(project) == {"hull": "1.0", "keel": "1.0", "mast": "3.0"}
    assert {path for path in index.paths() if path.endswith("/")} == {"/simple/mast/"}


def test_packages_are_left_out_of_an_export(cli: Command, project: Path) -> None:
    text = cli.ok("export", "--all-groups", "--no-emit-package", "Keel").stdout
    assert "hull==1.0" in text
    assert "mast==1.0" in text
    assert "keel" not in text.replace("# via", "")
    assert project.exists()


@pytest.mark.parametrize("command", ["sync --dry-run", "tree", "diff HEAD:pylock.toml", "lock --dry-run"])
def test_output_format_json_is_json(cli: Command, index: LocalIndex, project: Path, command: str) -> None:
    assert project.exists()
    other = {"sync --dry-run": ("--target", "t"), "lock --dry-run": ("-i", index.url)}.get(command, ())
    words = ["pylock.toml" if word == "HEAD:pylock.toml" else word for word in command.split()]
    assert isinstance(cli.ok(*words, *other, "--output-format", "json").json(), dict)


class TestCreateVenv:
    """`sync --create-venv`."""

    def test_an_environment_is_created_once(self, cli: Command, index: LocalIndex, project: Path) -> None:
        first = cli.ok("sync", "--create-venv", "-i", index.url)
        assert "Created " in first.stderr
        assert (project / ".venv" / "pyvenv.cfg").is_file()
        assert "Created " not in cli.ok("sync", "--create-venv", "-i", index.url).stderr

    def test_a_check_creates_nothing(self, cli: Command, project: Path) -> None:
        assert "no virtual environment" in cli.refused("sync", "--create-venv", "--dry-run")
        assert not (project / ".venv").exists()

    def test_a_folder_that_is_no_environment_is_kept(self, cli: Command, project: Path) -> None:
        (project / ".venv").mkdir()
        (project / ".venv" / "mine").write_text("kept")
        assert "not a virtual environment" in cli.refused("sync", "--create-venv")
        assert (project / ".venv" / "mine").read_text() == "kept"

    def test_an_interpreter_that_fails_leaves_nothing(self, cli: Command, project: Path) -> None:
        broken = project / "broken"
        broken.write_text("#!/bin/sh\necho no venv here >&2\nexit 1\n")
        broken.chmod(0o755)
        assert "no venv here" in cli.refused("sync", "--create-venv", "--python", broken)
        assert not (project / ".venv").exists()

    def test_it_does_not_replace_an_environment_with_another_python(
        self, cli: Command, index: LocalIndex, project: Path
    ) -> None:
        cli.ok("sync", "--create-venv", "-i", index.url)
        assert "a Python other than 2.7" in cli.refused("sync", "--create-venv", "--python", "2.7")
        assert (project / ".venv" / "pyvenv.cfg").is_file()


class TestProject:
    """The project itself, locked with `--with-project`."""

    @pytest.fixture
    def whole(self, cli: Command, index: LocalIndex, make_venv: VenvMaker) -> Venv:
        write_source_tree(cli.cwd, source_files("ship", "1.0"))
        pyproject = cli.cwd / "pyproject.toml"
        pyproject.write_text('[project]\nname = "ship"\nversion = "1.0"\n' + pyproject.read_text())
        cli.ok("lock", "--with-project", "-i", index.url, "--python", ">=3.8")
        return make_venv(".venv")

    def test_it_is_editable_in_an_environment(self, cli: Command, whole: Venv) -> None:
        cli.ok("sync", "--no-cache")
        assert "ship" in whole.installed()
        assert list(whole.site_packages.glob("*.pth"))

    def test_it_is_plain_in_a_folder(self, cli: Command, whole: Venv) -> None:
        cli.ok("sync", "--target", "out", "--python", whole.python)
        assert not list((cli.cwd / "out").glob("*.pth"))
        assert (cli.cwd / "out" / "ship-1.0.dist-info").is_dir()

    def test_it_is_left_out_on_request(self, cli: Command, whole: Venv) -> None:
        cli.ok("sync", "--no-project")
        assert "ship" not in whole.installed()


class TestValuesOfHabit:
    """Values as other tools spell them."""

    @pytest.mark.parametrize(
        "options",
        [
            ("--prerelease", "if-necessary-or-explicit"),
            ("--prerelease", "explicit"),
            ("--fork-strategy", "requires-python"),
            ("--implementation", "cp"),
            ("--output-format", "text"),
            ("-p", "python3.12"),
            ("--python", "cpython@3.12"),
            ("--exclude-newer", "P7D"),
        ],
    )
    def test_a_lock_takes_them(self, cli: Command, index: LocalIndex, project: Path, options: tuple[str, str]) -> None:
        cli.ok("lock", "--dry-run", "-i", index.url, *options)
        assert project.exists()

    def test_a_described_python_is_that_version(self, cli: Command, index: LocalIndex, project: Path) -> None:
        cli.ok("lock", "-i", index.url, "-p", "python3.12")
        assert "==3.12.*" in (project / "pylock.toml").read_text()

    def test_names_may_be_separated_by_commas(self, cli: Command, project: Path) -> None:
        report = cli.ok("sync", "--target", "t", "--dry-run", "--group", "rig,docs", "--json").json()
        assert "mast" in str(report)
        assert "keel" in str(report)
        assert project.exists()
        assert "not a valid name" in cli.refused("sync", "--target", "t", "--extra", "a,", code=2)

    def test_an_export_takes_the_format_of_uv(self, cli: Command, project: Path) -> None:
        assert "hull==1.0" in cli.ok("export", "--format", "requirements.txt").stdout
        assert project.exists()
