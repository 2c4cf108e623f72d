"""`lockset validate` beyond reading: mending, targets, sources, and what the index has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.builders import locked_package, make_lock, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex

WHEEL = make_wheel("sample", "1.0")
HEAD = 'lock-version = "1.0"\ncreated-by = "hand"\n'


def rules(cli: Command, *args: object) -> list[tuple[str, str]]:
    [file] = cli("validate", "pylock.toml", "--json", *args).json()["files"]
    return [(one["rule"], one["path"]) for one in file["diagnostics"]]


@pytest.fixture
def lock(tmp_path: Path, local_index: LocalIndex) -> Path:
    """A lock of one wheel that the index has."""
    local_index.world.add_file("sample", WHEEL)
    return write(tmp_path, local_index)


def write(folder: Path, index: LocalIndex, **changes: object) -> Path:
    entry = locked_package("sample", wheels=[WHEEL], url=f"{index.origin}/files/sample")
    entry["wheels"][0].update(changes)
    (folder / "pylock.toml").write_text(make_lock([entry]))
    return folder / "pylock.toml"


def test_a_file_is_fixed_in_place_and_keeps_its_permissions(cli: Command, tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_text(HEAD + '# kept\n[[packages]]\nname = "My_Pkg"\ndirectory = {path = "."}\n')
    path.chmod(0o640)
    result = cli.ok("validate", "--fix")
    assert result.stderr.splitlines() == [
        'pylock.toml: fixed packages[0].name: "My_Pkg" became "my-pkg"',
        "Fixed 1 problem in 1 file",
        "Checked 1 file: no errors",
    ]
    assert path.read_text() == HEAD + '# kept\n[[packages]]\nname = "my-pkg"\ndirectory = {path = "."}\n'
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["pylock.toml"]
    before = path.stat()
    assert cli.ok("validate", "--fix", "--json").json()["files"][0]["fixed"] == []
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_the_target_of_a_link_is_fixed_and_the_link_is_kept(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes((HEAD + 'created_by = 1\nextras = ["b", "a"]\npackages = []\n').encode())
    link = tmp_path / "pylock.toml"
    link.symlink_to("real")
    cli.ok("validate", "--fix")
    assert link.is_symlink()
    assert 'extras = ["a", "b"]' in (tmp_path / "real").read_text()


def test_nothing_is_fixed_with_wrong_settings(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.lockset]\nvalidate = 1\n")
    path = tmp_path / "pylock.toml"
    path.write_text(HEAD + 'extras = ["b", "a"]\npackages = []\n')
    assert rules(cli, "--fix") == [("wrong-type", "")]
    assert '["b", "a"]' in path.read_text()


def test_standard_input_cannot_be_fixed(cli: Command) -> None:
    assert cli("validate", "-", "--fix", stdin="").code == 2


def test_the_selection_for_a_target_is_listed(cli: Command, lock: Path) -> None:
    result = cli.ok("validate", "--for", "3.12/linux", "--for", "3.13/win_amd64")
    assert result.stdout.splitlines() == [
        f"{target}  sample 1.0  {WHEEL.filename}" for target in ("3.12/linux", "3.13/win_amd64")
    ]


def test_a_target_that_the_lock_cannot_serve_is_a_finding(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(HEAD + 'requires-python = ">=3.12"\npackages = []\n')
    assert rules(cli, "--for", "3.12/linux") == []
    assert rules(cli, "--for", "3.11/linux") == [("python-not-supported", "")]
    for target in ("3.12/amiga", "3.12"):
        assert cli("validate", "--for", target, "pylock.toml").code == 2


def test_sources_that_the_lock_does_not_serve_are_findings(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(HEAD + 'requires-python = ">=3.12"\npackages = []\n')
    assert rules(cli, "--sources") == [("source-missing", "")]
    project = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.12"\n'
    (tmp_path / "pyproject.toml").write_text(project)
    assert rules(cli, "--sources") == []
    (tmp_path / "pyproject.toml").write_text(project + 'dependencies = ["sample>=1"]\n')
    assert rules(cli, "--sources") == [("sources-stale", "")]


def test_a_file_that_matches_the_index_gives_no_finding(cli: Command, lock: Path, local_index: LocalIndex) -> None:
    assert rules(cli, "--online", "--download", "--index-url", local_index.url) == []


def test_differences_from_the_index_are_reported(cli: Command, lock: Path, local_index: LocalIndex) -> None:
    other = "0" * 64
    write(lock.parent, local_index, size=7, hashes={"sha256": other})
    wheel = "packages[0].wheels[0]"
    results = [("online-hash", f"{wheel}.hashes.sha256"), ("online-size", f"{wheel}.size")]
    assert sorted(rules(cli, "--online", "--index-url", local_index.url)) == results
    assert rules(cli, "--download", "--index-url", local_index.url) == [("online-size", wheel)]


def test_downloads_that_differ_from_the_lock_are_reported(cli: Command, lock: Path, local_index: LocalIndex) -> None:
    write(lock.parent, local_index, hashes={"sha256": "0" * 64})
    assert rules(cli, "--download", "--index-url", local_index.url) == [("online-hash", "packages[0].wheels[0]")]


def test_a_project_that_is_gone_does_not_hide_the_others(cli: Command, tmp_path: Path, local_index: LocalIndex) -> None:
    local_index.world.add_file("sample", WHEEL)
    gone = make_wheel("gone", "1.0")
    entries = [
        locked_package("gone", wheels=[gone], url=f"{local_index.origin}/files/gone"),
        locked_package("sample", wheels=[WHEEL], url=f"{local_index.origin}/files/sample"),
    ]
    entries[1]["wheels"][0]["size"] = 7
    (tmp_path / "pylock.toml").write_text(make_lock(entries))
    result = rules(cli, "--online", "--index-url", local_index.url)
    assert result == [("online-missing", "packages[0]"), ("online-size", "packages[1].wheels[0].size")]


def test_each_package_is_looked_for_on_the_index_it_names(
    cli: Command, tmp_path: Path, local_index: LocalIndex, second_index: LocalIndex
) -> None:
    other = make_wheel("other", "1.0")
    local_index.world.add_file("sample", WHEEL)
    second_index.world.add_file("other", other)
    entries = [
        locked_package("other", wheels=[other], url=f"{second_index.origin}/files/other"),
        locked_package("sample", wheels=[WHEEL], url=f"{local_index.origin}/files/sample"),
    ]
    entries[0]["index"], entries[1]["index"] = second_index.url, local_index.url
    (tmp_path / "pylock.toml").write_text(make_lock(entries))
    [file] = cli("validate", "pylock.toml", "--json", "--online", env={"LOCKSET_DEFAULT_INDEX": ""}).json()["files"]
    assert file["diagnostics"] == []
    assert [rule for rule, _ in rules(cli, "--online", "--index-url", local_index.url)] == ["online-missing"]
