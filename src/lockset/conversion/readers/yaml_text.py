"""Parse YAML with the safe loader. The only module that imports PyYAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.conversion.model.checked_table import Fields
from lockset.conversion.model.formats import refuse_conflicts
from lockset.errors import LocksetError, YamlSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["parse_yaml", "yaml_value"]

# The longest text that is parsed. Aliases, which can expand without bound, are refused: lock files have none.
_MAX_CHARACTERS = 32 * 1024 * 1024


# The deepest nesting: the parser in C would exhaust the stack of the process.
_MOST_NESTED = 100


def parse_yaml(text: str, *, location: str, what: str) -> Fields:
    """Parse a file as YAML. Times stay strings.

    Raises:
        LocksetError: `yaml-syntax` with line and column, `library-missing`, `merge-conflict`.
    """
    refuse_conflicts(text, location=location)
    data = yaml_value(
        text,
        location=location,
        what=what,
        extra="conda",
        hint="Restore the file from version control, or lock again with the tool that wrote it",
    )
    if not isinstance(data, dict):
        raise LocksetError(
            "format-invalid", f"This is not a valid {what}: the top level is not a table", location=location
        )
    return Fields(data, location=location, path="")


def yaml_value(
    text: str, *, location: str | None, what: str, extra: str, hint: str | None = None, as_strings: bool = False
) -> object:
    """The value of a YAML text; with `as_strings`, every scalar is a string as it is written.

    Raises:
        LocksetError: `yaml-syntax` with line and column; `library-missing`, which names the `extra` to install.
    """
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise LocksetError(
            "library-missing",
            f"Reading a {what} requires PyYAML, which is not installed",
            location=location,
            hint=f"Install `lockset[{extra}]`",
        ) from error
    if len(text) > _MAX_CHARACTERS:
        raise YamlSyntaxError(f"This {what} is too large", location=location)
    usual = "BaseLoader" if as_strings else "SafeLoader"
    loader_class: Any = getattr(yaml, f"C{usual}", getattr(yaml, usual))
    try:
        _refuse_bombs(yaml, yaml.scan(text, Loader=loader_class), what=what, location=location)
        return yaml.load(text, Loader=loader_class)  # noqa: S506 - both loaders construct plain values only
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        reason = getattr(error, "problem", None) or "it is not valid YAML"
        raise YamlSyntaxError(
            f"This is not a valid {what}: {reason}",
            location=f"{location or ''}{where}" or None,
            hint=hint,
        ) from error
    except (RecursionError, ValueError) as error:
        raise YamlSyntaxError(f"This {what} cannot be read: {error}", location=location) from error


def _refuse_bombs(yaml: Any, tokens: Iterable[object], *, what: str, location: str | None) -> None:
    """Refuse aliases, which may expand without bound, and deep nesting."""
    opening = (
        yaml.BlockSequenceStartToken,
        yaml.BlockMappingStartToken,
        yaml.FlowSequenceStartToken,
        yaml.FlowMappingStartToken,
    )
    closing = (yaml.BlockEndToken, yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)
    depth = 0
    for token in tokens:
        if isinstance(token, yaml.AliasToken):
            raise YamlSyntaxError(f"This {what} contains YAML aliases, which are not read", location=location)
        depth += isinstance(token, opening) - isinstance(token, closing)
        if depth > _MOST_NESTED:
            raise YamlSyntaxError(f"This {what} is nested too deeply", location=location)
