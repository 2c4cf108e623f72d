"""`lockset validate`: every finding about lock files and project files, with rule, line and column."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from lockset.api.validate import fix, is_lock_file, selection_for, settings_for, stale, validate, validate_text
from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.options.common import add_cache, add_index, standard_input
from lockset.cli.output.findings import (
    Line,
    SelectedForTarget,
    ValidatedFile,
    as_json,
    as_sarif,
    finding_text,
    github,
    lines_of,
)
from lockset.errors import LocksetError, UsageError
from lockset.lockfile.validate.catalogue import RULES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from lockset.cli.output.streams import Output
    from lockset.lockfile.validate.finding import Finding, Issue
    from lockset.lockfile.validate.report import Report

__all__ = ["add_arguments", "run"]

_STDIN = "-"
# What a package is installed from where it has no file name of its own.
_TREES = ("vcs", "directory", "archive")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "files",
        nargs="*",
        default=[],
        metavar="FILE",
        help="lock files, pyproject.toml, scripts, settings files, JSON reports of lockset; - is the standard input"
        " (default: pylock*.toml here)",
    )
    group = parser.add_argument_group("findings")
    group.add_argument(
        "--format",
        choices=("text", "json", "sarif", "github"),
        help="how findings are written (default: text)",
    )
    group.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    group.add_argument("--strict", action="store_true", help="warnings make a file invalid, too")
    group.add_argument("--select", action="append", default=[], metavar="RULE", help="only this rule (repeatable)")
    group.add_argument("--ignore", action="append", default=[], metavar="RULE", help="not this rule (repeatable)")
    group.add_argument("--explain", metavar="RULE", help="show the page of a rule, and check nothing")
    more = parser.add_argument_group("more than reading")
    more.add_argument("--fix", action="store_true", help="mend what has one right answer, and tell what was done")
    more.add_argument(
        "--for",
        action="append",
        default=[],
        dest="targets",
        metavar="PYTHON/PLATFORM",
        help="check that there is something to install there, and list it: 3.12/linux, 3.13/win_amd64 (repeatable)",
    )
    more.add_argument("--sources", action="store_true", help="check that the lock serves its sources (lock --check)")
    more.add_argument("--online", action="store_true", help="compare files, sizes and hashes with the index")
    more.add_argument("--download", action="store_true", help="fetch every file and verify its bytes")
    add_index(parser)
    add_cache(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Check the files; 0 where all are valid, 1 where one is not."""
    args.format = args.format or "text"
    for rule in [*args.select, *args.ignore, *([args.explain] if args.explain else [])]:
        _known(rule)
    if args.explain:
        out.data(_rule_page(args.explain).rstrip("\n"))
        return DONE
    if args.fix and _STDIN in args.files:
        raise UsageError("fix-stdin", "The standard input cannot be mended in place", hint="Name a file")
    targets = [(one, *_target(one)) for one in args.targets]
    checked = [_check(path, args, targets, out) for path in args.files or _here()]
    if args.format == "json":
        out.json({"files": [as_json(file) for file in checked]})
    elif args.format == "sarif":
        out.json(as_sarif(checked))
    else:
        for file in checked:
            _write(file, args.format, out)
        _summary(checked, out)
    return DONE if all(file.valid for file in checked) else REFUSED


def _rule_page(rule: str) -> str:
    if rule in RULES:
        from lockset.lockfile.validate.rule_pages import page

        return page(rule)
    from lockset.sources.validate.rule_pages import rule_text

    return rule_text(rule)


def _known(rule: str, location: str | None = None) -> None:
    if rule in RULES:
        return
    from lockset.sources.validate.catalogue import EVERY_RULE  # few commands name a rule of project files

    if rule not in EVERY_RULE:
        near = get_close_matches(rule, EVERY_RULE, n=1)
        hint = f"The nearest is `{near[0]}`" if near else None
        raise UsageError("unknown-rule", f"There is no rule `{rule}`", hint=hint, location=location)


def _target(asked: str) -> tuple[str, str]:
    """Python and platform of `3.12/linux`.

    Raises:
        UsageError: it does not name both, or one that is not known.
    """
    from lockset.markers import described_target

    python, slash, platform = asked.partition("/")
    if not (python and slash and platform):
        hint = "Write it as `3.12/linux` or `3.13/manylinux_2_28_aarch64`"
        raise UsageError("target", f"`{asked}` is no Python and platform", hint=hint)
    try:
        described_target(platform, python)
    except LocksetError as error:
        raise UsageError("target", error.diagnostic.message, location="--for", hint=error.diagnostic.hint) from error
    return python, platform


def _here() -> Sequence[str]:
    found = sorted(path.name for path in Path().glob("pylock*.toml"))
    if not found:
        hint = "Name the files to check; `lockset lock` writes pylock.toml"
        raise LocksetError("lock-not-found", "There is no pylock.toml in this folder", hint=hint)
    return found


def _check(path: str, args: argparse.Namespace, targets: list[tuple[str, str, str]], out: Output) -> ValidatedFile:
    """A file that cannot be read is a finding, so that it does not hide those of other files."""
    done: tuple[str, ...] | None = None
    try:
        select, ignore, strict = _wanted(path, args)
        if args.fix:
            report, done = fix(path)
        else:
            report = validate_text(standard_input()) if path == _STDIN else validate(path)
    except UsageError:
        raise
    except LocksetError as error:
        return ValidatedFile(path=path, lines=(_refusal(error),), valid=False)
    issues = [one for one in report.issues if one.code not in ignore and (not select or one.code in select)]
    lines = [*lines_of(report, issues)]
    picked: list[SelectedForTarget] = []
    if report.lock is not None:
        for asked, python, platform in targets:
            lines += _pick(report, asked, (python, platform), picked)
        lines += _further(report, path, args, out)
    failing = [line for line in lines if strict or line.level == "error"]
    shown = tuple(sorted(lines, key=lambda line: (line.line, line.column)))
    selection = tuple(picked) if targets else None
    return ValidatedFile(path=path, lines=shown, valid=not failing, fixed=done, selection=selection)


def _wanted(path: str, args: argparse.Namespace) -> tuple[frozenset[str], frozenset[str], bool]:
    """Selected and ignored rules, and strictness: the command line first, then the project's settings."""
    try:
        settings = (
            None if args.no_config else settings_for("pylock.toml" if path == _STDIN else path, config=args.config)
        )
        for rule in (*settings.select, *settings.ignore) if settings is not None else ():
            _known(rule, location="[tool.lockset.validate]")
    except LocksetError:
        if args.config is not None or is_lock_file(path):
            raise
        settings = None  # what is wrong with them is among the findings about their own file
    if settings is None:
        return frozenset(args.select), frozenset(args.ignore), args.strict
    select = args.select or settings.select
    return frozenset(select), frozenset((*args.ignore, *settings.ignore)), args.strict or settings.strict


def _refusal(error: LocksetError) -> Line:
    found = error.diagnostic
    message = f"{found.message} ({'; '.join(found.context)})" if found.context else found.message
    return Line(rule=found.code, level="error", message=message, hint=found.hint)


def _pick(report: Report, asked: str, target: tuple[str, str], picked: list[SelectedForTarget]) -> Iterator[Line]:
    try:
        selection = selection_for(report, python=target[0], platform=target[1])
    except LocksetError as error:
        line = _refusal(error)
        yield replace(line, message=f"For {asked}: {line.message}")
        return
    from lockset.lockfile.model import file_name

    for item in selection.items:
        package = item.package
        tree = next((key for key in _TREES if getattr(package, key) is not None), "?")
        version = str(package.version) if package.version is not None else None
        source = file_name(item.artifact) or tree
        picked.append(SelectedForTarget(target=asked, name=package.name, version=version, source=source))


def _further(report: Report, path: str, args: argparse.Namespace, out: Output) -> Iterator[Line]:
    if args.sources and path != _STDIN:
        try:
            for sentence in stale(report, path):
                message = f"The lock does not serve its sources: {sentence}"
                yield Line(rule="sources-stale", level="error", message=message, hint="Run `lockset lock`")
        except LocksetError as error:
            yield _refusal(error)
    if args.online or args.download:
        try:
            yield from _online(report, args, out)
        except LocksetError as error:
            yield _refusal(error)


def _online(report: Report, args: argparse.Namespace, out: Output) -> Iterator[Line]:
    """Files as the index has them: one that is given, else for each package the one it names, else the usual one."""
    from lockset.cli.options.common import cache_dir
    from lockset.cli.options.index import index_options
    from lockset.composition.repositories import connected
    from lockset.composition.verify_online import check_downloads, check_online
    from lockset.lockfile.validate.report import locate_findings

    assert report.lock is not None
    assert report.document is not None
    options, listener = index_options(args, None, Path.cwd()), out.listener()
    given = args.default_index or args.index or args.extra_index_url or args.no_index
    named = [None] if given else list(dict.fromkeys(package.index for package in report.lock.packages))
    found: list[Finding] = []
    for url in named if args.online else ():
        asked = options if url is None else replace(options, index_url=url)
        with connected(asked, cache_dir(args), listener) as connection:
            found += check_online(report.lock, connection.index, listener, of=None if given else {url})
    if args.download:
        with connected(options, cache_dir(args), listener) as connection:
            found += check_downloads(report.lock, connection.downloads, listener)
    issues: list[Issue] = locate_findings(found, report.document)
    yield from lines_of(report, issues)


def _write(file: ValidatedFile, form: str, out: Output) -> None:
    for sentence in file.fixed or ():
        out.line(f"{file.path}: mended {sentence}")
    for line in file.lines:
        if out.quiet and line.level != "error":
            continue
        out.data(github(file.path, line) if form == "github" else finding_text(file.path, line, out))
    if form == "text":
        for one in file.selection or ():
            out.data(f"{one.target}  {one.name} {one.version or ''}  {one.source}")


def _summary(checked: Sequence[ValidatedFile], out: Output) -> None:
    bad = sum(not file.valid for file in checked)
    warnings = sum(line.level == "warning" for file in checked for line in file.lines)
    files = f"{len(checked)} file{'' if len(checked) == 1 else 's'}"
    told = f", {warnings} warning{'' if warnings == 1 else 's'}" if warnings else ""
    mended = sum(bool(file.fixed) for file in checked)
    told += f", {mended} mended" if mended else ""
    out.line(f"{files} checked, {bad} not valid{told}" if bad else f"{files} valid{told}")
