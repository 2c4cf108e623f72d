"""Hints for names that do not exist."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lockset.similar_names import known_names_hint

NAMES = st.sets(st.from_regex(r"[a-z]{1,8}", fullmatch=True), max_size=60)


def test_a_similar_name_is_suggested() -> None:
    assert known_names_hint("chart", {"charts", "web"}) == "Did you mean `charts`?"


def test_otherwise_all_names_are_listed() -> None:
    assert known_names_hint("qqq", {"web", "charts"}) == "It has: `charts`, `web`"
    assert known_names_hint("qqq", ()) == "It has none"


@given(NAMES)
def test_a_hint_stays_short(names: set[str]) -> None:
    hint = known_names_hint("0000000000", names)
    assert hint.count("`") <= 40
    assert (len(names) > 20) == (" more" in hint)
