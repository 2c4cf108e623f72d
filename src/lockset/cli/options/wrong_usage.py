"""Explain wrong usage: suggest the option or command that was probably meant.

Imported only if a command line is wrong.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

import tomli

from lockset.cli.options.common import actions_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Iterable, Sequence
    from typing import Any

__all__ = ["explain_usage_error", "option_answer", "other_options", "unknown_arguments"]

# Stands for an argument in an answer.
_FILE = "FILE"

# Commands of other tools.
_COMMANDS = {
    "compile": "`lockset lock`",
    "resolve": "`lockset lock`",
    "relock": "`lockset lock`",
    "update": "`lockset lock --upgrade`, or `lockset lock --upgrade-package NAME`",
    "upgrade": "`lockset lock --upgrade`, or `lockset lock --upgrade-package NAME`",
    "check": "`lockset lock --check` (sources), `lockset check-env` (an environment) or `lockset validate` (the file)",
    "verify": "`lockset check-env --verify-files`",
    "list": "`lockset tree`",
    "show": "`lockset tree --package NAME`, or `lockset why NAME`",
    "graph": "`lockset tree`, or `lockset tree --json`",
    "freeze": "`lockset export --no-hashes`",
    "requirements": "`lockset export`",
    "import": "`lockset convert`",
    "migrate": "`lockset convert`",
    "lint": "`lockset validate`",
    "explain": "`lockset why`, `lockset why-not`, or `lockset validate --explain RULE`",
    "version": "`lockset --version`",
    "pip": "`lockset lock`, `lockset sync` or `lockset install`, without `pip`",
    "tool": "`uv tool` or pipx: lockset does not install tools",
    "sbom": "`lockset export --format cyclonedx`",
    "fix": "`lockset validate --fix`",
    "clean": "`lockset cache clean`",
    "prune": "`lockset cache prune`",
    "doctor": "`lockset self-check`",
    "info": "`lockset self-check`",
    "uninstall": "`lockset sync`, which removes packages that are not in the lock file",
}
_OF_PROJECTS = frozenset({"add", "remove", "init", "new", "run", "venv", "env", "python", "build", "publish", "shell"})


def explain_usage_error(message: str, parser: argparse.ArgumentParser, commands: Iterable[str]) -> tuple[str, str]:
    """The message and hint for a message of argparse."""
    text = re.sub(r"^argument ([^:]*): ", r"\1: ", message)
    see = f"See `{parser.prog} --help`"
    if match := re.match(r"COMMAND: invalid choice: '(.*?)'", text, re.DOTALL):
        return f"There is no command `{match[1]}`", _command(match[1], commands) or see
    if match := re.match(r"(.+?): invalid choice: '(.*?)' \(choose from (.*)\)$", text, re.DOTALL):
        allowed = [each.strip("'") for each in match[3].split(", ")]
        near = _near(match[2], allowed, cutoff=0.75)
        return f"{match[1]}: `{match[2]}` is not one of {', '.join(allowed)}", near or see
    if match := re.match(r"(.+?): invalid (float|int) value: '(.*?)'$", text, re.DOTALL):
        return f"{match[1]}: `{match[3]}` is not a {'number' if match[2] == 'float' else 'whole number'}", see
    if match := re.match(r"(.+?): expected one argument$", text):
        return f"{match[1]} requires a value", see
    if match := re.match(r"the following arguments are required: (.*)$", text):
        return f"Missing argument {match[1]}", see
    return text, see


def unknown_arguments(unknown: Sequence[str], parser: argparse.ArgumentParser) -> tuple[str, str]:
    """The message and hint for arguments that the command of this parser does not have."""
    options = [option for action in actions_of(parser) for option in action.option_strings]
    see = f"See `{parser.prog} --help`"
    first = next((each for each in unknown if each.startswith("-") and each != "-"), unknown[0])
    name = first.partition("=")[0]
    if not first.startswith("-"):
        return f"Unexpected argument `{first}`", see
    what = f"`{parser.prog}` has no option `{name}`"
    if f"-{name}" in options:
        return what, f"Did you mean `-{name}`?"
    answer = option_answer(name, options)
    if answer is not None:
        return what, answer if answer != _FILE else f"Pass files without an option: `{parser.prog} FILE`"
    return what, _near(name, [each for each in options if each.startswith("--")]) or see


def option_answer(name: str, options: Collection[str]) -> str | None:
    """A hint for the option `name` of another tool, with a command that has `options`; None if it is unknown.

    `FILE` stands for passing files without an option.
    """
    if name[:1] == "-" and name[:2] != "--":
        # The value may follow a short option without a space.
        name = other_options()["short"].get(name[:2], name)
        if name in options:
            return f"Use `{name}`"
    answer = other_options()["answers"].get(name)
    return None if answer is None else _answer_text(answer, options)


def _answer_text(answer: dict[str, Any], options: Collection[str]) -> str | None:
    for option, text in answer.get("with", {}).items():
        if option in options:
            return str(text)
    if "always" in answer:
        return f"Omit it: {answer['always']}"
    for other in answer.get("use", ()):
        if other == _FILE:
            return _FILE
        if other.split()[0] in options:
            return f"Use `{other}`"
    other_text: str | None = answer.get("run") or answer.get("never")
    return other_text


@cache
def other_options() -> dict[str, Any]:
    """`other_options.toml`: options of other tools by command, and an answer for each that lockset does not have."""
    return tomli.loads(files("lockset.cli.options").joinpath("other_options.toml").read_text("utf-8"))


def _command(name: str, commands: Iterable[str]) -> str | None:
    if name in _COMMANDS:
        return f"Use {_COMMANDS[name]}"
    if name in _OF_PROJECTS:
        return "lockset does not manage projects or Pythons: edit pyproject.toml, then run `lockset lock`"
    if name.endswith((".toml", ".lock", ".txt", ".in")):
        return f"The command comes first, such as `lockset sync {name}`"
    return _near(name.lower(), commands)


def _near(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known names that begin with `name`, else those that are similar to it."""
    names = list(dict.fromkeys(known))
    matches = [each for each in names if each.startswith(name)] if name.strip("-") else []
    matches = matches[:3] or get_close_matches(name, names, n=1, cutoff=cutoff)
    return f"Did you mean {' or '.join(f'`{each}`' for each in matches)}?" if matches else None
