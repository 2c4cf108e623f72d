"""What the validator waves through as an ordinary wheel or marker is valid by every rule, and for packaging."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.markers import Marker

from lockset.lockfile.validate.finding import Findings
from lockset.lockfile.validate.lock_table import LockTable
from lockset.lockfile.validate.rules.markers import is_ordinary_marker
from lockset.lockfile.validate.rules.sources import (
    _FILE_KEYS,
    _is_ordinary,
    _size_and_time,
    check_hashes,
    check_location,
    check_name,
)

PATH = ("packages", 0, "wheels", 0)
NAMES = (
    "six-1.0-py3-none-any.whl",
    "Six-1.0-py2.py3-none-any.whl",
    "six-1.0-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "six-1.0.0-py3-none-any.whl",
    "six-1.x-py3-none-any.whl",
    "other-1.0-py3-none-any.whl",
    "six__x-1.0-py3-none-any.whl",
    "six-1.0-py3-none.whl",
    f"six-1.0-{'.'.join(f'py{n}' for n in range(60))}-{'.'.join(f'a{n}' for n in range(60))}-any.whl",
    "six-1.0.tar.gz",
    "",
    "six-1.0-py3-none-any.whl\n",
)
PLACES = (
    "https://files.example.org/a/",
    "https://files.example.org:8080/a/",
    "http://127.0.0.1:8080/a/",
    "http://files.example.org/a/",
    "http://127.0.0.1.example.org/a/",
    "https://user:secret@files.example.org/",
    "https://files.example.org:99999/",
    "https:///a/",
    "ftp://files.example.org/",
    "https://files.example.org/a b/",
    "https://files.example.org/x?y=/",
    "",
)
TIMES: tuple[Any, ...] = (
    datetime(2024, 1, 1, tzinfo=timezone.utc),
    datetime(2024, 1, 1),  # noqa: DTZ001 - a time of no zone is the point
    datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1))),
    "2024-01-01T00:00:00Z",
)
ODD: st.SearchStrategy[Any] = st.sampled_from([None, True, 1, 1.5, [], {}, "x"])


@st.composite
def wheels(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    name = draw(st.sampled_from(NAMES))
    digest = draw(st.sampled_from(["a" * 64, "A" * 64, "a" * 63, "g" * 64]))
    wheel: dict[str, Any] = {
        "name": name,
        "url": draw(st.sampled_from(PLACES)) + draw(st.sampled_from([name, name, name, NAMES[0], f"{name}#x"])),
        "hashes": draw(st.sampled_from([{"sha256": digest}, {"sha256": digest}, {"md5": "0" * 32}, {}])),
        "size": draw(st.sampled_from([1, 2**63 - 1, 2**63, 0, -1])),
        "upload-time": draw(st.sampled_from(TIMES)),
    }
    for key in draw(st.sets(st.sampled_from([*wheel, "path", "odd"]), max_size=2)):
        if draw(st.booleans()):
            wheel.pop(key, None)
        else:
            wheel[key] = draw(ODD)
    package = {"name": draw(st.sampled_from(["six", "six-x", "Six"])), "version": draw(st.sampled_from(["1.0", "1.x"]))}
    return wheel, package


@given(made=wheels())
def test_an_ordinary_wheel_breaks_no_rule(made: tuple[dict[str, Any], dict[str, Any]]) -> None:
    wheel, package = made
    result = Findings()
    table = LockTable(wheel, PATH, result)
    check_name(table, "wheel", package)
    check_location(table, "wheel", what="it")
    _size_and_time(table, "wheel")
    check_hashes(table, "wheel", what="it")
    if _is_ordinary(wheel, package):
        assert not list(result)
        assert wheel.keys() <= _FILE_KEYS


def test_what_nearly_all_wheels_are_is_ordinary() -> None:
    """Else the shortcut would be none."""
    for location in (PLACES[0], PLACES[1], PLACES[2]):
        for name in (NAMES[0], NAMES[1], NAMES[2]):
            wheel = {"name": name, "url": location + name, "hashes": {"sha256": "a" * 64}}
            assert _is_ordinary(wheel, {"name": "six", "version": "1.0"})
            timed = wheel | {"size": 3, "upload-time": datetime(2024, 1, 1, tzinfo=timezone.utc)}
            assert _is_ordinary(timed, {"name": "six", "version": "1.0"})


BLANKS = st.sampled_from(["", " ", "  ", "\t", "\n"])
VARIABLES = st.sampled_from(["os_name", "python_version", "platform.machine", "extra", "extras", "dependency_groups"])
LITERALS = st.sampled_from(["'3.8'", '"x y"', "'in'", "'\\'", "'é'", "''", "'and os_name'", "'a\"b'", "'C'", '"\'"'])
PIECES = st.sampled_from(["and", "or", "not", "in", "(", ")", "==", "<", "===", "~=", ">=", "C", "\0", ";", "not in"])


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    one, other = draw(st.permutations([draw(VARIABLES), draw(LITERALS)]))
    operator = draw(st.sampled_from(["==", "in", "not in", "<", "===", "not  in", "~="]))
    return f"{one}{draw(BLANKS)}{operator}{draw(BLANKS)}{other}"


@st.composite
def marker_texts(draw: st.DrawFn) -> str:
    texts = st.recursive(
        comparisons() | st.sampled_from(["'test' in extras", "'dev' not in dependency_groups", "os_name == 'nt'"]),
        lambda inner: (
            st.tuples(inner, st.sampled_from([" and ", " or ", "and ", " or"]), inner).map("".join)
            | inner.map(lambda text: f"({text})")
            | inner.map(lambda text: f" ( {text} ) ")
        ),
        max_leaves=6,
    )
    return draw(texts | st.lists(VARIABLES | LITERALS | PIECES | comparisons(), max_size=6).map(" ".join))


@given(marker_texts())
@example("C")
@example("\0")
@example("os_name == 'nt' and C")
@example("(os_name == 'nt')(os_name == 'nt')")
def test_a_marker_that_is_waved_through_is_valid_for_packaging(text: str) -> None:
    if is_ordinary_marker(text):
        Marker(text)


@pytest.mark.parametrize(
    "text",
    [
        "sys_platform == 'linux'",
        "python_version >= '3.10' and python_full_version < \"3.14\"",
        "(os_name == 'nt' or sys_platform != 'darwin') and 'test' in extras",
        "platform_machine == 'x86_64' and ((python_version < '3.9') or 'dev' not in dependency_groups)",
    ],
)
def test_usual_markers_are_waved_through(text: str) -> None:
    assert is_ordinary_marker(text)
