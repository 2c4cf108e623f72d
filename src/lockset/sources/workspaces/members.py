"""Find the root of a workspace, and the folders of its members, on disk.

The patterns mean what they mean to uv: `*` matches one folder name, `**` any depth, hidden folders are no members.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.errors import LocksetError
from lockset.files.read_file import decode_utf8, read_file, relative_name
from lockset.sources.toml_table import parse_settings_file, with_key_lines
from lockset.sources.workspaces.table import matches, parts_of, workspace_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lockset.sources.workspaces.table import WorkspaceTable

__all__ = ["MemberFolder", "WorkspaceFolders", "find_members", "holds"]

_PYPROJECT = "pyproject.toml"
# How many folders are searched for members, and how many members there may be.
_MOST_FOLDERS = 50_000
_MOST_MEMBERS = 1_000
_MAGIC = frozenset("*?[")


class MemberFolder(NamedTuple):
    """The folder of a member, and its path relative to the root, with `/` (`.` for the root itself)."""

    folder: Path
    below: str


class WorkspaceFolders(NamedTuple):
    """The root of a workspace, the text of its pyproject.toml with its name in messages, and its members in order."""

    root: Path
    text: str
    location: str
    table: WorkspaceTable
    members: tuple[MemberFolder, ...]


def holds(root: Path, folder: Path, *, own: bool = True) -> bool:
    """Whether the pyproject.toml in `root` declares a workspace that has the project in `folder`.

    A file above the folder that is not valid declares none. `own`: whether `[tool.lockset]` is read.
    """
    file = root / _PYPROJECT
    try:
        text = decode_utf8(read_file(file, location=str(file)), location=str(file))
        table = workspace_table(parse_settings_file(text, location=str(file)), own=own)
    except LocksetError:
        # The project's own file is read again, with the error; one above it may have nothing to do with the project.
        return root == folder
    if table is None or not table.members:
        return False
    return root == folder or table.is_member(folder.relative_to(root).as_posix())


def find_members(root: Path, *, shown: Path, own: bool = True) -> WorkspaceFolders:
    """The members of the workspace in `root`, which declares one; the root itself is not among them.

    Messages name files relative to the folder `shown`. `own`: whether `[tool.lockset]` is read.

    Raises:
        LocksetError: `workspace-members`, with the pattern, or `workspace-nested`.
    """
    location = relative_name(root / _PYPROJECT, shown)
    text = decode_utf8(read_file(root / _PYPROJECT, location=location), location=location)
    with with_key_lines(text, location, validated=False):
        top = parse_settings_file(text, location=location)
        table = workspace_table(top, own=own)
        assert table is not None, "the caller has found it"
        search = _Search(root, table, location)
        folders: dict[str, MemberFolder] = {}
        for number, pattern in enumerate(table.members):
            for below in search.members(pattern, f"{table.path}.members[{number}]"):
                folders.setdefault(below, MemberFolder(root.joinpath(*below.split("/")), below))
        members = tuple(folders[below] for below in sorted(folders))
        _refuse_too_many(len(members), f"{table.path}.members", location)
    for member in members:
        _refuse_nested(member, location, shown, own=own)
    return WorkspaceFolders(root, text, location, table, members)


class _Search:
    """Searches for the folders that patterns match, within a budget for all of them."""

    def __init__(self, root: Path, table: WorkspaceTable, location: str) -> None:
        self._root = str(root)
        self._real = os.path.realpath(self._root)
        self._table = table
        self._location = location
        self._left = _MOST_FOLDERS

    def members(self, pattern: str, key: str) -> list[str]:
        """The members that `pattern`, at the key path `key`, matches: folders relative to the root."""
        parts = parts_of(pattern)
        if pattern.strip() == "" or not parts:
            return []  # the root itself
        if os.path.isabs(pattern) or parts[0] == ".." or ":" in parts[0]:
            raise self._error(
                key,
                f"is outside of the root of the workspace: `{pattern}`",
                "Members are folders below the root. Require a folder elsewhere by its path",
            )
        is_glob = any(_MAGIC & set(part) for part in parts)
        matched = list(self._expand(parts, ()))
        usable: list[str] = []
        for folder in matched:
            if self._table.is_excluded(folder) or not self._is_usable(folder, key, pattern, is_glob=is_glob):
                continue
            usable.append("/".join(folder))
        if not is_glob and not matched:
            raise self._error(
                key, f"names a folder that does not exist: `{pattern}`", "Create the folder, or remove the entry"
            )
        if not matched:
            raise self._error(key, f"matches no folder: `{pattern}`", "Correct the pattern, or remove it")
        return usable

    def _is_usable(self, folder: tuple[str, ...], key: str, pattern: str, *, is_glob: bool) -> bool:
        """Whether the folder is a project; one without anything in it, or a hidden one, is passed over."""
        path = os.path.join(self._root, *folder)
        real = os.path.realpath(path)
        shown = "/".join(folder)
        if real != self._real and not real.startswith(os.path.join(self._real, "")):
            raise self._error(
                key,
                f"matches {shown}, a link to a folder outside of the root: {real}",
                f'Leave it out with `exclude = ["{shown}"]`',
            )
        if os.path.isfile(os.path.join(path, _PYPROJECT)):
            return True
        if is_glob and ("**" in pattern or folder[-1].startswith(".") or self._is_bare(path)):
            return False
        raise self._error(
            key,
            f"matches {shown}, which has no pyproject.toml",
            f'Add one, or leave the folder out with `exclude = ["{shown}"]`',
        )

    def _is_bare(self, path: str) -> bool:
        """Whether the folder holds no files besides hidden ones and caches, as after a change of branches."""
        with os.scandir(path) as entries:
            return all(entry.name.startswith(".") or entry.name == "__pycache__" for entry in entries)

    def _expand(self, parts: tuple[str, ...], below: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """The folders that the rest `parts` of a pattern matches in the folder `below`."""
        if not parts:
            yield below
            return
        first, rest = parts[0], parts[1:]
        if first == "**":
            yield from self._deep(rest, below)
        elif not _MAGIC & set(first):
            if os.path.isdir(os.path.join(self._root, *below, first)):
                yield from self._expand(rest, (*below, first))
        else:
            for name in self._folders(below):
                # As in a shell, a pattern matches a hidden name only if it begins with a dot itself.
                if fnmatchcase(name, first) and (first.startswith(".") or not name.startswith(".")):
                    yield from self._expand(rest, (*below, name))

    def _deep(self, rest: tuple[str, ...], below: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        waiting = [below]
        while waiting:
            folder = waiting.pop()
            relative = folder[len(below) :]
            if (relative or rest) and matches(("**", *rest), relative):
                yield folder
            path = os.path.join(self._root, *folder)
            # Links are not followed: they may lead in a circle.
            names = [n for n in self._folders(folder) if not n.startswith(".") and n != "node_modules"]
            waiting += [(*folder, n) for n in reversed(names) if not os.path.islink(os.path.join(path, n))]

    def _folders(self, below: tuple[str, ...]) -> list[str]:
        """The names of the folders in a folder, sorted."""
        self._left -= 1
        if self._left < 0:
            raise LocksetError(
                "workspace-members",
                f"`{self._table.path}.members` searches more than {_MOST_FOLDERS:,} folders",
                location=self._location,
                hint="Write patterns that do not search the whole tree, such as `packages/*`",
            )
        try:
            with os.scandir(os.path.join(self._root, *below)) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir())
        except OSError:
            return []

    def _error(self, key: str, message: str, hint: str) -> LocksetError:
        return LocksetError("workspace-members", f"`{key}` {message}", location=self._location, hint=hint)


def _refuse_too_many(count: int, key: str, location: str) -> None:
    if count > _MOST_MEMBERS:
        raise LocksetError(
            "workspace-members",
            f"`{key}` matches {count:,} projects, and a workspace has at most {_MOST_MEMBERS:,}",
            location=location,
            hint="Write narrower patterns, or leave folders out with `exclude`",
        )


def _refuse_nested(member: MemberFolder, root: str, shown: Path, *, own: bool) -> None:
    location = relative_name(member.folder / _PYPROJECT, shown)
    text = decode_utf8(read_file(member.folder / _PYPROJECT, location=location), location=location)
    if "workspace" not in text:
        return
    with with_key_lines(text, location, validated=False):
        table = workspace_table(parse_settings_file(text, location=location), own=own)
        if table is not None and table.members:
            raise LocksetError(
                "workspace-nested",
                f"`{table.path}` declares a workspace inside the workspace of {root}",
                location=location,
                hint=f'Remove the table, or leave the folder out of the outer one: `exclude = ["{member.below}"]`',
            )
