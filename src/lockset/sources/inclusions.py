"""Which extras and groups of a project include others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.markers import Marker

    from lockset.sources.requirements.requirement_line import RequirementLine
    from lockset.sources.toml_table import SettingsTable

__all__ = ["PROJECT", "Inclusion", "Part", "inclusions_of"]

# A part of a project: `extra` or `group` with its normalized name, or the project's own requirements.
Part = tuple[str, str]
PROJECT: Part = ("project", "")


class Inclusion(NamedTuple):
    """`part` includes `included` where `marker` holds (None: everywhere)."""

    part: Part
    included: Part
    marker: Marker | None = None


def inclusions_of(
    name: str | None,
    *,
    dependencies: Iterable[RequirementLine],
    extras: Mapping[str, Iterable[RequirementLine]],
    groups: Mapping[str, Iterable[RequirementLine]],
    table: SettingsTable | None,
) -> tuple[Inclusion, ...]:
    """The direct inclusions.

    Args:
        name: Normalized name of the project; None if it has none.
        dependencies: Its requirements, including references to itself.
        extras: The same for its extras.
        groups: The same for its dependency groups, with includes replaced.
        table: `[dependency-groups]`, already checked.
    """
    inclusions = list(_included_groups(table))
    lists = [(PROJECT, dependencies), *((("extra", e), lines) for e, lines in extras.items())]
    for part, lines in (*lists, *((("group", g), lines) for g, lines in groups.items())):
        for line in lines:
            if name is None or line.name != name or line.requirement.url is not None:
                continue
            inclusions += [Inclusion(part, ("extra", extra), line.requirement.marker) for extra in sorted(line.extras)]
            if part[0] == "group":
                inclusions.append(Inclusion(part, PROJECT, line.requirement.marker))
    return tuple(inclusions)


def _included_groups(table: SettingsTable | None) -> Iterator[Inclusion]:
    for spelling in table.data if table is not None else ():
        for item in table.array(spelling) if table is not None else ():
            if isinstance(item, dict):
                included = ("group", str(canonicalize_name(item["include-group"])))
                yield Inclusion(("group", str(canonicalize_name(spelling))), included)
