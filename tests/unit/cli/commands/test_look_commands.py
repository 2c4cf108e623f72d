"""`lockset tree`, `why` and `diff`, as people see them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from lockset.cli.main import main
from support.builders.graph_locks import entry, lock_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOCK = lock_text(
    entry("flask", "3.1", needs=("click", "jinja2")),
    entry("click", "8.2", needs=("colorama",)),
    entry("colorama", "0.4", marker="sys_platform == 'win32'"),
    entry("jinja2", "3.1.6", needs=("markupsafe",)),
    entry("markupsafe", "3.0", needs=("click",)),
    entry("sphinx", "8.0", marker="'docs' in dependency_groups", needs=("jinja2",)),
    roots=["flask", "sphinx>=8 ; 'docs' in dependency_groups"],
    dependency_groups=["docs"],
)


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command in a folder that holds LOCK; gives exit code, stdout and stderr."""
    (tmp_path / "pylock.toml").write_text(LOCK, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        message = capsys.readouterr()
        return code, message.out, message.err

    return call


@pytest.mark.parametrize("options", [["--platform", "linux"], ["--extra", "x"]])
def test_a_package_that_is_not_selected_is_not_called_missing(
    run: Callable[..., tuple[int, str, str]], options: list[str], tmp_path: Path
) -> None:
    (tmp_path / "pylock.x.toml").write_text(LOCK.replace("dependency-groups", 'extras = ["x"]\ndependency-groups', 1))
    name = "colorama" if "linux" in options else "sphinx"
    code, _, err = run("why", name, "pylock.x.toml", *options)
    assert code == 1
    assert err == (
        f"error: The lock file has `{name}` for other environments, extras or groups only\n"
        "  hint: Leave out the options that select them\n"
    )
    assert run("why", "sphynx", "pylock.x.toml", *options)[2].startswith(
        "error: The lock file has no package `sphynx`\n"
    )


def test_a_lock_of_requirements_that_require_nothing_records_that(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    (tmp_path / "pylock.toml").write_text(lock_text(entry("click", "8.2"), roots=["click>=8"]))
    assert run("why", "click") == (0, "click 8.2\n  required as `click>=8`\n", "")
    assert run("tree") == (0, "click 8.2 (>=8)\n", "pylock.toml: 1 package\n")


def test_in_the_folder_of_a_member_the_tree_names_the_lock_file_of_the_member(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.lockset.workspace]\nmembers = ["api"]\n')
    (tmp_path / "pylock.api.toml").write_text(f'{LOCK}\n# "api/pyproject.toml"\n')
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "pyproject.toml").write_text('[project]\nname = "api"\nversion = "1"\n')
    monkeypatch.chdir(tmp_path / "api")
    assert run("tree", "--depth", "0")[2].startswith("pylock.api.toml: 6 packages\n")


def test_the_tree_shows_repeated_branches_once(run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = run("tree")
    assert code == 0
    assert out.splitlines() == [
        "flask 3.1",
        "├── click 8.2",
        "│   └── colorama 0.4 ; sys_platform == 'win32'",
        "└── jinja2 3.1.6",
        "    └── markupsafe 3.0",
        "        └── click 8.2 (*)",
        "sphinx 8.0 (>=8) ; 'docs' in dependency_groups",
        "└── jinja2 3.1.6 (*)",
    ]
    assert err == "pylock.toml: 6 packages\n(*) shown in full above\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--depth", "0"), ["flask 3.1", "sphinx 8.0 (>=8) ; 'docs' in dependency_groups"]),
        (("--package", "Click", "--platform", "windows"), ["click 8.2", "└── colorama 0.4"]),
        (("--package", "click", "--platform", "linux"), ["click 8.2"]),
        (
            ("--invert", "--package", "markupsafe"),
            [
                "markupsafe 3.0",
                "└── jinja2 3.1.6",
                "    ├── flask 3.1",
                "    └── sphinx 8.0 (>=8) ; 'docs' in dependency_groups",
            ],
        ),
        (("--group", "docs", "--depth", "0"), ["flask 3.1", "sphinx 8.0 (>=8)"]),
        (("--invert", "--depth", "0"), ["colorama 0.4 ; sys_platform == 'win32'"]),
    ],
)
def test_the_tree_shows_the_selected_packages(
    run: Callable[..., tuple[int, str, str]], arguments: tuple[str, ...], expected: list[str]
) -> None:
    assert run("tree", *arguments)[1].splitlines() == expected


def test_a_lock_without_dependencies_is_listed_flat(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    flat = lock_text(entry("b", needs=None), entry("a", needs=None), created_by="other\x1b[31m")
    (tmp_path / "pylock.flat.toml").write_text(flat, encoding="utf-8")
    code, out, err = run("tree", "pylock.flat.toml")
    assert (code, out) == (0, "a 1\nb 1\n")
    assert err == "other\\x1b[31m recorded no dependencies in this lock file: packages are shown as a list\n"
    code, out, err = run("why", "b", "pylock.flat.toml")
    assert (code, out) == (0, "b 1\n")
    assert "does not show which package requires which" in err


def test_the_graph_can_be_had_as_json(cli_json: Callable[..., dict[str, Any]]) -> None:
    graph = cli_json("tree", "--json")
    assert graph["dependencies-recorded"] is True
    assert graph["roots"] == [
        {"name": "flask", "version": "3.1", "requirements": ["flask"]},
        {"name": "sphinx", "version": "8.0", "requirements": ["sphinx>=8 ; 'docs' in dependency_groups"]},
    ]
    assert graph["packages"][2] == {
        "name": "colorama",
        "version": "0.4",
        "marker": "sys_platform == 'win32'",
        "dependencies": [],
    }


@pytest.fixture
def cli_json(run: Callable[..., tuple[int, str, str]]) -> Callable[..., dict[str, Any]]:
    """Runs a command and reads its JSON."""

    def call(*arguments: str) -> dict[str, object]:
        code, out, err = run(*arguments)
        assert (code, err) == (0, "")
        read: dict[str, Any] = json.loads(out)
        return read

    return call


def test_why_shows_every_chain(run: Callable[..., tuple[int, str, str]]) -> None:
    both = "sys_platform == 'win32' and 'docs' in dependency_groups"
    code, out, _ = run("why", "colorama")
    assert code == 0
    assert out.splitlines() == [
        "colorama 0.4 ; sys_platform == 'win32'",
        "  flask 3.1 → click 8.2 → colorama 0.4",
        "  flask 3.1 → jinja2 3.1.6 → markupsafe 3.0 → click 8.2 → colorama 0.4",
        f"  sphinx>=8 → sphinx 8.0 → jinja2 3.1.6 → markupsafe 3.0 → click 8.2 → colorama 0.4 ; {both}",
    ]
    assert run("why", "flask")[1].splitlines() == ["flask 3.1", "  required as `flask`"]


def test_why_can_be_had_as_json(cli_json: Callable[..., dict[str, Any]]) -> None:
    message = cli_json("why", "jinja2", "--json")
    (package,) = message["packages"]
    assert package["complete"] is True
    assert [[each["name"] for each in chain["chain"]] for chain in package["chains"]] == [
        ["flask", "jinja2"],
        ["sphinx", "jinja2"],
    ]


def test_unknown_packages_and_missing_locks_are_refused(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, out, err = run("why", "flsk")
    assert (code, out) == (1, "")
    assert "Did you mean `flask`?" in err
    (tmp_path / "pylock.toml").unlink()
    code, _, err = run("tree")
    assert code == 1
    assert "There is no pylock.toml" in err
    assert run("tree", "--platform", "beos", "pylock.toml")[0] == 2


OLD = lock_text(
    entry("same"),
    entry("gone", "2"),
    entry("up", "1"),
    entry("down", "2"),
    entry("moved", marker="os_name == 'nt'"),
)
NEW = lock_text(
    entry("same"),
    entry("new|<b>", "1") | {"name": "new"},
    entry("up", "2"),
    entry("down", "1"),
    entry("moved"),
    requires_python=">=3.10",
)


@pytest.fixture
def two_locks(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """Runs `lockset diff` between OLD and NEW."""
    (tmp_path / "pylock.old.toml").write_text(OLD, encoding="utf-8")
    (tmp_path / "pylock.toml").write_text(NEW, encoding="utf-8")
    return lambda *arguments: run("diff", "pylock.old.toml", *arguments)


def test_a_difference_names_what_changed(two_locks: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = two_locks()
    assert code == 0
    assert out.splitlines() == [
        "~ requires-python: none → >=3.10",
        "~ down 2 → 1 (older)",
        "- gone 2",
        "~ moved 1",
        "    marker: sys_platform == 'win32' → none",
        "+ new 1",
        "~ up 1 → 2",
    ]
    assert err == "1 updated, 1 to an older version, 1 added, 1 removed, 1 changed otherwise\n"


def test_a_difference_as_a_table_for_reviews(two_locks: Callable[..., tuple[int, str, str]]) -> None:
    assert two_locks("pylock.toml", "--markdown")[1].splitlines() == [
        "**1 updated, 1 to an older version, 1 added, 1 removed, 1 changed otherwise**",
        "",
        "| lock file | before | after |",
        "|---|---|---|",
        "| `requires-python` | _none_ | `>=3.10` |",
        "",
        "#### Packages",
        "",
        "|  | package | before | after | what else | where | links |",
        "|---|---|---|---|---|---|---|",
        "| 🟠 **older** | **down** | 2 | 1 |  |  |  |",
        "| ⚪ removed | **gone** | 2 |  |  |  |  |",
        "| 🟣 changed | **moved** | 1 | 1 | marker: `sys_platform == 'win32'` → _none_ |  |  |",
        "| 🟢 new | **new** |  | 1 |  |  |  |",
        "| 🔵 major | **up** | 1 | 2 |  |  |  |",
        "",
        *out_of_effects(two_locks("pylock.toml", "--markdown")[1]),
    ]


def out_of_effects(text: str) -> list[str]:
    lines = text.splitlines()
    return lines[lines.index("<details><summary>Effect on each environment (a default installation)</summary>") :]


def test_a_difference_can_fail_a_check(two_locks: Callable[..., tuple[int, str, str]]) -> None:
    assert two_locks("--exit-code")[0] == 1
    code, out, err = two_locks("pylock.old.toml", "--exit-code")
    assert (code, out, err) == (0, "", "Both lock files install the same\n")


def test_revisions_of_a_repository_can_be_compared(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    settings = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
    for arguments in (("init", "-q"), ("add", "pylock.toml"), (*settings, "commit", "-qm", "first")):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "pylock.toml").write_text(NEW, encoding="utf-8")
    code, out, _ = run("diff", "HEAD:pylock.toml")
    assert code == 0
    assert "- flask 3.1" in out.splitlines()
    code, _, err = run("diff", "HEAD:nope.toml")
    assert code == 1
    assert "git has no such revision or file" in err
    assert run("diff", "--", "-x:pylock.toml")[0] == 1
