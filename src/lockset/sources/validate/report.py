"""The text of a pyproject.toml, settings file or script to Report: every finding at once, each with its position."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockset._dataclass import replace
from lockset.errors import LocksetError
from lockset.lockfile.read import MAX_BYTES, Document, TomlError, decode, read_document
from lockset.lockfile.validate.finding import Finding, Findings, Issue
from lockset.lockfile.validate.report import Report
from lockset.package_names import canonicalize_name
from lockset.sources.pyproject import is_misspelled, read_pyproject, read_pyproject_settings
from lockset.sources.script import read_script, script_blocks
from lockset.sources.toml_table import key_path, nearest
from lockset.sources.validate.catalogue import PROJECT_RULES
from lockset.sources.validate.groups import check_groups
from lockset.sources.validate.project_table import (
    check_build_system,
    check_own_extras,
    check_project,
    check_requires_python,
    is_dynamic,
)
from lockset.sources.validate.requirements import check_requirements
from lockset.sources.validate.settings import check_settings, check_settings_names
from lockset.spans import LineIndex, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

__all__ = ["validate_project", "validate_script"]

_BYTE_ORDER_MARK = "\ufeff"
# The characters in front of each line of a script's metadata.
_COMMENT = "# "
_TABLES = ("project", "dependency-groups", "build-system", "tool")
# Rules that are about a value: it is marked, not its key.
_OF_VALUES = frozenset(
    {
        "build-requires",
        "group-type",
        "project-name-valid",
        "project-requires-python",
        "project-type",
        "project-version-valid",
        "settings-type",
        "settings-value",
    }
)
_LOCATION = "pyproject.toml"


def validate_project(data: bytes | str, *, path: str | None = None) -> Report:
    """All findings about a pyproject.toml, or another TOML file with a table `[tool.lockset]`."""
    try:
        document = read_document(data, path=path)
    except TomlError as error:
        return _unreadable(error, data, path)
    findings = Findings()
    _check(document.data, findings)

    def read_again() -> None:
        # A file without both is one of settings, for lockset or for other tools.
        if document.data.get("project") is not None or document.data.get("dependency-groups"):
            read_pyproject(document.text, base=Path(), location=_LOCATION)
        else:
            read_pyproject_settings(document.text, location=_LOCATION)

    _check_reader(read_again, findings)
    issues = [_issue(finding, document) for finding in findings]
    return Report(path=path, issues=_sorted(issues), document=None, text=document.text)


def validate_script(data: bytes | str, *, path: str | None = None) -> Report:
    """All findings about the inline metadata of a script."""
    try:
        text = (data if isinstance(data, str) else decode(data, path=path)).removeprefix(_BYTE_ORDER_MARK)
    except TomlError as error:
        return _unreadable(error, data, path)
    blocks = script_blocks(text)
    if len(blocks) != 1:
        return Report(path=path, issues=(_block_issue(blocks, text),), document=None, text=text)
    ((number, content),) = blocks
    lines = LineIndex(text)
    # Empty lines in front make the line numbers of the block those of the script.
    try:
        document = read_document("\n" * number + content, path=path)
    except TomlError as error:
        column = error.column + len(_COMMENT)
        issue = _syntax_issue(error, lines.offset(error.line, column), (error.line, column))
        return Report(path=path, issues=(issue,), document=None, text=text)
    findings = Findings()
    _check_block(document.data, findings)

    def read_again() -> None:
        read_script(text, base=Path(), location=_LOCATION)

    _check_reader(read_again, findings)
    issues = [_in_script(_issue(finding, document), document.lines, lines) for finding in findings]
    return Report(path=path, issues=_sorted(issues), document=None, text=text)


def _check(data: Mapping[str, Any], findings: Findings) -> None:
    """The tables of a pyproject.toml."""
    for name in data:
        near = None if name in _TABLES else nearest(name, _TABLES)
        if near is not None and near.startswith("Did you mean"):
            findings.add("table-misspelt", (name,), f"[{name}] is not a table that the specification defines", near)
    project = data.get("project")
    lines = [] if project is None else check_project(project, findings)
    groups = data.get("dependency-groups")
    if groups is not None:
        lines += check_groups(groups, findings)
    if "build-system" in data:
        check_build_system(data["build-system"], findings)
    if isinstance(project, dict):
        check_own_extras(project, lines, findings)
    _check_tool(data, findings)
    settings = _tool(data).get("lockset")
    if isinstance(settings, dict) and (project is not None or groups is not None):
        check_settings_names(settings, extras=_extras(project), groups=_names(groups), findings=findings)


def _check_block(data: Mapping[str, Any], findings: Findings) -> None:
    """The metadata block of a script."""
    known = ("dependencies", "requires-python", "tool")
    for name in data:
        if name not in known:
            message = f"`{name}` is not a key of script metadata"
            findings.add("script-unknown-key", (name,), message, nearest(name, known))
    check_requires_python(data, (), findings)
    if "dependencies" in data:
        check_requirements(data["dependencies"], ("dependencies",), findings, type_rule="project-type")
    _check_tool(data, findings)


def _check_tool(data: Mapping[str, Any], findings: Findings) -> None:
    tool = _tool(data)
    if "tool" in data and not isinstance(data["tool"], dict):
        findings.add("settings-type", ("tool",), "`tool` must be a table")
    if "lockset" in tool:
        check_settings(tool["lockset"], findings)
    for name in tool:
        if "lockset" not in tool and is_misspelled(name):
            message = f"No tool reads [tool.{name}]: the settings of lockset are [tool.lockset]"
            findings.add("table-misspelt", ("tool", name), message, "Did you mean `lockset`?")


def _tool(data: Mapping[str, Any]) -> Mapping[str, Any]:
    tool = data.get("tool")
    return tool if isinstance(tool, dict) else {}


def _extras(project: object) -> Collection[str] | None:
    """The normalized extras of the project; None where only its build backend knows them."""
    if not isinstance(project, dict) or is_dynamic(project, "optional-dependencies"):
        return None
    return _names(project.get("optional-dependencies"))


def _names(table: object) -> Collection[str]:
    return {canonicalize_name(name) for name in table} if isinstance(table, dict) else ()


def _check_reader(read_again: Callable[[], None], findings: Findings) -> None:
    """What passes all rules is read as every command reads it: what that refuses is a finding, too."""
    if any(PROJECT_RULES[finding.code].severity == "error" for finding in findings):
        return
    try:
        read_again()
    except LocksetError as error:
        diagnostic = error.diagnostic
        findings.add("project-limit", key_path(error, _LOCATION), diagnostic.message, diagnostic.hint)


def _issue(finding: Finding, document: Document) -> Issue:
    span = Span(start=0, end=0)
    if finding.path:
        span = document.spans.nearest(finding.path)
        if finding.code in _OF_VALUES:
            with suppress(KeyError):  # a key that is missing
                span = document.spans.value(finding.path)
    return _at_position(finding, span, document.lines.position(span.start))


def _at_position(finding: Finding, span: Span, position: tuple[int, int]) -> Issue:
    return PROJECT_RULES[finding.code].issue(finding, span, position)


def _in_script(issue: Issue, block: LineIndex, script: LineIndex) -> Issue:
    """An issue of the metadata `block` at its position in the script: each line has the comment sign in front."""
    line, column = block.position(issue.span.end)
    start = script.offset(issue.line, issue.column + len(_COMMENT))
    end = script.offset(line, column + len(_COMMENT))
    return replace(issue, column=issue.column + len(_COMMENT), span=Span(start=start, end=max(start, end)))


def _block_issue(blocks: list[tuple[int, str]], text: str) -> Issue:
    if not blocks:
        hint = "Start the block with the line `# /// script` and end it with `# ///`"
        finding = Finding("script-metadata", (), "The script has no metadata block", hint)
        return _at_position(finding, Span(start=0, end=0), (1, 1))
    lines = ", ".join(str(number) for number, _ in blocks)
    finding = Finding("script-metadata", (), f"The script has several `script` blocks, at the lines {lines}")
    second = LineIndex(text).offset(blocks[1][0], 1)
    return _at_position(finding, Span(start=second, end=second), (blocks[1][0], 1))


def _unreadable(error: TomlError, data: bytes | str, path: str | None) -> Report:
    text = data if isinstance(data, str) else data[:MAX_BYTES].decode("utf-8", "replace")
    issue = _syntax_issue(error, error.offset, (error.line, error.column))
    return Report(path=path, issues=(issue,), document=None, text=text)


def _syntax_issue(error: TomlError, offset: int, position: tuple[int, int]) -> Issue:
    diagnostic = error.diagnostic
    # `lockset lock` settles a conflict in a lock file; here a person has to.
    hint = "Keep one side, and remove the conflict markers" if error.is_conflict else diagnostic.hint
    finding = Finding("toml-syntax", (), diagnostic.message, hint)
    return _at_position(finding, Span(start=offset, end=offset), position)


def _sorted(issues: list[Issue]) -> tuple[Issue, ...]:
    return tuple(sorted(issues, key=lambda issue: (issue.line, issue.column, issue.code, issue.path)))
