"""Patterns of modules are compiled on first use: most commands use few of them."""

from __future__ import annotations

import ast
import importlib
from typing import TYPE_CHECKING, Any

import pytest

from lockset._pattern import lazy_pattern
from support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCE = ROOT / "src" / "lockset"


def executed_on_import(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """All nodes outside of the bodies of functions."""
    rest: list[ast.AST] = list(nodes)
    while rest:
        node = rest.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield node
        rest += ast.iter_child_nodes(node)


def calls(path: Path) -> Iterator[ast.Call]:
    nodes = executed_on_import(ast.parse(path.read_text("utf-8")).body)
    return (node for node in nodes if isinstance(node, ast.Call))


def test_no_module_compiles_a_pattern_when_it_is_imported() -> None:
    found = [
        f"{path.relative_to(SOURCE)}:{call.lineno}"
        for path in SOURCE.rglob("*.py")
        for call in calls(path)
        if ast.unparse(call.func) == "re.compile"
    ]
    assert found == [], "use lockset._pattern.lazy_pattern"


def test_no_pattern_is_given_to_a_function_of_the_module_re() -> None:
    # They only accept compiled ones: `_WORD.sub(...)` instead of `re.sub(_WORD, ...)`.
    found = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.args
        for first in [node.args[0]]
        if isinstance(first, ast.Name) and first.id in patterns_of(path)
    ]
    assert found == []


def patterns_of(path: Path) -> set[str]:
    """The names of the patterns of a module."""
    return {
        target.id
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign) and "lazy_pattern(" in ast.unparse(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def lazy_patterns() -> list[tuple[str, Any]]:
    """The patterns of all modules, by their full names."""
    results: list[tuple[str, Any]] = []
    for path in sorted(SOURCE.rglob("*.py")):
        if any(ast.unparse(call.func) == "lazy_pattern" for call in calls(path)):
            name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
            module = importlib.import_module(name)
            kind = type(lazy_pattern("")).__mro__[1]
            results += [(f"{name}.{key}", value) for key, value in vars(module).items() if isinstance(value, kind)]
    return results


@pytest.mark.parametrize(("name", "pattern"), lazy_patterns())
def test_every_pattern_is_valid(name: str, pattern: Any) -> None:
    assert pattern.groups >= 0, name
