"""uv's markers: conflicting extras and groups are written as made-up values of `extra`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from packaging.markers import InvalidMarker
from packaging.utils import canonicalize_name

from lockset.dependency_specifiers import read_marker
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from lockset.conversion.model.imported_lock import Side
    from lockset.conversion.model.selectable import SelectableNames

__all__ = ["Activation", "Rewriter"]

# A package and one of its extras.
Activation: TypeAlias = tuple[str, str]
_ALWAYS, _NEVER = "python_version >= '0'", "python_version < '0'"

_COMPARISON = re.compile(r"""extra\s*(==|!=)\s*(['"])((?:extra|group|project)-[0-9]{1,9}-[^'"]+)\2""")


class Rewriter:
    """Turns `extra == 'extra-3-app-cpu'` into `'cpu' in extras`, and the like for groups and the project itself.

    An extra also counts as chosen where something that is installed asks for it; for that stands a made-up extra,
    whose meaning `activations` tells: where the package is reached with the extra.
    """

    def __init__(
        self,
        *,
        projects: Collection[str],
        offers: SelectableNames,
        location: str,
        asked: Collection[Activation] = (),
        implied: Mapping[Activation, Sequence[str]] | None = None,
    ) -> None:
        """What markers may speak of.

        Args:
            projects: Members whose extras and groups can be chosen.
            offers: What can be chosen.
            location: Name of the file in messages.
            asked: Packages and extras that some entry asks for.
            implied: Markers of choices that bring an extra of a project with them.
        """
        self._projects = frozenset(projects)
        self._offers = offers
        self._location = location
        self._asked = frozenset(asked)
        self._implied = implied or {}
        self.activations: dict[str, Activation] = {}

    def rewrite(self, marker: str, where: str, own: Collection[Activation] = ()) -> str:
        """The marker in the notation of lock files; `own`: extras that the requirement itself asks for, and so holds.

        Raises:
            LocksetError: `format-invalid` where it is none.
        """
        rewritten = _COMPARISON.sub(lambda found: self._choice(found[1] == "==", found[3], own), marker)
        try:
            read_marker(rewritten)
        except (InvalidMarker, RecursionError) as error:
            message = f"`{where}` is no marker: `{marker}`"
            raise LocksetError("format-invalid", message, location=self._location) from error
        return rewritten

    def _choice(self, wanted: bool, encoded: str, own: Collection[Activation]) -> str:  # noqa: FBT001 - the sign
        kind, length, rest = encoded.split("-", 2)
        name = canonicalize_name(rest[: int(length)])
        tail = canonicalize_name(rest[int(length) + 1 :])
        if kind == "extra" and (name, tail) in own:
            return _ALWAYS if wanted else _NEVER
        ways = {"extra": self._extra, "project": self._project}.get(kind, self._group)(name, tail)
        return _any_of(ways) if wanted else _none_of(ways)

    def _extra(self, name: str, extra: str) -> list[str]:
        ways = list(self._implied.get((name, extra), ()))
        if name in self._projects:
            ways.insert(0, f"'{extra}' in extras")
        if (name, extra) in self._asked:
            mark = f"lockset-asked-{name}--{extra}".replace("--", "-x-")
            self.activations[mark] = (name, extra)
            ways.append(f"'{mark}' in extras")
        return ways

    def _project(self, name: str, _: str) -> list[str]:
        if name not in self._projects:
            return []
        default = self._offers.default
        return [_ALWAYS if default is None else f"'{default}' in dependency_groups"]

    def _group(self, name: str, group: str) -> list[str]:
        if name not in self._projects:
            return []
        twins = [self._offers.twin(group)] if group in self._offers.by_default else []
        return [f"'{one}' in dependency_groups" for one in (group, *twins)]

    def side(self, item: dict[str, Any]) -> Side | None:
        """One side of a declared conflict of a project."""
        if canonicalize_name(str(item.get("package", ""))) not in self._projects:
            return None
        if isinstance(item.get("extra"), str):
            return "extra", canonicalize_name(item["extra"])
        if isinstance(item.get("group"), str):
            return "group", canonicalize_name(item["group"])
        return "project", ""


def _any_of(ways: Sequence[str]) -> str:
    if not ways:
        return _NEVER
    return ways[0] if len(ways) == 1 else f"({' or '.join(ways)})"


def _none_of(ways: Sequence[str]) -> str:
    if _ALWAYS in ways:
        return _NEVER
    opposites = [way.replace(" in ", " not in ") for way in ways]
    if not opposites:
        return _ALWAYS
    return opposites[0] if len(opposites) == 1 else f"({' and '.join(opposites)})"
