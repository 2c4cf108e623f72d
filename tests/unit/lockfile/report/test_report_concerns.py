"""What a report points out, and what it says that it did not look at."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from lockset.api.report import report
from lockset.composition.maintenance.lock_report import facts_of_page
from lockset.composition.run_context import RunContext
from lockset.lockfile.read import read_document
from lockset.lockfile.report.concerns import CONCERNS
from lockset.lockfile.report.environments import report_environments
from lockset.lockfile.report.health import IndexFacts
from lockset.lockfile.report.report import make_report
from support.builders import PageFile, make_lock, make_wheel
from support.builders.graph_locks import entry
from support.fakes.fake_index import detail_of

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.lockfile.report.report import LockReport

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
INDEX = "https://index.example.org/simple/"
A = "a" * 64


def wheel(name: str = "sample", version: str = "1.0", tag: str = "py3-none-any", **more: Any) -> dict[str, Any]:
    file = f"{name}-{version}-{tag}.whl"
    return {"name": file, "url": f"https://files.example.org/{file}", "hashes": {"sha256": A}, **more}


def sdist(name: str = "sample", version: str = "1.0", **more: Any) -> dict[str, Any]:
    file = f"{name}-{version}.tar.gz"
    return {"name": file, "url": f"https://files.example.org/{file}", "hashes": {"sha256": A}, **more}


def package(**more: Any) -> dict[str, Any]:
    return {"name": "sample", "version": "1.0", **more}


def report_of(*packages: dict[str, Any], facts: dict[int, IndexFacts] | None = None, **top: Any) -> LockReport:
    lock = read_document(make_lock(packages, **top)).lock
    return make_report(
        lock,
        report_environments(lock, usual_pythons=("3.12", "3.13")),
        name="pylock.toml",
        now=NOW,
        issues=None,
        facts=facts,
        default_index=INDEX,
        old_days=365,
    )


def names(made: LockReport) -> list[str]:
    return [each.name for each in made.concerns]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"wheels": [wheel()]}, []),
        ({"wheels": [wheel()], "index": INDEX}, []),
        ({"wheels": [wheel()], "index": "https://other.example.org/simple"}, ["other-index"]),
        ({"wheels": [wheel(tag="cp312-cp312-win_amd64")]}, ["missing-file"]),
        ({"wheels": [wheel(tag="cp312-cp312-win_amd64")], "sdist": sdist()}, ["partial-wheels"]),
        ({"sdist": sdist()}, ["sdist-only"]),
        ({"wheels": [wheel(hashes={"md5": "b" * 32})]}, ["weak-hash"]),
        ({"wheels": [wheel(hashes={"SHA512": "b" * 128})]}, []),
        ({"wheels": [wheel(url="HTTP://files.example.org/sample-1.0-py3-none-any.whl")]}, ["insecure-url"]),
        ({"wheels": [wheel(upload_time=datetime(2025, 1, 1, tzinfo=timezone.utc))]}, []),
        ({"vcs": {"type": "git", "url": "https://git.example.org/a", "commit-id": "c" * 40}}, ["direct-source"]),
        ({"directory": {"path": "tree"}}, ["direct-source"]),
    ],
)
def test_a_lock_file_shows_these_by_itself(more: dict[str, Any], expected: list[str]) -> None:
    assert names(report_of(package(**more))) == expected


def test_an_old_upload_is_a_concern_after_the_given_days() -> None:
    locked = wheel() | {"upload-time": datetime(2025, 5, 1, tzinfo=timezone.utc)}
    made = report_of(package(wheels=[locked]))
    assert [(each.name, each.detail) for each in made.concerns] == [("old", "uploaded 2025-05-01")]


@pytest.mark.parametrize(
    ("facts", "expected", "detail"),
    [
        (IndexFacts(newest="1.0"), [], ""),
        (IndexFacts(newest="2.0", releases_behind=3), ["outdated"], "1.0 → 2.0 (major)"),
        (IndexFacts(newest="1.0.1", releases_behind=1), ["outdated"], "1.0 → 1.0.1 (patch)"),
        (IndexFacts(yanked="broken"), ["yanked"], "broken"),
        (IndexFacts(yanked=""), ["yanked"], ""),
        (IndexFacts(status="archived"), ["archived"], ""),
        (IndexFacts(status="quarantined"), ["quarantined"], ""),
        (IndexFacts(status="deprecated"), ["deprecated"], ""),
        (IndexFacts(status="active"), [], ""),
        (IndexFacts(version_exists=False), ["not-on-index"], "the version"),
        (IndexFacts(project_exists=False, version_exists=False), ["not-on-index"], "the project"),
        (IndexFacts(problem="refused"), ["not-checked"], "refused"),
    ],
)
def test_an_index_shows_these(facts: IndexFacts, expected: list[str], detail: str) -> None:
    made = report_of(package(wheels=[wheel()]), facts={0: facts})
    assert names(made) == expected
    assert [each.detail for each in made.concerns] == [detail] * len(expected)
    assert all(CONCERNS[each.name].online for each in made.concerns)


def test_the_gravest_concerns_come_first() -> None:
    made = report_of(package(sdist=sdist(hashes={"md5": "b" * 32}), index="https://other.example.org/simple"))
    assert names(made) == ["weak-hash", "sdist-only", "other-index"]
    assert made.packages[0].concerns == ("weak-hash", "sdist-only", "other-index")


def test_what_was_not_examined_is_reported() -> None:
    without = report_of(package(wheels=[wheel()]), package(name="other", wheels=[wheel("other")]), created_by="pip")
    text = " ".join(without.unchecked)
    for part in ("--online", "pip recorded no dependencies", "age of 2 of 2", "size of 2 of 2", "`lockset validate`"):
        assert part in text
    assert not any("--online`." in sentence and "Newer" in sentence for sentence in report_of(facts={}).unchecked)


def test_direct_and_transitive_are_distinguished_only_where_the_lock_file_records_them() -> None:
    recorded = report_of(entry("a", needs=("b",)), entry("b"), tool={"lockset": {"roots": ["a"]}})
    assert [each.direct for each in recorded.packages] == [True, False]
    without_roots = report_of(entry("a", needs=("b",)), entry("b"))
    assert [each.direct for each in without_roots.packages] == [True, None]
    assert [each.direct for each in report_of(entry("a", needs=None)).packages] == [None]


def test_the_page_of_an_index_becomes_facts() -> None:
    files = [
        PageFile.of(
            make_wheel("sample", version), yanked=yanked, upload_time=datetime(2026, 1, day, tzinfo=timezone.utc)
        )
        for day, (version, yanked) in enumerate(
            {"1.0": "bad build", "1.1": False, "2.0": False, "3.0": True, "4.0rc1": False}.items(), 1
        )
    ]
    lock = read_document(make_lock([package(wheels=[wheel()])])).lock
    facts = facts_of_page(lock.packages[0], detail_of("sample", files))
    assert (facts.newest, facts.releases_behind, facts.yanked) == ("2.0", 2, "bad build")
    gone = read_document(make_lock([package(version="0.9", wheels=[wheel(version="0.9")])])).lock
    assert facts_of_page(gone.packages[0], detail_of("sample", files)).version_exists is False


def test_findings_of_validate_are_concerns_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(make_lock([package(wheels=[wheel(url="http://files.example.org/x.whl")])]))
    made = report(context=RunContext(folder=tmp_path, now=NOW))
    assert made.name == "pylock.toml"
    assert made.issues
    assert {"insecure-url", "warnings"} <= set(names(made))
