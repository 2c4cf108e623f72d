"""`[tool.lockset.workspace]` and `[tool.uv.workspace]`: which folders below a root are members."""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockset.sources.toml_table import SettingsTable

__all__ = ["WorkspaceTable", "matches", "parts_of", "read_workspace_table", "workspace_table"]

_KEYS = ("members", "exclude")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceTable:
    """The members of a workspace, as its root declares them.

    Attributes:
        members: Patterns of folders relative to the root, with `/`: `packages/*`, `apps/**`, `tools/cli`.
        exclude: Patterns of folders that are not members though `members` match them.
        path: The dotted path of the table: `tool.uv.workspace`.
    """

    members: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    path: str = "tool.lockset.workspace"

    def is_member(self, below: str) -> bool:
        """Whether the folder `below`, relative to the root and with `/`, is a member."""
        folder = parts_of(below)
        return any(matches(parts_of(p), folder) for p in self.members) and not self.is_excluded(folder)

    def is_excluded(self, folder: Sequence[str]) -> bool:
        """Whether `exclude` matches the folder, given as its parts below the root."""
        return any(matches(parts_of(pattern), folder) for pattern in self.exclude)


def workspace_table(top: SettingsTable, *, own: bool = True) -> WorkspaceTable | None:
    """The workspace that a pyproject.toml declares; that of `[tool.lockset]` takes precedence. None for none.

    Args:
        top: The file.
        own: Read `[tool.lockset]`.

    Raises:
        LocksetError: `wrong-type`, or `unknown-key` in the table of lockset.
    """
    tool = top.table("tool")
    lockset = tool.table("lockset") if tool is not None and own else None
    table = None if lockset is None else lockset.table("workspace")
    if table is not None:
        return read_workspace_table(table)
    ignored = () if lockset is None else lockset.texts("ignore-tools")
    uv = None if tool is None or "uv" in ignored else tool.table("uv")
    table = None if uv is None else uv.table("workspace")
    return None if table is None else _patterns(table)


def read_workspace_table(table: SettingsTable) -> WorkspaceTable:
    """Read `[tool.lockset.workspace]`.

    Raises:
        LocksetError: `unknown-key` or `wrong-type`.
    """
    table.only(_KEYS)
    return _patterns(table)


def _patterns(table: SettingsTable) -> WorkspaceTable:
    return WorkspaceTable(members=table.texts("members"), exclude=table.texts("exclude"), path=table.path)


def parts_of(pattern: str) -> tuple[str, ...]:
    """The parts of a pattern or folder, without `.` and with `..` resolved; empty for the root itself."""
    plain = posixpath.normpath(pattern.replace("\\", "/"))
    return () if plain == "." else tuple(plain.split("/"))


def matches(pattern: Sequence[str], folder: Sequence[str]) -> bool:
    """Whether a pattern matches a folder, part by part; `**` matches any number of parts."""
    # The positions in the pattern that the parts so far can lead to: linear in both, whatever the pattern.
    positions = _past_stars(pattern, {0})
    for part in folder:
        after = {at for at in positions if at < len(pattern) and pattern[at] == "**"}
        after |= {
            at + 1 for at in positions if at < len(pattern) and pattern[at] != "**" and fnmatchcase(part, pattern[at])
        }
        positions = _past_stars(pattern, after)
    return len(pattern) in positions


def _past_stars(pattern: Sequence[str], positions: set[int]) -> set[int]:
    """The positions, and those that follow them where `**` matches nothing."""
    result = set(positions)
    for at in sorted(positions):
        while at < len(pattern) and pattern[at] == "**":
            at += 1  # noqa: PLW2901 - the position moves on
            result.add(at)
    return result
