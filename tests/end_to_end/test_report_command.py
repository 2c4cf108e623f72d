"""`lockset report` and `lockset graph` as people and CI call them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lockset.lockfile.report.concerns import CONCERNS
from support.output_schema import check_output
from support.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex


@pytest.fixture
def project(tmp_path: Path, local_index: LocalIndex, cli: Command) -> Path:
    """A locked project: one package forks, one has only an sdist, one only a wheel for Windows."""
    world = local_index.world
    world.add("web", "1.0", requires=["base", "forked", "colors ; sys_platform == 'win32'"])
    world.add("base", "1.0").add("colors", "1.0").add("plain", "1.0", wheels=(), sdist=True)
    world.add("forked", "1.0", requires_python=">=3.10").add("forked", "2.0", requires_python=">=3.12")
    world.add("plot", "1.0", requires=["base"])
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["web", "plain"]\n'
        '[project.optional-dependencies]\ncharts = ["plot"]\n'
    )
    cli.ok("lock", "-i", local_index.url)
    return tmp_path


def test_a_report_is_written_next_to_the_working_folder(project: Path, cli: Command) -> None:
    done = cli.ok("report")
    assert done.stdout == ""
    assert "Wrote lockset-report.html: 6 packages, concerns: " in done.stderr
    page = (project / "lockset-report.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "Report on pylock.toml" in page


def test_the_ending_of_the_output_chooses_the_format(project: Path, cli: Command) -> None:
    cli.ok("report", "-o", "a.md")
    cli.ok("report", "-o", "a.json")
    cli.ok("graph", "-o", "g.svg")
    assert (project / "a.md").read_text("utf-8").startswith("## Report on pylock.toml")
    assert json.loads((project / "a.json").read_text("utf-8"))["lock"] == "pylock.toml"
    assert "<svg" in (project / "g.svg").read_text("utf-8")
    assert cli.ok("report", "--format", "html", "-o", "-").stdout.startswith("<!doctype html>")
    assert cli.ok("graph").stdout.startswith("flowchart LR\n")


def test_the_json_report_is_as_its_schema_says(project: Path, cli: Command, local_index: LocalIndex) -> None:
    assert project.is_dir()
    for more in ((), ("--online", "-i", local_index.url)):
        online = cli.ok("report", "--format", "json", *more).json()
        check_output(online, "report")
        assert online["online"] is bool(more)
    value = cli.ok("report", "--format", "json").json()
    forked = next(row for row in value["matrix"] if row["name"] == "forked")
    assert {(each["version"], each["kind"]) for cell in forked["cells"] for each in cell} == {
        ("1.0", "wheel"), ("2.0", "wheel"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("names", "code"), [("sdist-only", 1), ("yanked,other-index,sdist-only", 1), ("missing-file,weak-hash", 0)]
)
def test_concerns_fail_a_run(project: Path, cli: Command, local_index: LocalIndex, names: str, code: int) -> None:
    done = cli("report", "--format", "markdown", "--fail-on", names, "--online", "-i", local_index.url)
    assert done.code == code
    assert ("failed: sdist-only: plain 1.0" in done.stderr) == bool(code)
    assert done.stdout.startswith("## Report"), project


def test_concerns_of_an_index_need_an_index(project: Path, cli: Command) -> None:
    done = cli("report", "--fail-on", "yanked")
    assert (done.code, done.stdout) == (2, "")
    assert "Add `--online`" in done.stderr
    unknown = cli("report", "--fail-on", "sdists")
    assert unknown.code == 2
    assert "there is no concern `sdists`" in unknown.stderr
    assert not (project / "lockset-report.html").exists()


def test_online_shows_newer_and_yanked_versions(project: Path, cli: Command, local_index: LocalIndex) -> None:
    local_index.world.add("base", "1.1").add("base", "2.0")
    for file in local_index.world.projects["plain"]:
        object.__setattr__(file, "yanked", "broken")
    del local_index.world.projects["plot"]
    value = cli.ok("report", "--format", "json", "--online", "--refresh", "-i", local_index.url).json()
    concerns = {(each["name"], each["package"], each["detail"]) for each in value["concerns"]}
    assert {
        ("outdated", "base", "1.0 → 2.0 (major)"),
        ("yanked", "plain", "broken"),
        ("not-on-index", "plot", "the project"),
    } <= concerns
    assert project.is_dir()


def test_an_index_that_does_not_answer_is_a_concern(project: Path, cli: Command) -> None:
    done = cli("report", "--format", "json", "--online", "--no-cache", "-i", "http://127.0.0.1:9/simple/", "--retries",
               "0", "--fail-on", "not-checked")  # fmt: skip
    assert done.code == 1
    assert {each["name"] for each in done.json()["concerns"]} >= {"not-checked"}
    assert project.is_dir()


def test_a_report_without_online_asks_no_index(project: Path, cli: Command, local_index: LocalIndex) -> None:
    local_index.forget()
    cli.ok("report", "-i", local_index.url)
    assert local_index.paths() == []
    assert project.is_dir()


def test_platforms_and_pythons_are_chosen(project: Path, cli: Command) -> None:
    value = cli.ok("report", "--format", "json", "--platform", "windows", "--python", "3.12", "--python", "3.9").json()
    assert [(env["name"], env["supported"]) for env in value["environments"]] == [
        ("Windows x86_64, Python 3.12", True),
        ("Windows x86_64, Python 3.9", False),
    ]
    assert cli("report", "--platform", "beos").code == 2
    assert project.is_dir()


def test_a_graph_of_an_environment_leaves_out_the_rest(project: Path, cli: Command) -> None:
    value = cli.ok("graph", "--format", "json", "--platform", "linux", "--python", "3.12").json()
    assert {node["name"] for node in value["nodes"]} == {"web", "base", "forked", "plain", "plot"}
    assert cli("graph", "--package", "webb").code == 1
    done = cli.ok("graph", "--max-nodes", "2")
    assert "Not everything is drawn" in done.stderr
    assert project.is_dir()


def test_a_file_that_cannot_be_written_is_refused(project: Path, cli: Command) -> None:
    done = cli("report", "-o", "missing/report.html")
    assert done.code == 1
    assert "Cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    assert project.is_dir()


def test_every_concern_is_documented() -> None:
    page = (ROOT / "docs" / "pages" / "reference" / "report.md").read_text("utf-8")
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `") and not line.startswith("| `-")}
    assert rows == set(CONCERNS)
