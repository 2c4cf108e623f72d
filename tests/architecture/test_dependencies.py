"""Every dependency has work to do: a command that users run imports it."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

import pytest
import tomli
from packaging.requirements import Requirement

import lockset
from support.repository import ROOT

SOURCE = Path(lockset.__file__).parents[1]
PROJECT = tomli.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NAMES = sorted(Requirement(text).name for text in PROJECT["dependencies"])
# What a distribution is imported as, where that is not its name.
IMPORTED = {"pyproject-hooks": "pyproject_hooks", "tomli-w": "tomli_w"}


def module_path(name: str) -> Path | None:
    """The file of the module `name`, if it is one of lockset."""
    path = SOURCE.joinpath(*name.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def imports(path: Path) -> set[str]:
    """Everything that a module imports when it is run, at once or later; what only type checkers see does not count."""
    names: set[str] = set()
    nodes: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        nodes += ast.iter_child_nodes(node)
    return names


@lru_cache
def used_by_commands() -> frozenset[str]:
    """Top names of all that the commands import, directly or by modules of lockset."""
    paths = [*(SOURCE / "lockset" / "cli").rglob("*.py")]
    seen: set[Path] = set()
    names: set[str] = set()
    while paths:
        path = paths.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imports(path):
            names.add(name.split(".")[0])
            result = module_path(name) if name.startswith("lockset.") else None
            paths += [result] if result is not None else []
    return frozenset(names)


@pytest.mark.parametrize("name", NAMES)
def test_a_dependency_is_imported_by_a_command(name: str) -> None:
    assert IMPORTED.get(name, name.replace("-", "_")) in used_by_commands()
