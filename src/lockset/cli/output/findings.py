"""Findings of `lockset validate` in every form they are asked for: text, JSON, SARIF, annotations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from lockset import __version__
from lockset._dataclass import dataclass
from lockset.cli.output.cells import cells
from lockset.cli.output.streams import plain
from lockset.lockfile.validate.catalogue import RULES
from lockset.spans import LineIndex
from lockset.url_secrets import has_secret, masked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.cli.output.streams import Output
    from lockset.lockfile.validate.catalogue import Rule
    from lockset.lockfile.validate.finding import Issue
    from lockset.lockfile.validate.report import Report

__all__ = ["Line", "SelectedForTarget", "ValidatedFile", "as_json", "as_sarif", "finding_text", "github", "lines_of"]

# Rules about a file as a whole whose findings have a line to show all the same.
_SHOWN_AS_A_WHOLE = frozenset({"toml-syntax", "report-syntax"})
# Bounds how much of a source line is shown; lines with a wheel each are some hundred characters long.
_SHOWN = 100
# Escapes of TOML that stand for a character.
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2}))")
_LAST = 0x10FFFF
_SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_HOME = "https://packaging.python.org/en/latest/specifications/pylock-toml/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One finding as it is shown. `source` is the text of its line, as far as it is shown; `shift` what is cut off."""

    rule: str
    level: str
    message: str
    path: str = ""
    line: int = 1
    column: int = 1
    end: tuple[int, int] | None = None
    hint: str | None = None
    section: str | None = None
    source: str | None = None
    shift: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedForTarget:
    """One package that is installed on a target asked for."""

    target: str
    name: str
    version: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatedFile:
    """One file and what is shown of it."""

    path: str
    lines: tuple[Line, ...]
    valid: bool
    fixed: tuple[str, ...] | None = None
    selection: tuple[SelectedForTarget, ...] | None = None


def lines_of(report: Report, issues: Sequence[Issue]) -> tuple[Line, ...]:
    """`issues` of `report`, each with its source line."""
    if not issues:
        return ()
    index = report.document.lines if report.document is not None else LineIndex(report.text)
    return tuple(_line(issue, index) for issue in issues)


def _line(issue: Issue, index: LineIndex) -> Line:
    source, shift = None, 0
    if issue.path or issue.code in _SHOWN_AS_A_WHOLE:
        whole = _without_secrets(index.line(issue.line))
        shift = max(0, issue.column - 1 - _SHOWN // 3) if len(whole) > _SHOWN else 0
        source = whole[shift : shift + _SHOWN]
    end = index.position(min(max(issue.span.end, issue.span.start + 1), len(index.text)))
    return Line(
        rule=issue.code,
        level=issue.severity,
        message=issue.message,
        path=issue.path,
        line=issue.line,
        column=issue.column,
        end=end if end > (issue.line, issue.column) else None,
        hint=issue.hint,
        section=_url(issue),
        source=source,
        shift=shift,
    )


def _url(issue: Issue) -> str | None:
    """The section of the specification that a finding is from; None for rules of lockset's own."""
    rule = RULES.get(issue.code)
    if rule is None or rule.section != issue.section:
        rule = _other_rule(issue.code)
    return rule.url or None if rule is not None else None


def _other_rule(code: str) -> Rule | None:
    """The rule for files that are not lock files; only findings about these need the import."""
    from lockset.sources.validate.catalogue import PROJECT_RULES, REPORT_RULES

    return PROJECT_RULES.get(code) or REPORT_RULES.get(code)


def _without_secrets(line: str) -> str:
    """The line with secrets masked, each character where it was; of one that hides its text in escapes, nothing."""
    if _ESCAPE.search(line) and has_secret(_ESCAPE.sub(_unescaped, line)):
        return ""
    return masked(line)


def _unescaped(escape: re.Match[str]) -> str:
    return chr(min(int(escape[1] or escape[2] or escape[3], 16), _LAST))


def as_json(file: ValidatedFile) -> dict[str, object]:
    """As `schemas/validate-output.schema.json` describes."""
    keys = ("rule", "level", "message", "path", "line", "column", "section", "hint")
    shown: dict[str, object] = {
        "path": file.path,
        "valid": file.valid,
        "diagnostics": [{key: getattr(line, key) for key in keys} for line in file.lines],
    }
    if file.fixed is not None:
        shown["fixed"] = list(file.fixed)
    if file.selection is not None:
        shown["selection"] = [
            {"for": one.target, "name": one.name, "version": one.version, "source": one.source}
            for one in file.selection
        ]
    return shown


def finding_text(path: str, line: Line, out: Output) -> str:
    """For people: the finding, its line with a caret below, the section of the specification, the hint."""
    level = out.style(f"{line.level}[{line.rule}]", "bold red" if line.level == "error" else "bold yellow", stdout=True)
    parts = [f"{plain(path)}:{line.line}:{line.column}: {level} {_one_line(line.message)}"]
    parts += _caret(line, out)
    if line.section:
        parts.append(f"  {out.style('spec', 'dim', stdout=True)}: {line.section}")
    if line.hint:
        parts.append(f"  {out.style('hint', 'bold cyan', stdout=True)}: {_one_line(line.hint)}")
    return "\n".join(parts)


def _caret(line: Line, out: Output) -> Iterator[str]:
    if not line.source:
        return
    before = line.column - 1 - line.shift
    shown = ("…" if line.shift else "") + _shown(line.source)
    width = 1
    if line.end is not None:
        width = (line.end[1] if line.end[0] == line.line else len(line.source) + line.shift + 1) - line.column
    width = max(1, min(width, len(line.source) - before))
    # What is written out takes more room than it had; the caret moves along.
    offset = cells(_shown(line.source[:before])) + (1 if line.shift else 0)
    number = str(line.line)
    yield f"  {number} | {shown}"
    mark = out.style("^" * (cells(_shown(line.source[before : before + width])) or 1), "bold red", stdout=True)
    yield f"  {' ' * len(number)} | {' ' * offset}{mark}"


def _shown(source: str) -> str:
    """Every character can be printed or is written out."""
    return "".join(" " if char == "\t" else char if char.isprintable() else plain(char) for char in source)


def _one_line(words: str) -> str:
    """Values of the file may hold line ends, which would look like further findings."""
    return plain(words.replace("\n", "\\n"))


def github(path: str, line: Line) -> str:
    """A workflow command; percent signs and line ends are written as it wants them."""
    message = f"{line.message}. {line.hint}" if line.hint else line.message
    location = f"file={_escaped(path, ',:')},line={line.line},col={line.column},title={line.rule}"
    return f"::{line.level} {location}::{_escaped(message, '')}"


def _escaped(words: str, more: str) -> str:
    return "".join(f"%{ord(char):02X}" if char in f"%\r\n{more}" else plain(char) for char in words)


def as_sarif(files: Sequence[ValidatedFile]) -> dict[str, object]:
    """One run of SARIF 2.1.0 over all files."""
    codes = sorted({line.rule for file in files for line in file.lines})
    locations = {code: location for location, code in enumerate(codes)}
    driver = {
        "name": "lockset",
        "version": __version__,
        "informationUri": _HOME,
        "rules": [_sarif_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": _uri(file.path)}} for file in files],
        "results": [_sarif_result(file.path, line, locations[line.rule]) for file in files for line in file.lines],
    }
    return {"$schema": _SARIF, "version": "2.1.0", "runs": [run]}


def _sarif_rule(code: str) -> dict[str, object]:
    rule = RULES.get(code) or _other_rule(code)
    if rule is None:  # what is no rule of lock files, such as a file that cannot be read
        return {"id": code, "defaultConfiguration": {"level": "error"}}
    shown: dict[str, object] = {"id": code, "shortDescription": {"text": rule.summary}}
    if rule.url:
        shown["helpUri"] = rule.url
    return shown | {"defaultConfiguration": {"level": rule.severity}}


def _sarif_result(path: str, line: Line, location: int) -> dict[str, object]:
    region = {"startLine": line.line, "startColumn": line.column}
    if line.end is not None:
        region |= {"endLine": line.end[0], "endColumn": line.end[1]}
    physical: dict[str, object] = {"physicalLocation": {"artifactLocation": {"uri": _uri(path)}, "region": region}}
    if line.path:
        physical["logicalLocations"] = [{"fullyQualifiedName": plain(line.path)}]
    message = f"{line.message}. {line.hint}" if line.hint else line.message
    return {
        "ruleId": line.rule,
        "ruleIndex": location,
        "level": line.level,
        "message": {"text": message},
        "locations": [physical],
    }


def _uri(path: str) -> str:
    if path == "-":
        return "stdin"
    return Path(path).as_uri() if Path(path).is_absolute() else quote(path.replace("\\", "/"))
