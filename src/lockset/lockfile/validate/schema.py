"""Check values against the JSON Schemas of `schemas/`: the only module that uses jsonschema.

jsonschema is imported at the first check, so that other commands do not pay for it.
"""

from __future__ import annotations

import json
from datetime import date, datetime, time
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockset._named_tuple import NamedTuple
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.lockfile.positions import KeyPath

__all__ = ["SETTINGS_SCHEMA_NAME", "Violation", "load_schema", "violations"]

SETTINGS_SCHEMA_NAME = "tool-lockset.schema.json"


class Violation(NamedTuple):
    """One thing that a schema refuses.

    Attributes:
        path: Keys and indexes from the top of the instance.
        keyword: The JSON Schema keyword that refuses, such as `type`, or `depth` for what is nested too deep.
        expected: The value of the keyword in the schema.
        value: The part of the instance that is refused.
        schema: The subschema that the keyword is from.
        message: The sentence of jsonschema.
    """

    path: KeyPath
    keyword: str
    expected: Any
    value: Any
    schema: Mapping[str, Any]
    message: str


class _Toml(str):
    """A TOML value of a type that JSON lacks, as the string that an editor would pass to a schema."""

    __slots__ = ("toml_type",)
    toml_type: str


@lru_cache(maxsize=8)
def load_schema(name: str) -> Mapping[str, Any]:
    """The schema `name`, from the installed package or from the source tree.

    Raises:
        LocksetError: `installation-broken`: neither has it.
    """
    packaged = files("lockset").joinpath("schemas").joinpath(name)
    in_tree = Path(__file__).parents[4] / "schemas" / name
    for location in (packaged, in_tree):
        if location.is_file():
            schema: dict[str, Any] = json.loads(location.read_text("utf-8"))
            return schema
    raise LocksetError("installation-broken", f"`{name}` is missing", hint="Install lockset again")


def violations(name: str, instance: Any, *, definition: str | None = None) -> tuple[Violation, ...]:
    """Everything in `instance` (TOML or JSON as Python reads it) that the schema `name` refuses.

    With a `definition`, the instance is checked against `#/$defs/DEFINITION` alone.
    """
    try:
        errors = list(_validator(name, definition).iter_errors(_as_json(instance)))
        return tuple(_violation(error) for error in errors)
    except RecursionError:
        return (Violation((), "depth", None, instance, {}, "Tables or arrays are nested too deep for the JSON Schema"),)


def _violation(error: Any) -> Violation:
    return Violation(
        path=tuple(error.absolute_path),
        keyword=error.validator,
        expected=error.validator_value,
        value=error.instance,
        schema=error.schema if isinstance(error.schema, dict) else {},
        message=error.message.splitlines()[0],
    )


@lru_cache(maxsize=8)
def _validator(name: str, definition: str | None) -> Any:
    """A validator with TOML's types: floats are not integers, and datetimes are not strings."""
    import jsonschema  # type: ignore[import-untyped]  # it has no types of its own

    def toml_type(_validator: Any, wanted: Any, instance: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
        if _toml_type(instance) not in ([wanted] if isinstance(wanted, str) else wanted):
            yield jsonschema.ValidationError(f"{instance!r} is not of the TOML type {wanted!r}")

    def json_type(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[jsonschema.ValidationError]:
        if isinstance(instance, _Toml) and "x-toml-type" not in schema:
            yield jsonschema.ValidationError(f"{instance!r} is a date or time")
        else:
            yield from standard.VALIDATORS["type"](validator, wanted, instance, schema)

    schema = load_schema(name)
    standard = jsonschema.validators.validator_for(schema)
    if definition is not None:
        schema = {**schema, "$ref": f"#/$defs/{definition}"}
    return jsonschema.validators.extend(standard, {"x-toml-type": toml_type, "type": json_type})(schema)


def _toml_type(instance: Any) -> str:
    if isinstance(instance, _Toml):
        return instance.toml_type
    if isinstance(instance, str):
        return "string"
    return "integer" if isinstance(instance, int) and not isinstance(instance, bool) else "other"


def _as_json(value: Any) -> Any:
    """`value` for the validator; the TOML or JSON reader limits its depth."""
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, date | time):
        text = _Toml(value.isoformat())
        text.toml_type = "datetime" if isinstance(value, datetime) else type(value).__name__
        return text
    return value
