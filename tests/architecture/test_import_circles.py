"""No circle of modules: what depends on each other is one module, or shares a third that stands below both."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import lockset

ROOT = Path(lockset.__file__).parent


def modules() -> dict[str, tuple[str, bool]]:
    """The source of every module of lockset by its dotted name, and whether it is a package."""
    sources = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = ["lockset", *path.relative_to(ROOT).with_suffix("").parts]
        is_package = parts[-1] == "__init__"
        sources[".".join(parts[:-1] if is_package else parts)] = path.read_text("utf-8"), is_package
    return sources


def import_graph(sources: dict[str, tuple[str, bool]]) -> dict[str, set[str]]:
    """The modules that each one imports anywhere: for type checkers and below functions, too."""
    graph: dict[str, set[str]] = {}
    for module, (source, is_package) in sources.items():
        names = set()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                base = _base(node, module, is_package=is_package)
                # `from a import b` imports the module `a.b` where there is one, and a name of `a` otherwise.
                names |= {name if (name := f"{base}.{alias.name}") in sources else base for alias in node.names}
        graph[module] = names & sources.keys()
    return graph


def _base(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    """The absolute name of the module that `node` imports from."""
    if not node.level:
        return node.module or ""
    parents = module.split(".")[: None if is_package else -1]
    parents = parents[: len(parents) - node.level + 1]
    return ".".join([*parents, node.module] if node.module else parents)


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The strongly connected components of more than one module, and modules that import themselves."""

    def reachable(start: str) -> set[str]:
        seen: set[str] = set()
        left = list(graph[start])
        while left:
            module = left.pop()
            if module not in seen:
                seen.add(module)
                left += graph[module]
        return seen

    reach = {module: reachable(module) for module in graph}
    together = {
        frozenset(other for other in reach[module] if module in reach[other])
        for module in graph
        if module in reach[module]
    }
    return sorted(sorted(component) for component in together)


def test_no_modules_import_each_other() -> None:
    assert circles(import_graph(modules())) == []


@pytest.mark.parametrize(
    "first",
    [
        "from lockset import b",
        "from lockset import b, name",
        "import lockset.b",
        "from lockset.b import name",
        "from . import b",
        "from .b import name",
        "if TYPE_CHECKING:\n    from lockset.b import Name",
        "def f():\n    from lockset.b import name",
        "from lockset.c import name",
    ],
)
def test_every_kind_of_import_counts(first: str) -> None:
    sources = {
        "lockset": ("", True),
        "lockset.a": (first, False),
        "lockset.b": ("import lockset.a", False),
        "lockset.c": ("from lockset.b import name", False),
    }
    assert [component[:2] for component in circles(import_graph(sources))] == [["lockset.a", "lockset.b"]]


def test_a_module_below_two_others_closes_no_circle() -> None:
    sources = {
        "lockset": ("", True),
        "lockset.a": ("from lockset import b, c", False),
        "lockset.b": ("from lockset.c import name", False),
        "lockset.c": ("import ast", False),
    }
    assert circles(import_graph(sources)) == []


def test_a_package_takes_part() -> None:
    sources = {
        "lockset": ("from lockset.a import name", True),
        "lockset.a": ("from lockset import name\nfrom lockset.b import name", False),
        "lockset.b": ("", False),
    }
    assert circles(import_graph(sources)) == [["lockset", "lockset.a"]]
