"""Which folders are members, by the patterns of a workspace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.sources.toml_table import parse_settings_file
from lockset.sources.workspaces.table import WorkspaceTable, matches, parts_of, workspace_table

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = st.text("ab", min_size=1, max_size=2)
PATTERNS = st.lists(st.one_of(NAMES, st.just("*"), st.just("**"), st.just("a*")), min_size=1, max_size=5)


def read(text: str, *, own: bool = True) -> WorkspaceTable | None:
    return workspace_table(parse_settings_file(text, location="pyproject.toml"), own=own)


def as_expression(pattern: Sequence[str]) -> str:
    """The pattern as a regular expression for paths that end in a slash."""
    return "".join("(?:[^/]+/)*" if part == "**" else part.replace("*", "[^/]*") + "/" for part in pattern)


@given(PATTERNS, st.lists(NAMES, max_size=5))
def test_a_pattern_matches_what_the_same_regular_expression_matches(pattern: list[str], folder: list[str]) -> None:
    expected = re.fullmatch(as_expression(pattern), "".join(f"{part}/" for part in folder)) is not None
    assert matches(pattern, folder) == expected


def test_many_stars_take_no_more_time_than_a_few() -> None:
    assert not matches(["**", "a"] * 200, ["a"] * 150 + ["b"])


def test_parts_of_a_pattern_are_plain() -> None:
    assert parts_of("./packages//core/") == ("packages", "core")
    assert parts_of("packages\\core") == ("packages", "core")
    assert parts_of(".") == ()
    assert parts_of("a/../..") == ("..",)


def test_what_is_excluded_is_not_a_member() -> None:
    table = WorkspaceTable(members=("packages/*",), exclude=("packages/old",))
    assert table.is_member("packages/new")
    assert not table.is_member("packages/old")
    assert not table.is_member("packages/new/inner")


def test_the_table_of_lockset_takes_precedence() -> None:
    both = '[tool.uv.workspace]\nmembers = ["u"]\n[tool.lockset.workspace]\nmembers = ["l"]'
    table = read(both)
    assert table is not None
    assert (table.members, table.path) == (("l",), "tool.lockset.workspace")
    other = read(both, own=False)
    assert other is not None
    assert other.members == ("u",)


def test_a_table_of_an_ignored_tool_is_left_aside() -> None:
    assert read('[tool.uv.workspace]\nmembers = ["u"]\n[tool.lockset]\nignore-tools = ["uv"]') is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[tool.lockset.workspace]\nmember = []", "unknown-key"),
        ("[tool.lockset.workspace]\nmembers = [1]", "wrong-type"),
        ("[tool.uv]\nworkspace = 1", "wrong-type"),
        ("[tool.uv.workspace]\nexclude = true", "wrong-type"),
    ],
)
def test_a_table_that_is_not_valid_is_refused(text: str, code: str) -> None:
    with pytest.raises(LocksetError) as caught:
        read(text)
    assert caught.value.diagnostic.code == code
