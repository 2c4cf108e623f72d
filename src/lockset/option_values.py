"""Values of options, checked against the annotations of their classes when they are made: one clear error each."""

from __future__ import annotations

# What `collections.abc` exports: `collections` takes a millisecond more.
from _collections_abc import Iterable, Mapping
from functools import cache
from os import PathLike
from pathlib import Path
from types import MappingProxyType

from lockset._named_tuple import NamedTuple
from lockset.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator
    from typing import Any

__all__ = ["check_argument", "check_options", "check_range"]

_NOTHING = object()
_TEXT = (str, bytes)
_PLAIN: dict[str, tuple[type[Any], ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}
_MANY: dict[str, type[Any]] = {"tuple": tuple, "frozenset": frozenset, "Collection": tuple, "Iterable": tuple}
_WORDS = {
    "str": "a string", "int": "an integer", "float": "a number", "bool": "True or False", "None": "None",
    "bytes": "bytes", "Path": "a path", "PathLike": "a path", "Mapping": "a mapping",
}  # fmt: skip
_PATHS = frozenset({"PathLike", "PathLike[str]"})
# Annotations of names of which any collection is taken.
_NAMES = frozenset(
    {
        "Collection[str]",
        "Collection[str] | None",
        "Collection[str | PathLike[str]]",
        "str | PathLike | Iterable[str | PathLike]",
    }
)
# How annotations begin that an empty value of a type matches, whatever its items shall be.
_EMPTY: dict[type[Any], str] = {dict: "Mapping[", MappingProxyType: "Mapping[", frozenset: "frozenset["}
# As much of a wrong value as a message shows.
_SHOWN = 80


class _Kind(NamedTuple):
    """One alternative of an annotation: `tuple[str, ...]` is `tuple` of `str`."""

    name: str
    parts: tuple[Any, ...] = ()


def check_options(options: Any, *, besides: tuple[str, ...] = ()) -> None:
    """Check every field of `options`, a dataclass, but those in `besides`.

    Lists and sets become what the field holds, texts become paths.

    Raises:
        UsageError: `option-value`.
    """
    cls: Any = type(options)
    for name, annotation, default in _fields(cls):
        value = getattr(options, name)
        if value is not default and name not in besides:
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
    from lockset._dataclass import fields  # the standard library's would create its own fields first

    return tuple((field.name, str(field.type), field.default) for field in fields(cls))


def _check(name: str, value: Any, annotation: str) -> Any:
    # Most values are just what is named: no annotation is parsed for them.
    kinds_named = annotation.split(" | ")
    if ("None" if value is None else type(value).__name__) in kinds_named:
        return value
    if isinstance(value, PathLike) and not _PATHS.isdisjoint(kinds_named):
        return value
    if annotation == "tuple[str, ...]" and type(value) is tuple and all(type(item) is str for item in value):
        return value
    if annotation in _NAMES and type(value) in {tuple, frozenset} and all(type(item) is str for item in value):
        return tuple(value)
    if _is_empty_or_literal(value, annotation):
        return value
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
        hint = f"A single string is not a collection of strings: write `({value!r},)`"
    raise UsageError("option-value", f"`{name}` is {shown}, but must be {expected}", hint=hint)


def _is_empty_or_literal(value: Any, annotation: str) -> bool:
    """Whether it is an empty collection of the annotated type, or one of the texts of a `Literal`."""
    if type(value) is str:
        return annotation.startswith("Literal[") and "'" not in value and f"'{value}'" in annotation
    return not value and annotation.startswith(_EMPTY.get(type(value), "\0"))


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
    import ast  # some milliseconds, and most values need none of it

    return tuple(map(_kind, _alternatives(ast.parse(annotation, mode="eval").body)))


def _alternatives(node: ast.expr) -> Iterator[ast.expr]:
    import ast

    if isinstance(node, ast.BinOp):
        yield from _alternatives(node.left)
        yield from _alternatives(node.right)
    else:
        yield node


def _kind(node: ast.expr) -> _Kind:
    import ast

    if not isinstance(node, ast.Subscript):
        return _Kind(ast.unparse(node).rpartition(".")[2])
    name = ast.unparse(node.value).rpartition(".")[2]
    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Literal":
        return _Kind(name, tuple(ast.literal_eval(item) for item in items))
    return _Kind(name, tuple(tuple(map(_kind, _alternatives(item))) for item in items))
