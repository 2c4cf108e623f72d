"""Options of `lockset completion`, and the script for a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.cli.fast_path.names import KINDS, names_for_completion
from lockset.cli.options.common import actions_of
from lockset.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from lockset.cli.output.streams import Output

__all__ = [
    "CompletionCommand",
    "add_completion_arguments",
    "completion_script",
    "names_for_completion",
    "read_completion_command",
]

SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")
# Names of values whose files or folders a shell completes.
_FILES = frozenset({"FILE", "SOURCE", "INPUT", "A", "B", "PATH", "PATH|VERSION", "BASE", "OURS", "THEIRS"})
_FOLDERS = frozenset({"DIR"})
# Options and arguments that take names, by the kind of the names.
_NAMES = {
    **dict.fromkeys(("package", "packages", "upgrade_package", "reinstall_package", "exclude", "keep"), "packages"),
    **dict.fromkeys(("extra",), "extras"),
    **dict.fromkeys(("group", "only_group", "no_group"), "groups"),
    **dict.fromkeys(("select", "ignore", "explain"), "rules"),
}


class CompletionCommand(NamedTuple):
    """The options of `lockset completion`: a shell, or a kind of names to list."""

    shell: str | None
    listed: str | None


def add_completion_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset completion`."""
    parser.add_argument("shell", nargs="?", choices=SHELLS, metavar="SHELL", help=f"the shell: {', '.join(SHELLS)}")
    parser.add_argument(
        "--list",
        choices=KINDS,
        metavar="KIND",
        help="list names of the nearest lock file and project instead, for the script: packages, extras, groups, rules",
    )


def read_completion_command(args: argparse.Namespace, out: Output) -> CompletionCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: `argument-missing` without a shell.
    """
    del out
    if args.shell is None and args.list is None:
        raise UsageError("argument-missing", "Missing argument SHELL", hint=f"Name one of {', '.join(SHELLS)}")
    return CompletionCommand(shell=args.shell, listed=args.list)


def completion_script(shell: str) -> str:
    """The completion script of a shell, made from the parser of all commands."""
    import shtab

    from lockset.cli.main import build_parser

    parser = build_parser(None, every=True)
    for action in _actions(parser):
        words = str(action.metavar or "")
        if action.dest in _NAMES and not action.choices:
            kind = _NAMES[action.dest]
            names = shtab.cmd(f"lockset completion --list {kind}")
            # What shtab has for zsh would list all names when the script is loaded, and never again.
            action.complete = {**names, "zsh": f"_lockset_{kind}"}  # type: ignore[attr-defined]
        elif words in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif words in _FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    functions = "".join(
        f'_lockset_{kind}() {{ compadd -- ${{(f)"$(lockset completion --list {kind})"}} }}\n' for kind in KINDS
    )
    script: str = shtab.complete(parser, shell=shell, preamble=functions if shell == "zsh" else "")
    return script


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The options and arguments of a parser and of its commands."""
    for action in actions_of(parser):
        if isinstance(action.choices, dict):
            for command in action.choices.values():
                yield from _actions(command)
        else:
            yield action
