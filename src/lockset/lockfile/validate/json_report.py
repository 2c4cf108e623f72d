"""The JSON that a lockset command printed, against its schema in `schemas/`: every finding at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lockset._pattern import lazy_pattern
from lockset.lockfile.read import MAX_BYTES, TomlError, decode
from lockset.lockfile.validate.catalogue import rules_of
from lockset.lockfile.validate.finding import Finding, Findings
from lockset.lockfile.validate.report import Report
from lockset.lockfile.validate.schema import load_schema, violations
from lockset.spans import LineIndex, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.catalogue import Rule
    from lockset.lockfile.validate.schema import Violation

__all__ = ["REPORT_RULES", "json_spans", "validate_json_report"]

# Id -> rule.
REPORT_RULES: Mapping[str, Rule] = {
    rule.code: rule
    for rule in rules_of("""
-
  report-syntax: A report is JSON in UTF-8
  report-kind: A report has the keys of one that a command prints with `--json`
  report-schema: A report is as its schema in `schemas/` describes it
""")
}

_COMMANDS = "command-output.schema.json"
_REPORTS = ("validate-output.schema.json", "sync-report.schema.json")
# Of the keys that a file and a kind of report have together, as many have to be in both for it to be of that kind.
_ENOUGH = 0.5
_TYPES = {"string": "a string", "array": "an array", "object": "an object", "boolean": "a boolean"}
_JSON_TYPES = {str: "a string", bool: "a boolean", int: "an integer", float: "a number", list: "an array"}
_BLANK = lazy_pattern(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
# Longest sentence of jsonschema that is shown: it quotes the value.
_LONGEST = 200


def validate_json_report(data: bytes | str, *, path: str | None = None) -> Report:
    """All findings about the report in `data`."""
    text = data if isinstance(data, str) else data[:MAX_BYTES].decode("utf-8", "replace")
    try:
        value = json.loads(data if isinstance(data, str) else decode(data, path=path))
    except TomlError as error:
        message, hint = error.diagnostic.message.replace("TOML is", "JSON is"), error.diagnostic.hint
        return _refused(text, path, message, error.offset, hint)
    except json.JSONDecodeError as error:
        return _refused(text, path, f"This is not JSON: {error.msg[:1].lower()}{error.msg[1:]}", error.pos)
    except (RecursionError, ValueError) as error:  # nesting and integers beyond the bounds of the json module
        reason = (
            "objects or arrays are nested too deep" if isinstance(error, RecursionError) else "a number is too long"
        )
        return _refused(text, path, f"This cannot be read as JSON: {reason}")
    findings = Findings()
    _check(value, findings)
    spans = json_spans(text, (finding.path for finding in findings))
    lines = LineIndex(text)
    issues = []
    for finding in findings:
        span = spans[finding.path]
        issues.append(REPORT_RULES[finding.code].issue(finding, span, lines.position(span.start)))
    issues.sort(key=lambda issue: (issue.line, issue.column, issue.message))
    return Report(path=path, issues=tuple(issues), document=None, text=text)


def _check(value: object, findings: Findings) -> None:
    if not isinstance(value, dict):
        findings.add("report-kind", (), f"A report of lockset must be an object, not {_type_name(value)}")
        return
    name, definition, likeness = max(_likenesses(value), key=lambda one: one[2])
    if likeness < _ENOUGH:
        hint = "`--json` of lock, sync, validate, tree, why, diff, convert, export and download prints reports"
        findings.add("report-kind", (), "This does not have the keys of a report that lockset writes", hint)
        return
    # jsonschema reports each missing key in several ways; one of them is enough.
    unique = {
        (violation.path, violation.keyword): violation for violation in violations(name, value, definition=definition)
    }
    for violation in unique.values():
        for message, at in _messages(violation):
            findings.add("report-schema", (*violation.path, *at), message)


def _likenesses(value: Mapping[str, Any]) -> Iterator[tuple[str, str | None, float]]:
    """Every kind of report, and how much of its keys and those of `value` are the same."""
    for name in _REPORTS:
        yield name, None, _likeness(value, load_schema(name))
    for definition, schema in load_schema(_COMMANDS)["$defs"].items():
        yield _COMMANDS, definition, _likeness(value, schema)


def _likeness(value: Mapping[str, Any], schema: Mapping[str, Any]) -> float:
    own, known, required = set(value), set(schema["properties"]), set(schema["required"])
    return len(own & known) / len(own | required)


def _messages(violation: Violation) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Sentences about one violation, each with the key below its path that it is about."""
    if violation.keyword == "additionalProperties":
        known = violation.schema.get("properties", {})
        yield from ((f"The schema has no key `{key}` here", (key,)) for key in violation.value if key not in known)
    elif violation.keyword == "required":
        yield from ((f"The key `{key}` is missing", ()) for key in violation.expected if key not in violation.value)
    elif violation.keyword == "type":
        types = [violation.expected] if isinstance(violation.expected, str) else violation.expected
        expected = " or ".join(_TYPES.get(one, one) for one in types)
        yield f"This must be {expected}, not {_type_name(violation.value)}", ()
    elif violation.keyword in {"oneOf", "anyOf"}:
        yield "This matches none of the forms that the schema allows", ()
    else:
        yield f"The schema refuses this: {violation.message[:_LONGEST]}", ()


def _type_name(value: object) -> str:
    return "null" if value is None else _JSON_TYPES.get(type(value), "an object")


def _refused(text: str, path: str | None, message: str, offset: int = 0, hint: str | None = None) -> Report:
    finding = Finding("report-syntax", (), message, hint)
    position = LineIndex(text).position(offset)
    issue = REPORT_RULES[finding.code].issue(finding, Span(start=offset, end=offset), position)
    return Report(path=path, issues=(issue,), document=None, text=text)


def json_spans(text: str, paths: Iterable[KeyPath]) -> dict[KeyPath, Span]:
    """The span of the value at each path of `text`, which json has read; of the deepest one above it, if it is missing.

    json's own decoder has no positions, but passes over every value: only the containers on the way are walked through.
    Of a key that occurs twice the last one counts, as for json.
    """
    wanted = set(paths)
    on_the_way = {path[:length] for path in wanted for length in range(len(path) + 1)}
    known: dict[KeyPath, Span] = {}
    waiting: list[tuple[KeyPath, int]] = [((), _skip(text, 0))]
    while waiting:
        path, start = waiting.pop()
        known[path] = Span(start=start, end=_DECODER.raw_decode(text, start)[1])
        if text[start] in "[{":
            waiting += _children(text, path, start, on_the_way)
    return {path: next(known[path[:n]] for n in range(len(path), -1, -1) if path[:n] in known) for path in wanted}


def _children(text: str, path: KeyPath, start: int, wanted: set[KeyPath]) -> list[tuple[KeyPath, int]]:
    """The items of the container at `start` that are wanted, and where their values begin."""
    starts: dict[KeyPath, int] = {}
    is_object = text[start] == "{"
    at, number = _skip(text, start + 1), 0
    while text[at] not in "]}":
        key: str | int = number
        if is_object:
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)  # the colon
        below = (*path, key)
        if below in wanted:
            starts[below] = at
        at = _skip(text, _DECODER.raw_decode(text, at)[1])
        if text[at] == ",":
            at = _skip(text, at + 1)
        number += 1
    return list(starts.items())


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    assert blank is not None, "it matches nothing, too"
    return blank.end()
