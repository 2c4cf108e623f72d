"""Parse YAML with the safe loader. The only module that imports PyYAML."""

from __future__ import annotations

from typing import Any

from lockset.conversion.model.checked_table import Fields, refuse_conflicts
from lockset.errors import LocksetError

__all__ = ["parse_yaml"]

# The longest text that is parsed. Aliases, which can expand without bound, are refused: lock files have none.
_MAX_CHARACTERS = 32 * 1024 * 1024


def parse_yaml(text: str, *, location: str, what: str) -> Fields:
    """Parse a file as YAML. Times stay strings.

    Raises:
        LocksetError: `yaml-syntax` with line and column, `library-missing`, `merge-conflict`.
    """
    refuse_conflicts(text, location=location)
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise LocksetError(
            "library-missing",
            f"Reading a {what} requires PyYAML, which is not installed",
            location=location,
            hint="Install `lockset[conda]`",
        ) from error
    if len(text) > _MAX_CHARACTERS:
        raise LocksetError("yaml-syntax", f"This {what} is too large", location=location)
    loader_class: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=loader_class)):
            raise LocksetError(
                "yaml-syntax", f"This {what} contains YAML aliases, which lock files never do", location=location
            )
        data = yaml.load(text, Loader=loader_class)  # noqa: S506 - it is the safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        reason = getattr(error, "problem", None) or "it is not valid YAML"
        raise LocksetError(
            "yaml-syntax",
            f"This is not a valid {what}: {reason}",
            location=f"{location}{where}",
            hint="Restore the file from version control, or lock again with the tool that wrote it",
        ) from error
    except (RecursionError, ValueError) as error:
        raise LocksetError("yaml-syntax", f"This {what} cannot be read: {error}", location=location) from error
    if not isinstance(data, dict):
        raise LocksetError(
            "format-invalid", f"This is not a valid {what}: the top level is not a table", location=location
        )
    return Fields(data, location=location, path="")
