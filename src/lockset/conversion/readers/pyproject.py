"""The pyproject.toml beside a foreign lock: what the lock's own format leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from lockset._dataclass import dataclass
from lockset.conversion.model.checked_table import Fields, parse_toml_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Pyproject", "load_pyproject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pyproject:
    """A pyproject.toml; nothing of it is checked before it is asked for."""

    top: Fields

    @property
    def location(self) -> str:
        """Its name in messages."""
        return self.top.location

    def table(self, *path: str) -> Fields | None:
        """The table at the path; None where there is none."""
        found: Fields | None = self.top
        for key in path:
            found = None if found is None else found.table(key)
        return found

    def uv_default_groups(self, known: Iterable[str]) -> tuple[str, ...]:
        """The groups uv installs unless told otherwise, among the known ones."""
        names = sorted(known)
        table = self.table("tool", "uv")
        if table is None or "default-groups" not in table.data:
            return tuple(name for name in names if name == "dev")
        if table.data["default-groups"] == "all":
            return tuple(names)
        said = {canonicalize_name(name) for name in table.texts("default-groups")}
        return tuple(name for name in names if name in said)

    def extras(self) -> frozenset[str]:
        """Names of the project's extras, standard and Poetry's."""
        found: set[str] = set()
        for path in (("project", "optional-dependencies"), ("tool", "poetry", "extras")):
            table = self.table(*path)
            found.update(canonicalize_name(name) for name, _ in (table.items() if table else ()))
        return frozenset(found)

    def poetry_default_groups(self, known: Iterable[str]) -> tuple[str, ...]:
        """The groups Poetry installs unless told otherwise: all that are not optional."""
        tables = self.table("tool", "poetry", "group")
        optional = set()
        for name, table in tables.items() if tables else ():
            if isinstance(table, dict) and table.get("optional") is True:
                optional.add(canonicalize_name(name))
        return tuple(name for name in sorted(known) if name not in optional)


def load_pyproject(text: str, *, location: str) -> Pyproject:
    """The file as a table.

    Raises:
        LocksetError: `toml-syntax`, `merge-conflict`.
    """
    return Pyproject(top=parse_toml_fields(text, location=location, what="pyproject.toml"))
