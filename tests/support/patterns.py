"""The patterns of lockset: `lockset._pattern.lazy_pattern`."""

from __future__ import annotations

import ast
import importlib
from typing import TYPE_CHECKING, Any

from lockset._pattern import lazy_pattern
from support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["SOURCE", "calls_on_import", "lazy_patterns"]

SOURCE = ROOT / "src" / "lockset"


def calls_on_import(path: Path) -> Iterator[ast.Call]:
    """The calls of a module outside of the bodies of functions."""
    rest: list[ast.AST] = list(ast.parse(path.read_text("utf-8")).body)
    while rest:
        node = rest.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            yield node
        rest += ast.iter_child_nodes(node)


def lazy_patterns() -> list[tuple[str, Any]]:
    """The patterns of all modules, by their full names."""
    results: list[tuple[str, Any]] = []
    for path in sorted(SOURCE.rglob("*.py")):
        if any(ast.unparse(call.func) == "lazy_pattern" for call in calls_on_import(path)):
            name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
            module = importlib.import_module(name)
            kind = type(lazy_pattern("")).__mro__[1]
            results += [(f"{name}.{key}", value) for key, value in vars(module).items() if isinstance(value, kind)]
    return results
