"""The values of a lock file are those of packaging, and so are the errors, with fewer file names parsed."""

from __future__ import annotations

import copy
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from packaging import pylock
from packaging.utils import parse_wheel_filename

from lockset.lockfile.model import lock_of

if TYPE_CHECKING:
    import pytest

TAGS = (
    "py3-none-any",
    "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
    "cp312-cp312-win_amd64",
    "py2.py3-none-any",
    # Unusual, or not valid.
    "1-py3-none-any",
    "CP311-cp311-any",
    "3py-none-any",
    "py3..py2-none-any",
    "py3-none-",
    "py3-none",
    "py3-none-any-any-any",
    "py3-none-any\n",
    "",
)
NAMES = (
    *(f"six-1.0-{tags}.whl" for tags in TAGS),
    "Six-1.0-py3-none-any.whl",
    "six-1.0.0-py3-none-any.whl",
    "six-2.0-py3-none-any.whl",
    "six-1.x-py3-none-any.whl",
    "other-1.0-py3-none-any.whl",
    "six-1.0-py3-none-any.WHL",
    "six",
    "",
)
ODD: tuple[Any, ...] = (None, True, 1, 1.5, "", "x", [], {}, ["x"], {"sha256": 1}, datetime(2024, 1, 1))  # noqa: DTZ001
KEYS = ("name", "url", "path", "size", "upload-time", "hashes", "odd")


@st.composite
def wheels(draw: st.DrawFn) -> Any:
    name = draw(st.sampled_from([*NAMES[:3] * 6, *NAMES]))
    wheel: dict[str, Any] = {
        "name": name,
        "url": f"https://files.example.org/{name}",
        "size": 1,
        "upload-time": datetime(2024, 1, 1, tzinfo=timezone.utc),
        "hashes": {"sha256": "ab"},
    }
    for key in draw(st.one_of(st.just(()), st.lists(st.sampled_from(KEYS), max_size=2))):
        wheel.pop(key, None)
        if draw(st.booleans()):
            wheel[key] = draw(st.sampled_from(ODD))
    return draw(st.sampled_from([wheel] * 20 + [None, "x"]))


@st.composite
def files(draw: st.DrawFn) -> Any:
    package: dict[str, Any] = {"name": "six", "version": "1.0", "wheels": draw(st.lists(wheels(), max_size=5))}
    package |= draw(st.sampled_from([{}, {}, {"version": "2.0"}, {"name": "Six"}, {"marker": "x"}, {"wheels": 1}]))
    if draw(st.booleans()):
        package.pop(draw(st.sampled_from(["name", "version", "wheels"])))
    other = {"name": "six", "version": "1.0", "wheels": draw(st.lists(wheels(), max_size=3))}
    top = {"lock-version": "1.0", "created-by": "x", "packages": [package, draw(st.sampled_from([other, other, 1]))]}
    return top | draw(st.sampled_from([{}, {}, {}, {"packages": 1}, {"lock-version": "9"}, {"extras": 1}]))


def outcome(read: Any, data: Any) -> Any:
    try:
        return read(data)
    except pylock.PylockValidationError as error:
        return type(error), str(error)


@given(files())
def test_the_values_and_errors_are_those_of_packaging(data: Any) -> None:
    before = copy.deepcopy(data)
    assert outcome(lock_of, data) == outcome(pylock.Pylock.from_dict, data)
    assert data == before


def test_one_file_name_of_a_release_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    parse = parse_wheel_filename

    def counted(name: str) -> Any:
        parsed.append(name)
        return parse(name)

    monkeypatch.setattr(pylock, "parse_wheel_filename", counted)
    data = {
        "lock-version": "1.0",
        "created-by": "x",
        "packages": [
            {
                "name": "six",
                "version": "1.0",
                "wheels": [
                    {"name": name, "url": f"https://files.example.org/{name}", "hashes": {"sha256": "ab"}}
                    for name in NAMES[:4]
                ],
            }
        ],
    }
    assert [wheel.name for wheel in lock_of(data).packages[0].wheels or ()] == list(NAMES[:4])
    assert parsed == [NAMES[0]]
