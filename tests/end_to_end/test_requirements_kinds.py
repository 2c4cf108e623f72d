"""Kinds of requirements files, scripts and projects where a command takes a lock file: what each is answered with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex
    from support.venvs import Venv, VenvMaker

NO_DEFAULT = {"LOCKSET_DEFAULT_INDEX": ""}
TAKE_A_LOCK = (("sync", "--dry-run"), ("download", "--dest", "wheelhouse"), ("tree",), ("export", "-o", "-"))
REFUSED = {
    "keel\nhull>=1\n": "`lockset lock requirements.txt`",
    "# nothing\n": "contains no requirements",
    "": "The file is empty",
    "-e .\n": "has neither a pyproject.toml nor a setup.py",
    "hull==1.0\n-r missing.txt\n": "There is no file `missing.txt`",
    "-i https://${NOT_SET}@index.example.org/\nhull==1.0\n": "`NOT_SET`",
}


@pytest.fixture
def venv(make_venv: VenvMaker) -> Venv:
    return make_venv(".venv")


@pytest.fixture
def index(local_index: LocalIndex) -> LocalIndex:
    world = local_index.world.add("hull", "1.0").add("hull", "2.0").add("keel", "1.0", requires=["hull"])
    world.add("mast", "1.0")
    return local_index


@pytest.fixture
def pin(index: LocalIndex) -> Callable[..., str]:
    """A pinned line with the hashes of the release's files."""

    def line(name: str, version: str) -> str:
        files = [f.artifact for f in index.world.projects[name] if f"-{version}" in f.artifact.filename]
        return " ".join([f"{name}=={version}", *(f"--hash=sha256:{file.sha256}" for file in files)]) + "\n"

    return line


@pytest.mark.parametrize("command", TAKE_A_LOCK, ids=lambda command: command[0])
@pytest.mark.parametrize("text", REFUSED)
@pytest.mark.usefixtures("venv")
def test_a_file_that_cannot_be_installed_is_refused_alike_by_every_command(
    cli: Command, tmp_path: Path, command: tuple[str, ...], text: str
) -> None:
    (tmp_path / "requirements.txt").write_text(text)
    paragraph = cli.refused(*command, "requirements.txt")
    assert REFUSED[text] in paragraph
    assert "convert" not in paragraph, "the command that was typed is another"
    assert "requirements.txt" in paragraph


def test_files_that_disagree_are_named_with_what_each_has(
    cli: Command, venv: Venv, index: LocalIndex, pin: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "web.txt").write_text(pin("hull", "1.0"))
    (tmp_path / "jobs.txt").write_text(pin("hull", "2.0"))
    paragraph = cli.refused("sync", "web.txt", "jobs.txt", "-i", index.url)
    assert "web.txt has http" in paragraph
    assert "jobs.txt has http" in paragraph
    assert venv.installed() == {}


def test_a_tree_of_files_with_constraints_and_an_index_is_synced(
    cli: Command, venv: Venv, index: LocalIndex, pin: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/base.txt").write_text("-r more.txt\n")
    (tmp_path / "requirements/more.txt").write_text(pin("mast", "1.0"))
    (tmp_path / "requirements/limits.txt").write_text("hull==1.0\nmast<2\n")
    top = f"--index-url {index.url}\n-r requirements/base.txt\n-c requirements/limits.txt\n" + pin("hull", "1.0")
    (tmp_path / "requirements.txt").write_text(top)
    cli.ok("sync", "requirements.txt", env=NO_DEFAULT)
    assert venv.installed() == {"hull": "1.0", "mast": "1.0"}


@pytest.mark.parametrize(
    "form", ["hull @ {url}#sha256={hash}", "{url}#sha256={hash}", "hull @ {url} --hash=sha256:{hash}"]
)
def test_a_url_with_a_hash_is_synced_and_another_hash_refused(
    cli: Command, venv: Venv, index: LocalIndex, tmp_path: Path, form: str
) -> None:
    [file] = [f.artifact for f in index.world.projects["hull"] if f.artifact.filename == "hull-1.0-py3-none-any.whl"]
    url = index.file_url("hull", file.filename)
    (tmp_path / "requirements.txt").write_text(form.format(url=url, hash="0" * 64))
    cli.refused("sync", "requirements.txt")
    assert venv.installed() == {}
    (tmp_path / "requirements.txt").write_text(form.format(url=url, hash=file.sha256))
    cli.ok("sync", "requirements.txt", "--require-hashes")
    assert venv.installed() == {"hull": "1.0"}


def test_variables_in_the_file_are_those_of_the_environment(
    cli: Command, venv: Venv, index: LocalIndex, tmp_path: Path
) -> None:
    index.set_mode(credentials=("ann", "hidden-word"))
    url = index.url.replace("http://", "http://${NAME}:${TOKEN}@")
    (tmp_path / "requirements.txt").write_text(f"--index-url {url}\nhull==1.0\n")
    result = cli.ok("sync", "requirements.txt", env={**NO_DEFAULT, "NAME": "ann", "TOKEN": "hidden-word"})
    assert venv.installed() == {"hull": "1.0"}
    assert "hidden-word" not in result.stdout + result.stderr


def test_validate_takes_a_file_whose_variables_this_machine_does_not_have(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("--index-url https://${TOKEN}@index.example.org/simple\nhull==1.0\n")
    cli.ok("validate", "requirements.txt")


def test_validate_takes_requirements_from_the_standard_input(
    cli: Command, index: LocalIndex, pin: Callable[..., str]
) -> None:
    cli.ok("validate", "-", stdin=pin("hull", "1.0"))
    result = cli("validate", "-", "--format", "json", stdin="mast==1.0\nhull\n")
    assert result.code == 1
    assert "not-pinned" in result.stdout
    assert cli("validate", "-", "--format", "concise", stdin="mast==1.0\nhull\n").stdout.startswith("-:2:1: ")


def test_a_script_without_a_metadata_block_is_refused_as_such(cli: Command, venv: Venv, tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text("print('hello')\n")
    assert "no metadata block" in cli.refused("sync", "tool.py")


def test_a_stale_lock_of_a_script_is_refused_with_the_command_that_refreshes_it(
    cli: Command, venv: Venv, index: LocalIndex, tmp_path: Path
) -> None:
    script = '# /// script\n# requires-python = ">=3.8"\n# dependencies = ["{}"]\n# ///\n'
    (tmp_path / "tool.py").write_text(script.format("hull"))
    cli.ok("lock", "tool.py", "-o", "pylock.tool.toml", "-i", index.url)
    (tmp_path / "tool.py").write_text(script.format("mast"))
    assert "`lockset lock tool.py -o pylock.tool.toml`" in cli.refused("sync", "tool.py", "--locked")
    assert venv.installed() == {}


@pytest.mark.parametrize("name", [".", "nothing.txt"])
def test_a_path_that_is_no_file_is_named_as_it_was_typed(cli: Command, venv: Venv, tmp_path: Path, name: str) -> None:
    paragraph = cli.refused("sync", name)
    assert f"`{name}`" in paragraph
    assert str(tmp_path) not in paragraph
    assert "hint: " in paragraph


@pytest.mark.parametrize("command", ["sync", "tree"])
def test_the_standard_input_is_not_named_as_a_file(cli: Command, venv: Venv, index: LocalIndex, command: str) -> None:
    result = cli.ok(command, "-", "-i", index.url, stdin="hull==1.0\n")
    assert "'<stdin>'" not in result.stderr
