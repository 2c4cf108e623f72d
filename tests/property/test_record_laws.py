"""`lockset._dataclass.dataclass` makes what `dataclasses.dataclass` makes: compared method by method."""

from __future__ import annotations

import copy
import dataclasses
import functools
import importlib
import inspect
import pickle
import pkgutil
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field
from threading import Barrier
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lockset
from lockset import _dataclass as records
from lockset.option_values import check_options

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


class NeverHashed:
    """One that cannot be hashed."""

    value: int = 0
    __hash__ = None  # type: ignore[assignment]


def _made(maker: Any, body: type[Any], options: dict[str, bool]) -> Any:
    own = {name: value for name, value in body.__dict__.items() if name not in {"__dict__", "__weakref__"}}
    if own.get("__hash__", 0) is None and "__eq__" in own:
        del own["__hash__"]  # what Python adds where only __eq__ is given; the class made anew gets it again
    return maker(**options)(type(body.__name__, (), own))


def _pair(body: type[Any], options: dict[str, bool]) -> tuple[Any, Any]:
    return _pair_of(body, tuple(options.items()))  # type: ignore[arg-type]


@functools.cache
def _pair_of(body: type[Any], options: tuple[tuple[str, bool], ...]) -> tuple[Any, Any]:
    return _made(dataclasses.dataclass, body, dict(options)), _made(records.dataclass, body, dict(options))


def _shown(kind: Any, args: tuple[Any, ...], values: dict[str, Any]) -> str:
    return repr(kind(*args, **values))


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


@pytest.mark.parametrize("options", [*OPTIONS, {"frozen": True, "init": False}], ids=repr)
@pytest.mark.parametrize("body", [Plain, Checked, Unhashed, Empty, NeverHashed])
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


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
def test_the_first_constructions_equal_the_many_after_them(options: dict[str, bool]) -> None:
    ours = _made(records.dataclass, Plain, options)
    values = [ours(first=1, third=[2]) for _ in range(3 * records._MANY)]
    assert {repr(each) for each in values} == {repr(values[0])}
    assert len({id(each.made) for each in values}) == len(values), "each has a list of its own"


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
@pytest.mark.parametrize("earlier", [0, 3 * records._MANY], ids=["first", "later"])
def test_a_wrong_construction_is_refused_as_ever(options: dict[str, bool], earlier: int) -> None:
    class Optional:
        name: str = "a"

    wrong: list[tuple[type[Any], tuple[Any, ...], dict[str, Any]]] = [
        (Plain, (), {"first": 1, "unknown": 2}),
        (Plain, (), {"third": []}),
        (Plain, (), {"first": 1, "given": 2}),
        (Plain, (1,), {"first": 1}),
        (Optional, ("b",), {}),
        (Optional, ("b", "c"), {}),
    ]
    for body, args, values in wrong:
        ours, standard = _made(records.dataclass, body, options), _made(dataclasses.dataclass, body, options)
        for _ in range(earlier):
            ours(**{"first": 1} if body is Plain else {})
        made = [_outcome(functools.partial(_shown, kind, args, values)) for kind in (ours, standard)]
        if isinstance(made[1], str):
            assert made[0] == made[1]
        else:
            assert isinstance(made[0], tuple)
            assert made[0][0] is TypeError


def test_a_subclass_of_a_frozen_value_has_frozen_fields_and_attributes_of_its_own() -> None:
    kind: Any = _made(records.dataclass, Plain, {"frozen": True})

    class More(kind):  # type: ignore[misc]
        pass

    more = More(first=1)
    more.own = 2
    assert more.own == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        more.first = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        kind(first=1).own = 2


def test_a_value_is_checked_once_when_it_is_created() -> None:
    calls = []

    @records.dataclass(frozen=True, kw_only=True)
    class Counted:
        value: int

        def __post_init__(self) -> None:
            calls.append(self.value)

    for number in range(2 * records._MANY):
        Counted(value=number)
    assert calls == list(range(2 * records._MANY))


@pytest.mark.parametrize("slots", [True, False])
def test_a_derived_class_equals_that_of_the_standard_library(*, slots: bool) -> None:
    def family(maker: Any, default: Any) -> tuple[Any, Any]:
        @maker(frozen=True, slots=slots, kw_only=True)
        class Base:
            one: int
            two: str = "two"

        @maker(frozen=True, slots=slots, kw_only=True)
        class Derived(Base):
            three: tuple[int, ...] = ()
            two: str = default(default="other", repr=False)

        return Base, Derived

    theirs, ours = family(dataclasses.dataclass, dataclasses.field), family(records.dataclass, records.field)
    for cls in (0, 1):
        assert _signature(theirs[cls]) == _signature(ours[cls])
        if sys.version_info >= (3, 11):  # before, the standard library repeated the slots of the base
            assert getattr(theirs[cls], "__slots__", None) == getattr(ours[cls], "__slots__", None)
        a, b = theirs[cls](one=1), ours[cls](one=1)
        assert repr(a) == repr(b)
        assert hash(a) == hash(b)
        assert dataclasses.asdict(a) == dataclasses.asdict(b)
        assert repr(dataclasses.replace(a, one=2)) == repr(records.replace(b, one=2))
        assert b == ours[cls](one=1)
        assert b != ours[1 - cls](one=1)
        with pytest.raises(dataclasses.FrozenInstanceError):
            b.two = "x"


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
def test_replace_refuses_what_the_standard_librarys_does(options: dict[str, bool]) -> None:
    theirs, ours = _pair(Plain, options)
    for changes in ({"given": 2}, {"unknown": 1}):
        expected = _outcome(lambda changes=changes: dataclasses.replace(theirs(first=1), **changes))
        message = _outcome(lambda changes=changes: records.replace(ours(first=1), **changes))
        assert isinstance(expected, tuple)
        assert isinstance(message, tuple)
        assert message[0] is expected[0]


def test_a_mutable_default_is_refused() -> None:
    with pytest.raises(ValueError, match="default_factory"):
        _made(records.dataclass, type("Wrong", (), {"__annotations__": {"many": "list"}, "many": []}), {})


def test_the_standard_librarys_view_of_a_class_is_made_on_demand_and_complete() -> None:
    for options in OPTIONS:
        theirs, ours = _made(dataclasses.dataclass, Plain, options), _made(records.dataclass, Plain, options)
        for one, other in zip(dataclasses.fields(theirs), dataclasses.fields(ours), strict=True):
            for name in ("name", "type", "default", "default_factory", "init", "repr", "hash", "compare", "kw_only"):
                assert getattr(one, name) == getattr(other, name), name
        for option in ("frozen", "eq", "order"):
            assert getattr(theirs.__dataclass_params__, option) == getattr(ours.__dataclass_params__, option)


def test_threads_may_use_a_new_class_at_once() -> None:
    threads = 8
    for _ in range(30):
        ours, start = _made(records.dataclass, Plain, OPTIONS[0]), Barrier(threads)

        def run(number: int, ours: Any = ours, start: Barrier = start) -> tuple[str, bool]:
            start.wait()
            return repr(ours(first=number)), ours(first=number) == ours(first=number)

        with ThreadPoolExecutor(threads) as pool:
            shown = list(pool.map(run, range(threads)))
        assert all(equal for _, equal in shown)
        assert [text.count(f"first={number}") for number, (text, _) in enumerate(shown)] == [1] * threads


def test_options_are_checked_without_the_fields_of_the_standard_library() -> None:
    @records.dataclass(frozen=True, slots=True, kw_only=True)
    class Options:
        names: tuple[str, ...] = ()
        count: int = 0

    options: Any = Options(names=["a"], count=1)  # type: ignore[arg-type]
    check_options(options)
    assert options.names == ("a",)
    assert "__record__" in Options.__dict__
    assert type(Options.__dict__["__dataclass_fields__"]) is not dict, "they have not been created"


def test_values_are_made_compared_and_changed_without_the_standard_librarys_module() -> None:
    code = (
        "import sys\nfrom lockset._dataclass import dataclass, replace\n"
        "@dataclass(frozen=True, slots=True, kw_only=True)\nclass A:\n    one: int = 1\n"
        "assert replace(A(), one=2) == A(one=2) != A() and {A()} and repr(A())\n"
        "assert not {'dataclasses', 'inspect'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_value_of_lockset_is_made_this_way() -> None:
    """One class made by the standard library costs a third of a millisecond of every start."""
    slow = []
    for module in pkgutil.walk_packages(lockset.__path__, "lockset."):
        source = inspect.getsource(importlib.import_module(module.name)) if module.name != "lockset.__main__" else ""
        if module.name != "lockset._dataclass" and re.search(
            r"from dataclasses import .*\b(dataclass|field|fields|replace)\b", source
        ):
            slow.append(module.name)
    assert slow == []
