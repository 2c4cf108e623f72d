"""A path that is taken at a glance has no problem that a closer look finds."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from lockset.sync.wheel.safe_path import _plain_path, _unusual_problem

_words = st.sampled_from(
    ["con", "NUL", "com1", "lpt9", "aux", "prn", "a", "_", "-", ".", "..", "/", "py", "b" * 79, "0"]
)
_paths = st.lists(_words, min_size=1, max_size=8).map("".join)


@given(_paths | st.text(min_size=1, max_size=300))
@example("con.py")
@example("a/com1.txt")
@example("a.")
@example("a/")
@example("a\n")
@example(".".join("a" * 40 for _ in range(8)))
def test_a_plain_path_has_no_problem(path: str) -> None:
    if _plain_path().fullmatch(path):
        assert _unusual_problem(path) is None
