"""What commands print as JSON is what `schemas/command-output.schema.json` says, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.output_schema import check_output

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex


@pytest.fixture
def project(tmp_path: Path, local_index: LocalIndex, cli: Command) -> Path:
    local_index.world.add("a", "1.0", requires=["b", "c ; sys_platform == 'win32'"]).add("a", "2.0", requires=["b<2"])
    local_index.world.add("b", "1.0").add("b", "2.0").add("c", "1.0")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "requirements.in").write_text("a\n")
    output = cli.ok(*lock(local_index), "--json", cwd=folder).stdout
    result = check_output(output, "lock")
    assert {p["name"] for p in result["packages"]} == {"a", "b"}
    assert result["behind"]["b"] == {"locked": "1.0", "newest": "2.0"}
    return folder


def lock(local_index: LocalIndex) -> tuple[str, ...]:
    return ("lock", "requirements.in", "--index-url", local_index.url, "--python", ">=3.10")


def test_looking_at_a_lock(project: Path, local_index: LocalIndex, cli: Command) -> None:
    assert check_output(cli.ok(*lock(local_index), "--check", "--json", cwd=project).stdout, "lock-check")["current"]
    tree = check_output(cli.ok("tree", "--json", cwd=project).stdout, "tree")
    assert [root["name"] for root in tree["roots"]] == ["a"]
    why = check_output(cli.ok("why", "b", "--json", cwd=project).stdout, "why")
    assert [step["name"] for step in why["packages"][0]["chains"][0]["chain"]] == ["a", "b"]


def test_comparing_and_asking_why_not(project: Path, local_index: LocalIndex, cli: Command) -> None:
    (project / "pylock.old.toml").write_bytes((project / "pylock.toml").read_bytes())
    (project / "requirements.in").write_text("a<2\n")
    cli.ok(*lock(local_index), cwd=project)
    changed = check_output(cli.ok("diff", "pylock.old.toml", "pylock.toml", "--json", cwd=project).stdout, "diff")
    assert not changed["same"]
    assert {change["name"] for change in changed["changes"]} >= {"a", "c"}
    options = ("requirements.in", "--index-url", local_index.url, "--python", ">=3.10")
    message = check_output(cli("why-not", "a==2.0", *options, "--json", cwd=project).stdout, "why-not")
    assert (message["name"], message["version"]) == ("a", "2.0")


def test_converting_and_downloading(project: Path, local_index: LocalIndex, cli: Command) -> None:
    (project / "requirements.txt").write_text("a==2.0\nb==1.0\n")
    options = ("-o", "pylock.converted.toml", "--index-url", local_index.url)
    done = check_output(cli.ok("convert", "requirements.txt", *options, "--json", cwd=project).stdout, "convert")
    assert done["proof"]["lost"] == 0
    kept = check_output(
        cli.ok("export", "pylock.converted.toml", "--json", "-o", "out.txt", cwd=project).stdout, "export"
    )
    assert (kept["file"], kept["text"]) == (str(project / "out.txt"), None)
    message = check_output(cli.ok("export", "pylock.converted.toml", "--json", cwd=project).stdout, "export")
    assert message["text"] == (project / "out.txt").read_text()
    where = ("--dest", "wheels", "--platform", "linux", "--python-version", "3.12")
    files = check_output(cli.ok("download", "pylock.toml", *where, "--json", cwd=project).stdout, "download")
    assert {file["name"] for file in files["files"]} == {"a", "b"}
