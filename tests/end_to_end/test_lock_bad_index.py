"""An index that lies, breaks or stalls: one clear paragraph, or stepped over; the old lock stays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import tomli

from support.builders import make_sdist, make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex

OLD = 'lock-version = "1.0"\ncreated-by = "someone"\npackages = []\n'


@pytest.fixture
def refused(cli: Command, local_index: LocalIndex, tmp_path: Path) -> Callable[..., str]:
    """Locks `a`, which is refused in one paragraph; the paragraph. The old lock is as it was."""

    def told(*options: str) -> str:
        (tmp_path / "requirements.in").write_text("a\n")
        (tmp_path / "pylock.toml").write_text(OLD)
        arguments = ("lock", "requirements.in", "--python", ">=3.10", "-i", local_index.url, "--retries", "1")
        paragraph = cli.refused(*arguments, *options)
        assert (tmp_path / "pylock.toml").read_text() == OLD
        assert len(paragraph) < 2000
        return paragraph

    return told


@pytest.fixture
def locked(cli: Command, local_index: LocalIndex, tmp_path: Path) -> Callable[..., list[str]]:
    """Locks `a`; the releases."""

    def found(*options: str) -> list[str]:
        (tmp_path / "requirements.in").write_text("a\n")
        cli.ok("lock", "requirements.in", "--python", ">=3.10", "-i", local_index.url, "--retries", "1", *options)
        data = tomli.loads((tmp_path / "pylock.toml").read_text())
        return [f"{p['name']} {p['version']}" for p in data["packages"]]

    return found


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"status": 500}, "500"),
        ({"status": 503}, "503"),
        ({"status": 429, "headers": {"Retry-After": "0"}}, "429"),
        ({"status": 429, "headers": {"Retry-After": "86400"}}, "wait"),
        ({"status": 403}, "403"),
        ({"status": 418}, "418"),
        ({"reset": True}, "index"),
        ({"cut_after": 20}, "index"),
        ({"body": b"{ this is no JSON"}, "JSON"),
        ({"body": b'{"meta": {"api-version": "9.0"}, "name": "a", "files": []}'}, "9.0"),
        ({"body": b"\xff\xfe\x00 nothing"}, "index"),
        ({"redirect": "/simple/a/"}, "redirect"),
        ({"redirect": "file:///etc/passwd"}, "redirect"),
        ({"headers": {"Content-Encoding": "br"}}, "index"),
    ],
    ids=lambda value: None if isinstance(value, dict) else str(value),
)
def test_a_failing_index_is_reported_in_one_paragraph(
    fault: dict[str, Any], says: str, refused: Callable[..., str], local_index: LocalIndex
) -> None:
    local_index.world.add("a")
    local_index.fault("/simple/a/*", times=None, **fault)
    paragraph = refused()
    assert says in paragraph or local_index.origin in paragraph
    assert local_index.origin in paragraph


def test_a_page_beyond_every_bound_is_refused(refused: Callable[..., str], local_index: LocalIndex) -> None:
    local_index.world.add("a")
    local_index.set_mode(gzip=False)
    local_index.fault("/simple/a/*", times=None, body=b"<!DOCTYPE html>" + b" " * 60_000_000)
    assert "larger" in refused()


def test_a_long_page_is_read(locked: Callable[..., list[str]], local_index: LocalIndex) -> None:
    local_index.world.add("a")
    local_index.set_mode(gzip=False)
    page = b'<a href="/files/a/a-1.0-py3-none-any.whl#sha256=%s">a-1.0-py3-none-any.whl</a>'
    (file,) = local_index.world.projects["a"]
    body = page % file.artifact.sha256.encode() + b"<!-- -->" * 3_000_000
    local_index.fault("/simple/a/*", times=None, body=body, headers={"Content-Type": "text/html"})
    assert locked() == ["a 1.0"]


def test_transient_faults_are_retried(locked: Callable[..., list[str]], local_index: LocalIndex) -> None:
    local_index.world.add("a", requires=["b"]).add("b")
    local_index.fault("/simple/a/*", status=503)
    local_index.fault("/simple/b/*", reset=True)
    local_index.fault("*.metadata", cut_after=10)
    assert locked() == ["a 1.0", "b 1.0"]


def test_files_of_another_project_are_not_taken(locked: Callable[..., list[str]], local_index: LocalIndex) -> None:
    local_index.world.add("a", "1.0").add_file("a", make_wheel("a-evil", "2.0")).add_file("a", make_wheel("b", "3.0"))
    assert locked() == ["a 1.0"]


def test_a_release_whose_metadata_is_of_another_is_stepped_over(
    locked: Callable[..., list[str]], local_index: LocalIndex
) -> None:
    other = "Metadata-Version: 2.1\nName: other\nVersion: 2.0\n"
    local_index.world.add("a", "1.0").add_file("a", make_wheel("a", "2.0", metadata=other))
    assert locked() == ["a 1.0"]


@pytest.mark.parametrize("text", [">=banana", "=>3.8", "3.8 or later", ">=3.8,", "\x1b[31m>=3"])
def test_an_unreadable_requires_python_is_ignored(
    text: str, locked: Callable[..., list[str]], local_index: LocalIndex
) -> None:
    local_index.world.add("a", "1.0", requires_python=text)
    assert locked() == ["a 1.0"]


@pytest.mark.parametrize(
    ("text", "meaning"), [(">=3.6.*", "`>=3.6`"), ("=>3.8", "`>=3.8`"), ("3.8 or later", "every Python")]
)
def test_a_note_says_how_an_invalid_requires_python_is_read(
    text: str, meaning: str, cli: Command, local_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("a", "1.0", requires_python=text)
    (tmp_path / "requirements.in").write_text("a\n")
    result = cli.ok("lock", "requirements.in", "--python", ">=3.10", "-i", local_index.url)
    assert f"a 1.0 has the Requires-Python `{text}`, which is not valid: it is read as {meaning}" in result.stderr


@pytest.mark.parametrize("needed", ["a", "a>=2"])
def test_a_page_without_links_of_files_is_called_that(needed: str, cli: Command, local_index: LocalIndex) -> None:
    local_index.world.projects["a"] = []
    paragraph = cli.refused("lock", "-", "--python", ">=3.10", "-i", local_index.url, stdin=f"{needed}\n")
    assert f"the page of a at {local_index.url} has no links to wheels or sdists with valid names" in paragraph
    assert "hint: Check the name of the project. If this concerns all projects of the index, use the URL" in " ".join(
        paragraph.split()
    )


def test_a_page_whose_sdists_have_no_valid_version_is_not_called_empty(cli: Command, local_index: LocalIndex) -> None:
    old = replace(make_sdist("a", "1.0"), filename="a-0.0.1custom-20130331.tar.gz")
    local_index.world.add_file("a", old)
    paragraph = cli.refused("lock", "-", "--python", ">=3.10", "-i", local_index.url, stdin="a\n")
    assert "no links to wheels or sdists with valid names" in " ".join(paragraph.split())


def test_metadata_that_is_not_what_was_promised_is_refused(
    refused: Callable[..., str], local_index: LocalIndex
) -> None:
    local_index.world.add("a")
    local_index.fault("*.metadata", times=None, corrupt=True)
    assert "does not match" in refused()


def test_a_wheel_that_is_not_what_was_promised_is_refused(refused: Callable[..., str], local_index: LocalIndex) -> None:
    local_index.world.add_file("a", make_wheel("a", "1.0"), shown={"hashes": {"sha256": "0" * 64}})
    local_index.set_mode(metadata_marked=False, metadata_files=False, ranges=False)
    assert "does not match" in refused()


def test_a_requirement_that_is_none_steps_over_its_release(
    locked: Callable[..., list[str]], local_index: LocalIndex
) -> None:
    bad = "Metadata-Version: 2.1\nName: a\nVersion: 2.0\nRequires-Dist: this is (no requirement\n"
    local_index.world.add("a", "1.0").add_file("a", make_wheel("a", "2.0", metadata=bad))
    assert locked() == ["a 1.0"]


def test_a_project_whose_every_release_is_broken_says_so(refused: Callable[..., str], local_index: LocalIndex) -> None:
    local_index.world.add_file("a", make_wheel("a", "1.0", metadata="Name: a\n"))
    assert "a 1.0" in refused()


def test_terminal_sequences_of_an_index_are_not_shown(cli: Command, local_index: LocalIndex, tmp_path: Path) -> None:
    evil = "Metadata-Version: 2.1\nName: a\nVersion: 1.0\nRequires-Dist: \x1b[2Jgone\n"
    local_index.world.add_file("a", make_wheel("a", "1.0", metadata=evil))
    (tmp_path / "requirements.in").write_text("a\n")
    told = cli("lock", "requirements.in", "--python", ">=3.10", "-i", local_index.url)
    assert told.code == 1
    assert "\x1b" not in told.stderr


@pytest.mark.parametrize(
    "url",
    [
        "file:///hull-1-py3-none-any.whl",
        "https:///hull-1-py3-none-any.whl",
        "https://[::1/hull-1-py3-none-any.whl",
        "https://h;id/hull-1-py3-none-any.whl",
        "https://$(id)/hull-1-py3-none-any.whl",
        "ftp://h.example.org/hull-1-py3-none-any.whl",
        "https://h.example.org/hull-1.exe",
        "ext::sh",
    ],
)
def test_no_hint_proposes_to_allow_a_host_that_is_none_or_would_not_help(
    url: str, refused: Callable[..., str], local_index: LocalIndex
) -> None:
    metadata = f"Metadata-Version: 2.1\nName: a\nVersion: 1.0\nRequires-Dist: hull @ {url}\n"
    local_index.world.add_file("a", make_wheel("a", "1.0", metadata=metadata))
    assert "--allow-direct-url" not in refused()
