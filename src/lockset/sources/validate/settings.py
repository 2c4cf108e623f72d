"""`[tool.lockset]` against its schema and, value by value, against the reader that every command uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.errors import LocksetError
from lockset.lockfile.validate.finding import path_text
from lockset.lockfile.validate.schema import SETTINGS_SCHEMA_NAME, violations
from lockset.package_names import canonicalize_name
from lockset.sources.settings import KEYS, NAMES_OF_OPTIONS
from lockset.sources.toml_table import SettingsTable, key_path, nearest, type_name
from lockset.sources.validate.catalogue import EVERY_RULE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings
    from lockset.lockfile.validate.schema import Violation

__all__ = ["check_settings", "check_settings_names", "rule_of"]

_TOP: KeyPath = ("tool", "lockset")
_SOURCE = "settings"
_TYPES = {"string": "a string", "array": "an array", "object": "a table", "boolean": "a boolean"}
# What a keyword of the schema means for the setting that it refuses.
_SENTENCES = {
    "minItems": "needs at least two different extras or groups",
    "minProperties": "names neither an extra nor a group",
    "maxProperties": "names more than one extra or group",
    "not": "has no meaning with the value `true`",
    "x-toml-type": "must be a string, a date, or a date and time",
    "depth": "is nested too deep",
}
# Code of the reader -> rule; what is not here is about the meaning of a value.
_RULES = {
    "unknown-key": "settings-unknown-key",
    "wrong-type": "settings-type",
    "requirement-syntax": "requirement-syntax",
    "hash-weak": "requirement-syntax",
    "hash-malformed": "requirement-syntax",
}


def check_settings(table: object, findings: Findings) -> None:
    """Every finding about `[tool.lockset]`."""
    if not isinstance(table, dict):
        findings.add("settings-type", _TOP, f"`tool.lockset` must be a table, not {type_name(table)}")
        return
    refused = _relevant(violations(SETTINGS_SCHEMA_NAME, table))
    for violation in refused:
        _report(violation, findings)
    paths = [violation.path for violation in refused if violation.path]
    for key, value in table.items():
        if key in KEYS and (key,) not in paths:
            _check_values(key, value, {path[1] for path in paths if path[0] == key}, findings)
    validate = table.get("validate")
    if isinstance(validate, dict):
        _check_rules(validate, findings)


def check_settings_names(
    table: Mapping[str, Any], *, extras: Collection[str] | None, groups: Collection[str], findings: Findings
) -> None:
    """Extras and groups that the settings name; `extras` is None where only the build backend knows them."""
    for key, known, what in (
        ("extras", extras, "extra"),
        ("groups", groups, "dependency group"),
        ("default-groups", groups, "dependency group"),
    ):
        for number, name in _texts(table.get(key)):
            _check_known(name, known, what, (*_TOP, key, number), findings)
    for number, members in enumerate(_list(table.get("conflicts"))):
        for at, member in enumerate(_list(members)):
            for kind, known, what in (("extra", extras, "extra"), ("group", groups, "dependency group")):
                side = member.get(kind) if isinstance(member, dict) else None
                if isinstance(side, str):
                    _check_known(side, known, what, (*_TOP, "conflicts", number, at), findings)


def rule_of(code: str) -> str:
    """The rule that stands for an error code of the readers."""
    return _RULES.get(code, "settings-value")


def _check_known(name: str, known: Collection[str] | None, what: str, path: KeyPath, findings: Findings) -> None:
    if known is not None and canonicalize_name(name) not in known:
        hint = nearest(name, known) or f"The project has no {what}"
        findings.add("settings-name-unknown", path, f"The project has no {what} `{name}`", hint)


def _relevant(refused: tuple[Violation, ...]) -> list[Violation]:
    """Each violation once, and of a value of the wrong type only that: all else follows from it."""
    mistyped = {one.path for one in refused if one.keyword == "type"}
    unique = {(one.path, one.keyword): one for one in refused}
    return [one for one in unique.values() if one.keyword == "type" or one.path not in mistyped]


def _report(violation: Violation, findings: Findings) -> None:
    path = (*_TOP, *violation.path)
    shown = path_text(path)
    if violation.keyword == "additionalProperties":
        known = violation.schema.get("properties", {})
        for key in violation.value:
            if key not in known:
                instead = NAMES_OF_OPTIONS.get(key) if not violation.path else None
                plain = key.lower().replace("_", "-")
                near = f"Write `{instead}`" if instead else None
                near = near or (f"Did you mean `{plain}`?" if plain in known else nearest(key, known))
                findings.add("settings-unknown-key", (*path, key), f"`{shown}.{key}` is not a known setting", near)
    elif violation.keyword == "type":
        types = [violation.expected] if isinstance(violation.expected, str) else violation.expected
        expected = " or ".join(_TYPES[one] for one in types)
        findings.add("settings-type", path, f"`{shown}` must be {expected}, not {_type_of(violation.value)}")
    elif violation.keyword == "enum":
        message = f"`{shown}` cannot have the value `{violation.value}`"
        findings.add("settings-value", path, message, nearest(str(violation.value), violation.expected))
    elif violation.keyword == "required" or violation.keyword in _SENTENCES:
        findings.add("settings-value", path, f"`{shown}` {_requirement(violation)}")
    else:
        findings.add("settings-value", path, f"`{shown}` does not match its schema: {violation.message}")


def _requirement(violation: Violation) -> str:
    """What the schema requires of the value, as the end of a sentence."""
    if violation.keyword == "required":
        missing = [key for key in violation.expected if key not in violation.value]
        return "is explicit and serves no packages" if missing == ["packages"] else f"needs a `{missing[0]}`"
    if violation.keyword == "minItems" and violation.path[:1] != ("conflicts",):
        return "is empty, and the index is explicit"
    return _SENTENCES[violation.keyword]


def _check_values(key: str, value: object, refused: Collection[str | int], findings: Findings) -> None:
    """What the schema has let pass: each value alone, so that all faults are found, then all of them together.

    `refused` are the indexes and keys of `value` that the schema refuses.
    """
    before = len(findings)
    if isinstance(value, list):
        for number, item in enumerate(value):
            if number not in refused:
                _read(key, [item], findings, index=number)
    elif isinstance(value, dict) and key.endswith("-package"):
        for name, item in value.items():
            if name not in refused:
                _read(key, {name: item}, findings)
    if len(findings) == before and not refused:
        _read(key, value, findings)


def _read(key: str, value: object, findings: Findings, *, index: int | None = None) -> None:
    try:
        KEYS[key](SettingsTable({key: value}, path=".".join(map(str, _TOP)), location=_SOURCE), key)
    except LocksetError as error:
        diagnostic = error.diagnostic
        path = key_path(error, _SOURCE) or (*_TOP, key)
        message = diagnostic.message
        if index is not None:
            path = (*_TOP, key, index, *path[len(_TOP) + 2 :])
            message = message.replace(f"`{path_text((*_TOP, key, 0))}", f"`{path_text((*_TOP, key, index))}", 1)
        findings.add(rule_of(diagnostic.code), path, message, diagnostic.hint)


def _check_rules(validate: Mapping[str, Any], findings: Findings) -> None:
    for key in ("select", "ignore"):
        for number, code in _texts(validate.get(key)):
            if code not in EVERY_RULE:
                hint = nearest(code, EVERY_RULE)
                path = (*_TOP, "validate", key, number)
                findings.add("settings-value", path, f"There is no rule `{code}`", hint)


def _texts(value: object) -> Iterator[tuple[int, str]]:
    return ((number, item) for number, item in enumerate(_list(value)) if isinstance(item, str))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _type_of(value: object) -> str:
    """The TOML name of the type of what a schema was shown: dates are strings of a type of their own there."""
    return "a date or time" if type(value) is not str and isinstance(value, str) else type_name(value)
