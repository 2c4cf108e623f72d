"""Check option values against the annotations of their classes, with one clear error for each."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from functools import cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lockset.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_argument", "check_options", "check_range"]

_NOTHING = object()
_TEXT = (str, bytes)
_PLAIN: dict[str, tuple[type[Any], ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}
_MANY: dict[str, type[Any]] = {"tuple": tuple, "frozenset": frozenset, "Collection": tuple, "Iterable": tuple}
_WORDS = {
    "str": "a string", "int": "an integer", "float": "a number", "bool": "True or False", "None": "None",
    "bytes": "bytes", "Path": "a path", "PathLike": "a path", "Mapping": "a mapping",
}  # fmt: skip
# How much of a wrong value a message shows.
_SHOWN = 80


class _Kind(NamedTuple):
    """One alternative of an annotation: `tuple[str, ...]` is `tuple` of `str`."""

    name: str
    parts: tuple[Any, ...] = ()


def check_options(options: Any) -> None:
    """Check every field of the dataclass `options`; lists and sets are converted to the field's type, strings to paths.

    Raises:
        UsageError: `option-value`.
    """
    cls: Any = type(options)
    for name, annotation, default in _fields(cls):
        value = getattr(options, name)
        if value is not default:
            object.__setattr__(options, name, _check(f"{cls.__name__}.{name}", value, annotation))


def check_argument(name: str, value: Any, annotation: str) -> Any:
    """Check an argument of a public function against its annotation, and return it; a generator becomes a tuple.

    Raises:
        UsageError: `option-value`.
    """
    return _check(name, value, annotation)


def check_range(options: Any, *names: str, least: float, above: bool = False) -> None:
    """Check that numbers are at least `least` (with `above`: greater); None is not checked.

    Raises:
        UsageError: `option-value`.
    """
    for name in names:
        value = getattr(options, name)
        if value is not None and not (value > least if above else value >= least):
            bound = f"more than {least:g}" if above else f"at least {least:g}"
            raise UsageError("option-value", f"`{type(options).__name__}.{name}` is {value}, but must be {bound}")


@cache
def _fields(cls: type[Any]) -> tuple[tuple[str, str, Any], ...]:
    """Name, annotation and default of each field."""
    return tuple((name, str(field.type), field.default) for name, field in cls.__dataclass_fields__.items())


def _check(name: str, value: Any, annotation: str) -> Any:
    kinds = _kinds(annotation)
    converted = _convert(kinds, value)
    if converted is not _NOTHING:
        return converted
    shown = repr(value)
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    *words, last = dict.fromkeys(word for kind in kinds for word in _words(kind))
    expected = f"{', '.join(words)} or {last}" if words else last
    hint = None
    if isinstance(value, str) and any(kind.name in _MANY for kind in kinds):
        hint = f"A string is not accepted as a collection of letters: write `({value!r},)`"
    raise UsageError("option-value", f"`{name}` is {shown}, but must be {expected}", hint=hint)


def _convert(kinds: tuple[_Kind, ...], value: Any) -> Any:
    """`value` converted to one of the kinds; _NOTHING if none matches."""
    return next((converted for kind in kinds if (converted := _convert_as(kind, value)) is not _NOTHING), _NOTHING)


def _convert_as(kind: _Kind, value: Any) -> Any:
    if kind.name in _MANY:
        return _convert_many(kind, value)
    if kind.name == "Path" and isinstance(value, (str, PathLike)):
        return Path(value)
    return value if _fits(kind, value) else _NOTHING


def _convert_many(kind: _Kind, value: Any) -> Any:
    if isinstance(value, (*_TEXT, Mapping)) or not isinstance(value, Iterable):
        return _NOTHING
    values = tuple(value)
    if kind.name == "tuple" and kind.parts[-1] != _kinds("..."):
        each = kind.parts
        if len(values) != len(each):
            return _NOTHING
    else:
        each = (kind.parts[0],) * len(values)
    items = [_convert(kinds, item) for kinds, item in zip(each, values, strict=True)]
    return _NOTHING if any(item is _NOTHING for item in items) else _MANY[kind.name](items)


def _fits(kind: _Kind, value: Any) -> bool:
    name, parts = kind
    if name == "Literal":
        return isinstance(value, str) and value in parts
    if name in _PLAIN:
        return isinstance(value, _PLAIN[name]) and (name == "bool") == isinstance(value, bool)
    if name == "Mapping":
        keys, items = parts
        return isinstance(value, Mapping) and all(
            _convert(keys, key) is not _NOTHING and _convert(items, item) is not _NOTHING for key, item in value.items()
        )
    if name == "PathLike":
        return isinstance(value, PathLike)
    # Classes that are only imported for type checkers are compared by name.
    return value is None if name == "None" else any(base.__name__ == name for base in type(value).__mro__)


def _words(kind: _Kind) -> Iterator[str]:
    if kind.name == "Literal":
        yield from (f"`{value}`" for value in kind.parts)
    elif kind.name in _MANY:
        each = " or ".join(word for part in kind.parts[0] for word in _words(part))
        yield f"a tuple or list, each item {each}"
    elif kind.name == "Mapping":
        each = " or ".join(word for part in kind.parts[1] for word in _words(part))
        yield f"a mapping of names, each to {each}"
    else:
        yield _WORDS.get(kind.name) or f"{'an' if kind.name[0] in 'AEIOU' else 'a'} {kind.name}"


@cache
def _kinds(annotation: str) -> tuple[_Kind, ...]:
    return tuple(map(_kind, _alternatives(ast.parse(annotation, mode="eval").body)))


def _alternatives(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp):
        yield from _alternatives(node.left)
        yield from _alternatives(node.right)
    else:
        yield node


def _kind(node: ast.expr) -> _Kind:
    if not isinstance(node, ast.Subscript):
        return _Kind(ast.unparse(node).rpartition(".")[2])
    name = ast.unparse(node.value).rpartition(".")[2]
    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Literal":
        return _Kind(name, tuple(ast.literal_eval(item) for item in items))
    return _Kind(name, tuple(tuple(map(_kind, _alternatives(item))) for item in items))
