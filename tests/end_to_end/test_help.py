"""Help: `-h` short, `--help` with examples, `lockset help`, colours, widths, and the manual page."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from lockset.cli.main import COMMANDS, build_parser
from lockset.cli.output.help.help_examples import BASIC, EXAMPLES, PAGES
from lockset.cli.output.help.help_text import help_text, is_colored

if TYPE_CHECKING:
    import argparse

    from support.command import Command

ESCAPE = "\x1b["


def parser_of(command: str) -> argparse.ArgumentParser:
    choices = next(a.choices for a in build_parser(command)._actions if isinstance(a.choices, dict))
    parser: argparse.ArgumentParser = choices[command]
    return parser


def text(command: str, *, width: int = 78, color: bool = False, is_short: bool = False) -> str:
    return help_text(parser_of(command), command, width=width, color=color, is_short=is_short)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_page_and_examples_that_are_understood(command: str) -> None:
    assert command in PAGES
    assert EXAMPLES[command]
    for _, line in EXAMPLES[command]:
        words = shlex.split(line)
        assert words[:2] == ["lockset", command]
        build_parser(command).parse_args(words[1 : words.index(">")] if ">" in words else words[1:])


@pytest.mark.parametrize("command", BASIC)
def test_the_basic_options_exist(command: str) -> None:
    known = {action.dest for action in parser_of(command)._actions}
    assert BASIC[command] & known
    if command in {"lock", "convert", "download", "sync"}:
        assert BASIC[command] <= known


@pytest.mark.parametrize("command", COMMANDS)
def test_short_help_fits_a_screen_and_long_help_has_all_options_examples_and_the_address(command: str) -> None:
    short, long = text(command, is_short=True), text(command)
    assert len(short.splitlines()) <= 45
    assert f"`lockset {command} --help` shows all options" in short
    assert "examples:" in long
    assert f"https://lockset.example.org/reference/{PAGES[command]}.html" in long
    options = {
        o for action in parser_of(command)._actions if action.help != "==SUPPRESS==" for o in action.option_strings
    }
    assert all(option in long for option in options)


@pytest.mark.parametrize("columns", ["", "0", "1", "7", "40", "80", "-5", "x", "1e3", "٣", "9" * 5000, " 80"])
@pytest.mark.parametrize("arguments", [("--help",), ("lock", "-h"), ("cache", "--help"), ("help", "why"), ()])
def test_odd_numbers_of_columns_are_no_error(cli: Command, columns: str, arguments: tuple[str, ...]) -> None:
    if columns not in {"", "1", "9" * 5000} and arguments != ("lock", "-h"):
        pytest.skip("the same code as for others")
    done = cli(*arguments, env={"COLUMNS": columns})
    assert done.code == (0 if arguments else 2)
    assert "usage:" in (done.stdout if arguments else done.stderr)


@pytest.mark.parametrize("width", [38, 58, 78])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_its_width(command: str, width: int) -> None:
    lines = text(command, width=width).partition("examples:")[0].splitlines()
    # A name with its value is not broken.
    assert [line for line in lines if len(line) > width and not re.match(r" *(-|usage)", line)] == []


def test_help_of_a_command_is_what_the_command_says_itself(cli: Command) -> None:
    assert cli.ok("help", "tree").stdout == cli.ok("tree", "--help").stdout
    assert cli.ok("help").stdout == cli.ok("--help").stdout
    assert "Did you mean" in cli.refused("help", "tre", code=2)
    assert cli.ok("tree", "-h").stdout != cli.ok("tree", "--help").stdout


def test_the_version_has_a_short_option(cli: Command) -> None:
    assert cli.ok("-V").stdout == cli.ok("--version").stdout


def test_headings_are_coloured_where_colour_is_on_and_nowhere_else(cli: Command) -> None:
    assert ESCAPE not in cli.ok("tree", "--help").stdout
    for arguments in (("tree", "--color", "always", "--help"), ("--color=always", "--help"), ("--color=always", "-h")):
        assert ESCAPE in cli.ok(*arguments).stdout
    assert ESCAPE in cli.ok("tree", "-h", env={"FORCE_COLOR": "1"}).stdout
    assert ESCAPE not in cli.ok("tree", "-h", "--color", "never", env={"FORCE_COLOR": "1"}).stdout
    assert ESCAPE in cli.ok("tree", "-h", env={"LOCKSET_COLOR": "always"}).stdout
    assert text("tree") == re.sub(r"\x1b\[[0-9;]*m", "", text("tree", color=True))
    assert not is_colored([], {"NO_COLOR": "1", "FORCE_COLOR": "1"})


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_the_manual_page_has_every_option_and_is_good_roff(cli: Command, command: str | None) -> None:
    page = cli.ok("help", "--man", *filter(None, [command])).stdout
    shown = page.replace("\\-", "-")
    for action in parser_of(command or "tree")._actions:
        if action.help != "==SUPPRESS==":
            assert all(f"\\fB{option}\\fR" in shown for option in action.option_strings)
    if shutil.which("mandoc"):
        lint = subprocess.run(
            ["mandoc", "-T", "lint", "-W", "warning"], input=page, capture_output=True, text=True, check=False
        )
        assert [line for line in lint.stdout.splitlines() if "missing date" not in line] == []
    if shutil.which("man"):
        shown = subprocess.run(
            ["man", "-l", "-"], input=page, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}
        ).stdout
        assert "SYNOPSIS" in shown
        assert "EXIT STATUS" in shown


def test_the_manual_page_of_no_command_is_refused(cli: Command) -> None:
    cli.refused("help", "--man", "nonsense", code=2)
