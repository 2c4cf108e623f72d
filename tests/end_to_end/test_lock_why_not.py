"""`lockset why-not`: what keeps a version from being chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.builders import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex


@pytest.fixture
def ask(cli: Command, local_index: LocalIndex, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Asks of a project with these dependencies; the answer."""

    def asked(question: str, *dependencies: str, options: tuple[str, ...] = ()) -> dict[str, Any]:
        project = f'[project]\nname = "app"\nrequires-python = ">=3.10"\ndependencies = {list(dependencies)}\n'
        (tmp_path / "pyproject.toml").write_text(project)
        result = cli.ok("why-not", question, "-i", local_index.url, "--refresh", "--json", *options)
        results: dict[str, Any] = result.json()
        return results

    return asked


def test_the_packages_that_hold_a_version_back_are_shown(
    ask: Callable[..., dict[str, Any]], local_index: LocalIndex
) -> None:
    local_index.world.add("a", "1.0").add("a", "2.0").add("b", requires=["a<2"])
    result = ask("a", "a", "b")
    assert (result["version"], result["chosen"]) == ("2.0", [{"version": "1.0", "marker": None}])
    assert "b 1.0 needs a<2" in "\n".join(result["conflict"]["context"])
    assert "a==2.0 is required in `lockset why-not`" in "\n".join(result["conflict"]["context"])
    assert "a==2.0" not in (result["hint"] or ""), "the question is not for the user to loosen"
    message = 'if it works with other versions, set `overrides = ["a>=2.0"]` in [tool.lockset] (a 2.0 fits)'
    assert result["hint"] == f"This was tried and helps: {message}"


def test_the_reason_that_excludes_a_release_is_shown(
    ask: Callable[..., dict[str, Any]], local_index: LocalIndex
) -> None:
    world = local_index.world.add("a", "1.0").add("a", "1.1", yanked="bad").add("a", "1.2", requires_python="<3.10")
    world.add("a", "1.3b1").add_file("a", make_wheel("a", "1.4", metadata="Name: a\n"))
    reasons = {version: ask(f"a=={version}", "a")["reason"] for version in ("1.1", "1.2", "1.3b1", "1.4", "1.0")}
    assert reasons["1.1"] == "it is yanked"
    assert reasons["1.2"] == "a 1.2 requires Python <3.10; the lock covers >=3.10"
    assert reasons["1.3b1"].startswith("it is a pre-release")
    assert "metadata" in reasons["1.4"].lower()
    assert reasons["1.0"] == "it is chosen wherever it is required"
    options = ("--exclude-newer", "2020-01-02")
    assert ask("a==1.1", "a", options=options)["reason"].startswith("it was uploaded on 2020-01-02")


def test_a_pin_of_the_old_lock_is_shown_with_the_option_that_moves_it(
    ask: Callable[..., dict[str, Any]], cli: Command, local_index: LocalIndex
) -> None:
    local_index.world.add("a", "1.0").add("a", "1.5")
    ask("a", "a")
    cli.ok("lock", "-i", local_index.url)
    local_index.world.add("a", "2.0")
    assert ask("a", "a")["hint"] == "Upgrade it: `lockset lock -P a`"
    older = ask("a==1.0", "a")
    assert older["reason"] == "another version is preferred, although this one is compatible"
    assert older["hint"] == "Pin it: `a==1.0`"


def test_a_part_of_the_environments_is_named(ask: Callable[..., dict[str, Any]], local_index: LocalIndex) -> None:
    local_index.world.add("a", "1.0").add("a", "2.0", requires_python=">=3.12")
    result = ask("a", "a")
    assert result["reason"] == "a 2.0 requires Python >=3.12; the lock covers >=3.10"
    assert "--python" in result["hint"]
    assert [c["marker"] for c in result["chosen"]] == ["python_version < '3.12'", "python_version >= '3.12'"]
    assert [c["version"] for c in result["chosen"]] == ["1.0", "2.0"]


@pytest.mark.parametrize(
    ("question", "code", "says"),
    [
        ("a==9", 1, "The newest releases are 1.0"),
        ("nobody", 1, "No index has a project named nobody"),
        ("a>=1", 2, "is not a single version"),
        ("a b", 2, "is not a valid package name"),
    ],
)
def test_nonsense_is_refused(question: str, code: int, says: str, cli: Command, local_index: LocalIndex) -> None:
    local_index.world.add("a")
    output = cli("why-not", question, "-", "-i", local_index.url, "--python", ">=3.10", stdin="a\n")
    assert output.code == code, str(output)
    assert says in output.stderr


def test_a_version_without_a_file_is_not_chosen_by_lock_and_why_not_says_so(
    ask: Callable[..., dict[str, Any]], cli: Command, local_index: LocalIndex
) -> None:
    world = local_index.world.add("hull", "1.0", wheels=("cp311-cp311-win_amd64",))
    world.add("hull", "2.0", wheels=("cp312-cp312-win_amd64",))
    world.add("front", "1.0").add("front", "2.0", requires=["engine"])
    world.add("engine", "1.0", wheels=("py3-none-macosx_11_0_arm64",))
    options = ("--python", "3.11", "--platform", "win_amd64")
    result = ask("hull", "hull", options=options)
    assert result["chosen"] == [{"version": "1.0", "marker": None}]
    assert result["reason"] == "it has no file for win_amd64 on Python 3.11"
    result = ask("front", "front", options=options)
    assert [c["version"] for c in result["chosen"]] == ["1.0", "2.0"]
    assert result["reason"] == "engine 1.0, which it brings in, has no file for win_amd64 on Python 3.11"
    cli.ok("lock", "-i", local_index.url, *options)


@pytest.mark.parametrize("version", ["2.0", "2", "2.0rc1"])
def test_a_version_after_a_space_is_refused_with_the_right_form(cli: Command, version: str) -> None:
    refusal = cli.refused("why-not", "a", version, code=2)
    assert f"`{version}` is a version" in refusal
    assert f"`lockset why-not a=={version}`" in refusal
