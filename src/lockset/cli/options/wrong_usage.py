"""Words for a command line that is not understood: what was meant, or what there is instead, and why.

Imported where something is wrong, and only there.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

__all__ = ["explain_usage_error", "unknown_arguments"]

# What other tools call it.
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
    "uninstall": "`lockset sync`, which removes what the lock file does not name",
}
_OF_PROJECTS = frozenset({"add", "remove", "init", "new", "run", "venv", "env", "python", "build", "publish", "shell"})

# What lockset deliberately does not have, and what to do instead.
_NEVER = {
    "--ignore-requires-python": "A lock that ignores it promises what installers refuse: `--override FILE` replaces a "
    "requirement that is too narrow",
    "--no-verify-hashes": "Hashes are always verified",
    "--no-require-hashes": "Hashes are always verified",
    "--use-deprecated": "There is one resolver",
    "--src": "Sources are built in folders of their own; a tree to work on is locked with `lockset lock -e DIR`",
    "--ignore-installed": "What is installed is compared with the lock file: `--reinstall` installs everything anew",
    "--exists-action": "A source is fetched once and verified; there is nothing to ask",
    "--user": "Sync a virtual environment, or a folder with `--target` or `--prefix`",
    "--egg": "Eggs are not installed",
    "--pre": "`lockset lock --prerelease allow`",
    "--global-option": "`--config-setting KEY=VALUE` tells build backends something",
    "--build-option": "`--config-setting KEY=VALUE` tells build backends something",
}
# Needless here, since it is always so.
_ALWAYS = {
    "--generate-hashes": "every file is locked with its hashes",
    "--require-hashes": "hashes are always required",
    "--universal": "a lock is for all platforms and Pythons unless options narrow it",
    "--frozen": "sync never locks",
    "--locked": "sync never locks; `lockset lock --check` tells whether the lock serves its sources",
    "--exact": "sync removes what the lock file does not name",
    "--no-config-file": "`--no-config` leaves [tool.lockset] aside",
}
# What other tools call it; the first of these that the command has.
_OPTIONS: dict[str, tuple[str, ...]] = {
    "--python-platform": ("--platform",),
    "--python-version": ("--python",),
    "--force-reinstall": ("--reinstall",),
    "--trusted-host": ("--allow-insecure-host",),
    "--output-file": ("--output", "--dest"),
    "--output-dir": ("--dest",),
    "--dev": ("--group dev",),
    "--no-dev": ("--no-default-groups", "--no-group"),
    "--with": ("--group",),
    "--without": ("--no-group", "--no-default-groups"),
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
    """What argparse says, in our words, and what to do."""
    text = re.sub(r"^argument ([^:]*): ", r"\1: ", message)
    see = f"See `{parser.prog} --help`"
    if found := re.match(r"COMMAND: invalid choice: '(.*?)'", text, re.DOTALL):
        return f"There is no command `{found[1]}`", _command(found[1], commands) or see
    if found := re.match(r"(.+?): invalid choice: '(.*?)' \(choose from (.*)\)$", text, re.DOTALL):
        allowed = [each.strip("'") for each in found[3].split(", ")]
        return f"{found[1]}: `{found[2]}` is none of {', '.join(allowed)}", _near(found[2], allowed, cutoff=0.75) or see
    if found := re.match(r"(.+?): invalid (float|int) value: '(.*?)'$", text, re.DOTALL):
        return f"{found[1]}: `{found[3]}` is not a {'number' if found[2] == 'float' else 'whole number'}", see
    if found := re.match(r"(.+?): expected one argument$", text):
        return f"{found[1]} wants a value", see
    if found := re.match(r"the following arguments are required: (.*)$", text):
        return f"{found[1]} is missing", see
    return text, see


def unknown_arguments(unknown: Sequence[str], parser: argparse.ArgumentParser, chosen: str | None) -> tuple[str, str]:
    """What to say of arguments that the command `chosen`, whose parser this is, does not take."""
    options = [option for action in parser._actions for option in action.option_strings]  # noqa: SLF001 - no public way
    see = f"See `{parser.prog} --help`"
    first = next((each for each in unknown if each.startswith("-") and each != "-"), unknown[0])
    name = first.partition("=")[0]
    if not first.startswith("-"):
        return f"`{first}` is one argument too many", see
    what = f"`{parser.prog}` has no option `{name}`"
    if name in _NEVER and name not in options:
        return what, _NEVER[name]
    if name in _ALWAYS:
        return what, f"Leave it out: {_ALWAYS[name]}"
    if name in {"-r", "--requirement"} and chosen is not None:
        return what, f"Files are named without an option: `{parser.prog} FILE`"
    for other in _OPTIONS.get(name, ()):
        if other.split()[0] in options:
            return what, f"Here it is `{other}`"
    return what, _near(name, [each for each in options if each.startswith("--")]) or see


def _command(name: str, commands: Iterable[str]) -> str | None:
    if name in _COMMANDS:
        return f"Here it is {_COMMANDS[name]}"
    if name in _OF_PROJECTS:
        return "lockset manages neither projects nor Pythons: edit pyproject.toml, then `lockset lock`"
    return _near(name, commands)


def _near(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known names that begin so, else those that look like it."""
    names = list(dict.fromkeys(known))
    found = [each for each in names if each.startswith(name)] if name.strip("-") else []
    found = found[:3] or get_close_matches(name, names, n=1, cutoff=cutoff)
    return f"Did you mean {' or '.join(f'`{each}`' for each in found)}?" if found else None
