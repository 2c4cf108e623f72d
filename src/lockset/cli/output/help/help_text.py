"""The help of a command: `-h` shows what most people need, `--help` everything, with examples."""

from __future__ import annotations

import argparse
import os
import sys
from textwrap import wrap

from lockset.cli.output.help.help_examples import BASIC, EXAMPLES, documentation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

__all__ = ["HelpFormatter", "help_text", "is_colored"]

# Groups of options that `-h` only names.
_REST = frozenset({"indexes", "network", "cache", "common options"})
_HEADING, _COMMAND = "1;32", "36"
# Help texts are no narrower, whatever the terminal says.
_LEAST = 20


class HelpFormatter(argparse.HelpFormatter):
    """Help of a given width, with coloured headings if requested."""

    def __init__(self, prog: str, *, width: int, color: bool = False) -> None:
        super().__init__(prog, width=max(width, _LEAST), max_help_position=min(24, max(width // 3, 8)))
        self._heading_color = color

    def _set_color(self, *_: Any, **__: Any) -> None:
        """Leave the headings to this class: argparse of Python 3.14 has colours, which no option turns off."""
        parent: Any = super()  # called from Python 3.14 on, which has this method
        parent._set_color(False)  # noqa: FBT003, SLF001

    def start_section(self, heading: str | None) -> None:
        """Begin a section."""
        super().start_section(_styled(heading, _HEADING, on=self._heading_color) if heading else heading)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """`-o, --output FILE`: the value once, after all names."""
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        value = self._format_args(action, self._get_default_metavar_for_optional(action))
        return f"{', '.join(action.option_strings)} {value}"

    def _format_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None) -> str:
        prefix = _styled("usage:", _HEADING, on=self._heading_color) + " " if prefix is None else prefix
        return super()._format_usage(usage, actions, groups, prefix)


def help_text(parser: argparse.ArgumentParser, command: str | None, *, width: int, color: bool, is_short: bool) -> str:
    """The help of `parser`, whose command is `command`, as wide as `width` at most."""
    formatter = HelpFormatter(parser.prog, width=width, color=color)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups)  # noqa: SLF001 - as argparse does
    formatter.add_text(parser.description)
    for group in parser._action_groups:  # noqa: SLF001
        every = [action for action in group._group_actions if action.help is not argparse.SUPPRESS]  # noqa: SLF001
        shown = [action for action in every if not is_short or _is_basic(action, group.title, command)]
        if not shown:
            continue
        formatter.start_section(group.title)
        formatter.add_text(group.description)
        formatter.add_arguments(shown)
        formatter.end_section()
    text = formatter.format_help()
    more = _short_end(parser.prog, width) if is_short else _long_end(command, width, color=color)
    return f"{text.rstrip()}\n\n{more}"


def _is_basic(action: argparse.Action, title: str | None, command: str | None) -> bool:
    """Whether `-h` shows an option."""
    if not action.option_strings or action.dest in {"help", argparse.SUPPRESS}:
        return True
    basic = BASIC.get(command or "")
    return action.dest in basic if basic is not None else title not in _REST


def _short_end(prog: str, width: int) -> str:
    return "\n".join(wrap(f"`{prog} --help` shows all options, with examples.", max(width, _LEAST))) + "\n"


def _long_end(command: str | None, width: int, *, color: bool) -> str:
    lines: list[str] = []
    for text, line in EXAMPLES.get(command or "", ()):
        if not lines:
            lines.append(_styled("examples:", _HEADING, on=color))
        if text:
            lines += wrap(f"# {text}", max(width, _LEAST), initial_indent="  ", subsequent_indent="  # ")
        lines.append(f"  {_styled(line, _COMMAND, on=color)}")
    if lines:
        lines.append("")
    return "\n".join([*lines, f"Documentation: {documentation(command)}", ""])


def _styled(text: str, style: str, *, on: bool) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if on else text


def is_colored(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether help on stdout is coloured: as `--color` among the arguments says, which are not parsed yet."""
    chosen = environ.get("LOCKSET_COLOR", "")
    for number, argument in enumerate(arguments):
        if argument == "--color" and number + 1 < len(arguments):
            chosen = arguments[number + 1]
        elif argument.startswith("--color="):
            chosen = argument.partition("=")[2]
    if chosen in {"always", "never"}:
        return chosen == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    stream = sys.stdout
    return bool(stream is not None and stream.isatty()) and environ.get("TERM") != "dumb" and os.name != "nt"
