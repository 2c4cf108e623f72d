"""YAML to plain values, by the safe loader alone: the one door to the YAML library."""

from __future__ import annotations

from typing import Any

from lockset.conversion.model.checked_table import Fields, refuse_conflicts
from lockset.errors import LocksetError

__all__ = ["parse_yaml"]

# Bounds what is parsed at all: aliases could make small texts stand for endless values, and lock files have none.
_MAX_CHARACTERS = 32 * 1024 * 1024


def parse_yaml(text: str, *, location: str, what: str) -> Fields:
    """The whole file, as YAML. Times stay text.

    Raises:
        LocksetError: `yaml-syntax` with line and column, `library-missing`, `merge-conflict`.
    """
    refuse_conflicts(text, location=location)
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise LocksetError(
            "library-missing",
            f"A {what} is read with PyYAML, which is not installed",
            location=location,
            hint="Install `lockset[conda]`",
        ) from error
    if len(text) > _MAX_CHARACTERS:
        raise LocksetError("yaml-syntax", f"This {what} is too large to be read", location=location)
    loader_class: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=loader_class)):
            raise LocksetError("yaml-syntax", f"This {what} holds aliases, which lock files do not", location=location)
        data = yaml.load(text, Loader=loader_class)  # noqa: S506 - it is the safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        reason = getattr(error, "problem", None) or "it is no YAML"
        raise LocksetError(
            "yaml-syntax",
            f"This is no {what}: {reason}",
            location=f"{location}{where}",
            hint="Restore the file from version control, or lock again with the tool that wrote it",
        ) from error
    except (RecursionError, ValueError) as error:
        raise LocksetError("yaml-syntax", f"This {what} cannot be read: {error}", location=location) from error
    if not isinstance(data, dict):
        raise LocksetError("format-invalid", f"This is no {what}: its top is no table", location=location)
    return Fields(data, location=location, path="")
