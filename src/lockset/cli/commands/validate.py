"""`lockset validate`: every finding about lock files and project files, with rule, line and column."""

from __future__ import annotations

import re
from pathlib import Path

from lockset._dataclass import replace
from lockset.api.validate import (
    count_fixable,
    fix,
    is_lock_file,
    rule_codes,
    rule_page,
    selection_for,
    settings_for,
    stale,
    validate,
    validate_text,
    verify_files,
)
from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.options.validate import add_validate_arguments as add_arguments
from lockset.cli.options.validate import read_validate_command as read
from lockset.cli.output.findings.finding_text import concise_text, explain_hint, finding_text, summary_lines
from lockset.cli.output.findings.findings import Line, SelectedForTarget, ValidatedFile, as_json, lines_of, selected_for
from lockset.cli.output.help.documentation import DOCUMENTATION
from lockset.cli.output.streams import plain
from lockset.errors import LocksetError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.cli.options.validate import DescribedTarget, ValidateCommand
    from lockset.cli.output.streams import Output
    from lockset.lockfile.validate.report import Report

__all__ = ["add_arguments", "read", "run"]

_STDIN = "-"
_FOR_PEOPLE = frozenset({"text", "concise"})


def run(args: ValidateCommand, out: Output) -> int:
    """Check the files; 0 where all are valid, 1 where one is not."""
    for rule in [*args.select, *args.ignore, *([args.explain] if args.explain else [])]:
        _refuse_unknown(rule)
    if args.explain:
        out.data(rule_page(args.explain).rstrip("\n"))
        return DONE
    if args.fix and _STDIN in args.files:
        raise UsageError("fix-stdin", "The standard input cannot be fixed in place", hint="Name a file")
    checked = [_check(path, args, out) for path in args.files or _files_here()]
    if args.format in _FOR_PEOPLE:
        _write(checked, args, out)
    else:
        _write_format(checked, args, out)
    return DONE if all(file.valid for file in checked) else REFUSED


def _refuse_unknown(rule: str, location: str | None = None) -> None:
    from lockset.lockfile.validate.catalogue import RULES

    if rule in RULES:
        return
    codes = rule_codes()
    if rule not in codes:
        from difflib import get_close_matches

        near = get_close_matches(rule, codes, n=1)
        hint = f"Did you mean `{near[0]}`?" if near else f"All rules: {DOCUMENTATION}/rules/index.html"
        raise UsageError("unknown-rule", f"There is no rule `{rule}`", hint=hint, location=location)


def _files_here() -> Sequence[str]:
    """The lock files and the pyproject.toml of the working folder."""
    paths = sorted(path.name for path in Path().glob("pylock*.toml"))
    paths += ["pyproject.toml"] if Path("pyproject.toml").is_file() else []
    if not paths:
        hint = "Run `lockset lock` to create a lock file, or name the files to check"
        raise LocksetError("lock-not-found", f"There is no pylock.toml or pyproject.toml in {Path.cwd()}", hint=hint)
    return paths


def _check(path: str, args: ValidateCommand, out: Output) -> ValidatedFile:
    """A file that cannot be read is a finding, so that it does not hide those of other files."""
    done: tuple[str, ...] | None = None
    try:
        select, ignore, strict = _rules_and_strictness(path, args)
        if args.fix:
            report, done = fix(path)
        else:
            report = validate_text(args.stdin(), name=_STDIN) if path == _STDIN else validate(path)
    except UsageError:
        raise
    except LocksetError as error:
        return ValidatedFile(path=path, lines=(_refusal(error),), valid=False)
    issues = [one for one in report.issues if one.code not in ignore and (not select or one.code in select)]
    lines = [*lines_of(report, issues)]
    selected: list[SelectedForTarget] = []
    # The model of the lock takes longer than all rules, and only these options read it.
    if (args.targets or args.sources or args.online or args.download) and report.lock is not None:
        for target in args.targets:
            try:
                selected += _selected_for(report, target)
            except LocksetError as error:
                line = _refusal(error)
                lines.append(replace(line, message=f"For {target.text}: {line.message}"))
        lines += _compared_lines(report, path, args)
    failing = [line for line in lines if strict or line.level == "error"]
    shown = tuple(sorted(lines, key=lambda line: (line.line, line.column)))
    selection = tuple(selected) if args.targets else None
    counted = args.format in _FOR_PEOPLE and not args.fix and not out.quiet
    fixable = count_fixable(report, issues) if counted else 0
    return ValidatedFile(path=path, lines=shown, valid=not failing, fixed=done, fixable=fixable, selection=selection)


def _rules_and_strictness(path: str, args: ValidateCommand) -> tuple[frozenset[str], frozenset[str], bool]:
    """Selected and ignored rules, and strictness: the command line first, then the project's settings."""
    try:
        settings = (
            None if args.no_config else settings_for("pylock.toml" if path == _STDIN else path, config=args.config)
        )
        for rule in (*settings.select, *settings.ignore) if settings is not None else ():
            _refuse_unknown(rule, location="[tool.lockset.validate]")
    except LocksetError:
        if args.config is not None or is_lock_file(path):
            raise
        settings = None  # what is wrong with them is among the findings about their own file
    if settings is None:
        return frozenset(args.select), frozenset(args.ignore), args.strict
    select = args.select or settings.select
    return frozenset(select), frozenset((*args.ignore, *settings.ignore)), args.strict or settings.strict


def _refusal(error: LocksetError) -> Line:
    one = error.diagnostic
    message = f"{one.message} ({'; '.join(one.context)})" if one.context else one.message
    line = re.search(r":([1-9]\d{0,8})\Z", one.location or "")
    return Line(rule=one.code, level="error", message=message, hint=one.hint, line=int(line[1]) if line else 1)


def _selected_for(report: Report, target: DescribedTarget) -> Iterator[SelectedForTarget]:
    """What the lock file installs on `target`; LocksetError if it does not support it."""
    return selected_for(target.text, selection_for(report, python=target.python, platform=target.platform))


def _compared_lines(report: Report, path: str, args: ValidateCommand) -> Iterator[Line]:
    """Findings of the options that compare the lock file with its sources or with the index."""
    if args.sources and path != _STDIN:
        try:
            for sentence in stale(report, path):
                message = f"The lock file is out of date: {sentence}"
                yield Line(rule="sources-stale", level="error", message=message, hint="Run `lockset lock`")
        except LocksetError as error:
            yield _refusal(error)
    if args.online or args.download:
        try:
            issues = verify_files(
                report, online=args.online, download=args.download, indexes=args.indexes, context=args.context
            )
            yield from lines_of(report, issues)
        except LocksetError as error:
            yield _refusal(error)


def _write(checked: Sequence[ValidatedFile], args: ValidateCommand, out: Output) -> None:
    """For people: a blank line between findings, and a summary at the end."""
    is_first = True
    for file in checked:
        for sentence in file.fixed or ():
            out.line(f"{plain(file.path)}: fixed {plain(sentence)}")
        for line in file.lines:
            if out.quiet and line.level != "error":
                continue
            if args.format == "concise":
                out.data(concise_text(file.path, line, out))
                continue
            text = finding_text(file.path, line, out)
            out.data(text if is_first else f"\n{text}")
            is_first = False
        for one in file.selection or ():
            out.data(f"{one.target}  {one.name} {one.version or ''}  {one.source}")
    if args.format == "text" and not is_first:
        out.line()
    for sentence in summary_lines(checked, strict=args.strict):
        out.line(sentence)
    if args.format == "text" and (hint := explain_hint(checked, out)):
        out.line(hint)


def _write_format(checked: Sequence[ValidatedFile], args: ValidateCommand, out: Output) -> None:
    """For other tools."""
    if args.format == "json":
        out.json({"files": [as_json(file) for file in checked]})
        return
    from lockset.cli.output.findings.finding_formats import as_gitlab, as_junit, as_rdjson, as_sarif, github

    if args.format == "github":
        for file in checked:
            for line in file.lines:
                out.data(github(file.path, line))
        for sentence in summary_lines(checked, strict=args.strict):
            out.line(sentence)
    elif args.format == "junit":
        out.data(as_junit(checked, strict=args.strict))
    else:
        forms = {"sarif": as_sarif, "gitlab": as_gitlab, "rdjson": as_rdjson}
        out.json(forms[args.format](checked))
