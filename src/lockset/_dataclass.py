"""A faster `dataclass` decorator, since every command creates its classes again at each start.

The standard library compiles up to six methods of every frozen class; for the hundred classes that `lockset lock` uses,
this takes a fifth of the start. Here the decorator only creates the class with its slots. Each method is made when it
is first used, and a constructor is compiled when it has been used several times. The standard module itself takes 5 ms
to import, and is imported for what only it knows. The result is a standard dataclass: `dataclasses.fields`, `replace`,
`asdict`, `is_dataclass`, `__match_args__`, pickling, copying and `FrozenInstanceError` work as usual.
"""

from __future__ import annotations

import operator
from operator import attrgetter
from reprlib import recursive_repr
from types import MethodType

__all__ = ["dataclass", "field", "fields", "replace"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from dataclasses import dataclass, field, fields, replace  # for type checkers they are standard dataclasses
    from typing import Any

# The options of the decorator, in the order in which they are passed on.
_OPTIONS = ("init", "frozen", "slots", "kw_only", "eq", "order")
# From so many calls on, compiling a constructor takes less time than it saves.
_MANY = 16


class _Missing:
    def __repr__(self) -> str:
        return "<factory>"


_MISSING: Any = _Missing()


class _Field:
    """The options of a field, as those of `dataclasses.Field`; its name and type are added later."""

    __slots__ = ("compare", "default", "default_factory", "hash", "init", "kw_only", "name", "repr", "type")

    def __init__(
        self,
        *,
        default: Any = _MISSING,
        default_factory: Any = _MISSING,
        init: bool = True,
        repr: bool = True,  # noqa: A002 - as in the standard library
        hash: bool | None = None,  # noqa: A002 - as in the standard library
        compare: bool = True,
        kw_only: Any = None,
    ) -> None:
        self.name = ""
        self.type: Any = None
        self.default = default
        self.default_factory = default_factory
        self.init = init
        self.repr = repr
        self.hash = hash
        self.compare = compare
        self.kw_only = kw_only

    def options(self) -> dict[str, Any]:
        """The arguments that make an equal field, here and in the standard library."""
        names = ("default", "default_factory", "init", "repr", "hash", "compare", "kw_only")
        return {name: value for name in names if (value := getattr(self, name)) is not _MISSING}


class _Record:
    """What the decorator knows of a class: its options, and the annotations and defaults of its own fields."""

    __slots__ = ("_fields", "annotations", "cls", "defaults", "options")

    def __init__(self, annotations: dict[str, Any], defaults: dict[str, Any], options: Mapping[str, bool]) -> None:
        self.cls: Any = None
        self.annotations = annotations
        self.defaults = defaults
        self.options = options
        self._fields: tuple[_Field, ...] | None = None

    def fields(self) -> tuple[_Field, ...]:
        """The fields of the class, those of its bases first."""
        if self._fields is None:
            known: dict[str, _Field] = {}
            for each in reversed(self.cls.__mro__):
                record = each.__dict__.get("__record__")
                if record is not None:
                    known |= {name: record.own_field(name) for name in record.annotations}
            self._fields = tuple(known.values())
        return self._fields

    def own_field(self, name: str) -> _Field:
        """The field `name`, which the class itself defines."""
        default = self.defaults.get(name, _MISSING)
        result = _Field(**default.options()) if isinstance(default, _Field) else _Field(default=default)
        result.name = name
        result.type = self.annotations[name]
        if result.kw_only is None:
            result.kw_only = self.options["kw_only"]
        return result

    def names(self, option: str = "init") -> tuple[str, ...]:
        """The names of the fields with an option, such as `repr`."""
        return tuple(each.name for each in self.fields() if getattr(each, option))


def _dataclass(
    *,
    init: bool = True,
    frozen: bool = False,
    slots: bool = False,
    kw_only: bool = False,
    eq: bool = True,
    order: bool = False,
) -> Callable[[type[Any]], type[Any]]:
    """Like `dataclasses.dataclass` with these options."""
    options = {"init": init, "frozen": frozen, "slots": slots, "kw_only": kw_only, "eq": eq, "order": order}
    return lambda cls: _make(cls, options)


def _fields(cls: Any) -> Any:
    """Like `dataclasses.fields`, for a class or a value of one."""
    record = (cls if isinstance(cls, type) else type(cls)).__dict__.get("__record__")
    if record is None:
        import dataclasses

        return dataclasses.fields(cls)
    return record.fields()


def _replace(one: Any, /, **changes: Any) -> Any:
    """Like `dataclasses.replace`."""
    record = type(one).__dict__.get("__record__")
    if record is None or any(each.name in changes for each in record.fields() if not each.init):
        import dataclasses

        return dataclasses.replace(one, **changes)
    for name in record.names():
        if name not in changes:
            changes[name] = getattr(one, name)
    return type(one)(**changes)


if not TYPE_CHECKING:
    dataclass, field, fields, replace = _dataclass, _Field, _fields, _replace


def _make(cls: Any, options: Mapping[str, bool]) -> Any:
    for each in cls.__mro__:
        if "__dataclass_fields__" in each.__dict__ and "__record__" not in each.__dict__:
            import dataclasses

            return dataclasses.dataclass(**options)(cls)
    own = dict(cls.__dict__)
    annotations = {name: each for name, each in cls.__annotations__.items() if not _is_class_variable(each)}
    record = _Record(annotations, {name: _default(name, own[name]) for name in annotations if name in own}, options)
    added = _methods(tuple(options.values()))
    if options["init"]:
        added["__init__"] = _Constructor(record)
    # The methods that the class defines are kept; Python gives one with an __eq__ the __hash__ None.
    for name in added.keys() & own.keys():
        if name != "__hash__" or own[name] is not None or "__eq__" not in own:
            del added[name]
    added |= {"__record__": record, "__match_args__": () if options["kw_only"] else _MATCH_ARGS}
    added["__doc__"] = cls.__doc__ or cls.__name__
    record.cls = made = _with_slots(cls, own, added, record) if options["slots"] else _completed(cls, added, record)
    return made


def _is_class_variable(annotation: Any) -> bool:
    return str(annotation).startswith(("ClassVar", "typing.ClassVar"))


def _default(name: str, value: Any) -> Any:
    """The default of a field, as this module writes it."""
    kind: Any = type(value)
    if kind.__module__ == "dataclasses" and kind.__name__ == "Field":
        from dataclasses import MISSING

        options = {key: getattr(value, key) for key in _Field().options() | {"default": 0, "default_factory": 0}}
        return _Field(**{key: each for key, each in options.items() if each is not MISSING})
    if kind.__hash__ is None:
        message = f"mutable default {kind} for field {name} is not allowed: use default_factory"
        raise ValueError(message)
    return value


def _with_slots(cls: type[Any], own: dict[str, Any], added: dict[str, Any], record: _Record) -> Any:
    """The class made again, with slots for the fields that no base has."""
    inherited: set[str] = set()
    for each in cls.__mro__[1:-1]:
        inherited.update(each.__dict__.get("__slots__", ()))
    for name in ("__dict__", "__weakref__", *record.annotations):
        own.pop(name, None)
    slots = tuple(name for name in record.annotations if name not in inherited)
    kind: Any = type(cls)
    made = kind(cls.__name__, cls.__bases__, {**own, **added, "__slots__": slots})
    made.__qualname__ = cls.__qualname__
    return made


def _completed(cls: type[Any], added: dict[str, Any], record: _Record) -> Any:
    """The class itself, whose attributes are the defaults of its fields."""
    for name, value in added.items():
        setattr(cls, name, value)
    for name, default in record.defaults.items():
        if isinstance(default, _Field):
            if default.default is _MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, default.default)
    return cls


class _Late:
    """An attribute of record classes until its first use, which makes the one of that class and stores it."""

    __slots__ = ("_make", "_name")

    def __init__(self, name: str, make: Callable[[_Record], Any]) -> None:
        self._name = name
        self._make = make

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        for cls in owner.__mro__:
            if cls.__dict__.get(self._name) is self:
                value = self._make(cls.__dict__["__record__"])
                if hasattr(value, "__code__"):
                    _set_names(cls, self._name, value)
                setattr(cls, self._name, value)
                break
        return getattr(owner if instance is None else instance, self._name)


def _set_names(cls: type[Any], name: str, method: Any) -> None:
    method.__name__ = name
    method.__qualname__ = f"{cls.__qualname__}.{name}"
    method.__module__ = cls.__module__


class _Constructor:
    """The `__init__` of a class: one for any fields in the first calls, then a compiled one."""

    __slots__ = ("_calls", "_record")

    def __init__(self, record: _Record) -> None:
        self._record = record
        self._calls = 0

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        self._calls += 1
        if self._calls <= _MANY and isinstance(instance, self._record.cls):
            return MethodType(self, instance)
        return self._compiled().__get__(instance, owner)  # also for `inspect`, which binds it to the class

    def __call__(self, one: Any, /, *args: Any, **values: Any) -> None:
        """Set the fields of `one`. The compiled constructor reads positional arguments, and refuses wrong ones."""
        missing, known = _MISSING, 0
        store = object.__setattr__ if self._record.options["frozen"] else setattr
        for each in self._record.fields():
            name = each.name
            if each.init and name in values:
                value, known = values[name], known + 1
            elif each.default is not missing:
                value = each.default
            elif each.default_factory is not missing:
                value = each.default_factory()
            elif each.init:
                known = -1
                break
            else:
                continue  # set by __post_init__, or not at all
            store(one, name, value)
        if args or known != len(values):
            self._compiled()(one, *args, **values)
        elif hasattr(one, "__post_init__"):
            one.__post_init__()

    def _compiled(self) -> Any:
        cls = self._record.cls
        constructor = _constructor(cls, self._record.fields(), frozen=self._record.options["frozen"])
        _set_names(cls, "__init__", constructor)
        cls.__init__ = constructor
        return constructor


def _constructor(cls: Any, fields: tuple[_Field, ...], *, frozen: bool) -> Any:
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


def _getter(names: Iterable[str]) -> Any:
    """A function that returns the values of these fields as a tuple."""
    fields = tuple(names)
    if len(fields) > 1:
        return attrgetter(*fields)
    if fields:
        (name,) = fields
        return lambda one: (getattr(one, name),)
    return lambda _: ()


def _repr(record: _Record) -> Any:
    names = record.names("repr")

    @recursive_repr()
    def represent(self: Any) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({fields})"

    return represent


def _comparison(compare: Callable[[Any, Any], bool]) -> Callable[[_Record], Any]:
    def make(record: _Record) -> Any:
        values = _getter(record.names("compare"))

        def compared(self: Any, other: object) -> Any:
            return compare(values(self), values(other)) if other.__class__ is self.__class__ else NotImplemented

        return compared

    return make


def _hash(record: _Record) -> Any:
    values = _getter(each.name for each in record.fields() if (each.compare if each.hash is None else each.hash))

    def hashed(self: Any) -> int:
        return hash(values(self))

    return hashed


def _refusal(verb: str, method: str) -> Callable[[_Record], Any]:
    """The `__setattr__` or `__delattr__` of a frozen class; a plain subclass may have further attributes."""

    def make(record: _Record) -> Any:
        cls, names = record.cls, frozenset(each.name for each in record.fields())

        def refused(self: Any, name: str, *value: Any) -> None:
            if type(self) is cls or name in names:
                from dataclasses import FrozenInstanceError

                message = f"cannot {verb} field {name!r}"
                raise FrozenInstanceError(message)
            getattr(super(cls, self), method)(name, *value)

        return refused

    return make


def _getstate(record: _Record) -> Any:
    names = tuple(each.name for each in record.fields())
    return lambda self: [getattr(self, name) for name in names]


def _setstate(record: _Record) -> Any:
    names = tuple(each.name for each in record.fields())

    def restore(self: Any, values: list[Any]) -> None:
        for name, value in zip(names, values, strict=True):
            object.__setattr__(self, name, value)

    return restore


def _standard(attribute: str) -> Callable[[_Record], Any]:
    """What the standard library stores in its classes, from an equal class that it makes."""

    def make(record: _Record) -> Any:
        import dataclasses

        body: dict[str, Any] = {each.name: dataclasses.field(**each.options()) for each in record.fields()}
        body["__annotations__"] = {each.name: each.type for each in record.fields()}
        plain: Any = dataclasses.dataclass(init=False, repr=False, eq=False)(type(record.cls.__name__, (), body))
        value = getattr(plain, attribute)
        if attribute == "__dataclass_params__":
            for option in ("init", "frozen", "eq", "order"):
                setattr(value, option, record.options[option])
        return value

    return make


_ALL = {
    "__repr__": _Late("__repr__", _repr),
    "__replace__": _replace,
    "__dataclass_fields__": _Late("__dataclass_fields__", _standard("__dataclass_fields__")),
    "__dataclass_params__": _Late("__dataclass_params__", _standard("__dataclass_params__")),
}
_EQUALITY = {"__eq__": _Late("__eq__", _comparison(operator.eq)), "__hash__": None}
_ORDER = {name: _Late(name, _comparison(getattr(operator, name))) for name in ("__lt__", "__le__", "__gt__", "__ge__")}
_FROZEN = {
    "__setattr__": _Late("__setattr__", _refusal("assign to", "__setattr__")),
    "__delattr__": _Late("__delattr__", _refusal("delete", "__delattr__")),
}
_HASH = {"__hash__": _Late("__hash__", _hash)}
_PICKLE = {"__getstate__": _Late("__getstate__", _getstate), "__setstate__": _Late("__setstate__", _setstate)}


_MATCH_ARGS = _Late(
    "__match_args__", lambda record: tuple(each.name for each in record.fields() if each.init and not each.kw_only)
)
_by_options: dict[tuple[bool, ...], dict[str, Any]] = {}


def _methods(values: tuple[bool, ...]) -> dict[str, Any]:
    """The attributes of a class with these values of the options, but for its constructor."""
    if values in _by_options:
        return _by_options[values].copy()
    options = dict(zip(_OPTIONS, values, strict=True))
    result: dict[str, Any] = dict(_ALL)
    if options["eq"]:
        result |= _EQUALITY
    if options["order"]:
        result |= _ORDER
    if options["frozen"]:
        result |= _FROZEN
        if options["eq"]:
            result |= _HASH
        if options["slots"]:
            result |= _PICKLE
    _by_options[values] = result
    return result.copy()
