"""JSON that commands write, checked against `schemas/command-output.schema.json`."""

from __future__ import annotations

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]

from support.repository import SCHEMAS

__all__ = ["OUTPUT_SCHEMA", "check_output"]

OUTPUT_SCHEMA = json.loads((SCHEMAS / "command-output.schema.json").read_text(encoding="utf-8"))


def check_output(value: Any, name: str) -> Any:
    """The parsed `value` or text, which is the output that the schema calls `name`; an AssertionError otherwise."""
    value = json.loads(value) if isinstance(value, str) else value
    try:
        jsonschema.validate(value, {**OUTPUT_SCHEMA, "$ref": f"#/$defs/{name}"})
    except jsonschema.ValidationError as error:
        raise AssertionError(str(error)) from error
    return value
