"""`dataclass` for values of runs with nothing to do, where importing `dataclasses` would cost a fifth of the time.

Frozen, keyword-only classes of plain defaults. `dataclasses.fields`, `replace`, `asdict` and `inspect.signature` work
as with the standard library's, whose modules they import when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as plain_dataclass  # what type checkers shall know of these classes
    from typing import Any

__all__ = ["plain_dataclass"]


class _Fields:
    """`__dataclass_fields__`, made by the standard library when somebody asks."""

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        import dataclasses

        names = owner.__annotations__
        body = {"__annotations__": dict(names), **{name: owner.__dict__[name] for name in names}}
        twin: Any = dataclasses.dataclass(frozen=True, kw_only=True)(type(owner.__name__, (), body))
        fields = twin.__dataclass_fields__
        owner.__dataclass_fields__ = fields
        return fields


class _Signature:
    """`__signature__`, the same."""

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        from inspect import Parameter, Signature

        found = Signature(
            [
                Parameter(name, Parameter.KEYWORD_ONLY, default=owner.__dict__[name], annotation=annotation)
                for name, annotation in owner.__annotations__.items()
            ]
        )
        owner.__signature__ = found
        return found


def _plain_dataclass(*, frozen: bool = True, kw_only: bool = True) -> Callable[[type[Any]], type[Any]]:
    """As `dataclasses.dataclass(frozen=True, kw_only=True)`; every field has an immutable default."""
    assert frozen
    assert kw_only
    return _made


def _made(cls: type[Any]) -> type[Any]:
    names = tuple(cls.__annotations__)
    after = getattr(cls, "__post_init__", None)

    def init(self: Any, **given: Any) -> None:
        unknown = given.keys() - names
        if unknown:
            message = f"{cls.__name__}.__init__() got an unexpected keyword argument {min(unknown)!r}"
            raise TypeError(message)
        self.__dict__.update(given)
        if after is not None:
            after(self)

    def values(self: Any) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in names)

    def equal(self: Any, other: Any) -> Any:
        return values(self) == values(other) if other.__class__ is cls else NotImplemented

    def hashed(self: Any) -> int:
        return hash(values(self))

    def shown(self: Any) -> str:
        return f"{cls.__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    methods: dict[str, Callable[..., Any]] = {
        "__init__": init, "__eq__": equal, "__hash__": hashed, "__repr__": shown,
    }  # fmt: skip
    cls.__setattr__ = cls.__delattr__ = _refuse  # type: ignore[assignment]
    for name, method in methods.items():
        method.__name__, method.__qualname__ = name, f"{cls.__qualname__}.{name}"
        setattr(cls, name, method)
    cls.__dataclass_fields__ = _Fields()
    cls.__signature__ = _Signature()
    return cls


def _refuse(self: object, name: str, *value: object) -> None:
    del self, value
    from dataclasses import FrozenInstanceError

    message = f"cannot assign to field {name!r}"
    raise FrozenInstanceError(message)


if not TYPE_CHECKING:
    plain_dataclass = _plain_dataclass
