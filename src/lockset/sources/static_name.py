"""The project name of a source tree, read from its files without running code."""

from __future__ import annotations

import ast
import configparser
from typing import TYPE_CHECKING

import tomli

from lockset.package_names import InvalidName, canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["NAMING_FILES", "tree_name"]


def tree_name(texts: Mapping[str, str]) -> str | None:
    """The normalized name; None if only a build could tell it.

    The name is compared with the metadata later. A wrong guess is then an error, not a wrong lock.

    Args:
        texts: The content of the `NAMING_FILES` at the root of the tree.
    """
    for file, read in _READERS.items():
        for name in read(texts[file]) if file in texts else ():
            if (normalized := _normalized(name)) is not None:
                return normalized
    return None


def _normalized(name: str) -> str | None:
    try:
        return canonicalize_name(name, validate=True)
    except InvalidName:
        return None


def _of_pyproject(text: str) -> Iterator[str]:
    """The name in `[project]`, or in the tables of Poetry and Flit."""
    try:
        document = tomli.loads(text)
    except (tomli.TOMLDecodeError, RecursionError):
        return
    for path in (("project", "name"), ("tool", "poetry", "name"), *_FLIT):
        value: object = document
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str):
            yield value


_FLIT = (("tool", "flit", "metadata", "dist-name"), ("tool", "flit", "metadata", "module"))


def _of_setup_cfg(text: str) -> Iterator[str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
        yield parser.get("metadata", "name")
    except configparser.Error:
        return


def _of_setup_py(text: str) -> Iterator[str]:
    """The string in `setup(name="...")`, or in the assignment of the variable there."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    literals = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or _called(node.func) != "setup":
            continue
        for keyword in node.keywords:
            if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                yield str(keyword.value.value)
            elif keyword.arg == "name" and isinstance(keyword.value, ast.Name):
                yield literals.get(keyword.value.id, "")


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _of_pkg_info(text: str) -> Iterator[str]:
    for line in text.partition("\n\n")[0].splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() == "name":
            yield value.strip()


_READERS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "pyproject.toml": _of_pyproject,
    "PKG-INFO": _of_pkg_info,
    "setup.cfg": _of_setup_cfg,
    "setup.py": _of_setup_py,
}
NAMING_FILES = tuple(_READERS)
