"""Laws of patterns that are compiled on first use: they behave as compiled ones do."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset._pattern import lazy_pattern

SOURCES = st.sampled_from([r"a+", r"(?P<first>[ab])(c)?", r"^b|c$", r"", r"\W"])
FLAGS = st.sampled_from([0, re.IGNORECASE, re.MULTILINE, re.ASCII | re.DOTALL])
TEXTS = st.text(alphabet="abcABC \né", max_size=12)
ONE_BY_ONE = ["match", "fullmatch", "search"]


def shown(match: re.Match[str] | None) -> Any:
    return None if match is None else (match.span(), match.groups(), match.groupdict())


@given(SOURCES, FLAGS, TEXTS, st.integers(0, 12))
def test_a_lazy_pattern_matches_what_the_compiled_one_does(source: str, flags: int, text: str, start: int) -> None:
    whole = re.compile(source, flags)
    for name in ONE_BY_ONE:
        expected = shown(getattr(whole, name)(text, start))
        assert shown(getattr(lazy_pattern(source, flags), name)(text, start)) == expected
    lazy = lazy_pattern(source, flags)
    assert [shown(one) for one in lazy.finditer(text)] == [shown(one) for one in whole.finditer(text)]
    assert lazy.findall(text) == whole.findall(text)
    assert lazy.split(text) == whole.split(text)
    assert lazy.sub("-", text) == whole.sub("-", text)
    assert lazy.subn("-", text, count=1) == whole.subn("-", text, count=1)
    assert (lazy.pattern, lazy.flags, lazy.groups) == (whole.pattern, whole.flags, whole.groups)


def test_a_pattern_is_compiled_once_and_not_before_its_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[object] = []
    original = re.compile

    def record(source: str, flags: int) -> re.Pattern[str]:
        compiled.append(source)
        return original(source, flags)

    monkeypatch.setattr(re, "compile", record)
    lazy = lazy_pattern("a")
    assert compiled == []
    assert lazy.match("a")
    assert lazy.search("ba")
    assert not lazy.fullmatch("b")
    assert compiled == ["a"]


def test_an_attribute_that_patterns_do_not_have_is_an_error_before_and_after_the_first_use() -> None:
    lazy: Any = lazy_pattern("a")
    for _ in range(2):
        with pytest.raises(AttributeError):
            _ = lazy.unknown


def test_a_pattern_that_is_not_valid_is_an_error_at_each_use() -> None:
    lazy = lazy_pattern("(")
    for _ in range(2):
        with pytest.raises(re.error):
            lazy.match("")


def test_many_threads_may_use_a_pattern_for_the_first_time_at_once() -> None:
    threads = 8
    for number in range(50):
        lazy, start = lazy_pattern(f"(a{{{number + 1}}})"), Barrier(threads)

        def run(text: str, lazy: re.Pattern[str] = lazy, start: Barrier = start) -> bool:
            start.wait()
            return bool(lazy.match(text)) and bool(lazy.fullmatch(text))

        with ThreadPoolExecutor(threads) as pool:
            assert all(pool.map(run, ["a" * (number + 1)] * threads))
