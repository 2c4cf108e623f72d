"""Versions, specifiers, markers and requirements are read through one module, which bounds them."""

from __future__ import annotations

import ast
from pathlib import Path

import lockset

_ROOT = Path(lockset.__file__).parent
_PARSERS = {
    "Marker",
    "Requirement",
    "Specifier",
    "SpecifierSet",
    "Version",
    "parse_sdist_filename",
    "parse_wheel_filename",
}


def _of_packaging(tree: ast.Module) -> set[str]:
    """The parsers of packaging that a module imports under their own names."""
    return {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("packaging.")
        for alias in node.names
    } & _PARSERS


def test_no_other_module_gives_a_text_to_the_parsers_of_packaging() -> None:
    calls = []
    for path in sorted(_ROOT.rglob("*.py")):
        if path.name == "dependency_specifiers.py":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = _of_packaging(tree)
        calls += [
            f"{path.relative_to(_ROOT)}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
            if node.args and not isinstance(node.args[0], ast.Constant)
        ]
    assert calls == []
