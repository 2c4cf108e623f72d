"""The manual page, made from the parser: roff for `man`."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from lockset._version import __version__
from lockset.cli.exit_codes import DONE, INTERRUPTED, REFUSED, TERMINATED, USAGE
from lockset.cli.options.common import actions_of
from lockset.cli.output.help.help_examples import EXAMPLES, documentation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["manual_page"]

_ABOUT = "lock a Python project for all platforms, sync environments to it"
_EXIT_CODES = (
    (DONE, "Success; for a check: nothing was found."),
    (REFUSED, "An error, or a check that found something."),
    (USAGE, "The command line is not valid."),
    (INTERRUPTED, "Interrupted (SIGINT)."),
    (TERMINATED, "Terminated (SIGTERM)."),
)


def manual_page(parser: argparse.ArgumentParser, commands: Mapping[str, str], command: str | None) -> str:
    """The page of one command, or of all, for a parser that has the options of every command."""
    parsers = next(action.choices for action in actions_of(parser) if isinstance(action.choices, dict))
    lines = _all(parsers, commands) if command is None else _one(command, parsers[command], commands[command])
    return "\n".join(line for line in lines if line) + "\n"


def _all(parsers: Mapping[str, argparse.ArgumentParser], commands: Mapping[str, str]) -> Iterator[str]:
    yield from _head("lockset", _ABOUT)
    yield ".B lockset\n.I COMMAND\n.RI [ OPTIONS ]"
    yield ".SH DESCRIPTION"
    yield _text(
        "lockset is a toolkit for pylock.toml (PEP 751): it locks projects, syncs environments, validates lock files "
        "and shows what is in them."
    )
    yield ".SH COMMANDS"
    for name, text in commands.items():
        yield f".SS lockset {_words(name)}"
        yield _text(text[0].upper() + text[1:] + ".")
        yield from _options(parsers[name])
    yield from _tail(None, ())


def _one(name: str, parser: argparse.ArgumentParser, text: str) -> Iterator[str]:
    yield from _head(f"lockset-{name}", text)
    usage = " ".join(parser.format_usage().split()[1:])
    yield f".B {_words(usage)}"
    yield ".SH DESCRIPTION"
    yield _text(text[0].upper() + text[1:] + ".")
    yield ".SH OPTIONS"
    yield from _options(parser)
    yield from _tail(name, EXAMPLES.get(name, ()))


def _head(title: str, about: str) -> Iterator[str]:
    yield f'.TH "{_words(title.upper())}" "1" "" "lockset {_words(__version__)}" "User Commands"'
    yield ".SH NAME"
    yield f"{_words(title)} \\- {_words(about)}"
    yield ".SH SYNOPSIS"


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in actions_of(parser):
        if action.help is argparse.SUPPRESS:
            continue
        yield ".TP"
        yield _heading(action)
        yield _text(_help(action))


def _heading(action: argparse.Action) -> str:
    value = action.metavar or ("" if action.choices is None else "|".join(map(str, action.choices)))
    shown = " ".join(value) if isinstance(value, tuple) else value or action.dest.upper()
    if not action.option_strings:
        return f"\\fI{_words(shown)}\\fR"
    names = ", ".join(f"\\fB{_words(option)}\\fR" for option in action.option_strings)
    return names if action.nargs == 0 else f"{names} \\fI{_words(shown)}\\fR"


def _help(action: argparse.Action) -> str:
    text = (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _tail(command: str | None, examples: tuple[tuple[str, str], ...]) -> Iterator[str]:
    if examples:
        yield ".SH EXAMPLES"
    for number, (text, line) in enumerate(examples):
        if text:
            yield ".PP" if number else ""
            yield _text(f"{text}:")
        yield f".PP\n.RS 4\n.nf\n{_words(line)}\n.fi\n.RE"
    yield ".SH ENVIRONMENT"
    yield _text(
        "Every option has a variable: LOCKSET_ and its name, such as LOCKSET_DEFAULT_INDEX. NO_COLOR and FORCE_COLOR "
        "are respected."
    )
    yield ".SH EXIT STATUS"
    for code, text in _EXIT_CODES:
        yield f".TP\n.B {code}\n{_text(text)}"
    yield ".SH SEE ALSO"
    yield _text(documentation(command))


def _text(text: str) -> str:
    """A paragraph; a line that begins with a dot or a quote would be a request."""
    words = _words(text)
    return f"\\&{words}" if words[:1] in {".", "'"} else words


def _words(text: str) -> str:
    """`text` with what roff interprets written out, and without line ends."""
    text = re.sub(r"\s+", " ", text).strip().replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    return text.replace("'", "\\(aq").replace('"', "\\(dq")
