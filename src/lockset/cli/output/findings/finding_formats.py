"""Findings of `lockset validate` for other tools.

Formats: workflow commands of GitHub, SARIF 2.1.0 (OASIS), the code quality report of GitLab, JUnit XML as Jenkins and
GitLab read it, and the diagnostic format of reviewdog.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from lockset._version import __version__
from lockset.cli.output.findings.findings import known_rule
from lockset.cli.output.help.documentation import rule_page_url
from lockset.cli.output.streams import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.cli.output.findings.findings import Line, ValidatedFile

__all__ = ["as_gitlab", "as_junit", "as_rdjson", "as_sarif", "github"]

_SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_HOME = "https://packaging.python.org/en/latest/specifications/pylock-toml/"
_GITLAB_SEVERITIES = {"error": "major", "warning": "minor"}


def github(path: str, line: Line) -> str:
    """A workflow command of GitHub. Columns are only allowed where it begins and ends on the same line."""
    (number, column), end = line.start, _end(line)
    position = f"line={number}"
    if end is None:
        position += f",col={column}"
    elif end[0] == number:
        position += f",col={column},endLine={end[0]},endColumn={end[1]}"
    else:
        position += f",endLine={end[0]}"
    properties = f"file={_escaped(path, ',:')},{position},title={line.rule}"
    return f"::{line.level} {properties}::{_escaped(line.sentence, '')}"


def _escaped(text: str, more: str) -> str:
    return "".join(f"%{ord(char):02X}" if char in f"%\r\n{more}" else plain(char) for char in text)


def _end(line: Line) -> tuple[int, int] | None:
    """The end of what is marked, exclusive, if it is behind the start."""
    return line.mark.end if line.mark is not None and line.mark.end > line.mark.start else None


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
    """A rule with the text of its page; `helpUri` is that page."""
    rule = known_rule(code)
    if rule is None:  # not a rule, but an error such as a file that cannot be read
        return {"id": code, "defaultConfiguration": {"level": "error"}}
    from lockset.api.validate import rule_page

    page = rule_page(code)
    shown: dict[str, object] = {
        "id": code,
        "shortDescription": {"text": rule.summary},
        "help": {"text": page, "markdown": page},
    }
    shown["helpUri"] = rule_page_url(code)
    return shown | {"defaultConfiguration": {"level": rule.severity}}


def _sarif_result(path: str, line: Line, location: int) -> dict[str, object]:
    region = {"startLine": line.start[0], "startColumn": line.start[1]}
    end = _end(line)
    if end is not None:
        region |= {"endLine": end[0], "endColumn": end[1]}
    physical: dict[str, object] = {"physicalLocation": {"artifactLocation": {"uri": _uri(path)}, "region": region}}
    if line.path:
        physical["logicalLocations"] = [{"fullyQualifiedName": plain(line.path)}]
    return {
        "ruleId": line.rule,
        "ruleIndex": location,
        "level": line.level,
        "message": {"text": line.sentence},
        "locations": [physical],
    }


def _uri(path: str) -> str:
    if path == "-":
        return "stdin"
    return Path(path).as_uri() if Path(path).is_absolute() else quote(path.replace("\\", "/"))


def as_gitlab(files: Sequence[ValidatedFile]) -> list[dict[str, object]]:
    """The code quality report of GitLab: an array of findings, each with a fingerprint of its own.

    A fingerprint does not depend on the line, so that a finding stays the same one when lines are added above it.
    """
    counts: Counter[tuple[str, str, str, str]] = Counter()
    shown: list[dict[str, object]] = []
    for file in files:
        path = _relative(file.path)
        for line in file.lines:
            identity = (path, line.rule, plain(line.path), plain(line.message))
            counts[identity] += 1
            text = "\0".join((*identity, str(counts[identity])))
            lines = {"begin": line.start[0], "end": (_end(line) or line.start)[0]}
            shown.append(
                {
                    "description": plain(line.sentence),
                    "check_name": line.rule,
                    "fingerprint": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
                    "severity": _GITLAB_SEVERITIES[line.level],
                    "location": {"path": path, "lines": lines},
                }
            )
    return shown


def _relative(path: str) -> str:
    """`path` with slashes, without `./`, and relative to the current folder if it is below it."""
    if path == "-":
        return "stdin"
    given = Path(path)
    if given.is_absolute() and given.is_relative_to(Path.cwd()):
        given = given.relative_to(Path.cwd())
    return given.as_posix()


def as_rdjson(files: Sequence[ValidatedFile]) -> dict[str, object]:
    """A DiagnosticResult of reviewdog; its columns count bytes of UTF-8, and its ends are exclusive."""
    diagnostics = [_diagnostic(_relative(file.path), line) for file in files for line in file.lines]
    worst = "ERROR" if any(line.level == "error" for file in files for line in file.lines) else "WARNING"
    return {"source": {"name": "lockset", "url": _HOME}, "severity": worst, "diagnostics": diagnostics}


def _diagnostic(path: str, line: Line) -> dict[str, object]:
    code = {"value": line.rule}
    if line.section:
        code["url"] = line.section
    location: dict[str, object] = {"path": path}
    if line.mark is not None:
        (start_line, _), (end_line, _) = line.mark.start, line.mark.end
        location["range"] = {
            "start": {"line": start_line, "column": line.mark.start_byte},
            "end": {"line": end_line, "column": line.mark.end_byte},
        }
    return {"message": line.sentence, "location": location, "severity": line.level.upper(), "code": code}


def as_junit(files: Sequence[ValidatedFile], *, strict: bool) -> str:
    """JUnit XML: a suite for each file, a test case for each finding, and one that passes for a file without findings.

    Warnings pass unless `strict`, with their message as output. The text is ASCII, so that it suits every encoding.
    """
    suites = [list(_suite(file, strict=strict)) for file in files]
    total = sum(max(len(file.lines), 1) for file in files)
    failures = sum(_fails(line, strict=strict) for file in files for line in file.lines)
    head = f'<testsuites name="lockset validate" tests="{total}" failures="{failures}" errors="0">'
    parts = ['<?xml version="1.0"?>', head, *(part for suite in suites for part in suite), "</testsuites>"]
    return "\n".join(parts).encode("ascii", "xmlcharrefreplace").decode() + "\n"


def _fails(line: Line, *, strict: bool) -> bool:
    return strict or line.level == "error"


def _suite(file: ValidatedFile, *, strict: bool) -> Iterator[str]:
    name = _xml(_relative(file.path))
    failures = sum(_fails(line, strict=strict) for line in file.lines)
    yield f'  <testsuite name="{name}" tests="{max(len(file.lines), 1)}" failures="{failures}" errors="0" skipped="0">'
    if not file.lines:
        yield f'    <testcase classname="{name}" name="valid"/>'
    for line in file.lines:
        number, column = line.start
        yield f'    <testcase classname="{name}" name="{_xml(line.rule)} at {number}:{column}">'
        text = f"{name}:{number}:{column}: {_xml(line.sentence)}"
        if _fails(line, strict=strict):
            yield f'      <failure type="{line.level}" message="{_xml(line.message)}">{text}</failure>'
        else:
            yield f"      <system-out>{line.level}: {text}</system-out>"
        yield "    </testcase>"
    yield "  </testsuite>"


def _xml(text: str) -> str:
    """`text` with markup escaped, and characters that XML does not allow written out."""
    return escape(plain(text.replace("\n", "\\n")))
