"""Run the command line: import only the chosen command, and turn errors into messages and exit codes."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from functools import cache

from lockset._version import __version__
from lockset.cli.exit_codes import INTERRUPTED, REFUSED, USAGE, exit_code
from lockset.cli.options.common import add_common
from lockset.errors import Diagnostic, LocksetError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, NoReturn

    from lockset.cli.output.streams import Output

__all__ = ["make_parser", "run"]

# Options before the command that take a value.
_WITH_VALUE = frozenset({"--color", "--directory", "--config"})

# Variables that are read where the cache is opened, and set no option.
_OF_THE_CACHE = frozenset({"LOCKSET_CACHE_DIR", "LOCKSET_NO_CACHE"})

# The most columns of help texts.
_WIDEST = 110
# Digits of a number of columns that are read, since Python refuses to read thousands.
_LONGEST_NUMBER = 6

# Thresholds of the garbage collector during a command.
_COLLECTED_AT = (200_000, 50, 100)


class _WithoutColors:
    """Colours of argparse: none of its parts has one."""

    def __getattr__(self, _part: str) -> str:
        return ""


class _Help(argparse.HelpFormatter):
    """Help as wide as the terminal. argparse creates a formatter for every option, and its own imports much."""

    # What Python 3.14 formats with. It imports `dataclasses` and `ast` to learn that there are no colours.
    _theme = _WithoutColors()
    _decolor = staticmethod(str)

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=min(_columns(), _WIDEST) - 2)

    def _set_color(self, *_: object, **__: object) -> None:
        """Have no colours, whatever argparse says."""


@cache
def _columns() -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and len(columns) < _LONGEST_NUMBER and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80


class _Parser(argparse.ArgumentParser):
    """Reports wrong usage in one paragraph, without the whole usage.

    Options cannot be abbreviated: what is unique today may be ambiguous tomorrow.

    Attributes:
        commands: The help text of each command, for messages that suggest one.
    """

    commands: Mapping[str, str]

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"allow_abbrev": False, "formatter_class": _Help, "add_help": False, **more})
        self.color = False  # Python 3.14 would colour help whatever `--color` says
        self.suggest_on_error = False  # Python 3.15 would add suggestions of its own to messages, which have some
        self.register("action", "short_help", _ShortHelp)
        self.add_argument("-h", action="short_help", nargs=0, help="show the most important options")
        self.add_argument("--help", action="help", help="show all options, with examples")

    def format_help(self, *_: object, is_short: bool = False, **__: object) -> str:
        """The help; the formatter that Python 3.15 may pass is not needed."""
        from lockset.cli.output.help.help_text import help_text, is_colored

        environ = dict(os.environ)
        return help_text(
            self,
            self.prog.partition(" ")[2] or None,
            width=min(_columns(), _WIDEST) - 2,
            color=is_colored(sys.argv[1:], environ),
            is_short=is_short,
        )

    def error(self, message: str) -> NoReturn:
        """Explain wrong usage and exit."""
        from lockset.cli.options.wrong_usage import explain_usage_error

        self.refuse(*explain_usage_error(message, self, self.commands))

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """The values of an argument. Empty values are refused: as a path, one would be the working folder."""
        if "" in arg_strings and action.nargs != argparse.PARSER:
            # Most often from a variable of a script that is not set.
            if action.option_strings:
                self.refuse(f"{action.option_strings[-1]} is empty", "Give it a value, or leave the option out")
            self.refuse(f"{action.metavar or action.dest} is empty", "Give it a value, or leave it out")
        return super()._get_values(action, arg_strings)

    def refuse(self, text: str, hint: str) -> NoReturn:
        """Raise UsageError: `command-line`."""
        raise UsageError("command-line", text, hint=hint)


class _ShortHelp(argparse.Action):
    """`-h`: the help with the most important options."""

    def __init__(self, option_strings: Sequence[str], **more: Any) -> None:
        super().__init__(option_strings, **{**more, "dest": argparse.SUPPRESS, "default": argparse.SUPPRESS})

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it and exit."""
        assert isinstance(parser, _Parser)
        parser._print_message(parser.format_help(is_short=True), sys.stdout)  # noqa: SLF001
        parser.exit()


class _FrontDoor(_Parser):
    """The top-level parser, whose help is a page of its own."""

    def format_help(self, *_: object, **__: object) -> str:
        """The overview of all commands; the formatter that Python 3.15 may pass is not needed."""
        from lockset.cli.output.help.front_page import front_page
        from lockset.cli.output.help.help_text import is_colored

        environ = dict(os.environ)
        return front_page(self.commands, min(_columns(), _WIDEST), color=is_colored(sys.argv[1:], environ))


def make_parser(commands: Mapping[str, str], chosen: str | None, *, every: bool = False) -> argparse.ArgumentParser:
    """The parser of `commands`; only the `chosen` one (or `every` one, for the documentation) has its options."""
    parser = _FrontDoor(prog="lockset")
    parser.commands = commands
    parser.add_argument("-V", "--version", action="version", version=f"lockset {__version__}")
    add_common(parser)
    parser.set_defaults(quiet=False, verbose=False, color=None, no_progress=False, directory=None)
    parser.set_defaults(config=None, no_config=False, parser=parser)
    # With `prog` given, argparse does not format a usage line here, for which it imports more than a sync needs.
    subparsers = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", prog=parser.prog, parser_class=_Parser
    )
    for name, text in commands.items():
        if chosen is not None and name != chosen and not every:
            continue
        one = subparsers.add_parser(name, help=text, description=text[0].upper() + text[1:])
        one.commands = commands
        if every or name == chosen:
            _command_module(name).add_arguments(one)
        add_common(one)
        one.set_defaults(parser=one)
    return parser


def run(arguments: Sequence[str], commands: Mapping[str, str], *, begin: Callable[[], None]) -> int:
    """Run the command line `arguments` (without the program's name); returns the exit code.

    `begin` is called right before the command begins: from then on, an interrupt must be an exception.
    """
    try:
        return _run_line(arguments, commands, begin)
    except UsageError as error:
        return _report_wrong_usage(error, arguments)


def _run_line(arguments: Sequence[str], commands: Mapping[str, str], begin: Callable[[], None]) -> int:
    """As `run`; raises UsageError if the command line is not valid."""
    if arguments[:1] == ["help"]:
        if "--man" in arguments:
            return _print_manual_page([word for word in arguments[1:] if word != "--man"], commands)
        arguments = _help_arguments(arguments[1:])
    parser = make_parser(commands, _chosen(arguments, commands))
    args = _parsed(parser, arguments)
    if args.command is None:
        parser.print_help(sys.stderr)
        return USAGE
    from lockset.cli.output.streams import Output

    wrong = _filled(args)
    out = Output(
        quiet=args.quiet,
        verbose=args.verbose,
        color=args.color or "auto",
        progress=not args.no_progress,
        json_errors=getattr(args, "json", False) or getattr(args, "format", None) == "json",
        environ=dict(os.environ),
    )
    try:
        try:
            return _run(args, out, begin) if wrong is None else _report(wrong, out)
        finally:
            out.close()
    except OSError:
        return REFUSED  # the error itself cannot be written


def _help_arguments(arguments: Sequence[str]) -> list[str]:
    """What `lockset help [COMMAND]` stands for."""
    words = [argument for argument in arguments if not argument.startswith("-")]
    options = [argument for argument in arguments if argument.startswith("-")]
    return [*words, *options, "--help"]


def _print_manual_page(words: Sequence[str], commands: Mapping[str, str]) -> int:
    """`lockset help --man [COMMAND]`: the page for `man`."""
    from lockset.cli.output.help.manual_page import manual_page
    from lockset.cli.output.streams import Output

    parser = make_parser(commands, None, every=True)
    assert isinstance(parser, _Parser)
    unknown = [word for word in words if word not in commands]
    if unknown or len(words) > 1:
        parser.refuse(f"There is no command `{' '.join(unknown or words)}`", "`lockset help --man` takes one command")
    out = Output()
    try:
        out.data(manual_page(parser, commands, words[0] if words else None))
    except BrokenPipeError:
        _silence_stdout()
        return REFUSED
    except OSError as error:
        _report_exception(error, out)
        return REFUSED
    return 0


def _parsed(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    args, unknown = parser.parse_known_args(arguments)
    args.arguments = tuple(arguments)
    if unknown:
        from lockset.cli.options.wrong_usage import unknown_arguments

        args.parser.refuse(*unknown_arguments(unknown, args.parser))
    return args


def _report_wrong_usage(error: UsageError, arguments: Sequence[str]) -> int:
    """Report an error of a command line whose options are therefore unknown."""
    from itertools import pairwise

    from lockset.cli.output.streams import Output

    pairs = [*pairwise(arguments), *(tuple(one.split("=", 1)) for one in arguments)]
    color = next((each for each in ("always", "never") if ("--color", each) in pairs), "auto")
    json_errors = "--json" in arguments or ("--format", "json") in pairs
    environ = dict(os.environ)
    out = Output(color=color, json_errors=json_errors, verbose="--verbose" in arguments, environ=environ)
    return _report(error, out)


def _command_module(command: str) -> Any:
    """The module of `command`, with underscores for hyphens. `importlib` itself takes longer to import."""
    name = f"lockset.cli.commands.{command.replace('-', '_')}"
    __import__(name)
    return sys.modules[name]


def _chosen(arguments: Sequence[str], commands: Mapping[str, str]) -> str | None:
    """The command among `arguments`: the first that is neither an option nor the value of one."""
    values = 0
    for argument in arguments:
        if values:
            values -= 1
        elif argument in _WITH_VALUE:
            values = 1
        elif not argument.startswith("-"):
            return argument if argument in commands else None
    return None


def _filled(args: argparse.Namespace) -> LocksetError | None:
    """Apply LOCKSET_ variables; return an error in them, to be reported once the output is open."""
    args.by_variable = frozenset()
    if all(name in _OF_THE_CACHE for name in os.environ if name.startswith("LOCKSET_")):
        return None
    from lockset.cli.options.variables import apply_variables  # most runs have none

    try:
        apply_variables(args, args.parser)
    except LocksetError as error:
        return error
    return None


def _report(error: LocksetError, out: Output) -> int:
    out.error(error.diagnostic)
    return exit_code(error)


def _run(args: argparse.Namespace, out: Output, begin: Callable[[], None]) -> int:
    try:
        if args.directory is not None:
            _enter(args.directory)
        if args.config is not None:
            _refuse_missing(args.config)
        command = _command_module(args.command)
        if hasattr(gc, "freeze"):  # PyPy has a collector of another kind
            gc.freeze()
            # A lock creates many values that live to its end: frequent collections would take a tenth of its time.
            gc.set_threshold(*_COLLECTED_AT)
        gc.enable()
        begin()
        code: int = command.run(command.read(args, out), out)
    except LocksetError as error:
        return _report(error, out)
    except BrokenPipeError:
        _silence_stdout()
        return REFUSED
    except KeyboardInterrupt as interrupt:
        out.error(Diagnostic(code="interrupted", message="Interrupted; nothing is left half done"))
        code = getattr(interrupt, "code", INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - neither errors of the system nor bugs may end in a traceback
        _report_exception(error, out)
        return REFUSED
    return code


def _silence_stdout() -> None:
    """Drop what is left to write after the reader of stdout has closed it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _report_exception(error: Exception, out: Output) -> None:
    if isinstance(error, FileNotFoundError) and not _has_working_folder():
        message = "The working folder does not exist any more"
        hint = "Change to another folder, or give one with `--directory`"
        out.error(Diagnostic(code="working-directory", message=message, hint=hint))
    elif isinstance(error, OSError):
        # For a move, the destination says more than the source.
        path = error.filename2 or error.filename
        location = str(path) if path else None
        message = f"The operating system reported an error: {error.strerror or error}"
        out.error(Diagnostic(code="system", message=message, location=location))
    elif isinstance(error, (MemoryError, SystemError)):
        # The interpreter may raise SystemError if memory is short.
        hint = "Give the process more memory, or raise its limit (`ulimit -v`)"
        out.error(Diagnostic(code="memory", message="lockset ran out of memory", hint=hint))
    elif isinstance(error, UnicodeEncodeError) and sys.getfilesystemencoding() != "utf-8":
        message = f"A file name cannot be encoded in the encoding of this locale, {error.encoding}"
        hint = "Use a UTF-8 locale, or set PYTHONUTF8=1"
        out.error(Diagnostic(code="locale-encoding", message=message, location=error.object, hint=hint))
    elif isinstance(error, ImportError):
        # For example, memory is short while two threads import the same module.
        message = f"A module of lockset cannot be imported: {error}"
        hint = "If memory is not the reason, reinstall lockset"
        out.error(Diagnostic(code="import", message=message, hint=hint))
    else:
        _report_bug(error, out)


def _report_bug(error: Exception, out: Output) -> None:
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    location = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None
    out.detail("".join(traceback.format_exception(error)))
    out.error(
        Diagnostic(
            code="internal",
            message=f"This is a bug in lockset: {type(error).__name__}: {error}",
            location=location,
            hint="Report it with the output of `--verbose`",
        )
    )


def _has_working_folder() -> bool:
    try:
        os.getcwd()
    except OSError:
        return False
    return True


def _enter(directory: os.PathLike[str]) -> None:
    try:
        os.chdir(directory)
    except OSError as error:
        raise LocksetError(
            "working-directory",
            f"Cannot change to the folder {os.fspath(directory)}: {error.strerror}",
            hint="Check `--directory`",
        ) from error


def _refuse_missing(config: os.PathLike[str]) -> None:
    """Refuse a missing settings file, even if the command reads no settings."""
    if not os.path.isfile(config):
        raise LocksetError("source-missing", f"There is no file `{os.fspath(config)}`", hint="Check --config")
