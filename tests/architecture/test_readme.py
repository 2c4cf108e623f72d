"""The commands that README shows are the ones that exist and are checked."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from lockset.cli.main import COMMANDS, build_parser

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DEMO = "bash docs/demo/run"
TEST = "bash .ci/test"


def test_readme_gives_one_command_to_see_it_and_one_to_test_it() -> None:
    blocks = re.findall(r"```(?:sh|bash|console)\n(.*?)```", README, flags=re.DOTALL)
    lines = {line.strip() for block in blocks for line in block.splitlines()}
    assert {DEMO, TEST} <= lines


def test_ci_runs_exactly_the_test_command_of_readme_at_its_end() -> None:
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == f"step {TEST}"


def test_scripts_named_in_readme_can_be_executed() -> None:
    for command in (DEMO, TEST):
        assert os.access(ROOT / command.removeprefix("bash "), os.X_OK)


def shown_commands() -> set[str]:
    """Every `lockset ...` line in a shell block of README and docs, continued lines joined."""
    texts = [README, *(path.read_text() for path in (ROOT / "docs" / "pages").rglob("*.md"))]
    blocks = [block for text in texts for block in re.findall(r"```(sh|bash|console)\n(.*?)```", text, re.DOTALL)]
    scripts = [(ROOT / "docs" / "demo" / "run").read_text().replace("show lockset", "lockset")]
    # In a console, lines without a prompt are output.
    scripts += [
        "\n".join(re.findall(r"^\$ (.*)", text, re.MULTILINE)) if kind == "console" else text for kind, text in blocks
    ]
    lines = [line for text in scripts for line in text.replace("\\\n", " ").splitlines()]
    shown = {shlex.join(shlex.split(line, comments=True)) for line in lines if line.startswith("lockset ")}
    return shown - {"lockset --version"}


@pytest.mark.parametrize("line", sorted(shown_commands()))
def test_every_command_shown_in_readme_and_docs_is_understood(line: str) -> None:
    arguments = shlex.split(line)[1:]
    if "|" in arguments or ">" in arguments or ">>" in arguments:  # of the shell
        arguments = arguments[: min(arguments.index(sign) for sign in ("|", ">", ">>") if sign in arguments)]
    if arguments[:1] == ["help"]:
        assert set(arguments[1:]) - {"--man"} <= set(COMMANDS)
        return
    build_parser(next(word for word in arguments if word in COMMANDS)).parse_args(arguments)


def test_docs_name_no_command_that_is_not_there() -> None:
    texts = [README, *(path.read_text() for path in (ROOT / "docs" / "pages").rglob("*.md"))]
    named = {word for text in texts for word in re.findall(r"`lockset ([a-z][a-z-]*)", text)}
    assert named <= {*COMMANDS, "help"}
