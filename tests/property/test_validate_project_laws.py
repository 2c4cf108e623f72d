"""`validate` finds whatever the reader of every command refuses: a project is broken at every key."""

from __future__ import annotations

import copy
from datetime import date, datetime, time, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.sources.pyproject import read_pyproject
from lockset.sources.validate.report import validate_project

if TYPE_CHECKING:
    from collections.abc import Iterator

Path_ = tuple[str | int, ...]

WHOLE: dict[str, Any] = {
    "project": {
        "name": "app",
        "version": "1",
        "requires-python": ">=3.10",
        "dependencies": ["a>=1", "b ; sys_platform == 'linux'"],
        "dynamic": ["description"],
        "optional-dependencies": {"x": ["app[y]"], "y": ["c"]},
    },
    "dependency-groups": {"test": ["d", {"include-group": "lint"}], "lint": ["e"]},
    "build-system": {"requires": ["hatchling"], "build-backend": "hatchling.build"},
    "tool": {
        "lockset": {
            "python": ">=3.10",
            "implementation": "cpython",
            "platforms": ["linux"],
            "environments": ["sys_platform == 'linux'"],
            "require-wheels-for": ["win_amd64"],
            "conflicts": [[{"extra": "x"}, {"group": "test"}]],
            "default-groups": ["test"],
            "constraints": ["a<2"],
            "prerelease-package": {"a": "allow"},
            "exclude-newer": "7 days",
            "exclude-newer-package": {"a": False},
            "no-build": ["a"],
            "no-sdist": True,
            "config-settings": {"k": "v"},
            "ignore-tools": ["uv"],
            "index": [{"url": "https://index.example.org", "name": "i", "explicit": True, "packages": ["a"]}],
            "validate": {"ignore": ["unknown-key"], "strict": False},
        }
    },
}
REPLACEMENTS: tuple[Any, ...] = (
    "", "a", "a b", "a=1", "x ==", "(" * 300, "9" * 5000, "app[zz]", "lint", "test", 1, True, False, 1.5,
    date(2026, 1, 31), datetime(2026, 1, 31, tzinfo=timezone.utc), time(10), [], [1], ["a"], [[]], [{}], {}, {"x": 1},
    {"include-group": "test"}, [{"url": "a"}, {"url": "b", "default": True}, {"url": "c", "default": True}],
)  # fmt: skip


def places(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield (*path, key)
        yield from places(below, (*path, key))


PLACES = tuple(places(WHOLE))


def broken(data: dict[str, Any], location: Path_, replacement: Any) -> dict[str, Any]:
    """`data` with another value at `place`, or without it for None; as it is where `place` is gone already."""
    changed = copy.deepcopy(data)
    holder: Any = changed
    try:
        for key in location[:-1]:
            holder = holder[key]
        if replacement is None:
            del holder[location[-1]]
        else:
            holder[location[-1]] = replacement
    except (KeyError, IndexError, TypeError):
        return data
    return changed


def check(data: dict[str, Any]) -> None:
    """What a command refuses is an error of validate, at a place in the text, in a sentence that can be shown."""
    text = tomli_w.dumps(data)
    report = validate_project(text)
    for issue in report.issues:
        assert 1 <= issue.line <= text.count("\n") + 1
        assert issue.message
    assert not report.ok or refusal(text) in {None, "no-project"}


def refusal(text: str) -> str | None:
    """The code with which commands refuse the project; None where they read it."""
    try:
        read_pyproject(text, base=Path())
    except LocksetError as error:
        return error.diagnostic.code
    return None


def test_the_whole_project_has_no_finding() -> None:
    assert validate_project(tomli_w.dumps(WHOLE)).issues == ()
    check(WHOLE)


@pytest.mark.parametrize("location", PLACES, ids=lambda location: ".".join(map(str, location)))
def test_one_key_missing_or_of_another_value(location: Path_) -> None:
    for replacement in (None, *REPLACEMENTS):
        check(broken(WHOLE, location, replacement))


changes = st.tuples(st.sampled_from(PLACES), st.none() | st.sampled_from(REPLACEMENTS) | st.text(max_size=4))


@given(st.lists(changes, min_size=2, max_size=4))
def test_several_keys_broken_at_once(several: list[tuple[Path_, Any]]) -> None:
    data = WHOLE
    for location, replacement in several:
        data = broken(data, location, replacement)
    check(data)
