"""A faster `dataclass` decorator, since every command creates its classes again at each start.

The standard library compiles up to six methods of every frozen class; for the hundred classes that `lockset lock` uses,
this takes a fifth of the start. Here only the constructor is compiled, when it is first used, and the other methods are
closures over one `operator.attrgetter`. The result is a standard dataclass: `dataclasses.fields`, `replace`, `asdict`,
`is_dataclass`, `__match_args__`, pickling, copying and `FrozenInstanceError` work as usual.
"""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass  # for type checkers they are standard dataclasses

_MISSING = dataclasses.MISSING


def _dataclass(
    *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True, order: bool = False
) -> Callable[[type[Any]], type[Any]]:
    """Like `dataclasses.dataclass` with these options; ordered and derived classes use the standard library's."""

    def made(cls: type[Any]) -> type[Any]:
        if order or any("__dataclass_fields__" in base.__dict__ for base in cls.__mro__[1:]):
            return dataclasses.dataclass(frozen=frozen, slots=slots, kw_only=kw_only, eq=eq, order=order)(cls)
        return _make(cls, frozen=frozen, slots=slots, kw_only=kw_only, eq=eq)

    return made


if not TYPE_CHECKING:
    dataclass = _dataclass


def _make(cls: type[Any], *, frozen: bool, slots: bool, kw_only: bool, eq: bool) -> type[Any]:
    cls.__doc__ = cls.__doc__ or cls.__name__  # else the standard library makes up a slow one
    own = frozenset(cls.__dict__)  # methods that the class defines are kept
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(cls)
    fields = dataclasses.fields(made)
    methods: dict[str, Any] = {"__init__": _Constructor(made, fields, frozen=frozen)}
    methods["__repr__"] = _repr(tuple(each.name for each in fields if each.repr))
    if eq:
        methods["__eq__"] = _eq(_getter(each.name for each in fields if each.compare))
        hashed = (each.name for each in fields if (each.compare if each.hash is None else each.hash))
        methods["__hash__"] = _hash(_getter(hashed)) if frozen else None
    if frozen:
        methods["__setattr__"], methods["__delattr__"] = _frozen_methods(made, frozenset(each.name for each in fields))
        if slots:
            methods["__getstate__"], methods["__setstate__"] = _pickle_methods(tuple(each.name for each in fields))
    for name, method in methods.items():
        if name not in own or (name == "__hash__" and made.__hash__ is None and frozen):
            _set_names(made, name, method)
            setattr(made, name, method)
    made.__dataclass_params__.frozen = frozen
    return made  # type: ignore[no-any-return]


class _Constructor:
    """The `__init__` of a class until it is first used: many commands use few of the classes that they import."""

    def __init__(self, cls: Any, fields: tuple[dataclasses.Field[Any], ...], *, frozen: bool) -> None:
        self._cls = cls
        self._fields = fields
        self._frozen = frozen

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        constructor = _constructor(self._cls, self._fields, frozen=self._frozen)
        _set_names(self._cls, "__init__", constructor)
        self._cls.__init__ = constructor
        return constructor.__get__(instance, owner)


def _set_names(cls: type[Any], name: str, method: Any) -> None:
    if method is not None and not isinstance(method, _Constructor):
        method.__name__ = name
        method.__qualname__ = f"{cls.__qualname__}.{name}"
        method.__module__ = cls.__module__


def _constructor(cls: Any, fields: tuple[dataclasses.Field[Any], ...], *, frozen: bool) -> Any:
    scope: dict[str, Any] = {"_set": object.__setattr__, "_missing": _MISSING}
    positional, lines = ["self"], []
    keyword: list[str] = []
    for each in fields:
        name, value = each.name, each.name
        if each.default is not _MISSING:
            scope[f"_default_{name}"] = each.default
        elif each.default_factory is not _MISSING:
            scope[f"_make_{name}"] = each.default_factory
        if each.init:
            parameter = name
            if each.default is not _MISSING:
                parameter = f"{name}=_default_{name}"
            elif each.default_factory is not _MISSING:
                parameter = f"{name}=_missing"
                value = f"_make_{name}() if {name} is _missing else {name}"
            (keyword if each.kw_only else positional).append(parameter)
        elif each.default_factory is not _MISSING:
            value = f"_make_{name}()"
        elif each.default is not _MISSING:
            value = f"_default_{name}"
        else:
            continue  # set by __post_init__, or not at all
        lines.append(f" _set(self, {name!r}, {value})" if frozen else f" self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    head = ", ".join([*positional, *(["*", *keyword] if keyword else [])])
    exec(f"def __init__({head}):\n" + "\n".join(lines or [" pass"]), scope)  # noqa: S102 - names of fields only
    constructor = scope["__init__"]
    constructor.__annotations__ = {each.name: each.type for each in fields if each.init} | {"return": None}
    return constructor


def _getter(names: Any) -> Any:
    """A function that returns the values of these fields as a tuple."""
    fields = tuple(names)
    if len(fields) > 1:
        return attrgetter(*fields)
    if fields:
        (name,) = fields
        return lambda one: (getattr(one, name),)
    return lambda _: ()


def _repr(names: tuple[str, ...]) -> Any:
    @recursive_repr()
    def represent(self: Any) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({fields})"

    return represent


def _eq(values: Any) -> Any:
    def equal(self: Any, other: object) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return equal


def _hash(values: Any) -> Any:
    def hashed(self: Any) -> int:
        return hash(values(self))

    return hashed


def _frozen_methods(cls: type[Any], names: frozenset[str]) -> Any:
    """The `__setattr__` and `__delattr__` of a frozen class; a plain subclass may have further attributes."""

    def set_refused(self: Any, name: str, value: Any) -> None:
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def delete_refused(self: Any, name: str) -> None:
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    return set_refused, delete_refused


def _pickle_methods(names: tuple[str, ...]) -> Any:
    """The `__getstate__` and `__setstate__` of a frozen class with slots."""

    def state(self: Any) -> list[Any]:
        return [getattr(self, name) for name in names]

    def restore(self: Any, values: list[Any]) -> None:
        for name, value in zip(names, values, strict=True):
            object.__setattr__(self, name, value)

    return state, restore
