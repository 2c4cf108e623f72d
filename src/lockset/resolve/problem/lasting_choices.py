"""Which extras and groups a lock offers, and whether it holds the project: as chosen now, in the settings, or before.

A choice of the command line goes before the settings of the project, and these go before what the lock there is was
made with. So a lock that was made without a group is checked, and locked again, without it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.sources.other_tools import join_many_names
from lockset.sources.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lockset.lockfile.model import Pylock
    from lockset.resolve.problem.options import LockOptions
    from lockset.sources.project import RootProject

__all__ = ["is_made_by_lock", "lasting", "recorded_selection", "recorded_table", "refuse_lost_groups"]

_GROUP_KEYS = ("groups", "no-groups", "only-groups")
# Without a name that no group may have, `default` stands for the project's own requirements in most locks.
_OWN = frozenset({"default", "project", "lockset-default"})


def recorded_table(lock: Pylock | None) -> Mapping[str, object]:
    """`[tool.lockset]` of the lock; empty where there is none."""
    table = (lock.tool or {}).get("lockset") if lock is not None else None
    return table if isinstance(table, dict) else {}


def is_made_by_lock(lock: Pylock) -> bool:
    """Whether `lockset lock` made it; conversions and other tools record no requirements."""
    return isinstance(recorded_table(lock).get("roots"), list)


def lasting(project: RootProject, choices: LockOptions, old: Pylock | None) -> tuple[LockOptions, tuple[str, ...]]:
    """`choices` with what the settings and the old lock say where these leave extras, groups and the project open.

    The notes tell of what only the old lock says.
    """
    # The settings are those of the nearest pyproject.toml also where a requirements file is locked.
    settings = project.settings if project.groups or project.name is not None else Settings()
    notes: list[str] = []
    if choices.extras is None and not choices.all_extras:
        chosen = settings.extras
        if chosen is None and (before := _known(old, "extras", project.extras)) is not None:
            chosen = before
            notes.append(f"As before, the lock offers {_only('extra', before)} (`--all-extras` locks all)")
        choices = replace(choices, extras=chosen)
    open_groups = choices.groups is None and not choices.no_groups and not choices.all_groups
    if open_groups and (settings.groups is not None or settings.no_groups):
        choices = replace(choices, groups=settings.groups, no_groups=settings.no_groups)
    elif open_groups:
        choices, of_groups = _groups_as_before(project, choices, old)
        notes += of_groups
    if choices.with_project is None and settings.with_project is None and _holds(project, old):
        choices = replace(choices, with_project=True)
    return choices, tuple(notes)


def recorded_selection(project: RootProject, choices: LockOptions) -> Mapping[str, list[str]]:
    """What a lock has to record of `choices` (after `lasting`), so that they last: nothing that the settings say."""
    settings = project.settings
    found: dict[str, list[str]] = {}
    if choices.extras is not None and choices.extras != settings.extras and not choices.only_groups:
        found["extras"] = sorted(choices.extras)
    if (choices.groups, choices.no_groups) != (settings.groups, settings.no_groups):
        if choices.groups is not None:
            found["only-groups" if choices.only_groups else "groups"] = sorted(choices.groups)
        if choices.no_groups:
            found["no-groups"] = sorted(choices.no_groups)
    return found


def refuse_lost_groups(project: RootProject, choices: LockOptions, old: Pylock | None) -> None:
    """Refuse to lock over a lock of another making whose groups the project does not have.

    Raises:
        LocksetError: `groups-lost`.
    """
    choices, _ = lasting(project, choices, old)
    if old is None or is_made_by_lock(old) or choices.groups is not None:
        return
    lost = sorted({*(old.dependency_groups or ())} - {*project.groups, *choices.no_groups, *_OWN})
    if not lost:
        return
    left_out = " ".join(f"--no-group {name}" for name in lost)
    raise LocksetError(
        "groups-lost",
        f"The lock there is has the groups {join_many_names(lost)}, the project has not: locking would drop them"
        if len(lost) > 1
        else f"The lock there is has the group {lost[0]}, the project has not: locking would drop it",
        hint=f"Write them in [dependency-groups] of pyproject.toml, convert the other tool's lock again, or leave them"
        f" out: `{left_out}`",
    )


def _groups_as_before(
    project: RootProject, choices: LockOptions, old: Pylock | None
) -> tuple[LockOptions, tuple[str, ...]]:
    before = {key: found for key in _GROUP_KEYS if (found := _known(old, key, project.groups)) is not None}
    if not before:
        return choices, ()
    way = "(`--all-groups` locks all)"
    alone = before.get("only-groups")
    chosen = alone if alone is not None else before.get("groups")
    notes = []
    if chosen is not None:
        notes.append(f"As before, the lock offers {_only('group', chosen)} {way}")
    elif before["no-groups"]:
        notes.append(f"As before, the lock is without {_named('group', before['no-groups'])} {way}")
    return (
        replace(
            choices,
            groups=chosen,
            no_groups=before.get("no-groups", ()),
            only_groups=alone is not None,
            extras=() if alone is not None else choices.extras,
        ),
        tuple(notes),
    )


def _known(old: Pylock | None, key: str, known: Iterable[str]) -> tuple[str, ...] | None:
    value = recorded_table(old).get(key)
    if not isinstance(value, list):
        return None
    names = set(known)
    return tuple(name for name in value if isinstance(name, str) and name in names)


def _holds(project: RootProject, old: Pylock | None) -> bool:
    """Whether the old lock holds the project itself as a folder, and not because something requires it."""
    if old is None or project.name is None:
        return False
    roots = recorded_table(old).get("roots")
    as_requirement = (f"{project.name} @", f"{project.name}[")
    required = isinstance(roots, list) and any(str(root).startswith(as_requirement) for root in roots)
    return not required and any(p.name == project.name and p.directory is not None for p in old.packages)


def _only(what: str, names: tuple[str, ...]) -> str:
    return f"{_named(what, names)} only" if names else f"no {what}"


def _named(what: str, names: tuple[str, ...]) -> str:
    return f"the {what}{'s' if len(names) > 1 else ''} {join_many_names(names)}"
