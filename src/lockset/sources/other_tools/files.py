"""Files of other tools that affect a project's packages: uv.toml, hatch.toml, Pipfile, the root of a uv workspace."""

from __future__ import annotations

import os.path
import posixpath
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import tomli

from lockset.errors import LocksetError
from lockset.files.read_file import decode_utf8, read_file
from lockset.sources.other_tools.facts import OtherTools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lockset.sources.other_tools.facts import NamedSource

__all__ = ["OTHER_FILES", "other_files"]

# Looked for next to a pyproject.toml.
OTHER_FILES = ("uv.toml", "hatch.toml", "Pipfile")
_PYPROJECT = "pyproject.toml"
# How many members of a workspace are read for their names.
_MEMBERS = 500


def other_files(base: Path, others: OtherTools, *, folder: Path, up: str = ".") -> OtherTools:
    """Add the files around a project to `others`, which comes from the pyproject.toml in `base`.

    Files that cannot be read are ignored. Messages name files relative to `folder`. `up` is `base` relative to the
    folder to which paths in requirements are relative.
    """
    from lockset.sources.other_tools import tables as other_tables  # few projects have such files

    readers = (other_tables.read_uv_file, other_tables.read_hatch_file, other_tables.read_pipfile)
    for name, read in zip(OTHER_FILES, readers, strict=True):
        file = base / name
        if file.is_file():
            others = others.joined(read(_toml(file), location=_relative(file, folder), up=up))
    root = _workspace(base)
    if root is not None and root != base:
        tool = _toml(root / _PYPROJECT).get("tool")
        above = other_tables.read_other_tables(
            {"uv": _table(_table(tool).get("uv"))},
            location=_relative(root / _PYPROJECT, folder),
            up=f"{up}/{_relative(root, base)}",
        )
        # A source in the member takes precedence over one in the root.
        others = others.joined(OtherTools(sources=above.sources, indexes=above.indexes, keys=above.keys))
    if any(source.member for source in others.sources):
        members = {} if root is None else _members(root)
        others = replace(others, sources=tuple(_with_folder(s, members, base, up) for s in others.sources))
    return others


def _with_folder(source: NamedSource, members: Mapping[str, Path], base: Path, up: str) -> NamedSource:
    tree = members.get(source.package) if source.member else None
    if tree is None:
        return source
    from lockset.sources.other_tools.locations import at_path

    return at_path(source, posixpath.normpath(f"{up}/{_relative(tree, base)}"))


def _workspace(base: Path) -> Path | None:
    """The root folder of the workspace to which the project in `base` belongs."""
    for root in (base, *base.parents):
        table = _uv_workspace(root)
        if table is not None and (root == base or _is_member(base, root, table)):
            return root
    return None


def _uv_workspace(root: Path) -> Mapping[str, object] | None:
    file = root / _PYPROJECT
    if not file.is_file():
        return None
    workspace = _table(_table(_toml(file).get("tool")).get("uv")).get("workspace")
    return workspace if isinstance(workspace, dict) else None


def _is_member(tree: Path, root: Path, workspace: Mapping[str, object]) -> bool:
    below = tree.relative_to(root).as_posix()
    return any(fnmatchcase(below, p) for p in _patterns(workspace, "members")) and not any(
        fnmatchcase(below, p) for p in _patterns(workspace, "exclude")
    )


def _members(root: Path) -> Mapping[str, Path]:
    """The folders of a workspace's members by normalized name."""
    from lockset.sources.pyproject import read_pyproject_name

    folders: dict[str, Path] = {}
    for tree in (root, *_trees(root)):
        file = tree / _PYPROJECT
        try:
            name = read_pyproject_name(_text(file), location=str(file))
        except LocksetError:
            continue
        if name is not None:
            folders.setdefault(name, tree)
    return folders


def _trees(root: Path) -> Iterator[Path]:
    number = 0
    for pattern in _patterns(_uv_workspace(root) or {}, "members"):
        try:
            trees = sorted(root.glob(pattern)) if ".." not in pattern else []
        except (OSError, ValueError, NotImplementedError, IndexError):  # not a valid pattern for this Python
            continue
        for tree in trees:
            number += 1
            if number > _MEMBERS:
                return
            if (tree / _PYPROJECT).is_file():
                yield tree


def _patterns(workspace: Mapping[str, object], key: str) -> list[str]:
    value = workspace.get(key)
    return (
        [os.path.normpath(p).replace(os.sep, "/") for p in value if isinstance(p, str)]
        if isinstance(value, list)
        else []
    )


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
    try:
        return os.path.relpath(path, folder).replace(os.sep, "/")
    except ValueError:  # another drive
        return str(path)
