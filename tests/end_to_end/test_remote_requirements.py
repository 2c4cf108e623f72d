"""Requirements and constraints by URL: fetched with the run's credentials, within bounds, and told nothing of here."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
import tomli

from support.builders import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex


@pytest.fixture
def index(local_index: LocalIndex) -> LocalIndex:
    local_index.world.add("hull", "1.0").add("hull", "2.0").add("keel", "1.0", requires=["hull"])
    return local_index


@pytest.fixture
def serve(index: LocalIndex) -> Callable[..., str]:
    """Serves a text at a path; its URL."""

    def served(path: str, text: str, **more: object) -> str:
        index.fault(path, times=None, status=200, body=text.encode(), headers={"Content-Type": "text/plain"}, **more)
        return f"{index.origin}{path}"

    return served


@pytest.fixture
def locked(cli: Command, index: LocalIndex, tmp_path: Path) -> Callable[..., list[str]]:
    def found(text: str, *options: str) -> list[str]:
        (tmp_path / "requirements.in").write_text(text)
        cli.ok("lock", "requirements.in", "--python", "3.12", "-i", index.url, *options)
        data = tomli.loads((tmp_path / "pylock.toml").read_text())
        return [f"{p['name']} {p['version']}" for p in data["packages"]]

    return found


@pytest.fixture
def refused(cli: Command, index: LocalIndex, tmp_path: Path) -> Callable[..., str]:
    def found(text: str, *options: str) -> str:
        (tmp_path / "requirements.in").write_text(text)
        paragraph = cli.refused("lock", "requirements.in", "--python", "3.12", "-i", index.url, *options)
        assert not (tmp_path / "pylock.toml").exists()
        return paragraph

    return found


def test_constraints_by_url_hold(locked: Callable[..., list[str]], serve: Callable[..., str]) -> None:
    url = serve("/c/constraints-3.12.txt", "# all that was tried\nhull==1.0\nmast==3.0\n")
    assert locked("keel\n", "-c", url) == ["hull 1.0", "keel 1.0"]
    assert locked(f"keel\n-c {url}\n") == ["hull 1.0", "keel 1.0"]


def test_relative_includes_of_a_file_by_url_are_relative_to_its_url(
    locked: Callable[..., list[str]], serve: Callable[..., str], index: LocalIndex
) -> None:
    serve("/c/more/deep.txt", "-c ../limits.txt\nkeel\n")
    serve("/c/limits.txt", "hull<2\n")
    url = serve("/c/base.txt", "-r more/deep.txt\n")
    assert locked(f"-r {url}\n") == ["hull 1.0", "keel 1.0"]
    assert index.paths(part="/c/") == ["/c/base.txt", "/c/more/deep.txt", "/c/limits.txt"]


def test_a_requirements_file_by_url_is_a_source_and_is_converted(
    cli: Command, serve: Callable[..., str], index: LocalIndex, tmp_path: Path
) -> None:
    url = serve("/c/requirements.txt", "hull==1.0\n")
    cli.ok("lock", url, "--python", "3.12", "-i", index.url)
    assert "1.0" in (tmp_path / "pylock.toml").read_text()
    (tmp_path / "requirements.txt").write_text(f"-r {url}\n")
    cli.ok("convert", "requirements.txt", "-i", index.url, "-o", "pylock.again.toml")
    assert "1.0" in (tmp_path / "pylock.again.toml").read_text()


def test_credentials_of_the_address_go_to_its_files_and_nowhere_else(
    locked: Callable[..., list[str]], serve: Callable[..., str], index: LocalIndex, tmp_path: Path
) -> None:
    url = serve("/c/base.txt", "-r more.txt\n")
    serve("/c/more.txt", "keel\n")
    assert locked(f"-r {url.replace('//', '//user:SECRET@')}\n", "-v") == ["hull 2.0", "keel 1.0"]
    expected = f"Basic {b64encode(b'user:SECRET').decode()}"
    requested = {seen.path: seen.headers.get("authorization") for seen in index.seen}
    assert requested["/c/base.txt"] == requested["/c/more.txt"] == expected
    assert requested["/simple/keel/"] is None
    assert "SECRET" not in (tmp_path / "pylock.toml").read_text()


def test_the_same_command_asks_again_for_a_file_by_url(
    locked: Callable[..., list[str]], serve: Callable[..., str], index: LocalIndex
) -> None:
    url = serve("/c/c.txt", "hull==1.0\n")
    assert locked(f"keel\n-c {url}\n") == ["hull 1.0", "keel 1.0"]
    index.heal()
    serve("/c/c.txt", "hull==2.0\n")
    assert locked(f"keel\n-c {url}\n") == ["hull 2.0", "keel 1.0"]


def test_without_the_network_a_file_by_url_is_refused(refused: Callable[..., str], serve: Callable[..., str]) -> None:
    url = serve("/c/c.txt", "hull==1.0\n")
    assert "/c/c.txt" in refused(f"keel\n-c {url}\n", "--offline")
    assert "/c/c.txt" in refused("keel\n", "-c", url, "--offline")


def test_variables_are_not_expanded_in_files_by_url(
    refused: Callable[..., str], serve: Callable[..., str], index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "SECRET")
    url = serve("/c/r.txt", "-r more-${TOKEN}.txt\n")
    refused(f"-r {url}\n", "--retries", "0")
    assert not index.paths(part="SECRET")


@pytest.mark.parametrize(
    "line",
    [
        "-r file:///etc/passwd",
        "-c file:///etc/passwd",
        "-r C:/secret.txt",
        "./hull",
        "-e .",
        "hull @ file:///tmp/hull-1.0-py3-none-any.whl",
        "hull @ file:hull-1.0-py3-none-any.whl",
        "/tmp/hull-1.0-py3-none-any.whl",
        "-r ftp://h.example.org/x.txt",
        "-r git+https://h.example.org/x",
    ],
)
def test_a_file_by_url_names_no_file_of_this_computer(
    line: str, refused: Callable[..., str], serve: Callable[..., str]
) -> None:
    url = serve("/c/r.txt", f"{line}\n")
    assert "/c/r.txt:1" in refused(f"-r {url}\n")


def test_files_that_include_one_another_for_ever_are_refused(
    refused: Callable[..., str], serve: Callable[..., str], index: LocalIndex
) -> None:
    url = serve("/c/a.txt", "-r b.txt\n")
    serve("/c/b.txt", "-r a.txt\n")
    assert "includes itself" in refused(f"-r {url}\n")
    for number in range(120):
        serve(f"/d/{number}.txt", f"-r {number + 1}.txt\n")
    assert "Files include files" in refused(f"-r {index.origin}/d/0.txt\n")
    wide = serve("/e/all.txt", "".join(f"-r /d/wide-{number}.txt\n" for number in range(120)))
    serve("/d/wide-*", "keel\n")
    assert "More than 100" in refused(f"-r {wide}\n")


@pytest.mark.parametrize(
    "fault",
    [{"status": 404}, {"status": 500}, {"redirect": "/c/r.txt"}, {"redirect": "file:///etc/passwd"}, {"reset": True}],
    ids=str,
)
def test_a_file_by_url_that_cannot_be_had_is_named(
    fault: dict[str, object], refused: Callable[..., str], index: LocalIndex
) -> None:
    index.fault("/c/r.txt", times=None, **fault)
    paragraph = refused(f"-r {index.origin}/c/r.txt\n", "--retries", "0")
    assert "/c/r.txt" in paragraph


def test_a_file_by_url_that_is_too_large_is_refused(refused: Callable[..., str], serve: Callable[..., str]) -> None:
    url = serve("/c/r.txt", "#" * 17_000_000)
    assert "larger" in refused(f"-r {url}\n")


@pytest.mark.parametrize(
    "case",
    [
        ("hull", "hull @ {url}", ["hull 1.0"]),
        ("hull[x]", "hull @ {url}", ["hull 1.0"]),
        ("keel", "hull @ {url}", ["hull 1.0", "keel 1.0"]),
        ("mast", "hull @ {url}", ["mast 1.0"]),
        ("mast", "hull @ http://127.0.0.1:9/hull-1.0-py3-none-any.whl", ["mast 1.0"]),
        ("mast", "hull @ {url}\nhull==7", ["mast 1.0"]),
        ("hull", "hull @ {url}\nhull<2", ["hull 1.0"]),
        ("hull", "{url}", ["hull 1.0"]),
        ("hull", "hull @ {url} ; python_version < '3'", ["hull 2.0"]),
        ("hull @ {url}", "hull @ {url}", ["hull 1.0"]),
        ("hull", "hull", ["hull 2.0"]),
        ("mast", "hull @ hg+https://vcs.example.org/hull", ["mast 1.0"]),
        ("mast", "hg+https://vcs.example.org/hull#egg=hull", ["mast 1.0"]),
        ("mast", "hull @ s3://bucket/hull.whl", ["mast 1.0"]),
        ("mast", "hull @ git+ext://vcs.example.org/hull", ["mast 1.0"]),
        ("hull", "hull @ svn+https://vcs.example.org/hull ; python_version < '3'", ["hull 2.0"]),
        ("mast", "hull @ {url}\nhull @ http://127.0.0.1:9/hull-1.0-py3-none-any.whl", ["mast 1.0"]),
    ],
)
def test_a_constraint_that_names_a_place_holds_where_its_project_is_needed(
    case: tuple[str, str, list[str]], locked: Callable[..., list[str]], index: LocalIndex, tmp_path: Path
) -> None:
    requirement, constraint, expected = case
    index.world.add("mast", "1.0").add_file("elsewhere", make_wheel("hull", "1.0"))
    url = index.file_url("elsewhere", "hull-1.0-py3-none-any.whl")
    (tmp_path / "c.txt").write_text(f"{constraint.format(url=url)}\n")
    assert locked(f"{requirement.format(url=url)}\n", "-c", "c.txt") == expected


@pytest.mark.parametrize(
    ("requirement", "constraint"),
    [
        ("hull>=2", "hull @ {url}"),
        ("hull", "hull @ {url}\nhull==2.0"),
        ("hull @ {other}", "hull @ {url}"),
        ("hull", "hull @ {url}\nhull @ {other}"),
        ("hull", "hull[x] @ {url}"),
    ],
)
def test_a_constraint_on_a_place_that_cannot_hold_is_refused(
    requirement: str, constraint: str, refused: Callable[..., str], index: LocalIndex, tmp_path: Path
) -> None:
    index.world.add_file("elsewhere", make_wheel("hull", "1.0")).add_file("other", make_wheel("hull", "2.0"))
    urls = {
        "url": index.file_url("elsewhere", "hull-1.0-py3-none-any.whl"),
        "other": index.file_url("other", "hull-2.0-py3-none-any.whl"),
    }
    (tmp_path / "c.txt").write_text(f"{constraint.format(**urls)}\n")
    assert "hull" in refused(f"{requirement.format(**urls)}\n", "-c", "c.txt")


@pytest.mark.parametrize(
    "case",
    [
        ("hull @ {url}\nhull @ {other}", "hull is constrained to {url} and to {other}"),
        ("hull @ hg+https://vcs.example.org/hull", "hg repositories are not locked"),
        ("hull @ s3://bucket/hull.whl", "`s3:` is not a supported scheme"),
    ],
)
def test_a_constraint_that_cannot_be_kept_says_why_where_its_project_is_needed(
    case: tuple[str, str],
    refused: Callable[..., str],
    index: LocalIndex,
    tmp_path: Path,
) -> None:
    constraint, message = case
    index.world.add_file("elsewhere", make_wheel("hull", "1.0")).add_file("other", make_wheel("hull", "2.0"))
    urls = {
        "url": index.file_url("elsewhere", "hull-1.0-py3-none-any.whl"),
        "other": index.file_url("other", "hull-2.0-py3-none-any.whl"),
    }
    (tmp_path / "c.txt").write_text(f"{constraint.format(**urls)}\n")
    for requirement in ("hull", "keel"):
        paragraph = refused(f"{requirement}\n", "-c", "c.txt")
        assert message.format(**urls) in paragraph
        assert "yanked" not in paragraph
