"""uv's markers, which encode conflicting extras and groups as special values of `extra`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from packaging.markers import InvalidMarker

from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import read_marker
from lockset.errors import LocksetError
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from lockset.conversion.model.selection import Choice, SelectableNames

__all__ = ["Activation", "Rewriter"]

# A package and one of its extras.
Activation: TypeAlias = tuple[str, str]
_ALWAYS, _NEVER = "python_version >= '0'", "python_version < '0'"

_COMPARISON = lazy_pattern(r"""extra\s*(==|!=)\s*(['"])((?:extra|group|project)-[0-9]{1,9}-[^'"]+)\2""")


class Rewriter:
    """Rewrites `extra == 'extra-3-app-cpu'` to `'cpu' in extras`, and likewise for groups and the project itself.

    An extra also counts as selected where an installed package requests it. A synthetic extra stands for that case;
    `activations` maps it to the package and the extra.
    """

    def __init__(
        self,
        *,
        projects: Collection[str],
        selectable: SelectableNames,
        location: str,
        required_extras: Collection[Activation] = (),
        implied: Mapping[Activation, Sequence[str]] | None = None,
    ) -> None:
        """What the markers may refer to.

        Args:
            projects: Members whose extras and groups can be selected.
            selectable: The extras and groups that can be selected.
            location: Name of the file, for messages.
            required_extras: Packages and extras that some entry requests.
            implied: Markers of the extras and groups that request an extra of their own project.
        """
        self._projects = frozenset(projects)
        self._selectable = selectable
        self._location = location
        self._required_extras = frozenset(required_extras)
        self._implied = implied or {}
        self.activations: dict[str, Activation] = {}

    def rewrite(self, marker: str, key: str, own: Collection[Activation] = ()) -> str:
        """The marker in the notation of PEP 751. `own`: extras that the requirement itself requests, which hold.

        Raises:
            LocksetError: `format-invalid` if it is not a valid marker.
        """
        rewritten = _COMPARISON.sub(lambda match: self._choice(match[3], own, equal=match[1] == "=="), marker)
        try:
            read_marker(rewritten)
        except (InvalidMarker, RecursionError) as error:
            message = f"`{key}` is not a valid marker: `{marker}`"
            raise LocksetError("format-invalid", message, location=self._location) from error
        return rewritten

    def _choice(self, encoded: str, own: Collection[Activation], *, equal: bool) -> str:
        kind, length, rest = encoded.split("-", 2)
        name = canonicalize_name(rest[: int(length)])
        tail = canonicalize_name(rest[int(length) + 1 :])
        if kind == "extra" and (name, tail) in own:
            return _ALWAYS if equal else _NEVER
        alternatives = {"extra": self._extra, "project": self._project}.get(kind, self._group)(name, tail)
        return _any_of(alternatives) if equal else _none_of(alternatives)

    def _extra(self, name: str, extra: str) -> list[str]:
        alternatives = list(self._implied.get((name, extra), ()))
        if name in self._projects:
            alternatives.insert(0, f"'{extra}' in extras")
        if (name, extra) in self._required_extras:
            mark = f"lockset-asked-{name}--{extra}".replace("--", "-x-")
            self.activations[mark] = (name, extra)
            alternatives.append(f"'{mark}' in extras")
        return alternatives

    def _project(self, name: str, _: str) -> list[str]:
        if name not in self._projects:
            return []
        default = self._selectable.default
        return [_ALWAYS if default is None else f"'{default}' in dependency_groups"]

    def _group(self, name: str, group: str) -> list[str]:
        if name not in self._projects:
            return []
        twins = [self._selectable.twin(group)] if group in self._selectable.by_default else []
        return [f"'{one}' in dependency_groups" for one in (group, *twins)]

    def side(self, item: dict[str, Any]) -> Choice | None:
        """One member of a declared conflict; None if it is not one of the converted projects."""
        if canonicalize_name(str(item.get("package", ""))) not in self._projects:
            return None
        if isinstance(item.get("extra"), str):
            return "extra", canonicalize_name(item["extra"])
        if isinstance(item.get("group"), str):
            return "group", canonicalize_name(item["group"])
        return "project", ""


def _any_of(alternatives: Sequence[str]) -> str:
    if not alternatives:
        return _NEVER
    return alternatives[0] if len(alternatives) == 1 else f"({' or '.join(alternatives)})"


def _none_of(alternatives: Sequence[str]) -> str:
    if _ALWAYS in alternatives:
        return _NEVER
    opposites = [alternative.replace(" in ", " not in ") for alternative in alternatives]
    if not opposites:
        return _ALWAYS
    return opposites[0] if len(opposites) == 1 else f"({' and '.join(opposites)})"
