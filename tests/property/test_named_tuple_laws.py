"""`lockset._named_tuple.NamedTuple` makes what `typing.NamedTuple` makes: compared method by method."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil
import sys
import typing
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lockset
from lockset import _named_tuple as ours

_BODY = '''
from __future__ import annotations
class Row({base}):
    """A row."""
{fields}
    @property
    def first(self) -> object:
        return self[0] if self else None
    def __str__(self) -> str:
        return f"row of {{len(self)}}"
class Derived(Row):
    """A class derived from it."""
'''
NAMES = ("path", "hash", "size", "count", "index", "rest")


class Point(ours.NamedTuple):
    """A class that pickle can import."""

    x: int
    y: int = 0


def _both(required: int, optional: int) -> list[dict[str, Any]]:
    fields = [f"    {name}: int" for name in NAMES[:required]]
    fields += [f"    {name}: int = {number}" for number, name in enumerate(NAMES[required : required + optional])]
    results: list[dict[str, Any]] = []
    for base in (ours.NamedTuple, typing.NamedTuple):
        results.append({"Base": base, "__name__": __name__})
        exec(_BODY.format(base="Base", fields="\n".join(fields)), results[-1])
    return results


def _outcome(call: Any) -> Any:
    try:
        return call()
    except (TypeError, ValueError) as error:
        return type(error)


@pytest.mark.parametrize("many", [0, 32], ids=["compiled", "first calls"])
@pytest.mark.parametrize("name", ["Row", "Derived"])
@given(
    shape=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    values=st.lists(st.integers(), max_size=7),
    named=st.dictionaries(st.sampled_from(NAMES), st.integers()),
)
def test_instances_are_those_of_the_standard_library(
    name: str, many: int, shape: tuple[int, int], values: list[int], named: dict[str, int]
) -> None:
    one, other = (namespace[name] for namespace in _both(*shape))
    with mock.patch.object(ours, "_MANY", many):
        made, expected = (_outcome(lambda cls=cls: cls(*values, **named)) for cls in (one, other))
    assert made == expected
    assert _outcome(lambda: one._make(values)) == _outcome(lambda: other._make(values))
    if isinstance(made, type):
        return
    assert repr(made) == repr(expected)
    assert str(made) == str(expected)
    assert hash(made) == hash(expected)
    assert made._asdict() == expected._asdict()
    assert made.first == expected.first
    assert [getattr(made, field) for field in one._fields] == list(expected)
    changes = {key: value for key, value in named.items() if key in one._fields}
    assert made._replace(**changes) == expected._replace(**changes)
    assert type(made._replace()) is one
    assert type(_outcome(lambda: made._replace(unknown=1))) is type
    assert copy.copy(made) == copy.deepcopy(made) == made
    if name == "Row":
        with pytest.raises(AttributeError):
            made.other = 1


@given(shape=st.tuples(st.integers(0, 3), st.integers(0, 3)))
def test_classes_are_those_of_the_standard_library(shape: tuple[int, int]) -> None:
    one, other = (namespace["Row"] for namespace in _both(*shape))
    for name in ("__name__", "__doc__", "__module__", "__slots__", "__match_args__", "_fields", "_field_defaults"):
        assert getattr(one, name) == getattr(other, name)
    assert issubclass(one, tuple)
    assert list(inspect.signature(one).parameters) == list(inspect.signature(other).parameters)
    defaults = [[each.default for each in inspect.signature(cls).parameters.values()] for cls in (one, other)]
    assert defaults[0] == defaults[1]
    assert typing.get_type_hints(one) == typing.get_type_hints(other)


def test_a_field_without_a_default_comes_first() -> None:
    meta: Any = type(ours.NamedTuple)
    with pytest.raises(TypeError):
        meta("Row", (ours.NamedTuple,), {"__annotations__": {"x": "int", "y": "int"}, "x": 1})


@given(st.integers(), st.integers())
def test_an_instance_can_be_pickled(x: int, y: int) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(Point(x, y), protocol))
        assert again == Point(x, y)
        assert type(again) is Point


@pytest.mark.skipif(sys.version_info < (3, 13), reason="there is no copy.replace")
def test_an_instance_can_be_replaced_by_copy() -> None:
    assert copy.replace(Point(1), y=2) == (1, 2)  # type: ignore[attr-defined]


def test_every_such_class_of_lockset_can_be_made() -> None:
    for module in pkgutil.walk_packages(lockset.__path__, "lockset."):
        if module.name.endswith("__main__"):
            continue
        for cls in list(vars(importlib.import_module(module.name)).values()):
            if isinstance(cls, type) and issubclass(cls, ours._Fields) and cls is not ours._Fields:
                assert cls(*cls._fields) == cls._fields


def test_a_thread_that_comes_second_gets_the_constructor_of_the_first() -> None:
    class Pair(ours.NamedTuple):
        x: int
        y: int = 2

    late = Pair.__dict__["__new__"]
    assert Pair(1) == (1, 2)
    assert late.__get__(None, Pair)(Pair, 3) == (3, 2)
