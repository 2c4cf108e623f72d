"""Files of other tools that affect a project's packages: uv.toml, hatch.toml, Pipfile, the root of a workspace."""

from __future__ import annotations

import os.path
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

import tomli

from lockset._dataclass import replace
from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError
from lockset.files.read_file import decode_utf8, read_file, relative_name
from lockset.sources.other_tools.facts import OtherTools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.sources.other_tools.facts import NamedSource, UnreadKey

__all__ = ["OTHER_FILES", "other_files", "workspace_root"]

# Looked for next to a pyproject.toml.
OTHER_FILES = ("uv.toml", "hatch.toml", "Pipfile")
_PYPROJECT = "pyproject.toml"
# A table or key `workspace`, as far as it can be seen without parsing.
_WORKSPACE = lazy_pattern(rb"workspace[\"'\s]*[\].=]")
_LARGEST = 1 << 24
# Keys of a root that are about the root itself, not about its workspace.
_OF_ROOT = frozenset({"default-groups", "dependency-groups"})


def workspace_root(folder: Path, *, own: bool = True) -> Path | None:
    """The root of the workspace to which the project around `folder` (absolute) belongs; None if it is in none.

    The project is that of the nearest pyproject.toml. `own`: whether `[tool.lockset]` is read.
    """
    base: Path | None = None
    for root in (folder, *folder.parents):
        data = _bytes(f"{root}{os.sep}{_PYPROJECT}")
        if data is None:
            continue
        if base is None:
            base = root
        if _WORKSPACE.search(data) is None:
            continue
        from lockset.sources.workspaces.members import holds  # most projects are in no workspace

        if holds(root, base, own=own):
            return root
    return None


def other_files(
    base: Path, others: OtherTools, *, folder: Path, up: str = ".", members: Mapping[str, Path] | None = None
) -> OtherTools:
    """Add the files around a project to `others`, which comes from the pyproject.toml in `base`.

    Files that cannot be read are ignored. Messages name files relative to `folder`. `up` is `base` relative to the
    folder to which paths in requirements are relative. `members` are the folders of the workspace's members by name, if
    they are known; without them, they are looked for where a source names one.

    Raises:
        LocksetError: `workspace-members`, `workspace-nested`: the workspace that a source names is not valid.
    """
    for name in OTHER_FILES:
        file = base / name
        if file.is_file():
            from lockset.sources.other_tools.tables import read_other_file  # few projects have such files

            others = others.joined(read_other_file(name, _toml(file), location=_relative(file, folder), up=up))
    root = workspace_root(base)
    if root is not None and root != base:
        from lockset.sources.other_tools.tables import read_other_tables

        tool = _toml(root / _PYPROJECT).get("tool")
        above = read_other_tables(
            {"uv": _table(_table(tool).get("uv"))},
            location=_relative(root / _PYPROJECT, folder),
            up=f"{up}/{_relative(root, base)}",
        )
        keys = tuple(_of_workspace(key) for key in above.keys if key.key not in _OF_ROOT)
        # A source in the member takes precedence over one in the root.
        others = others.joined(OtherTools(sources=above.sources, indexes=above.indexes, keys=keys))
    if any(source.member for source in others.sources):
        folders = members if members is not None else {} if root is None else _members(root, folder)
        others = replace(others, sources=tuple(_with_folder(s, folders, base, up) for s in others.sources))
    return others


def _of_workspace(key: UnreadKey) -> UnreadKey:
    """The key of a root for its members: conflicts without a package are those of the root itself."""
    if key.key != "conflicts" or not isinstance(key.value, list):
        return key
    kept = [
        members
        for members in key.value
        if isinstance(members, list) and all(isinstance(each, dict) and "package" in each for each in members)
    ]
    return replace(key, value=kept)


def _with_folder(source: NamedSource, members: Mapping[str, Path], base: Path, up: str) -> NamedSource:
    tree = members.get(source.package) if source.member else None
    if tree is None:
        return source
    from lockset.sources.other_tools.locations import at_path

    return at_path(source, posixpath.normpath(f"{up}/{_relative(tree, base)}"))


def _members(root: Path, shown: Path) -> Mapping[str, Path]:
    """The folders of a workspace's members, and of its root, by normalized name."""
    from lockset.sources.pyproject import read_pyproject_name
    from lockset.sources.workspaces.members import find_members

    folders: dict[str, Path] = {}
    for tree in (root, *(member.folder for member in find_members(root, shown=shown).members)):
        file = tree / _PYPROJECT
        try:
            name = read_pyproject_name(_text(file), location=str(file))
        except LocksetError:
            continue
        if name is not None:
            folders.setdefault(name, tree)
    return folders


def _bytes(path: str) -> bytes | None:
    """The content of a regular file of a usual size; None for everything else."""
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > _LARGEST:
            return None
        return Path(path).read_bytes()
    except (OSError, ValueError):
        return None


def _toml(file: Path) -> Mapping[str, object]:
    try:
        return tomli.loads(_text(file))
    except (LocksetError, ValueError, RecursionError):
        return {}


def _text(file: Path) -> str:
    return decode_utf8(read_file(file, location=str(file)), location=str(file))


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _relative(path: Path, folder: Path) -> str:
    return relative_name(path, folder).replace(os.sep, "/")
