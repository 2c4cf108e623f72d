"""Requirements files and lock files of other tools, wherever a command takes a lock file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex
    from support.venvs import Venv, VenvMaker

# The suite sets a default index that does not exist, which would take the place of the file's.
NO_DEFAULT = {"LOCKSET_DEFAULT_INDEX": ""}


@pytest.fixture
def venv(make_venv: VenvMaker) -> Venv:
    return make_venv(".venv")


@pytest.fixture
def index(local_index: LocalIndex) -> LocalIndex:
    local_index.world.add("hull", "1.0").add("hull", "2.0").add("keel", "1.0", requires=["hull"]).add("mast", "1.0")
    return local_index


@pytest.fixture
def pin(index: LocalIndex) -> Callable[..., str]:
    """A pinned line with the hashes of the release's files."""

    def line(name: str, version: str) -> str:
        files = [f.artifact for f in index.world.projects[name] if f"-{version}" in f.artifact.filename]
        hashes = [f"--hash=sha256:{f.sha256}" for f in files]
        return " ".join([f"{name}=={version}", *hashes]) + "\n"

    return line


def _write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)


def test_a_pinned_and_hashed_requirements_file_is_synced(
    cli: Command, venv: Venv, index: LocalIndex, pin: Callable[..., str], tmp_path: Path
) -> None:
    _write(tmp_path, "requirements.txt", pin("keel", "1.0") + pin("hull", "1.0"))
    result = cli.ok("sync", "requirements.txt", "-i", index.url)
    assert venv.installed() == {"keel": "1.0", "hull": "1.0"}
    assert "note" not in result.stderr + result.stdout
    _write(tmp_path, "requirements.txt", pin("hull", "2.0"))
    cli.ok("sync", "requirements.txt", "-i", index.url)
    assert venv.installed() == {"hull": "2.0"}


def test_files_may_be_given_with_the_option_of_pip(
    cli: Command, venv: Venv, index: LocalIndex, pin: Callable[..., str], tmp_path: Path
) -> None:
    _write(tmp_path, "app.txt", pin("keel", "1.0") + pin("hull", "1.0"))
    _write(tmp_path, "more.txt", pin("mast", "1.0"))
    cli.ok("install", "-r", "app.txt", "--requirement", "more.txt", "-i", index.url)
    assert venv.installed() == {"keel": "1.0", "hull": "1.0", "mast": "1.0"}
    cli.ok("check-env", "more.txt", "-r", "app.txt", "-i", index.url)
    cli.ok("download", "-r", "app.txt", "--dest", "wheels", "-i", index.url)
    assert len(list((tmp_path / "wheels").iterdir())) == 2
    cli.ok("lock", "-r", "app.txt", "--requirements", "more.txt", "-o", "pylock.toml", "-i", index.url)
    assert cli.ok("sync", "-r", "pylock.toml").stderr.startswith("All 3 packages match")


def test_the_same_file_is_not_converted_twice(
    cli: Command, venv: Venv, index: LocalIndex, pin: Callable[..., str], tmp_path: Path
) -> None:
    _write(tmp_path, "base.txt", pin("hull", "1.0"))
    _write(tmp_path, "requirements.txt", "-r base.txt\n" + pin("keel", "1.0"))
    cli.ok("sync", "requirements.txt", "-i", index.url)
    index.forget()
    cli.ok("sync", "requirements.txt", "-i", index.url, "--verify-files")
    assert index.paths() == []
    _write(tmp_path, "base.txt", pin("hull", "2.0"))
    cli.ok("sync", "requirements.txt", "-i", index.url)
    assert venv.installed() == {"keel": "1.0", "hull": "2.0"}


def test_a_file_with_another_hash_is_refused_before_anything_changes(
    cli: Command, venv: Venv, index: LocalIndex, tmp_path: Path
) -> None:
    _write(tmp_path, "requirements.txt", f"hull==1.0 --hash=sha256:{'0' * 64}\n")
    assert "none of its 1 hashes matches" in cli.refused("sync", "requirements.txt", "-i", index.url)
    assert venv.installed() == {}


def test_pins_without_hashes_take_those_of_the_index_and_say_so_once(
    cli: Command, venv: Venv, index: LocalIndex, tmp_path: Path
) -> None:
    _write(tmp_path, "requirements.txt", "hull==1.0\nmast==1.0\n")
    result = cli.ok("sync", "requirements.txt", "-i", index.url)
    notes = [line for line in (result.stdout + result.stderr).splitlines() if line.startswith("note:")]
    assert len(notes) == 1
    assert "2 of 2 packages have no hash" in notes[0]
    assert "`lockset convert requirements.txt`" in notes[0]
    assert venv.installed() == {"hull": "1.0", "mast": "1.0"}


def test_require_hashes_refuses_pins_without_hashes(
    cli: Command, venv: Venv, index: LocalIndex, tmp_path: Path
) -> None:
    _write(tmp_path, "requirements.txt", "hull==1.0\n")
    paragraph = cli.refused("sync", "requirements.txt", "--require-hashes", "-i", index.url)
    assert "hull 1.0" in paragraph
    assert "`lockset convert requirements.txt`" in paragraph
    assert venv.installed() == {}


def test_unpinned_requirements_are_refused_with_the_command_that_locks_them(
    cli: Command, venv: Venv, index: LocalIndex, tmp_path: Path
) -> None:
    _write(tmp_path, "requirements.txt", "hull>=1\n")
    assert "`lockset lock requirements.txt`" in cli.refused("sync", "requirements.txt", "-i", index.url)
    assert venv.installed() == {}


def test_several_files_are_synced_together(
    cli: Command, venv: Venv, index: LocalIndex, pin: Callable[..., str], tmp_path: Path
) -> None:
    _write(tmp_path, "requirements.txt", pin("hull", "1.0"))
    _write(tmp_path, "dev.txt", "-c requirements.txt\n" + pin("mast", "1.0"))
    cli.ok("sync", "requirements.txt", "dev.txt", "-i", index.url)
    assert venv.installed() == {"hull": "1.0", "mast": "1.0"}


def test_several_files_that_disagree_are_refused(
    cli: Command, venv: Venv, index: LocalIndex, pin: Callable[..., str], tmp_path: Path
) -> None:
    _write(tmp_path, "requirements.txt", pin("hull", "1.0"))
    _write(tmp_path, "dev.txt", pin("hull", "2.0"))
    assert "hull 1.0 and hull 2.0" in cli.refused("sync", "requirements.txt", "dev.txt", "-i", index.url)
    assert venv.installed() == {}


def test_the_standard_input_may_be_a_requirements_file(
    cli: Command, venv: Venv, index: LocalIndex, pin: Callable[..., str]
) -> None:
    cli.ok("sync", "-", "-i", index.url, stdin=pin("mast", "1.0"))
    assert venv.installed() == {"mast": "1.0"}


def test_a_broken_lock_file_on_the_standard_input_is_explained_as_a_lock_file(cli: Command, venv: Venv) -> None:
    assert "not a valid lock file" in cli.refused("sync", "-", stdin='lock-version = "1.0"\ncreated-by = 1\n')
    assert venv.installed() == {}


def test_an_index_in_the_file_is_used_with_its_credentials_and_these_are_not_stored(
    cli: Command, venv: Venv, index: LocalIndex, pin: Callable[..., str], tmp_path: Path
) -> None:
    index.set_mode(credentials=("ann", "hidden-word"))
    url = index.url.replace("http://", "http://ann:hidden-word@")
    _write(tmp_path, "requirements.txt", f"--index-url {url}\n" + pin("hull", "1.0"))
    cli.ok("sync", "requirements.txt", "--cache-dir", tmp_path / "cache", env=NO_DEFAULT)
    assert venv.installed() == {"hull": "1.0"}
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_file() and b"hidden-word" in p.read_bytes()]


@pytest.mark.parametrize("command", ["tree", "check-env", "download --dest house", "install", "validate"])
def test_every_command_that_takes_a_lock_file_takes_requirements(
    cli: Command, venv: Venv, index: LocalIndex, pin: Callable[..., str], command: str
) -> None:
    _write(cli.cwd, "requirements.txt", f"-i {index.url}\n" + pin("keel", "1.0") + pin("hull", "1.0"))
    cli.ok("sync", "requirements.txt", env=NO_DEFAULT)
    cli.ok(*command.split(), "requirements.txt", env=NO_DEFAULT)
    assert (cli.cwd / "house").exists() == ("house" in command)
    assert venv.installed() == {"keel": "1.0", "hull": "1.0"}


def test_diff_compares_a_lock_file_with_a_requirements_file(
    cli: Command, index: LocalIndex, pin: Callable[..., str], tmp_path: Path
) -> None:
    _write(tmp_path, "old.txt", f"-i {index.url}\n" + pin("hull", "1.0"))
    _write(tmp_path, "new.txt", f"-i {index.url}\n" + pin("hull", "2.0"))
    assert "~ hull 1.0" in cli.ok("diff", "old.txt", "new.txt", env=NO_DEFAULT).stdout


def test_views_use_the_default_index_of_the_environment(
    cli: Command, index: LocalIndex, pin: Callable[..., str], tmp_path: Path
) -> None:
    _write(tmp_path, "old.txt", pin("hull", "1.0"))
    assert "hull 1.0" in cli.ok("why", "hull", "old.txt", env={"LOCKSET_DEFAULT_INDEX": index.url}).stdout


def test_a_lock_file_of_another_tool_is_synced(cli: Command, venv: Venv, index: LocalIndex, tmp_path: Path) -> None:
    [file] = [f.artifact for f in index.world.projects["mast"] if f.artifact.filename.endswith(".whl")]
    url = index.file_url("mast", file.filename)
    _write(
        tmp_path,
        "uv.lock",
        'version = 1\nrevision = 3\nrequires-python = ">=3.8"\n\n[[package]]\nname = "mast"\nversion = "1.0"\n'
        f'source = {{ registry = "{index.url}" }}\n'
        f'wheels = [{{ url = "{url}", hash = "sha256:{file.sha256}", size = {len(file.content)} }}]\n\n'
        '[[package]]\nname = "ship"\nversion = "1.0"\nsource = { virtual = "." }\ndependencies = [{ name = "mast" }]\n',
    )
    _write(tmp_path, "pyproject.toml", '[project]\nname = "ship"\nversion = "1.0"\ndependencies = ["mast"]\n')
    cli.ok("sync", "uv.lock")
    assert venv.installed() == {"mast": "1.0"}


def test_a_project_or_script_stands_for_the_lock_file_next_to_it(
    cli: Command, venv: Venv, index: LocalIndex, tmp_path: Path
) -> None:
    _write(tmp_path, "pyproject.toml", '[project]\nname = "ship"\nversion = "1.0"\ndependencies = ["mast"]\n')
    _write(tmp_path, "tool.py", '# /// script\n# dependencies = ["hull==1.0"]\n# ///\n')
    cli.ok("lock", "-i", index.url, "--python", ">=3.8")
    cli.ok("lock", "tool.py", "-o", "pylock.tool.toml", "-i", index.url, "--python", ">=3.8")
    cli.ok("sync", "pyproject.toml")
    assert venv.installed() == {"mast": "1.0"}
    cli.ok("sync", "tool.py")
    assert venv.installed() == {"hull": "1.0"}
    _write(tmp_path, "tool.py", '# /// script\n# dependencies = ["mast"]\n# ///\n')
    assert "has changed since" in cli.refused("sync", "tool.py", "--locked")


@pytest.mark.parametrize(
    ("source", "command"),
    [("pyproject.toml", "`lockset lock pyproject.toml`"), ("tool.py", "`lockset lock tool.py -o pylock.tool.toml`")],
)
def test_a_project_without_a_lock_file_is_refused_with_the_command_that_makes_it(
    cli: Command, venv: Venv, tmp_path: Path, source: str, command: str
) -> None:
    _write(tmp_path, source, "# /// script\n# dependencies = []\n# ///\n")
    assert command in cli.refused("sync", source)
    assert venv.installed() == {}


def test_without_a_lock_file_the_error_names_a_file_that_can_be_synced(cli: Command, tmp_path: Path) -> None:
    _write(tmp_path, "requirements.txt", "hull==1.0\n")
    assert "requirements.txt" in cli.refused("tree")
