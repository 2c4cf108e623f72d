"""`lockset audit`: what strangers see of a lock, requirements and an environment, and how a lock is fixed."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
import tomli

from support.fakes.fake_osv import FakeOsv
from support.output_schema import check_output
from support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex
    from support.venvs import VenvMaker

ADVISORIES = ROOT / "tests" / "support" / "advisories"
PROJECT = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\n'


def advisory(own: str, name: str, *events: dict[str, str], **more: Any) -> dict[str, Any]:
    affected = {
        "package": {"name": name, "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, *events]}],
    }
    return {"id": own, "modified": "2026-11-20T00:00:00Z", "summary": f"{name} is bad", "affected": [affected], **more}


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., None]:
    """Writes advisories to the folder `db`."""

    def write(*advisories: dict[str, Any]) -> None:
        (tmp_path / "db").mkdir(exist_ok=True)
        for one in advisories:
            (tmp_path / "db" / f"{one['id']}.json").write_text(json.dumps(one))

    return write


@pytest.fixture
def lock(cli: Command, local_index: LocalIndex, tmp_path: Path) -> Callable[..., None]:
    """Locks a project that requires `dependencies`."""

    def locked(*dependencies: str, more: str = "", options: tuple[str, ...] = ()) -> None:
        (tmp_path / "pyproject.toml").write_text(f"{PROJECT}dependencies = {list(dependencies)}\n{more}")
        cli.ok("lock", "-i", local_index.url, "--refresh", *options)

    return locked


def versions(tmp_path: Path) -> list[str]:
    return [f"{p['name']} {p['version']}" for p in tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]]


def audited(cli: Command, *args: object, code: int = 1, stdin: str | None = None) -> Any:
    result = cli("audit", *args, "--json", stdin=stdin)
    assert result.code == code, str(result)
    data = result.json()
    check_output(data, "audit")
    return data


def test_a_finding_tells_what_is_wrong_what_fixes_it_and_who_requires_it(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None]
) -> None:
    local_index.world.add("web", requires=["tpl"]).add("tpl", "1.0")
    lock("web")
    put(
        advisory("PYSEC-1", "TPL", {"fixed": "1.5"}, aliases=["CVE-1"]),
        advisory("GHSA-1", "tpl", {"fixed": "1.5"}, aliases=["CVE-1"], database_specific={"severity": "HIGH"}),
        advisory("PYSEC-2", "web", {"fixed": "0.5"}),
    )
    result = cli("audit", "--advisories", "db")
    assert result.code == 1
    assert "tpl 1.0: PYSEC-1 (GHSA-1, CVE-1) high" in result.stdout
    assert "TPL is bad" in result.stdout
    assert "required by: web 1.0 → tpl 1.0" in result.stdout
    assert "fixed in 1.5" in result.stdout
    assert "1 known vulnerability in 1 of 2 packages" in result.stderr


def test_a_lock_without_findings_ends_with_zero_and_says_what_it_was_compared_with(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None]
) -> None:
    local_index.world.add("a", "2.0")
    lock("a")
    put(advisory("PYSEC-1", "a", {"fixed": "2.0"}))
    result = cli.ok("audit", "--advisories", "db")
    assert result.stdout == ""
    assert "Compared with db, 1 advisory, the newest of 2026-11-20" in result.stderr
    assert "No known vulnerabilities in 1 package" in result.stderr


def test_nothing_is_fetched_unless_it_is_named(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None]
) -> None:
    local_index.world.add("a", "1.0").add("a", "2.0")
    lock("a<2")
    local_index.forget()
    put(advisory("PYSEC-1", "a", {"fixed": "2.0"}))
    assert audited(cli, "--advisories", "db", "--no-cache")["findings"][0]["outlook"] is None
    assert local_index.seen == []


def test_without_advisories_the_command_says_how_to_name_some(cli: Command, lock: Callable[..., None]) -> None:
    lock()
    assert "--advisories" in cli.refused("audit", code=2)


def test_a_fix_that_fits_is_proposed_and_locked_and_nothing_else_changes(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None], tmp_path: Path
) -> None:
    world = local_index.world.add("web", requires=["tpl"]).add("tpl", "1.0").add("other", "1.0")
    lock("web", "other")
    for version in ("1.4", "1.5", "2.0"):
        world.add("tpl", version)
    world.add("other", "2.0").add("web", "2.0", requires=["tpl"])
    put(advisory("PYSEC-1", "tpl", {"fixed": "1.5"}))
    options = ("--advisories", "db", "-i", local_index.url, "--refresh")
    (finding,) = audited(cli, *options)["findings"]
    assert finding["outlook"]["versions"] == ["2.0"]
    assert finding["outlook"]["changes"] == []
    before = versions(tmp_path)
    audited(cli, *options, "--fix", "--dry-run", code=0)
    assert versions(tmp_path) == before
    result = cli.ok("audit", *options, "--fix")
    assert versions(tmp_path) == ["other 1.0", "tpl 2.0", "web 1.0"]
    assert "tpl 1.0 -> 2.0" in result.stderr
    assert "No known vulnerabilities left in 3 packages" in result.stderr
    cli.ok("lock", "--check")
    cli.ok("audit", "--advisories", "db")


def test_a_fix_that_needs_another_version_of_what_requires_it_brings_that_along(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None], tmp_path: Path
) -> None:
    world = local_index.world.add("web", "1.0", requires=["tpl<2"]).add("tpl", "1.0")
    lock("web")
    world.add("tpl", "2.0").add("web", "1.1", requires=["tpl>=2"])
    put(advisory("PYSEC-1", "tpl", {"fixed": "2.0"}))
    options = ("--advisories", "db", "-i", local_index.url, "--refresh")
    (finding,) = audited(cli, *options)["findings"]
    assert (finding["outlook"]["versions"], finding["outlook"]["changes"]) == (["2.0"], ["web 1.1"])
    cli.ok("audit", *options, "--fix")
    assert versions(tmp_path) == ["tpl 2.0", "web 1.1"]


def test_a_fix_that_does_not_fit_is_explained_and_remains(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None], tmp_path: Path
) -> None:
    local_index.world.add("tpl", "1.0").add("tpl", "2.0").add("b", "1.0").add("b", "2.0")
    lock("tpl<2", "b")
    cli.ok("lock", "-i", local_index.url, "--refresh")
    put(advisory("PYSEC-1", "tpl", {"fixed": "2.0"}), advisory("PYSEC-2", "b", {"fixed": "3.0"}))
    options = ("--advisories", "db", "-i", local_index.url, "--refresh")
    data = audited(cli, *options, "--fix")
    outlooks = {one["name"]: one["outlook"] for one in data["findings"]}
    assert not outlooks["tpl"]["fits"]
    assert outlooks["tpl"]["reason"] == "tpl>=2.0 is incompatible with the other requirements"
    assert outlooks["tpl"]["context"][0] == "tpl<2 is required in pyproject.toml [project.dependencies]"
    assert "No later version of b on the index is without known vulnerabilities" in outlooks["b"]["reason"]
    assert sorted(one["name"] for one in data["fix"]["remaining"]) == ["b", "tpl"]
    assert data["fix"]["changes"] == []
    assert versions(tmp_path) == ["b 2.0", "tpl 1.0"]


def test_of_two_fixes_the_one_that_fits_is_locked(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None], tmp_path: Path
) -> None:
    world = local_index.world.add("a", "1.0").add("b", "1.0")
    lock("a<2", "b")
    world.add("a", "2.0").add("b", "2.0")
    put(advisory("PYSEC-1", "a", {"fixed": "2.0"}), advisory("PYSEC-2", "b", {"fixed": "2.0"}))
    options = ("--advisories", "db", "-i", local_index.url, "--refresh")
    outlooks = {one["name"]: one["outlook"] for one in audited(cli, *options)["findings"]}
    assert (outlooks["a"]["fits"], outlooks["b"]["versions"], outlooks["b"]["changes"]) == (False, ["2.0"], [])
    result = cli("audit", *options, "--fix")
    assert result.code == 1
    assert versions(tmp_path) == ["a 1.0", "b 2.0"]
    assert "1 known vulnerability left in 1 of 2 packages" in result.stderr


def test_a_version_between_two_affected_ranges_is_no_trap(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None], tmp_path: Path
) -> None:
    world = local_index.world.add("a", "1.0")
    lock("a")
    for version in ("1.1", "2.0", "2.1"):
        world.add("a", version)
    put(advisory("PYSEC-1", "a", {"fixed": "1.1"}, {"introduced": "2.0"}))
    cli.ok("audit", "--advisories", "db", "-i", local_index.url, "--refresh", "--fix")
    assert versions(tmp_path) == ["a 1.1"]


@pytest.mark.parametrize(
    "options", [("--python", "3.12"), ("--platform", "linux"), ("--environment", "os_name == 'nt'")]
)
def test_a_fix_keeps_the_pythons_and_environments_of_the_lock(
    cli: Command, local_index: LocalIndex, put: Callable[..., None], tmp_path: Path, options: tuple[str, ...]
) -> None:
    (tmp_path / "requirements.in").write_text("a\n")
    world = local_index.world.add("a", "1.0")
    cli.ok("lock", "requirements.in", "-i", local_index.url, "--refresh", *options)
    before = tomli.loads((tmp_path / "pylock.toml").read_text())
    world.add("a", "2.0")
    put(advisory("PYSEC-1", "a", {"fixed": "2.0"}))
    result = cli.ok("audit", "--advisories", "db", "-i", local_index.url, "--refresh", "--fix")
    after = tomli.loads((tmp_path / "pylock.toml").read_text())
    assert versions(tmp_path) == ["a 2.0"]
    assert [after.get(key) for key in ("requires-python", "environments")] == [
        before.get(key) for key in ("requires-python", "environments")
    ]
    assert "has changed since" not in result.stderr


def test_a_pre_release_is_no_fix(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None], tmp_path: Path
) -> None:
    world = local_index.world.add("a", "1.0")
    lock("a")
    world.add("a", "2.0rc1")
    put(advisory("PYSEC-1", "a", {"fixed": "2.0rc1"}))
    (finding,) = audited(cli, "--advisories", "db", "-i", local_index.url, "--refresh", "--fix")["findings"]
    assert finding["outlook"]["reason"] == "Only pre-releases of a are without known vulnerabilities"
    assert versions(tmp_path) == ["a 1.0"]


def test_a_lock_without_its_project_is_audited_and_not_fixed(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None], tmp_path: Path
) -> None:
    local_index.world.add("a", "1.0")
    lock("a")
    (tmp_path / "alone").mkdir()
    shutil.copy(tmp_path / "pylock.toml", tmp_path / "alone")
    put(advisory("PYSEC-1", "a", {"fixed": "2.0"}))
    options = ("--advisories", "db", "-i", local_index.url)
    assert "Fixes are not compared with requirements" in audited(cli, "alone/pylock.toml", *options)["notes"][0]
    assert "neither a pyproject.toml nor a requirements.in" in cli.refused(
        "audit", "alone/pylock.toml", *options, "--fix"
    )


def test_ignored_vulnerabilities_do_not_count_until_their_end(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None]
) -> None:
    local_index.world.add("a", "1.0").add("b", "1.0").add("c", "1.0")
    lock(
        "a",
        "b",
        "c",
        more="""[tool.lockset.audit]
advisories = ["db"]
ignore = [
    { id = "cve-1", reason = "Not used" , until = 2999-01-01 },
    { id = "PYSEC-2", reason = "Later", until = 2026-01-01 },
    { id = "PYSEC-3", reason = "Of another package", package = "a" },
    { id = "PYSEC-9", reason = "Gone" },
]
""",
    )
    put(
        advisory("PYSEC-1", "a", aliases=["CVE-1"]),
        advisory("PYSEC-2", "b"),
        advisory("PYSEC-3", "c"),
    )
    data = audited(cli)
    assert [(one["id"], one["expired"]) for one in data["findings"]] == [("PYSEC-2", "2026-01-01"), ("PYSEC-3", None)]
    assert [one["ignored"]["reason"] for one in data["ignored"]] == ["Not used"]
    assert [note.partition(" is ")[0] for note in data["notes"]] == ["PYSEC-3 of a", "PYSEC-9"]
    text = cli("audit")
    assert "was ignored until 2026-01-01 (Later)" in text.stdout
    assert "(1 ignored)" in text.stderr
    cli.ok("audit", "--ignore", "PYSEC-2", "--ignore", "pysec-3")


def test_a_wrong_entry_of_ignore_is_refused_with_its_line(cli: Command, lock: Callable[..., None]) -> None:
    lock()
    text = f'{PROJECT}[tool.lockset.audit]\nadvisories = ["db"]\nignore = [{{ id = "CVE-1" }}]\n'
    (cli.cwd / "pyproject.toml").write_text(text)
    paragraph = cli.refused("audit")
    assert "pyproject.toml:7:" in paragraph
    assert "needs a `reason`" in paragraph


def test_only_a_part_of_the_lock_is_audited(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None]
) -> None:
    local_index.world.add("a", "1.0").add("d", "1.0").add("w", "1.0")
    lock("a", "w ; sys_platform == 'win32'", more='[dependency-groups]\ndev = ["d"]\n')
    put(advisory("PYSEC-1", "d"), advisory("PYSEC-2", "w"))
    assert {one["name"]: one["marker"] for one in audited(cli, "--advisories", "db")["findings"]} == {
        "d": "'dev' in dependency_groups",
        "w": "sys_platform == 'win32'",
    }
    on_linux = audited(cli, "--advisories", "db", "--platform", "linux")["findings"]
    assert [one["name"] for one in on_linux] == ["d"]
    with_dev = audited(cli, "--advisories", "db", "--group", "dev", "--platform", "windows")["findings"]
    assert sorted(one["name"] for one in with_dev) == ["d", "w"]


def test_pins_of_requirements_are_audited_and_the_rest_is_named(
    cli: Command, put: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "more.txt").write_text("d==1.0+local\n")
    (tmp_path / "requirements.txt").write_text(
        "a==1.0\nb>=1\nc===2004d\n-r more.txt\ne==1.* \n-e .\n./libs\nf==0.1 ; os_name == 'nt'\n"
        "git+https://example.org/r\n"
    )
    put(*(advisory(f"PYSEC-{name}", name, {"fixed": "2"}) for name in "abdef"))
    data = audited(cli, "requirements.txt", "--advisories", "db")
    assert [(one["name"], one["line"]) for one in data["findings"]] == [("a", 1), ("d", 1), ("f", 8)]
    assert len(data["unchecked"]) == 5
    assert "unnamed-project" not in str(data)
    data = audited(cli, "-", "--advisories", "db", stdin="a==1.0\n")
    assert [one["name"] for one in data["findings"]] == ["a"]


def test_lock_files_of_other_tools_are_audited(cli: Command, put: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text(
        'version = 1\nrequires-python = ">=3.10"\n\n[[package]]\nname = "app"\nversion = "1"\n'
        'source = { virtual = "." }\ndependencies = [{ name = "a" }]\n\n[[package]]\nname = "a"\nversion = "1.0"\n'
        'source = { registry = "https://example.org/simple" }\nsdist = { url = "https://example.org/a-1.0.tar.gz",'
        f' hash = "sha256:{"0" * 64}" }}\n'
    )
    put(advisory("PYSEC-1", "a"))
    assert [one["name"] for one in audited(cli, "uv.lock", "--advisories", "db")["findings"]] == ["a"]
    assert "Only a pylock file can be fixed" in cli.refused("audit", "uv.lock", "--advisories", "db", "--fix", code=2)


def test_an_environment_and_a_folder_are_audited(
    cli: Command,
    lock: Callable[..., None],
    local_index: LocalIndex,
    put: Callable[..., None],
    make_venv: VenvMaker,
) -> None:
    local_index.world.add("web", requires=["tpl"]).add("tpl", "1.0")
    lock("web")
    environment = make_venv("env")
    cli.ok("sync", "-p", environment.path, "-i", local_index.url)
    cli.ok("sync", "-p", environment.path, "--target", "libs", "-i", local_index.url)
    put(advisory("PYSEC-1", "tpl", {"fixed": "2"}))
    for options in (("-p", environment.path), ("-p", environment.path, "--target", "libs")):
        data = audited(cli, "--advisories", "db", *options)
        assert [(one["name"], one["chain"]) for one in data["findings"]] == [("tpl", ["web 1.0", "tpl 1.0"])]
        assert data["kind"] == "environment"
    assert "There is no such folder" in cli.refused("audit", "--advisories", "db", "--target", "none")


def test_old_and_broken_advisories_are_reported(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None], tmp_path: Path
) -> None:
    local_index.world.add("a", "1.0")
    lock("a")
    put(advisory("PYSEC-1", "a", {"fixed": "some day"}) | {"modified": "2025-01-01T00:00:00Z"})
    (tmp_path / "db" / "broken.json").write_text("{")
    data = audited(cli, "--advisories", "db")
    assert len(data["findings"]) == 1
    old, broken, wrong = data["warnings"]
    assert "from 2025-01-01" in old
    assert "broken.json" in broken
    assert "`fixed` is 'some day'" in wrong


def test_no_summary_of_an_advisory_controls_the_terminal(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("typing-extensions==4.1\n")
    for form in ("text", "json", "sarif", "github", "markdown"):
        result = cli("audit", "requirements.txt", "--advisories", ADVISORIES, "--format", form)
        assert result.code == 1
        assert "colours" in result.stdout
        assert "\x1b[31m" not in result.stdout
        assert "\u202e" not in result.stdout


def test_sarif_and_github_point_at_the_package_in_the_file(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None], tmp_path: Path
) -> None:
    local_index.world.add("a", "1.0")
    lock("a")
    put(advisory("PYSEC-1", "a", database_specific={"severity": "HIGH"}))
    line = next(
        n for n, each in enumerate((tmp_path / "pylock.toml").read_text().splitlines(), 1) if each == 'name = "a"'
    )
    run = json.loads(cli("audit", "--advisories", "db", "--format", "sarif").stdout)["runs"][0]
    (result,) = run["results"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == line
    assert run["tool"]["driver"]["rules"][0]["properties"]["security-severity"] == "8.0"
    assert cli("audit", "--advisories", "db", "--format", "github").stdout.startswith(
        f"::error file=pylock.toml,line={line},col="
    )
    table = cli("audit", "--advisories", "db", "--format", "markdown").stdout
    assert "| a | 1.0 | [PYSEC-1](https://osv.dev/vulnerability/PYSEC-1) | high |" in table


def test_osv_is_queried_in_pages_and_learns_names_and_versions_only(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex
) -> None:
    local_index.world.add("a", "1.0").add("b", "1.0")
    lock("a", "b")
    advisories = {f"GHSA-{n}": advisory(f"GHSA-{n}", "a", {"fixed": "2"}) for n in range(3)}
    with FakeOsv(advisories) as osv:
        data = audited(cli, "--osv-url", osv.url)
        assert sorted(one["id"] for one in data["findings"]) == sorted(advisories)
        assert set(osv.queries) == {("a", "1.0"), ("b", "1.0")}
        assert data["databases"][0]["advisories"] is None
        osv.advisories.clear()
        audited(cli, "--osv-url", osv.url, code=0)


@pytest.mark.parametrize(
    ("path", "answer", "part"),
    [
        ("/v1/querybatch", b"<html>", "not valid JSON"),
        ("/v1/querybatch", b"[]", "one result for each query"),
        ("/v1/querybatch", b'{"results": []}', "one result for each query"),
        ("/v1/querybatch", b'{"results": [{"vulns": [{"id": "../../x"}]}]}', "no valid `id`"),
        ("/v1/querybatch", b'{"results": [{"vulns": 3}]}', "not an array"),
        ("/v1/querybatch", b'{"results": [{"next_page_token": "again"}]}', "more than 100 pages"),
    ],
)
def test_a_wrong_answer_of_the_service_is_refused(
    cli: Command, tmp_path: Path, path: str, answer: bytes, part: str
) -> None:
    (tmp_path / "requirements.txt").write_text("a==1.0\n")
    with FakeOsv({}) as osv:
        osv.answers[path] = answer
        assert part in cli.refused("audit", "requirements.txt", "--osv-url", osv.url)


def test_a_wrong_advisory_of_the_service_is_named(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a==1.0\n")
    with FakeOsv({"GHSA-1": advisory("GHSA-1", "a")}) as osv:
        osv.answers["/v1/vulns/GHSA-1"] = b"{}"
        assert "GHSA-1" in audited(cli, "requirements.txt", "--osv-url", osv.url, code=0)["warnings"][0]


def test_a_service_that_cannot_be_reached_is_an_error(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a==1.0\n")
    paragraph = cli.refused("audit", "requirements.txt", "--osv-url", "http://127.0.0.1:9", "--retries", "0")
    assert "Could not connect" in paragraph
    assert "the network is disabled" in cli.refused("audit", "requirements.txt", "--osv", "--offline")


def test_an_archive_comes_from_a_mirror_and_is_there_without_the_network(
    cli: Command, local_index: LocalIndex, tmp_path: Path
) -> None:
    shutil.make_archive(str(tmp_path / "all"), "zip", ADVISORIES)
    (tmp_path / "requirements.txt").write_text("tqdm==4.60\n")
    with FakeOsv({}) as mirror:
        mirror.answers["/PyPI/all.zip"] = (tmp_path / "all.zip").read_bytes()
        url = f"{mirror.url}/PyPI/all.zip"
        assert len(audited(cli, "requirements.txt", "--advisories", url)["findings"]) == 1
    assert len(audited(cli, "requirements.txt", "--advisories", url, "--offline")["findings"]) == 1
    assert "Run once without --offline" in cli.refused(
        "audit", "requirements.txt", "--advisories", url, "--offline", "--no-cache"
    )


def test_options_that_exclude_each_other_are_refused(cli: Command, lock: Callable[..., None]) -> None:
    lock()
    for options in (
        ("pylock.toml", "--target", "x"),
        ("--target", "x", "--prefix", "y"),
        ("--dry-run",),
        ("--json", "--format", "sarif"),
        ("--ignore", "a b"),
    ):
        cli.refused("audit", "--advisories", ADVISORIES, *options, code=2)


def days_ago(days: float) -> datetime:
    return datetime.now(timezone.utc) - timedelta(days=days)


def test_a_fix_is_taken_although_the_cooldown_would_hold_it_back_and_nothing_else_is(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None], tmp_path: Path
) -> None:
    world = local_index.world.add("a", "1.0").add("b", "1.0")
    lock("a", "b", more='[tool.lockset]\ncooldown = "7 days"\n')
    world.add("a", "1.1", upload_time=days_ago(1)).add("a", "1.2", upload_time=days_ago(0.5))
    world.add("b", "2.0", upload_time=days_ago(1))
    put(advisory("PYSEC-1", "a", {"fixed": "1.1"}))
    result = cli.ok("audit", "--advisories", "db", "-i", local_index.url, "--refresh", "--fix")
    assert versions(tmp_path) == ["a 1.1", "b 1.0"]
    assert "the cooldown does not apply to fixes: a 1.1" in result.stderr
    # The fix stays where the lock is made again, and nothing is taken along.
    for options in ((), ("-U",)):
        cli.ok("lock", "-i", local_index.url, "--refresh", *options)
        assert versions(tmp_path) == ["a 1.1", "b 1.0"]


def test_an_old_fix_is_preferred_to_one_that_the_cooldown_holds_back(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None], tmp_path: Path
) -> None:
    world = local_index.world.add("a", "1.0")
    lock("a", more='[tool.lockset]\ncooldown = "7 days"\n')
    world.add("a", "1.1", upload_time=days_ago(30)).add("a", "1.2", upload_time=days_ago(1))
    put(advisory("PYSEC-1", "a", {"fixed": "1.1"}))
    result = cli.ok("audit", "--advisories", "db", "-i", local_index.url, "--refresh", "--fix")
    assert versions(tmp_path) == ["a 1.1"]
    assert "newer than the cooldown" not in result.stderr


def test_a_bill_of_materials_has_the_vulnerabilities_and_what_is_known_of_them(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None], tmp_path: Path
) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    local_index.world.add("a", "1.0").add("b", "1.0")
    ignore = '[{ id = "PYSEC-2", reason = "Not called", state = "not_affected" }]'
    lock("a", "b", more=f'[tool.lockset.audit]\nadvisories = ["db"]\nignore = {ignore}\n')
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    put(
        advisory("PYSEC-1", "a", {"fixed": "2"}, aliases=["CVE-1"], severity=[{"type": "CVSS_V3", "score": vector}]),
        advisory("PYSEC-2", "b"),
    )
    text = cli.ok("export", "--format", "cyclonedx", "--vex").stdout
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    first, second = sorted(json.loads(text)["vulnerabilities"], key=lambda one: one["id"])
    assert first["ratings"] == [{"method": "CVSSv31", "score": 9.8, "severity": "critical", "vector": vector[9:]}]
    assert first["recommendation"] == "Upgrade a to 2"
    assert [one["ref"] for one in first["affects"]] == ["a@1.0#"]
    assert [one["id"] for one in first["references"]] == ["CVE-1"]
    assert second["analysis"] == {"state": "not_affected", "detail": "Not called"}
    assert "vulnerabilities" not in json.loads(cli.ok("export", "--format", "cyclonedx").stdout)
    assert "--format cyclonedx" in cli.refused("export", "--format", "spdx", "--vex", code=2)


@pytest.mark.parametrize("form", ["json", "html"])
def test_a_quarantined_project_counts_and_a_yanked_version_is_noted(
    cli: Command, lock: Callable[..., None], local_index: LocalIndex, put: Callable[..., None], form: str
) -> None:
    local_index.set_mode(json=form == "json")
    local_index.world.add("bad", "1.0").add("old", "1.0").add("fine", "1.0")
    lock("bad", "old", "fine")
    local_index.world.mark("bad", "quarantined", "it steals keys")
    local_index.world.projects["old"].clear()
    local_index.world.add("old", "1.0", yanked="broken on Fridays")
    put(advisory("PYSEC-1", "other"))
    options = ("--advisories", "db", "-i", local_index.url, "--refresh")
    data = audited(cli, *options)
    assert [(one["kind"], one["name"]) for one in data["statuses"]] == [("quarantined", "bad"), ("yanked", "old")]
    assert "broken on Fridays" in data["statuses"][1]["message"]
    assert (data["findings"], data["clean"]) == ([], False)
    text = cli("audit", *options)
    assert "quarantined: bad is quarantined" in text.stdout
    assert "old 1.0 is yanked (broken on Fridays)" in text.stderr
    sarif = json.loads(cli("audit", *options, "--format", "sarif").stdout)
    assert [one["ruleId"] for one in sarif["runs"][0]["results"]] == ["project-quarantined"]
    cli.ok("audit", "--advisories", "db")


def test_a_package_that_no_index_has_is_named(
    cli: Command, local_index: LocalIndex, put: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text("ours==1.0\n")
    put(advisory("PYSEC-1", "other"))
    data = audited(cli, "requirements.txt", "--advisories", "db", "-i", local_index.url, code=0)
    assert [one["kind"] for one in data["statuses"]] == ["unknown"]
