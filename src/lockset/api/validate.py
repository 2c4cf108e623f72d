"""validate(), validate_text(), fix() and verify_files(): check lock files and project files."""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from lockset.errors import LocksetError
from lockset.lockfile.file_name import is_lock_file_name
from lockset.lockfile.read import load_bytes
from lockset.lockfile.validate.finding import Issue
from lockset.lockfile.validate.report import Report, validate_document
from lockset.option_values import check_argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.lockfile.select import Selection
    from lockset.lockfile.validate.finding import Finding
    from lockset.sources.settings import ValidateSettings

__all__ = [
    "Issue",
    "Report",
    "count_fixable",
    "fix",
    "is_lock_file",
    "rule_codes",
    "rule_page",
    "selection_for",
    "settings_for",
    "stale",
    "validate",
    "validate_text",
    "verify_files",
]


def validate(source: str | bytes | os.PathLike[str]) -> Report:
    """Validate a lock file, by its path (which includes its name) or by its text.

    The kind of a pyproject.toml, another TOML file with settings, a script with inline metadata or a JSON report of
    lockset is recognized by name, else by content; the `Report` of these has no `document` and no `lock`. Requirements
    files and lock files of other tools are read, as `convert` does, without the network.

    Bytes, and strings with a line end, are the text of a file (a lock file has three keys, so it has several lines);
    other strings and path objects are paths. `validate_text` takes any text.

    Raises:
        LocksetError: `lock-not-found` or `lock-unreadable`; for files that are not lock files, `source-missing` or
            `source-unreadable`. Problems in the file are findings, not exceptions, except in requirements files and
            lock files of other tools.
    """
    check_argument("source", source, "str | bytes | PathLike")
    if isinstance(source, bytes) or (isinstance(source, str) and ("\n" in source or not source)):
        return validate_text(source)
    path = os.fspath(source)
    name = os.path.basename(path)
    if is_lock_file_name(name):
        return validate_document(load_bytes(source), path=path, now=_now())
    from lockset.sources.validate.kind import ValidatedKind, kind_by_name

    if kind_by_name(name) not in {None, ValidatedKind.LOCK}:
        from lockset.files.read_file import read_file

        return _validate_kind(read_file(Path(path), location=path), path)
    return _validate_kind(load_bytes(source), path)


def validate_text(text: str | bytes, *, name: str | None = None) -> Report:
    """Validate `text`, of any kind of file that `validate` takes.

    If `name` is given, it decides on the kind of file, and the rules on names of lock files are checked, too. With the
    name `-`, for standard input, requirements files and lock files of other tools are recognized by their content.
    """
    check_argument("text", text, "str | bytes")
    check_argument("name", name, "str | None")
    return _validate_kind(text, name)


def _validate_kind(data: str | bytes, path: str | None) -> Report:
    """Validate a file of any kind; the readers of other files are not imported for lock files."""
    name = None if path is None else os.path.basename(path)
    if name is not None and is_lock_file_name(name):
        return validate_document(data, path=path, now=_now())
    from lockset.sources.validate.kind import ValidatedKind, kind_by_name, kind_of_content

    kind = None if name is None else kind_by_name(name)
    if kind is None:
        kind = kind_of_content(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"))
    if kind is ValidatedKind.REPORT:
        from lockset.lockfile.validate.json_report import validate_json_report

        return validate_json_report(data, path=path)
    if kind is ValidatedKind.LOCK:
        from lockset.composition.conversions.foreign_report import report_of_foreign

        foreign = None if path is None else report_of_foreign(data, "<stdin>" if path == "-" else path)
        return foreign or validate_document(data, path=None if path == "-" else path, now=_now())
    from lockset.sources.validate.report import validate_project, validate_script

    return (validate_script if kind is ValidatedKind.SCRIPT else validate_project)(data, path=path)


def fix(path: str | os.PathLike[str]) -> tuple[Report, tuple[str, ...]]:
    """Apply fixes that have only one correct result to the file at `path`; return the remaining findings and the fixes.

    The file is replaced atomically and keeps its permissions; without fixes it is not written. Files that are not lock
    files are only validated.

    Raises:
        LocksetError: `lock-not-found`, `lock-unreadable`, or `output-not-writable` (the file is unchanged).
    """
    from lockset.lockfile.fix.fix import fix_text

    check_argument("path", path, "str | PathLike")
    if not is_lock_file(path):
        return validate(path), ()
    data = load_bytes(path)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return validate(path), ()
    before, fixed = validate_document(data, path=os.fspath(path), now=_now()), fix_text(text)
    if not fixed.changes:
        return before, ()
    after = validate_document(fixed.text, path=os.fspath(path), now=_now())
    if before.document is not None and {i.code for i in after.errors} - {i.code for i in before.errors}:
        return before, ()  # a fix must not add errors; no such file is known
    _replace(path, fixed.text.encode())
    return after, fixed.changes


def count_fixable(report: Report, issues: Iterable[Issue]) -> int:
    """How many of `issues`, which are some of those of `report`, `fix` would fix; the file is not changed."""
    counts = Counter(issue.code for issue in issues)
    if report.document is None or not counts:
        return 0
    from lockset.lockfile.fix.fix import fix_text

    fixed = fix_text(report.text)
    if not fixed.changes:
        return 0
    left = validate_document(fixed.text, path=report.path, now=_now())
    return (counts - Counter(issue.code for issue in left.issues)).total()


def is_lock_file(path: str | os.PathLike[str]) -> bool:
    """Whether the file at `path` is validated as a lock file, according to its name."""
    name = os.path.basename(os.fspath(path))
    if is_lock_file_name(name):
        return True
    from lockset.sources.validate.kind import ValidatedKind, kind_by_name

    return kind_by_name(name) in {None, ValidatedKind.LOCK}


def _replace(path: str | os.PathLike[str], data: bytes) -> None:
    from lockset.files.output_file import write_output

    real = Path(path).resolve()  # replace the target of a symbolic link, not the link
    try:
        write_output(str(real), data)
    except OSError as error:
        message = f"Cannot write {os.fspath(path)}: {error.strerror}"
        raise LocksetError("output-not-writable", message, location=os.fspath(path)) from error


def settings_for(path: str | os.PathLike[str], *, config: Path | None = None) -> ValidateSettings | None:
    """`[tool.lockset.validate]` of `config`, else of the pyproject.toml nearest to the lock file at `path`, if any.

    Raises:
        LocksetError: If the table, or its file, is not valid.
    """
    if config is not None:
        from lockset.sources.discover import read_settings_of

        return read_settings_of(config, folder=Path.cwd()).validate
    folder = Path(path).absolute().parent
    nearest = next((one for up in (folder, *folder.parents) if (one := up / "pyproject.toml").is_file()), None)
    try:
        if nearest is None or b"lockset" not in nearest.read_bytes():
            return None  # does not import the readers, which are slow to import
    except OSError:
        return None
    from lockset.sources.discover import find_settings

    return find_settings(folder).validate


def selection_for(report: Report, *, python: str, platform: str) -> Selection:
    """Select the packages that the valid lock file of `report` installs on a described interpreter.

    Raises:
        LocksetError: `unknown-platform`, `python-version-invalid`, and as `lockfile.select.select_entries`.
    """
    from lockset.lockfile.select import select_entries
    from lockset.markers import described_target

    assert report.lock is not None
    target = described_target(platform, python)
    return select_entries(report.lock, environment=target.environment, tags=target.tags)


def stale(report: Report, path: str | os.PathLike[str]) -> tuple[str, ...]:
    """The differences between the valid lock file at `path` and the sources next to it, as `lock --check` finds them.

    Raises:
        LocksetError: `source-missing` if there is neither a pyproject.toml nor a requirements.in, or if it is not
            valid.
    """
    from lockset.composition.sources.locked_names import named_by_lock
    from lockset.resolve.lock.staleness import outdated_parts
    from lockset.resolve.problem.options import LockOptions
    from lockset.sources.discover import read_sources

    assert report.lock is not None
    folder = Path(path).absolute().parent
    named = next((name for name in ("pyproject.toml", "requirements.in") if (folder / name).is_file()), None)
    if named is None:
        raise LocksetError(
            "source-missing",
            f"There is neither a pyproject.toml nor a requirements.in next to {os.fspath(path)}",
            hint="Run `lockset lock SOURCE --check -o FILE` to check against other sources",
        )
    project = read_sources([named], folder=folder, environ={}, nameless=True)
    project, unknown = named_by_lock(project, report.lock, folder)
    return (*unknown, *outdated_parts(project, LockOptions(), report.lock, now=_now()))


def verify_files(
    report: Report,
    *,
    online: bool = True,
    download: bool = False,
    indexes: IndexOptions | IndexOverrides | None = None,
    context: RunContext | None = None,
) -> tuple[Issue, ...]:
    """Check the files that the valid lock file of `report` lists.

    Args:
        report: The report of a valid lock file.
        online: Compare the files with an index: the given one, else the one that each package names, else PyPI.
        download: Download all files and verify their bytes.
        indexes: The indexes to use.
        context: Cache, listener and so on.

    Raises:
        LocksetError: If an index is not available.
    """
    from lockset.composition.connections import connected, query_indexes
    from lockset.composition.indexes import resolve_indexes
    from lockset.composition.run_context import context_of
    from lockset.composition.verify_online import check_downloads, check_online
    from lockset.lockfile.validate.report import locate_findings

    lock, document = report.lock, report.document
    assert lock is not None
    assert document is not None
    context = context_of(context)
    listener = context.heard
    recorded = [((number, package), package.index) for number, package in enumerate(lock.packages)]
    findings: list[Finding] = query_indexes(
        recorded if online else (), partial(check_online, listener), indexes, None, context
    )
    if download:
        with connected(resolve_indexes(indexes, None, context), context.cache_folder, listener) as connection:
            findings += check_downloads(lock, connection.downloads, listener)
    return tuple(locate_findings(findings, document))


def rule_codes() -> tuple[str, ...]:
    """The codes of all rules, for lock files, project files, scripts and reports."""
    from lockset.sources.validate.catalogue import EVERY_RULE

    return tuple(EVERY_RULE)


def rule_page(code: str) -> str:
    """The page of a rule, as Markdown."""
    from lockset.lockfile.validate.catalogue import RULES

    if code in RULES:
        from lockset.lockfile.validate.rule_pages import page

        return page(code)
    from lockset.sources.validate.rule_pages import rule_text

    return rule_text(code)


def _now() -> datetime:
    return datetime.now(timezone.utc)
