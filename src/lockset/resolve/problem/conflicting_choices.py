"""Which extras and groups conflict: as declared, and by what they include."""

from __future__ import annotations

from collections import deque
from itertools import chain, combinations
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.lockfile.declared_conflicts import ConflictMember, pairs_of
from lockset.markers import MarkerSet
from lockset.similar_names import known_names_hint
from lockset.sources.groups import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lockset.lockfile.declared_conflicts import DeclaredConflict
    from lockset.sources.groups import Inclusion, Part
    from lockset.sources.project import RootProject

__all__ = ["IncludedParts", "conflicting_choices", "included_parts"]

# The parts that one part includes, each with the environments in which it does.
IncludedParts = dict["Part", MarkerSet]


def conflicting_choices(
    project: RootProject,
    universe: MarkerSet,
    *,
    extras: Sequence[str],
    groups: Sequence[str],
    default_group: str | None,
    default_groups: Sequence[str],
) -> tuple[DeclaredConflict, ...]:
    """The extras and groups of the lock that must never be chosen together in `universe`.

    Declared conflicts come first, then each pair that follows from them: a group that includes a conflicting group also
    conflicts, as does an extra that names a conflicting extra of the project, where its marker holds.

    Raises:
        LocksetError: `unknown-extra`, `unknown-group`; `conflict-within`: one choice, or the default one, includes both
            sides of a conflict.
    """
    # Those with other members of a workspace concern a lock of the whole workspace.
    own = {"", project.name}
    declared = [
        tuple((item.kind, item.name) for item in items)
        for items in project.settings.conflicts
        if all(item.kind != "package" and item.package in own for item in items)
    ]
    _refuse_unknown(project, declared)
    offered: list[Part] = [*(("extra", e) for e in extras), *(("group", g) for g in groups)]
    if default_group is not None:
        offered.append(("group", default_group))
    included_by = {part: included_parts(part, project.inclusions) for part in offered}
    always = included_parts(PROJECT, project.inclusions)
    for part in offered if default_group is None else [("group", default_group)]:
        # Without groups the project's own requirements are part of every choice.
        for included, where in always.items():
            included_by[part][included] = included_by[part].get(included, MarkerSet.none()) | where
    conflicts = [tuple(ConflictMember(*part) for part in items if part in included_by) for items in declared]
    conflicts = [conflict for conflict in conflicts if len(conflict) > 1]
    sides = list(dict.fromkeys(pair for items in declared for pair in combinations(items, 2)))
    _refuse_within(included_by, sides, universe)
    conflicts += _implied_conflicts(included_by, sides, universe, conflicts)
    _refuse_defaults(conflicts, [g for g in (default_group, *default_groups) if g is not None])
    return tuple(conflicts)


def included_parts(part: Part, inclusions: Sequence[Inclusion]) -> IncludedParts:
    """Everything that `part` includes, directly or not, and `part` itself."""
    inclusion_regions: IncludedParts = {part: MarkerSet.any()}
    waiting = deque([part])
    while waiting:
        here = waiting.popleft()
        for inclusion in inclusions:
            if inclusion.part != here:
                continue
            marker = MarkerSet.any() if inclusion.marker is None else MarkerSet.of_condition(inclusion.marker)
            before = inclusion_regions.get(inclusion.included, MarkerSet.none())
            after = before | (inclusion_regions[here] & marker.with_metadata_extra(None))
            if after is not before:
                inclusion_regions[inclusion.included] = after
                waiting.append(inclusion.included)
    return inclusion_regions


def _implied_conflicts(
    included_by: Mapping[Part, IncludedParts],
    sides: Sequence[tuple[Part, Part]],
    universe: MarkerSet,
    declared: Sequence[DeclaredConflict],
) -> list[DeclaredConflict]:
    """The pairs that conflict by what they include, without those that are declared."""
    known = {frozenset(member[:2] for member in pair) for pair in pairs_of(declared)}
    implied: list[DeclaredConflict] = []
    concerned = {part for pair in sides for part in pair}
    mine = [part for part in included_by if not concerned.isdisjoint(included_by[part])]
    for one, other in combinations(mine, 2):
        if frozenset((one, other)) in known:
            continue
        region = MarkerSet.none()
        for a, b in chain(sides, ((b, a) for a, b in sides)):
            region |= included_by[one].get(a, MarkerSet.none()) & included_by[other].get(b, MarkerSet.none())
        if not region.is_disjoint(universe):
            implied.append((ConflictMember(*one, region.text(universe)), ConflictMember(*other)))
    return implied


def _refuse_unknown(project: RootProject, declared: Sequence[Sequence[Part]]) -> None:
    if project.name is None and not project.groups:
        return  # requirements files alone, with the settings of the pyproject.toml nearby
    for kind, name in chain.from_iterable(declared):
        known = project.extras if kind == "extra" else project.groups
        if name not in known:
            what = "extra" if kind == "extra" else "dependency group"
            raise LocksetError(
                "unknown-extra" if kind == "extra" else "unknown-group",
                f"`conflicts` in [tool.lockset] names the {what} `{name}`, which the project does not have",
                hint=known_names_hint(name, known),
            )


def _refuse_within(
    included_by: Mapping[Part, IncludedParts], sides: Sequence[tuple[Part, Part]], universe: MarkerSet
) -> None:
    """Refuse an extra or a group that can never be chosen."""
    for part, parts in included_by.items():
        for one, other in sides:
            both = parts.get(one, MarkerSet.none()) & parts.get(other, MarkerSet.none())
            if not both.is_disjoint(universe):
                names = [ConflictMember(*each).shown for each in (one, other) if each != part]
                raise LocksetError(
                    "conflict-within",
                    f"The {ConflictMember(*part).shown} always brings {' and '.join(names)} with it, and can never"
                    " be chosen: `conflicts` in [tool.lockset] declares "
                    f"{ConflictMember(*one).shown} and {ConflictMember(*other).shown} as conflicting",
                    hint="Take one of them out of it, or leave it out of the lock: "
                    + (f"`--no-group {part[1]}`" if part[0] == "group" else "name the other extras with `--extra`"),
                )


def _refuse_defaults(conflicts: Sequence[DeclaredConflict], defaults: Sequence[str]) -> None:
    for one, other in pairs_of(conflicts):
        if all(member.kind == "group" and member.name in defaults for member in (one, other)):
            raise LocksetError(
                "conflict-within",
                f"The {one.shown} and the {other.shown} are both installed by default, and `conflicts` in"
                " [tool.lockset] declares them as conflicting",
                hint="Take one of them out of `default-groups`",
            )
