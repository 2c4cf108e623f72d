"""Check a lock file against its JSON Schema.

The rules report everything that the schema does, with better messages, so validation does not use the schema. It is
meant for editors, and as an independent check.
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
    """A TOML value of a type that JSON lacks, as the string that an editor would pass to a schema."""

    __slots__ = ("toml_type",)
    toml_type: str


@lru_cache(maxsize=1)
def load_schema() -> Mapping[str, Any]:
    """The schema, from the installed package or from the source tree.

    Raises:
        LocksetError: `installation-broken`: neither has it.
    """
    packaged = files("lockset").joinpath("schemas").joinpath(SCHEMA_NAME)
    in_tree = Path(__file__).parents[4] / "schemas" / SCHEMA_NAME
    for location in (packaged, in_tree):
        if location.is_file():
            schema: dict[str, Any] = json.loads(location.read_text("utf-8"))
            return schema
    raise LocksetError("installation-broken", f"`{SCHEMA_NAME}` is missing", hint="Install lockset again")


def check_schema(document: Document) -> tuple[Issue, ...]:
    """The violations of the schema in `document`, sorted by position; all have the code `schema`.

    Raises:
        LocksetError: `toml-syntax`: the document is nested too deeply to be converted to JSON.
    """
    issues: list[Issue] = []
    try:
        instance = _as_json(document.data)
    except RecursionError as deep:
        message = "Tables or arrays are nested too deeply for the JSON Schema"
        raise LocksetError("toml-syntax", message, location=document.path) from deep
    for error in _validator().iter_errors(instance):
        path = tuple(error.absolute_path)
        span = document.spans.nearest(path)
        line, column = document.lines.position(span.start)
        issues.append(
            Issue(
                code="schema",
                severity="error",
                message=f"This violates the JSON Schema: {error.message.splitlines()[0]}",
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
    """A validator with TOML's types: floats are not integers, and datetimes are not strings."""
    import jsonschema  # type: ignore[import-untyped]  # it has no types of its own

    def toml_type(_validator: Any, expected: str, instance: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
        if expected != _toml_type(instance):
            yield jsonschema.ValidationError(f"{instance!r} is not of the TOML type {expected!r}")

    extended = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"x-toml-type": toml_type})
    return extended(load_schema())


def _toml_type(instance: Any) -> str:
    if isinstance(instance, _Toml):
        return instance.toml_type
    return "integer" if isinstance(instance, int) and not isinstance(instance, bool) else "other"


def _as_json(value: Any) -> Any:
    """`value` for the validator; the TOML reader limits its depth."""
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, date | time):
        text = _Toml(value.isoformat())
        text.toml_type = "datetime" if isinstance(value, datetime) else type(value).__name__
        return text
    return value
