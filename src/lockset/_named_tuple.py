"""A faster `typing.NamedTuple`, since every command creates its classes again at each start.

The standard library compiles a constructor and creates six functions for every class; for the forty classes that
`lockset sync` uses, this takes a tenth of the start. Here the constructor is compiled when it has been used often, and
the other methods are inherited. `_fields`, `_make`, `_replace`, `_asdict`, `__match_args__`, `inspect.signature`,
pickling and copying work as usual.
"""

from __future__ import annotations

__all__ = ["NamedTuple"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, NamedTuple

    from typing_extensions import Self

# From so many calls on, compiling a constructor takes less time than it saves.
_MANY = 32

try:
    from _collections import _tuplegetter as _getter  # type: ignore[import-not-found] # CPython only
except ImportError:  # PyPy
    from operator import itemgetter

    def _getter(index: int, doc: str) -> Any:
        return property(itemgetter(index), doc=doc)


class _Fields(tuple):  # type: ignore[type-arg]
    """What all classes have in common."""

    __slots__ = ()
    if TYPE_CHECKING:
        _fields: tuple[str, ...]

    @classmethod
    def _make(cls, values: Iterable[Any]) -> Self:
        """A new instance with these values."""
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
        return made

    def _replace(self, /, **changes: Any) -> Self:
        """A new instance with other values for some fields."""
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise ValueError(f"Got unexpected field names: {list(changes)!r}")
        return made

    __replace__ = _replace

    def _asdict(self) -> dict[str, Any]:
        """The values by field."""
        return dict(zip(self._fields, self, strict=True))

    def __repr__(self) -> str:
        values = ", ".join([f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True)])
        return f"{type(self).__name__}({values})"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)


class _Constructor:
    """The `__new__` of a class: one for any fields in the first calls, then a compiled one."""

    def __init__(self, fields: tuple[str, ...], defaults: Mapping[str, Any]) -> None:
        self._fields = fields
        self._defaults = defaults
        self._calls = 0

    def __set_name__(self, owner: Any, name: str) -> None:
        self._cls = owner

    def __get__(self, instance: object, owner: Any) -> Any:
        self._calls += 1
        return self if self._calls <= _MANY else self._compiled()

    def __call__(self, cls: Any, /, *args: Any, **values: Any) -> Any:
        """A value of `cls`. The compiled constructor refuses wrong arguments."""
        fields, rest, known = self._fields, [], 0
        for name in fields[len(args) :]:
            if name in values:
                rest.append(values[name])
                known += 1
            elif name in self._defaults:
                rest.append(self._defaults[name])
            else:
                break
        if known != len(values) or len(args) + len(rest) != len(fields):
            return self._compiled()(cls, *args, **values)
        return tuple.__new__(cls, (*args, *rest))

    def _compiled(self) -> Any:
        cls = self._cls
        names = ", ".join(self._fields)
        source = f"lambda _cls, {names}: _new(_cls, ({names}{',' if self._fields else ''}))"
        constructor: Any = eval(source, {"_new": tuple.__new__, "__builtins__": {}, "__name__": cls.__module__})  # noqa: S307 - names of fields
        constructor.__defaults__ = tuple(self._defaults.values())
        constructor.__annotations__ = {name: cls.__annotations__[name] for name in self._fields}
        constructor.__name__, constructor.__qualname__ = "__new__", f"{cls.__qualname__}.__new__"
        cls.__new__ = staticmethod(constructor)
        return constructor

    def __getattr__(self, name: str) -> Any:
        if name == "__signature__":
            from inspect import signature

            return signature(self._compiled())
        return getattr(self._compiled(), name)


_getters: list[Any] = []


class _Meta(type):
    """Creates the class that a class statement with `NamedTuple` as its base describes."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Any:
        if not bases:
            return super().__new__(cls, name, bases, body)
        fields = tuple(body.get("__annotations__", ()))
        while len(_getters) < len(fields):
            _getters.append(_getter(len(_getters), f"Alias for field number {len(_getters)}"))
        defaults = {field: body[field] for field in fields if field in body}
        if tuple(defaults) != fields[len(fields) - len(defaults) :]:
            raise TypeError(f"{name} has a field without a default after one with a default")
        own = {
            "__slots__": (),
            "__new__": _Constructor(fields, defaults),
            "__match_args__": fields,
            "_fields": fields,
            "_field_defaults": defaults,
        }
        return type(name, (_Fields,), {**body, **own, **dict(zip(fields, _getters, strict=False))})


if not TYPE_CHECKING:

    class NamedTuple(metaclass=_Meta):
        """The base of classes whose annotations are the fields of a tuple."""
