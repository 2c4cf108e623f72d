"""Explain wrong usage: suggest the option or command that was probably meant.

Imported only if a command line is wrong.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

__all__ = ["explain_usage_error", "unknown_arguments"]

# Commands of other tools.
_COMMANDS = {
    "compile": "`lockset lock`",
    "resolve": "`lockset lock`",
    "relock": "`lockset lock`",
    "update": "`lockset lock --upgrade`, or `lockset lock --upgrade-package NAME`",
    "upgrade": "`lockset lock --upgrade`, or `lockset lock --upgrade-package NAME`",
    "outdated": "`lockset lock --upgrade --dry-run --stats`",
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
    "help": "`lockset --help`, or `lockset COMMAND --help`",
    "version": "`lockset --version`",
    "uninstall": "`lockset sync`, which removes packages that are not in the lock file",
}
_OF_PROJECTS = frozenset({"add", "remove", "init", "new", "run", "venv", "env", "python", "build", "publish", "shell"})

# Options of other tools that lockset does not have on purpose.
_NEVER = {
    "--ignore-requires-python": "Installers would refuse such a lock: use `--override FILE` to replace a requirement "
    "that is too narrow",
    "--no-verify-hashes": "Hashes are always verified",
    "--no-require-hashes": "Hashes are always verified",
    "--use-deprecated": "There is one resolver",
    "--src": "Sources are built in temporary folders; lock a source tree to work on with `lockset lock -e DIR`",
    "--ignore-installed": "Installed packages are compared with the lock file; use `--reinstall` to reinstall them all",
    "--exists-action": "A source is fetched once and verified, without questions",
    "--user": "Sync a virtual environment, or a folder with `--target` or `--prefix`",
    "--egg": "Eggs are not installed",
    "--pre": "Use `lockset lock --prerelease allow`",
    "--global-option": "Use `--config-setting KEY=VALUE`",
    "--build-option": "Use `--config-setting KEY=VALUE`",
}
# Options of other tools that are always on.
_ALWAYS = {
    "--generate-hashes": "every file is locked with its hashes",
    "--require-hashes": "hashes are always required",
    "--universal": "a lock is for all platforms and Pythons unless options narrow it",
    "--frozen": "sync never locks",
    "--locked": "sync never locks; `lockset lock --check` checks if the lock file is up to date",
    "--exact": "sync removes packages that are not in the lock file",
    "--no-config-file": "`--no-config` ignores [tool.lockset]",
}
# Options of other tools, with lockset's; the first that the command has is suggested.
_OPTIONS: dict[str, tuple[str, ...]] = {
    "--python-platform": ("--platform",),
    "--python-version": ("--python",),
    "--force-reinstall": ("--reinstall",),
    "--trusted-host": ("--allow-insecure-host",),
    "--output-file": ("--output", "--dest"),
    "--output-dir": ("--dest",),
    "--dev": ("--group dev",),
    "--no-dev": ("--no-group dev", "--only-group default"),
    "--with": ("--group",),
    "--without": ("--no-group", "--only-group default"),
    "--only": ("--only-group",),
    "--compile": ("--compile-bytecode",),
    "--config-file": ("--config",),
    "--config-settings": ("--config-setting",),
    "--emit-index-url": ("--index-lines",),
    "--no-emit-project": ("--no-trees",),
    "--universal-platform": ("--platform",),
    "--abi": ("--platform",),
    "--all": ("--all-extras", "--all-packages"),
    "--all-groups-and-extras": ("--all-groups",),
    "--requirement": (),
    "--project": ("--directory",),
    "--silent": ("--quiet",),
    "--debug": ("--verbose",),
    "--from-format": ("--from",),
    "--reverse": ("--invert",),
    "--max-depth": ("--depth",),
}


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


def unknown_arguments(unknown: Sequence[str], parser: argparse.ArgumentParser, chosen: str | None) -> tuple[str, str]:
    """The message and hint for arguments that the command `chosen`, whose parser this is, does not have."""
    options = [option for action in parser._actions for option in action.option_strings]  # noqa: SLF001 - no public way
    see = f"See `{parser.prog} --help`"
    first = next((each for each in unknown if each.startswith("-") and each != "-"), unknown[0])
    name = first.partition("=")[0]
    if not first.startswith("-"):
        return f"Unexpected argument `{first}`", see
    what = f"`{parser.prog}` has no option `{name}`"
    if name in _NEVER and name not in options:
        return what, _NEVER[name]
    if name in _ALWAYS:
        return what, f"Omit it: {_ALWAYS[name]}"
    if name in {"-r", "--requirement"} and chosen is not None:
        return what, f"Pass files without an option: `{parser.prog} FILE`"
    for other in _OPTIONS.get(name, ()):
        if other.split()[0] in options:
            return what, f"Use `{other}`"
    return what, _near(name, [each for each in options if each.startswith("--")]) or see


def _command(name: str, commands: Iterable[str]) -> str | None:
    if name in _COMMANDS:
        return f"Use {_COMMANDS[name]}"
    if name in _OF_PROJECTS:
        return "lockset does not manage projects or Pythons: edit pyproject.toml, then run `lockset lock`"
    return _near(name, commands)


def _near(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known names that begin with `name`, else those that are similar to it."""
    names = list(dict.fromkeys(known))
    matches = [each for each in names if each.startswith(name)] if name.strip("-") else []
    matches = matches[:3] or get_close_matches(name, names, n=1, cutoff=cutoff)
    return f"Did you mean {' or '.join(f'`{each}`' for each in matches)}?" if matches else None
