"""Nothing that is printed or written holds a secret; where a file cannot work without it, it is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lockset.cli.main import main

Run = Callable[..., tuple[int, str]]
HASH = "ab" * 32
COMMIT = "c" * 40
USER = "user:SECRET@"
PARAMETER = "?token=SECRET"


def lock_text(user: str = USER, parameter: str = "") -> str:
    return f"""\
lock-version = "1.0"
created-by = "x"

[[packages]]
name = "hull"
version = "1"
index = "https://{user}index.example.org/simple"
bogus = "https://me@corp.example.org:{"SECRET" if user else ""}@h.example.org/x"

[[packages.wheels]]
name = "hull-1-py3-none-any.whl"
url = "https://{user}h.example.org/hull-1-py3-none-any.whl{parameter}"
hashes = {{ sha256 = "{HASH}" }}

[[packages]]
name = "keel"

[packages.vcs]
type = "git"
url = "https://{user}h.example.org/keel.git"
commit-id = "{COMMIT}"

[[packages]]
name = "mast"

[packages.archive]
url = "https://{user}h.example.org/mast-1.zip{parameter}"
hashes = {{ sha256 = "{HASH}" }}

[packages.tool.x]
place = "https://{user}h.example.org"
"""


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in a folder with a file; its exit code and all that was printed and written."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, text: str, *arguments: str) -> tuple[int, str]:
        (tmp_path / name).write_text(text)
        (tmp_path / "other.toml").write_text(lock_text("user:SECRET2@", "?sig=SECRET2"))
        code = main([*arguments])
        printed = capsys.readouterr()
        written = [
            path.read_text(errors="replace")
            for path in sorted(tmp_path.rglob("*"))
            if path.is_file() and path.name not in {name, "other.toml"}
        ]
        return code, "\n".join([printed.out, printed.err, *written])

    return run


COMMANDS = [
    ["validate"],
    ["validate", "--json"],
    ["validate", "--format", "sarif"],
    ["validate", "--format", "github"],
    ["validate", "--format", "json"],
    ["validate", "--format", "concise"],
    ["validate", "--format", "gitlab"],
    ["validate", "--format", "junit"],
    ["validate", "--format", "rdjson"],
    ["export", "-o", "out.txt"],
    ["export", "--index-lines"],
    ["export", "--format", "constraints"],
    ["export", "--format", "cyclonedx", "-o", "out.json"],
    ["export", "--format", "spdx", "-o", "out.json"],
    ["export", "--format", "spdx3", "-o", "out.json"],
    ["convert", "pylock.toml", "-o", "pylock.out.toml", "--offline"],
    ["tree"],
    ["tree", "--json"],
    ["why", "keel"],
    ["why", "keel", "--json"],
    ["diff", "pylock.toml", "other.toml"],
    ["diff", "pylock.toml", "other.toml", "--json"],
    ["sync", "--dry-run", "--offline", "--target", "t", "--cache-dir", "c"],
    ["sync", "--offline", "--target", "t", "--cache-dir", "c", "--verbose"],
    ["download", "--offline", "-d", "d"],
    ["check-env", "--target", "t", "--json"],
]


@pytest.mark.parametrize("parameter", ["", PARAMETER])
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_command_shows_or_writes_a_secret_of_a_lock(arguments: list[str], parameter: str, ran: Run) -> None:
    _, everything = ran("pylock.toml", lock_text(parameter=parameter), *arguments)
    assert "SECRET" not in everything


def test_an_excerpt_that_hides_a_secret_in_escapes_is_not_shown(ran: Run) -> None:
    text = lock_text(parameter="").replace("https://user:", "https\\u003a//user\\u003A")
    _, everything = ran("pylock.toml", text, "validate")
    assert "url-credentials" in everything
    assert "SECRET" not in everything


def test_an_export_without_the_user_info_works_and_says_so(ran: Run) -> None:
    code, everything = ran("pylock.toml", lock_text(), "export", "-o", "out.txt")
    assert code == 0
    assert f"keel @ git+https://h.example.org/keel.git@{COMMIT}" in everything
    assert "credentials in the URLs of hull, keel, mast are not written" in everything


def test_a_requirements_file_that_needs_a_secret_is_refused_with_the_way_that_works(ran: Run) -> None:
    text = lock_text("", PARAMETER)
    code, everything = ran("pylock.toml", text, "export", "-o", "out.txt")
    assert code == 1
    assert "contains a secret of `mast`" in everything
    assert "netrc" in everything
    assert not Path("out.txt").exists()


@pytest.mark.parametrize(
    "line",
    [
        "hull @ https://h.example.org/hull-1-py3-none-any.whl?token=${TOKEN}",
        "hull @ https://h.example.org/hull-1-py3-none-any.whl?x=${TOKEN}",
        "hull @ https://h.example.org/${TOKEN}/hull-1-py3-none-any.whl",
        "hull @ https://h.example.org/hull-1-py3-none-any.whl?token=SECRET",
        "https://h.example.org/x?t=${TOKEN}",
        "hull[ @ https://h.example.org/x?t=${TOKEN}",
        "hull==${TOKEN}",
        "hull --hash=sha256:${TOKEN}",
        "-r https://h.example.org/r.txt?t=${TOKEN}",
        "-e git+https://h.example.org/x@${TOKEN}",
    ],
)
@pytest.mark.parametrize("command", ["lock", "convert"])
def test_a_variable_of_a_requirements_file_is_shown_and_written_by_its_name_only(
    command: str, line: str, ran: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "SECRET")
    arguments = [command, "requirements.txt", "-o", "pylock.toml", "--offline", "--cache-dir", "c", "--verbose"]
    code, everything = ran("requirements.txt", f"{line}\n", *arguments)
    assert code == 1
    assert "SECRET" not in everything
    assert not Path("pylock.toml").exists()


@pytest.mark.parametrize("location", ["dependencies", "groups"])
def test_a_secret_in_the_query_of_a_direct_url_is_not_locked(location: str, ran: Run) -> None:
    url = "hull @ https://h.example.org/hull-1-py3-none-any.whl?access_token=SECRET"
    project = '[project]\nname = "p"\nversion = "1"\n'
    project += (
        f'dependencies = ["{url}"]\n' if location == "dependencies" else f'[dependency-groups]\ndev = ["{url}"]\n'
    )
    code, everything = ran("pyproject.toml", project, "lock", "--offline", "--cache-dir", "c")
    assert code == 1
    assert "access_token=****" in everything
    assert "SECRET" not in everything
