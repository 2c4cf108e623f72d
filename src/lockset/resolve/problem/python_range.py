"""The range of Pythons to lock for."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from lockset.dependency_specifiers import read_specifiers
from lockset.errors import UsageError
from lockset.markers import KNOWN_PYTHONS, MarkerSet

if TYPE_CHECKING:
    from lockset.lockfile.model import Pylock
    from lockset.resolve.problem.options import LockOptions
    from lockset.sources.project import RootProject

__all__ = ["KNOWN", "SETTLED", "SETTLED_PYTHONS", "is_open_above", "maintained_pythons", "python_range", "pythons_of"]

# End of life of each known Python: a project without a range is locked for the Pythons that are still maintained.
_MAINTAINED_UNTIL = {
    "3.8": date(2024, 10, 31),
    "3.9": date(2025, 10, 31),
    "3.10": date(2026, 10, 31),
    "3.11": date(2027, 10, 31),
    "3.12": date(2028, 10, 31),
    "3.13": date(2029, 10, 31),
    "3.14": date(2030, 10, 31),
    "3.15": date(2031, 10, 31),
}
# The newest Python: many projects publish their wheels for it in the months after its release, here October 2026.
_NEW = "3.15"
# Pythons that releases are expected to support: all before the newest.
SETTLED_PYTHONS = frozenset(_MAINTAINED_UNTIL) - {_NEW}
SETTLED = MarkerSet.of_python(f"<{_NEW}")

# Pythons that are known, the newest included.
KNOWN = MarkerSet.of_python(f"<3.{int(KNOWN_PYTHONS[-1].split('.')[1]) + 1}")

# Unknown later Pythons of the same major version.
_TO_COME = MarkerSet.of_python(f">3.{KNOWN_PYTHONS[-1].split('.')[1]}.9999,<4")


def maintained_pythons(day: date | None) -> tuple[str, ...]:
    """The minor versions that are maintained on that day, oldest first; for None, all that were released."""
    return tuple(minor for minor, until in _MAINTAINED_UNTIL.items() if day is None or day <= until)


def is_open_above(region: MarkerSet) -> bool:
    """Whether the region has Pythons newer than all known ones, as `>=3.10` and `>=3.10,<4` have."""
    return _TO_COME.implies(region.without_platforms().without_extras_and_groups())


def python_range(text: str) -> SpecifierSet:
    """`>=3.10,<3.14` as it is; `3.12` as `==3.12.*`, `3.12.4` as that release and later ones of its series.

    Raises:
        UsageError: `python-range`: it is neither.
    """
    text = text.strip()
    try:
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return read_specifiers(f"=={text}.*")
        if match := re.fullmatch(r"(\d+\.\d+)\.\d+", text):
            return read_specifiers(f">={text},=={match[1]}.*")
        return read_specifiers(text)
    except InvalidSpecifier as error:
        raise UsageError(
            "python-range",
            f"`{text}` is not a range of Python versions",
            hint="Write `>=3.10`, `>=3.10,<3.14` or `3.12`",
        ) from error


def pythons_of(
    project: RootProject, options: LockOptions, old: Pylock | None, now: datetime
) -> tuple[SpecifierSet, tuple[str, ...]]:
    """The range to lock for, with notes for the user.

    The first of: the options or settings, the project, the old lock, the Pythons that are still maintained.
    """
    own = project.requires_python
    chosen = python_range(options.python) if options.python else project.settings.python
    if chosen is not None:
        return (chosen if own is None or _within(chosen, own) else chosen & own), ()
    if own is not None:
        return own, ()
    if old is not None and old.requires_python is not None:
        return old.requires_python, ()
    first = next(iter(maintained_pythons(now.date())), KNOWN_PYTHONS[-1])
    note = f"There is no `requires-python`: locking for the maintained Pythons, `>={first}` (choose with `--python`)"
    return read_specifiers(f">={first}"), (note,)


def _within(chosen: SpecifierSet, own: SpecifierSet) -> bool:
    return MarkerSet.of_python(chosen).implies(MarkerSet.of_python(own))
