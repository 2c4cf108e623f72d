"""`lockset validate`: every finding about lock files, with rule, line and column."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from lockset.api.validate import validate, validate_text
from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.output import plain
from lockset.errors import LocksetError, UsageError
from lockset.lockfile.read import MAX_BYTES
from lockset.lockfile.rule_table import RULES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lockset.cli.output import Output
    from lockset.lockfile.issue import Issue

__all__ = ["add_arguments", "run"]

_STDIN = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One finding as it is shown."""

    rule: str
    level: str
    message: str
    path: str
    line: int
    column: int
    hint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """One file and what is shown of it."""

    path: str
    lines: tuple[_Line, ...]
    valid: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="lock files; - is the standard input (default: pylock*.toml here)"
    )
    parser.add_argument(
        "--format", choices=("text", "json", "github"), default="text", help="how findings are written (default: text)"
    )
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    parser.add_argument("--strict", action="store_true", help="warnings make a file invalid, too")
    parser.add_argument("--select", action="append", default=[], metavar="RULE", help="only this rule (repeatable)")
    parser.add_argument("--ignore", action="append", default=[], metavar="RULE", help="not this rule (repeatable)")
    parser.add_argument("--explain", metavar="RULE", help="tell what a rule asks for, and check nothing")


def run(args: argparse.Namespace, out: Output) -> int:
    """Check the files; 0 where all are valid, 1 where one is not."""
    for rule in [*args.select, *args.ignore, *([args.explain] if args.explain else [])]:
        _known(rule)
    if args.explain:
        out.data(_explained(args.explain))
        return DONE
    checked = [_check(path, args) for path in args.files or _here()]
    if args.format == "json":
        out.json({"files": [_as_json(file) for file in checked]})
    else:
        for file in checked:
            _write(file, args.format, out)
        _summary(checked, out)
    return DONE if all(file.valid for file in checked) else REFUSED


def _known(rule: str) -> None:
    if rule not in RULES:
        near = get_close_matches(rule, RULES, n=1)
        hint = f"The nearest is `{near[0]}`" if near else None
        raise UsageError("unknown-rule", f"There is no rule `{rule}`", hint=hint)


def _explained(code: str) -> str:
    rule = RULES[code]
    return f"{code} ({rule.severity})\n{rule.summary}\n{rule.url}"


def _here() -> Sequence[str]:
    found = sorted(path.name for path in Path().glob("pylock*.toml"))
    if not found:
        hint = "Name the files to check; `lockset lock` writes pylock.toml"
        raise UsageError("no-files", "There is no pylock.toml in this folder", hint=hint)
    return found


def _check(path: str, args: argparse.Namespace) -> _Checked:
    """A file that cannot be read is a finding, so that it does not hide those of other files."""
    try:
        report = validate_text(_standard_input()) if path == _STDIN else validate(path)
    except LocksetError as error:
        found = error.diagnostic
        line = _Line(rule=found.code, level="error", message=found.message, path="", line=1, column=1, hint=found.hint)
        return _Checked(path=path, lines=(line,), valid=False)
    shown = tuple(_line(issue) for issue in report.issues if _wanted(issue, args))
    failing = shown if args.strict else tuple(line for line in shown if line.level == "error")
    return _Checked(path=path, lines=shown, valid=not failing)


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise LocksetError("lock-unreadable", "The standard input is closed")
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def _wanted(issue: Issue, args: argparse.Namespace) -> bool:
    return issue.code not in args.ignore and (not args.select or issue.code in args.select)


def _line(issue: Issue) -> _Line:
    return _Line(
        rule=issue.code,
        level=issue.severity,
        message=issue.message,
        path=issue.path,
        line=issue.line,
        column=issue.column,
        hint=issue.hint,
    )


def _as_json(file: _Checked) -> dict[str, object]:
    keys = ("rule", "level", "message", "path", "line", "column")
    diagnostics = [{key: getattr(line, key) for key in keys} for line in file.lines]
    return {"path": file.path, "valid": file.valid, "diagnostics": diagnostics}


def _write(file: _Checked, form: str, out: Output) -> None:
    for line in file.lines:
        if out.quiet and line.level != "error":
            continue
        out.data(_github(file.path, line) if form == "github" else _text(file.path, line, out))


def _text(path: str, line: _Line, out: Output) -> str:
    level = out.style(f"{line.level}[{line.rule}]", "bold red" if line.level == "error" else "bold yellow", stdout=True)
    text = f"{plain(path)}:{line.line}:{line.column}: {level} {_one_line(line.message)}"
    return f"{text}\n  {out.style('hint', 'bold cyan', stdout=True)}: {_one_line(line.hint)}" if line.hint else text


def _one_line(text: str) -> str:
    """Values of the file may hold line ends, which would look like further findings."""
    return plain(text.replace("\n", "\\n"))


def _github(path: str, line: _Line) -> str:
    """A workflow command; percent signs and line ends are written as it wants them."""
    message = f"{line.message}. {line.hint}" if line.hint else line.message
    place = f"file={_escaped(path, ',:')},line={line.line},col={line.column},title={line.rule}"
    return f"::{line.level} {place}::{_escaped(message, '')}"


def _escaped(text: str, more: str) -> str:
    return "".join(f"%{ord(char):02X}" if char in f"%\r\n{more}" else plain(char) for char in text)


def _summary(checked: Sequence[_Checked], out: Output) -> None:
    bad = sum(not file.valid for file in checked)
    warnings = sum(line.level == "warning" for file in checked for line in file.lines)
    files = f"{len(checked)} file{'' if len(checked) == 1 else 's'}"
    told = f", {warnings} warning{'' if warnings == 1 else 's'}" if warnings else ""
    out.line(f"{files} checked, {bad} not valid{told}" if bad else f"{files} valid{told}")
