"""`[dependency-groups]` against the dependency groups specification: all groups, every finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from lockset.package_names import InvalidName, canonicalize_name
from lockset.sources.toml_table import nearest, type_name
from lockset.sources.validate.requirements import check_requirement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings
    from lockset.sources.validate.requirements import Located

__all__ = ["check_groups", "check_valid_name"]

_TABLE = "dependency-groups"
_INCLUDE = "include-group"
# Normalized name of a group -> the groups it includes, each with the path of the include.
_Includes: TypeAlias = "dict[str, list[tuple[str, KeyPath]]]"


def check_groups(groups: object, findings: Findings) -> list[Located]:
    """Every requirement of the groups that can be read, with its path; all else is a finding."""
    if not isinstance(groups, dict):
        findings.add("group-type", (_TABLE,), f"`{_TABLE}` must be a table, not {type_name(groups)}")
        return []
    spellings: dict[str, str] = {}
    includes: _Includes = {}
    lines: list[Located] = []
    for spelling, items in groups.items():
        path = (_TABLE, spelling)
        name = check_valid_name(spelling, path, findings, rule="group-name-valid", what="a dependency group")
        if name in spellings:
            message = f"The dependency groups `{spellings[name]}` and `{spelling}` have the same name, `{name}`"
            findings.add("group-duplicate", path, message, "Join them, or rename one")
        spellings.setdefault(name, spelling)
        own = includes.setdefault(name, [])
        if isinstance(items, list):
            for number, item in enumerate(items):
                _check_item(item, (*path, number), own, lines, findings)
        else:
            findings.add("group-type", path, f"`{spelling}` must be an array, not {type_name(items)}")
    _check_includes(includes, spellings, findings)
    return lines


def check_valid_name(name: str, path: KeyPath, findings: Findings, *, rule: str, what: str) -> str:
    """The normalized name, also of one that is not valid, which is a finding of `rule`."""
    try:
        return canonicalize_name(name, validate=True)
    except InvalidName:
        hint = "Use letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"
        findings.add(rule, path, f"`{name}` is not a valid name for {what}", hint)
        return canonicalize_name(name)


def _check_item(
    item: object,
    path: KeyPath,
    includes: list[tuple[str, KeyPath]],
    lines: list[Located],
    findings: Findings,
) -> None:
    if isinstance(item, str):
        line = check_requirement(item, path, findings)
        if line is not None:
            lines.append((path, line))
        return
    form = f"a string or a table `{{ {_INCLUDE} = NAME }}`"
    if not isinstance(item, dict):
        findings.add("group-type", path, f"An item of a dependency group must be {form}, not {type_name(item)}")
        return
    if set(item) != {_INCLUDE}:
        wrong: Any = next((key for key in item if key != _INCLUDE), None)
        hint = nearest(wrong, [_INCLUDE]) if wrong is not None else None
        findings.add("group-type", path, f"A table in a dependency group has the key `{_INCLUDE}` and no other", hint)
        return
    included = item[_INCLUDE]
    if isinstance(included, str):
        includes.append((included, path))
    else:
        findings.add("group-type", path, f"`{_INCLUDE}` must be a string, not {type_name(included)}")


def _check_includes(includes: _Includes, spellings: Mapping[str, str], findings: Findings) -> None:
    edges: _Includes = {}
    for name, wanted in includes.items():
        known = edges.setdefault(name, [])
        for spelling, path in wanted:
            included = canonicalize_name(spelling)
            if included in includes:
                known.append((included, path))
                continue
            message = f"There is no dependency group `{spelling}` to include"
            findings.add("unknown-group", path, message, nearest(spelling, spellings.values()))
    _check_cycles(edges, spellings, findings)


def _check_cycles(edges: _Includes, spellings: Mapping[str, str], findings: Findings) -> None:
    """One finding for each include that closes a circle; without recursion, since chains may be long."""
    done: set[str] = set()
    for start in edges:
        trail: dict[str, int] = {}  # a group on the way here -> how many of its includes were followed
        if start not in done:
            trail[start] = 0
        while trail:
            here = next(reversed(trail))
            if trail[here] == len(edges[here]):
                del trail[here]
                done.add(here)
                continue
            included, path = edges[here][trail[here]]
            trail[here] += 1
            if included in trail:
                names = list(trail)
                cycle = [spellings[name] for name in (*names[names.index(included) :], included)]
                message = f"Dependency groups include each other in a cycle: {' -> '.join(cycle)}"
                findings.add("group-cycle", path, message, "Remove one of the includes")
            elif included not in done:
                trail[included] = 0
