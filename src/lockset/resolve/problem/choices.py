"""Choices of extras and groups: those that last from one lock to the next, and those that conflict.

Options take precedence over the settings of the project, and these over the choices recorded in the existing lock. So
a lock that was made without a group is checked, and locked again, without it.
"""

from __future__ import annotations

from collections import deque
from itertools import chain, combinations
from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.errors import LocksetError
from lockset.lockfile.conflicts import ConflictMember, pairs_of
from lockset.markers import MarkerSet
from lockset.resolve.problem.roots import named
from lockset.similar_names import known_names_hint
from lockset.sources.groups import PROJECT
from lockset.sources.other_tools.facts import join_many_names
from lockset.sources.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from lockset.lockfile.conflicts import DeclaredConflict
    from lockset.lockfile.model import Pylock
    from lockset.resolve.problem.options import LockOptions
    from lockset.sources.groups import Inclusion, Part
    from lockset.sources.project import RootProject

__all__ = [
    "IncludedParts",
    "chosen_parts",
    "conflicting_choices",
    "included_parts",
    "is_made_by_lock",
    "lasting",
    "recorded_selection",
    "recorded_table",
    "refuse_lost_groups",
    "refuse_workspace_lock",
    "requires_itself",
]

_GROUP_KEYS = ("groups", "no-groups", "only-groups")
# Names of the group that stands for the project's own requirements, in locks of lockset and others.
_OWN = frozenset({"default", "project", "lockset-default"})
# The parts that one part includes, each with the environments in which it does.
IncludedParts = dict["Part", MarkerSet]


def recorded_table(lock: Pylock | None) -> Mapping[str, object]:
    """`[tool.lockset]` of the lock; empty where there is none."""
    table = (lock.tool or {}).get("lockset") if lock is not None else None
    return table if isinstance(table, dict) else {}


def is_made_by_lock(lock: Pylock) -> bool:
    """Whether `lockset lock` made it; conversions and other tools record no requirements."""
    return isinstance(recorded_table(lock).get("roots"), list)


def lasting(project: RootProject, options: LockOptions, old: Pylock | None) -> tuple[LockOptions, tuple[str, ...]]:
    """`options`, completed by the settings and the old lock for extras, groups and the project itself.

    Returns notes, too, on what comes from the old lock.
    """
    # The settings are those of the nearest pyproject.toml also where a requirements file is locked.
    settings = project.settings if project.groups or project.name is not None else Settings()
    notes: list[str] = []
    if options.extras is None and not options.all_extras:
        chosen = settings.extras
        if chosen is None and (before := _recorded_names(old, "extras", project.extras)) is not None:
            chosen = before
            notes.append(f"As before, the lock has {_names_only('extra', before)} (`--all-extras` locks all)")
        options = replace(options, extras=chosen)
    open_groups = options.groups is None and not options.no_groups and not options.all_groups
    if open_groups and (settings.groups is not None or settings.no_groups):
        options = replace(options, groups=settings.groups, no_groups=settings.no_groups)
    elif open_groups:
        options, of_groups = _groups_as_before(project, options, old)
        notes += of_groups
    if options.with_project is None and settings.with_project is None and _has_project_entry(project, old):
        options = replace(options, with_project=True)
    return options, tuple(notes)


def chosen_parts(project: RootProject, options: LockOptions, old: Pylock | None) -> tuple[list[str], list[str]]:
    """The extras and the dependency groups that `options` (after `lasting`) lock, each sorted.

    Raises:
        LocksetError: `unknown-extra` or `unknown-group`.
    """
    extras = named(options.extras, project.extras, "extra")
    # Groups of the existing lock may be left out as well: a converted lock has groups that the project does not.
    before = (old.dependency_groups or ()) if old is not None else ()
    left_out = named(options.no_groups, {*project.groups, *before}, "dependency group")
    return extras, [g for g in named(options.groups, project.groups, "dependency group") if g not in left_out]


def recorded_selection(project: RootProject, options: LockOptions) -> Mapping[str, list[str]]:
    """The part of `options` (after `lasting`) that a lock records, so that it lasts; without that of the settings."""
    settings = project.settings
    recorded: dict[str, list[str]] = {}
    if options.extras is not None and options.extras != settings.extras and not options.only_groups:
        recorded["extras"] = sorted(options.extras)
    if (options.groups, options.no_groups) != (settings.groups, settings.no_groups):
        if options.groups is not None:
            recorded["only-groups" if options.only_groups else "groups"] = sorted(options.groups)
        if options.no_groups:
            recorded["no-groups"] = sorted(options.no_groups)
    return recorded


def refuse_workspace_lock(project: RootProject, old: Pylock | None, folder: Path) -> None:
    """Refuse to replace a lock file of a workspace by that of one project alone.

    `folder` is that of the lock file. A root whose workspace was dissolved may replace its own.

    Raises:
        LocksetError: `workspace-output`.
    """
    table = recorded_table(old)
    if "workspace" not in table and ("members" not in table or project.base == folder):
        return
    raise LocksetError(
        "workspace-output",
        "The existing lock file is one of a workspace, and this would replace it by that of one project alone",
        location=", ".join(project.sources),
        hint="`lockset lock` without a source locks the workspace; `-o pylock.NAME.toml` names another file",
    )


def refuse_lost_groups(project: RootProject, options: LockOptions, old: Pylock | None) -> None:
    """Refuse to replace a lock of another tool whose groups the project does not have.

    Raises:
        LocksetError: `groups-lost`.
    """
    options, _ = lasting(project, options, old)
    if old is None or is_made_by_lock(old) or options.groups is not None:
        return
    lost = sorted({*(old.dependency_groups or ())} - {*project.groups, *options.no_groups, *_OWN})
    if not lost:
        return
    left_out = " ".join(f"--no-group {name}" for name in lost)
    raise LocksetError(
        "groups-lost",
        f"The existing lock has the groups {join_many_names(lost)}, the project does not: locking would drop them"
        if len(lost) > 1
        else f"The existing lock has the group {lost[0]}, the project does not: locking would drop it",
        hint=f"Write them in [dependency-groups] of pyproject.toml, convert the other tool's lock again, or leave them"
        f" out: `{left_out}`",
    )


def _groups_as_before(
    project: RootProject, options: LockOptions, old: Pylock | None
) -> tuple[LockOptions, tuple[str, ...]]:
    before = {key: names for key in _GROUP_KEYS if (names := _recorded_names(old, key, project.groups)) is not None}
    if not before:
        return options, ()
    way = "(`--all-groups` locks all)"
    alone = before.get("only-groups")
    chosen = alone if alone is not None else before.get("groups")
    notes = []
    if chosen is not None:
        notes.append(f"As before, the lock has {_names_only('group', chosen)} {way}")
    elif before["no-groups"]:
        notes.append(f"As before, the lock is without {_name_list('group', before['no-groups'])} {way}")
    return (
        replace(
            options,
            groups=chosen,
            no_groups=before.get("no-groups", ()),
            only_groups=alone is not None,
            extras=() if alone is not None else options.extras,
        ),
        tuple(notes),
    )


def _recorded_names(old: Pylock | None, key: str, known: Iterable[str]) -> tuple[str, ...] | None:
    value = recorded_table(old).get(key)
    if not isinstance(value, list):
        return None
    names = set(known)
    return tuple(name for name in value if isinstance(name, str) and name in names)


def _has_project_entry(project: RootProject, old: Pylock | None) -> bool:
    """Whether the old lock holds the project itself as a folder, and not because something requires it."""
    if old is None or project.name is None:
        return False
    roots = recorded_table(old).get("roots")
    as_requirement = (f"{project.name} @", f"{project.name}[")
    required = isinstance(roots, list) and any(str(root).startswith(as_requirement) for root in roots)
    return (
        not required
        and not requires_itself(old, project.name)
        and any(p.name == project.name and p.directory is not None for p in old.packages)
    )


def requires_itself(lock: Pylock, name: str) -> bool:
    """Whether a package of the lock of the project `name` requires it: another member of its workspace."""
    return any(edge.get("name") == name for package in lock.packages for edge in package.dependencies or ())


def _names_only(what: str, names: tuple[str, ...]) -> str:
    return f"{_name_list(what, names)} only" if names else f"no {what}"


def _name_list(what: str, names: tuple[str, ...]) -> str:
    return f"the {what}{'s' if len(names) > 1 else ''} {join_many_names(names)}"


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
    if not declared:
        return ()
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
