"""Checks against the JSON Schema of lock files, as Issues with Spans.

The rules find all that the schema finds, and say it better; the plain run does without it. It is for editors, and
for who wants to see a second witness.
"""

from __future__ import annotations

import json
from datetime import date, datetime, time
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockset.errors import LocksetError
from lockset.lockfile.validate.finding import Issue, path_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.lockfile.read import Document

__all__ = ["SCHEMA_NAME", "check_schema", "load_schema"]

SCHEMA_NAME = "pylock-1.0.schema.json"


class _Toml(str):
    """A TOML value of a type that JSON lacks, as the string an editor would show to a schema."""

    __slots__ = ("toml_type",)
    toml_type: str


@lru_cache(maxsize=1)
def load_schema() -> Mapping[str, Any]:
    """The schema: from the installed package, else, where lockset runs from its source tree, from there.

    Raises:
        LocksetError: `installation-broken` where neither has it.
    """
    packaged = files("lockset").joinpath("schemas").joinpath(SCHEMA_NAME)
    in_tree = Path(__file__).parents[4] / "schemas" / SCHEMA_NAME
    for location in (packaged, in_tree):
        if location.is_file():
            schema: dict[str, Any] = json.loads(location.read_text("utf-8"))
            return schema
    raise LocksetError("installation-broken", f"`{SCHEMA_NAME}` is missing", hint="Install lockset again")


def check_schema(document: Document) -> tuple[Issue, ...]:
    """What the schema refuses in `document`, sorted by place; all issues have the code `schema`.

    Raises:
        LocksetError: `toml-syntax` where the document is nested too deep to be turned into JSON.
    """
    issues: list[Issue] = []
    try:
        instance = _as_json(document.data)
    except RecursionError as deep:
        message = "Tables or arrays are nested too deep for the JSON Schema"
        raise LocksetError("toml-syntax", message, location=document.path) from deep
    for error in _validator().iter_errors(instance):
        path = tuple(error.absolute_path)
        span = document.spans.nearest(path)
        line, column = document.lines.position(span.start)
        issues.append(
            Issue(
                code="schema",
                severity="error",
                message=f"The JSON Schema refuses this: {error.message.splitlines()[0]}",
                path=path_text(path),
                span=span,
                line=line,
                column=column,
                section="pylock-toml-spec",
            )
        )
    return tuple(sorted(issues, key=lambda issue: (issue.line, issue.column, issue.message)))


@lru_cache(maxsize=1)
def _validator() -> Any:
    """A validator that knows TOML's types: no float is an integer, and datetimes are told from strings."""
    import jsonschema  # type: ignore[import-untyped]  # it has no types of its own

    def toml_type(_validator: Any, wanted: str, instance: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
        if wanted != _toml_type(instance):
            yield jsonschema.ValidationError(f"{instance!r} is not of the TOML type {wanted!r}")

    made = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"x-toml-type": toml_type})
    return made(load_schema())


def _toml_type(instance: Any) -> str:
    if isinstance(instance, _Toml):
        return instance.toml_type
    return "integer" if isinstance(instance, int) and not isinstance(instance, bool) else "other"


def _as_json(value: Any) -> Any:
    """Only called on what the TOML reader has read, whose depth is bounded by it."""
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, date | time):
        text = _Toml(value.isoformat())
        text.toml_type = "datetime" if isinstance(value, datetime) else type(value).__name__
        return text
    return value
