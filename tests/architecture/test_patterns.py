"""Patterns of modules are compiled on first use: most commands use few of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import pytest

from support.patterns import SOURCE, calls_on_import, lazy_patterns

if TYPE_CHECKING:
    from pathlib import Path


def test_no_module_compiles_a_pattern_when_it_is_imported() -> None:
    found = [
        f"{path.relative_to(SOURCE)}:{call.lineno}"
        for path in SOURCE.rglob("*.py")
        for call in calls_on_import(path)
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


@pytest.mark.parametrize(("name", "pattern"), lazy_patterns())
def test_every_pattern_is_valid(name: str, pattern: Any) -> None:
    assert pattern.groups >= 0, name
