"""uv's markers: conflicting extras and groups are written as made-up values of `extra`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name

from lockset.errors import LocksetError

if TYPE_CHECKING:
    from typing import Any

    from lockset.conversion.draft import Side
    from lockset.conversion.offers import Offers

__all__ = ["Rewriter"]

_COMPARISON = re.compile(r"""extra\s*(==|!=)\s*(['"])((?:extra|group|project)-\d+-[^'"]+)\2""")


class Rewriter:
    """Turns `extra == 'extra-3-app-cpu'` into `'cpu' in extras`, and the like for groups and the project itself."""

    def __init__(self, *, project: str | None, offers: Offers, place: str) -> None:
        self._project = project
        self._offers = offers
        self._place = place

    def rewrite(self, marker: str, where: str) -> str:
        """The marker in the notation of lock files.

        Raises:
            LocksetError: `format-invalid` where it is none, `conflict-unsupported` where another package's extra is
                meant, which a lock file cannot ask for.
        """
        rewritten = _COMPARISON.sub(lambda found: self._choice(found[1] == "==", found[3]), marker)
        try:
            Marker(rewritten)
        except (InvalidMarker, RecursionError) as error:
            message = f"`{where}` is no marker: `{marker}`"
            raise LocksetError("format-invalid", message, place=self._place) from error
        return rewritten

    def _choice(self, wanted: bool, encoded: str) -> str:  # noqa: FBT001 - the sign of the comparison
        kind, length, rest = encoded.split("-", 2)
        name, tail = rest[: int(length)], rest[int(length) + 1 :]
        if canonicalize_name(name) != self._project:
            raise LocksetError(
                "conflict-unsupported",
                f"A marker asks for a choice of the workspace member `{name}`, which a lock file cannot offer",
                place=self._place,
                hint=f"Convert for this member alone: `--package {name}`",
            )
        holds = "in" if wanted else "not in"
        if kind == "extra":
            return f"'{canonicalize_name(tail)}' {holds} extras"
        if kind == "project":
            default = self._offers.default
            if default is None:
                return "python_version >= '0'" if wanted else "python_version < '0'"
            return f"'{default}' {holds} dependency_groups"
        group = canonicalize_name(tail)
        if group not in self._offers.by_default:
            return f"'{group}' {holds} dependency_groups"
        twin = self._offers.twin(group)
        joint = "or" if wanted else "and"
        return f"('{group}' {holds} dependency_groups {joint} '{twin}' {holds} dependency_groups)"

    def side(self, item: dict[str, Any]) -> Side | None:
        """One side of a declared conflict of the project."""
        if canonicalize_name(str(item.get("package", ""))) != self._project:
            return None
        if isinstance(item.get("extra"), str):
            return "extra", canonicalize_name(item["extra"])
        if isinstance(item.get("group"), str):
            return "group", canonicalize_name(item["group"])
        return None
