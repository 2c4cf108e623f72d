"""`lockset._dataclass.dataclass` makes what `dataclasses.dataclass` makes: compared method by method."""

from __future__ import annotations

import copy
import dataclasses
import functools
import importlib
import inspect
import pickle
import pkgutil
from dataclasses import field
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lockset
from lockset import _dataclass as records

OPTIONS: list[dict[str, bool]] = [
    {"frozen": True, "slots": True, "kw_only": True},
    {"frozen": True, "slots": True},
    {"frozen": True, "kw_only": True},
    {"frozen": True, "slots": True, "kw_only": True, "eq": False},
    {"slots": True, "kw_only": True},
    {"slots": True},
    {"frozen": True, "slots": True, "order": True},
    {},
]


class Plain:
    """Fields of every kind."""

    first: int
    second: tuple[int, ...] = ()
    third: list[int] = field(default_factory=list, hash=False)
    aside: int = field(default=7, compare=False, repr=False)
    given: int = field(default=3, init=False)
    made: list[str] = field(default_factory=list, init=False, compare=False)
    shared: ClassVar[int] = 4


class Checked:
    """One that looks at what it is given, and names, compares and hashes itself."""

    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError(self.value)

    def __repr__(self) -> str:
        return f"<{self.value}>"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and abs(other.value) % 3 == self.value % 3

    def __hash__(self) -> int:
        return self.value % 3


class Unhashed:  # noqa: PLW1641 - that is the point
    """One that compares itself and leaves hashing to be made."""

    value: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other.value == self.value


class Empty:
    """One without fields."""


def _made(maker: Any, body: type[Any], options: dict[str, bool]) -> Any:
    own = {name: value for name, value in body.__dict__.items() if name not in {"__dict__", "__weakref__"}}
    if own.get("__hash__", 0) is None:
        del own["__hash__"]  # what Python adds where only __eq__ is given; the class made anew gets it again
    return maker(**options)(type(body.__name__, (), own))


def _pair(body: type[Any], options: dict[str, bool]) -> tuple[Any, Any]:
    return _pair_of(body, tuple(options.items()))  # type: ignore[arg-type]


@functools.cache
def _pair_of(body: type[Any], options: tuple[tuple[str, bool], ...]) -> tuple[Any, Any]:
    return _made(dataclasses.dataclass, body, dict(options)), _made(records.dataclass, body, dict(options))


def _outcome(ask: Any) -> object:
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 - what is raised is compared too
        return type(error), str(error)


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
@given(
    values=st.lists(
        st.tuples(st.integers(0, 3), st.tuples(st.integers(0, 2)), st.lists(st.integers(0, 1), max_size=1)),
        min_size=2,
        max_size=2,
    )
)
def test_values_compare_hash_and_print_as_the_standard_librarys(options: dict[str, bool], values: list[Any]) -> None:
    theirs, ours = _pair(Plain, options)

    def seen(cls: Any) -> list[object]:
        one, other = (cls(first=a, second=b, third=c, aside=n) for n, (a, b, c) in enumerate(values))
        identity = options.get("eq", True)
        return [
            repr(one),
            one == other,
            one != other,
            one == 1,
            _outcome(lambda: hash(one)) if identity else None,
            dataclasses.asdict(one),
            repr(dataclasses.replace(one, first=9)) if identity else None,
            one.given,
            one.made,
            one.made is not other.made,
            repr(copy.deepcopy(one)),
            _outcome(lambda: one < other),
        ]

    assert [str(x) for x in seen(theirs)] == [str(x) for x in seen(ours)]


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
@pytest.mark.parametrize("body", [Plain, Checked, Unhashed, Empty])
def test_the_class_equals_that_of_the_standard_library(body: type[Any], options: dict[str, bool]) -> None:
    theirs, ours = _pair(body, options)
    for name in ("__match_args__", "__slots__", "__doc__"):
        assert getattr(theirs, name, None) == getattr(ours, name, None)
    assert _signature(theirs) == _signature(ours)
    for name in ("__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__"):
        assert (name in theirs.__dict__) == (name in ours.__dict__), name
        assert (getattr(theirs, name) is None) == (getattr(ours, name) is None), name
    assert [f.name for f in dataclasses.fields(theirs)] == [f.name for f in dataclasses.fields(ours)]
    assert dataclasses.is_dataclass(ours)


def _signature(cls: Any) -> str:
    message = str(inspect.signature(cls))
    for absent in ("<factory>", repr(dataclasses.MISSING)):
        message = message.replace(absent, "")
    return message


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
def test_wrong_calls_and_changes_are_refused_alike(options: dict[str, bool]) -> None:
    theirs, ours = _pair(Plain, options)
    wrong = [
        lambda cls: cls(),
        lambda cls: cls(1),
        lambda cls: cls(first=1, other=2),
        lambda cls: cls(first=1, given=2),
        lambda cls: setattr(cls(first=1), "first", 2),
        lambda cls: delattr(cls(first=1), "first"),
    ]
    for call in wrong:
        message, expected = (_outcome(lambda cls=cls, call=call: call(cls)) for cls in (ours, theirs))
        if isinstance(expected, tuple):
            assert isinstance(message, tuple), expected
            assert message[0] is expected[0]
            assert message[1].replace("Plain.", "") == expected[1].replace("Plain.", "")
        else:
            assert not isinstance(message, tuple)


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
@given(value=st.integers(-2, 5), other=st.integers(0, 5))
def test_methods_of_the_class_itself_stay(options: dict[str, bool], value: int, other: int) -> None:
    seen = []
    for cls in _pair(Checked, options):
        made = _outcome(lambda cls=cls: cls(value=value))
        if isinstance(made, tuple):
            seen.append(made)
        else:
            seen.append((repr(made), made == cls(value=other), _outcome(lambda made=made: hash(made))))
    assert seen[0] == seen[1]
    if value >= 0:
        hashes = [_outcome(lambda cls=cls: hash(cls(value=value))) for cls in _pair(Unhashed, options)]
        assert hashes[0] == hashes[1]


@records.dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One that can be found by its name."""

    name: str
    parts: tuple[int, ...] = ()


@given(name=st.text(max_size=3), parts=st.lists(st.integers(), max_size=3))
def test_a_value_comes_back_from_a_pickle(name: str, parts: list[int]) -> None:
    kept = Kept(name=name, parts=tuple(parts))
    assert pickle.loads(pickle.dumps(kept)) == kept
    assert copy.copy(kept) == kept


def test_a_subclass_may_use_the_standard_dataclass() -> None:
    @records.dataclass(frozen=True, slots=True, kw_only=True)
    class Derived(Kept):
        more: int = 0

    made = Derived(name="a", more=2)
    assert (made.name, made.parts, made.more) == ("a", (), 2)
    assert made != Kept(name="a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.more = 3  # type: ignore[misc]


def test_no_attribute_is_added_to_a_value() -> None:
    for frozen in (True, False):
        _, ours = _pair(Plain, {"frozen": frozen, "slots": True})
        with pytest.raises(AttributeError):
            ours(first=1).unknown = 2


def test_every_value_of_lockset_is_made_this_way() -> None:
    """One class made by the standard library costs a third of a millisecond of every start."""
    slow = []
    for module in pkgutil.walk_packages(lockset.__path__, "lockset."):
        source = inspect.getsource(importlib.import_module(module.name)) if module.name != "lockset.__main__" else ""
        # `option_values` makes its classes without any, and imports `dataclasses` only where somebody looks at them.
        own = {"lockset._dataclass", "lockset.option_values"}
        if module.name not in own and "import dataclass" in source.replace(
            "from lockset._dataclass import dataclass", ""
        ):
            slow.append(module.name)
    assert slow == []
