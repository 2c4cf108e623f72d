"""Generate the page of types that appear in the public API without being public names."""  # noqa: INP001 - a hook, not a package

from __future__ import annotations

import ast
import inspect
import re
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import lockset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

__all__ = ["PUBLIC", "named_types", "on_files", "types_page"]

PUBLIC = ("lockset", "lockset.lockfile", "lockset.markers", "lockset.errors")
_ROOT = Path(lockset.__file__).parents[1]
_INTRODUCTION = """\
# Types of the Python API

Types of attributes and parameters of the [public names](api.md). They are values to read; they may get more attributes
in any release, and the modules that define them may change.

"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, "reference/api-types.md", content=types_page()))
    return files


def types_page() -> str:
    """The page, with a section for each type."""
    return _INTRODUCTION + "\n".join(line for name, value in named_types().items() for line in _section(name, value))


def named_types() -> dict[str, type]:
    """The types in annotations of public functions, attributes and methods, by name."""
    modules = [import_module(name) for name in PUBLIC]
    public = {name: getattr(module, name) for module in modules for name in module.__all__}
    named = {
        each.__name__: each
        for value in public.values()
        if inspect.isclass(value) or inspect.isroutine(value)
        for each in _types_in(value)
    }
    return {name: named[name] for name in sorted(named) if named[name] not in public.values()}


def _types_in(value: object) -> Iterator[type]:
    home = getattr(value, "__module__", "")
    if not home.startswith("lockset"):
        return
    for text in _annotations(value):
        for name in re.findall(r"[A-Za-z_]\w*", text):
            module = _names(home).get(name)
            candidate = None if module is None else getattr(import_module(module), name, None)
            if inspect.isclass(candidate):
                yield candidate


def _annotations(value: object) -> Iterator[str]:
    if inspect.isroutine(value):
        yield from map(str, getattr(value, "__annotations__", {}).values())
        return
    assert inspect.isclass(value)
    yield from (str(each) for name, each in vars(value).get("__annotations__", {}).items() if name[0] != "_")
    for name, member in vars(value).items():
        if not name.startswith("_"):
            function = member.fget if isinstance(member, property) else member
            function = function.func if isinstance(function, cached_property) else function
            yield from map(str, getattr(getattr(function, "__func__", function), "__annotations__", {}).values())


@cache
def _names(module: str) -> dict[str, str]:
    """Names in a module of lockset, including those imported only for type checkers, with their modules."""
    path = _ROOT.joinpath(*module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    names: dict[str, str] = {}
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lockset"):
            names |= {alias.asname or alias.name: str(node.module) for alias in node.names}
        elif isinstance(node, ast.ClassDef):
            names[node.name] = module
    return names


def _section(name: str, value: type) -> Iterator[str]:
    yield f"## {name}\n"
    attributes = False
    for line in (inspect.getdoc(value) or "").splitlines():
        if re.fullmatch(r"(Args|Attributes|Raises):", line):
            attributes = True
            yield f"\n**{line[:-1]}**\n"
        elif attributes and re.match(r"    \w", line):
            field, _, words = line.strip().partition(": ")
            yield f"- `{field}`: {words}"
        else:
            yield f"  {line.strip()}" if attributes else line
    fields = [each for each in vars(value).get("__annotations__", {}) if each[0] != "_"]
    if fields and not attributes:
        yield f"\nIt has {', '.join(f'`{field}`' for field in fields)}."
    yield ""
