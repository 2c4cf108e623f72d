"""The position map names the right places, in every form that TOML has."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import tomli
from hypothesis import example, given
from hypothesis import strategies as st

from lockset.lockfile.positions import Positions, positions
from lockset.lockfile.validate.report import may_be_newer
from support.strategies.toml_texts import Renderer, documents, paths

if TYPE_CHECKING:
    from collections.abc import Mapping


def value_at(data: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


def check(text: str, data: Mapping[str, Any], result: Positions) -> None:
    assert set(result) == set(paths(data))
    for path, span in result.items():
        value, value_span = value_at(data, path), result.value(path)
        shown, shown_value = text[span.start : span.end], text[value_span.start : value_span.end]
        if shown.startswith("[") and (isinstance(path[-1], str) or isinstance(value, dict)):
            assert header_names(shown) == [key for key in path if isinstance(key, str)]
        elif isinstance(path[-1], int):
            assert shown == shown_value
            assert tomli.loads(f"key = {shown_value}")["key"] == value
        else:
            assert tomli.loads(f"{shown} = 1") == {path[-1]: 1}
            # A table that is only mentioned on the way to another has no value of its own in the text.
            if value_span != span:
                assert tomli.loads(f"key = {shown_value}")["key"] == value


def header_names(header: str) -> list[str]:
    names: list[str] = []
    table: Any = tomli.loads(header)
    while table:
        [(name, below)] = table.items()
        names.append(name)
        table = below[0] if isinstance(below, list) else below
    return names


@given(documents, st.integers(0, 2**32))
@example({"a": {"b": [{"c": {}}, {"c": {"d": 1}}]}}, 0)
def test_every_key_and_value_is_found_where_it_stands(data: dict[str, Any], seed: int) -> None:
    text = Renderer(Random(seed)).document(data)
    assert tomli.loads(text) == data
    result = positions(text)
    assert result.newer is None
    check(text, data, result)


@given(documents, st.integers(0, 2**32))
def test_what_only_newer_toml_has_is_noticed(data: dict[str, Any], seed: int) -> None:
    renderer = Renderer(Random(seed), allow_newer=True)
    text = renderer.document(data)
    assert tomli.loads(text) == data
    result = positions(text)
    assert (result.newer is not None) == renderer.newer
    assert may_be_newer(text) or not renderer.newer, "the validator scans what has newer syntax"
    check(text, data, result)


@given(st.text(st.sampled_from("ab.=[]{}\"'\\\n\t, #1:-\r"), max_size=30))
def test_whatever_the_reader_accepts_is_scanned_to_its_end(text: str) -> None:
    try:
        data = tomli.loads(text)
    except tomli.TOMLDecodeError:
        return
    result = positions(text)
    assert set(result) == set(paths(data))
    assert result.newer is None or may_be_newer(text)


@pytest.mark.parametrize(
    "text",
    [
        "a = {b = 'x',}\n",
        'a = {b = "x"\n}\n',
        'a = "x"\nb = 12:30\n',
        'a = "\\e"\n',
        """a = "'"\nb = [{c = '"'},\n{c = 1,}]\n""",
    ],
)
def test_the_validator_scans_each_syntax_that_only_newer_toml_has(text: str) -> None:
    assert positions(text).newer is not None
    assert may_be_newer(text)


@pytest.mark.parametrize("text", ['a = "12:30, }"\n', "a = 12:30:15\n", """a = '"# 12:30'\nb = {c = "{'"}\n"""])
def test_usual_texts_need_no_scan(text: str) -> None:
    assert positions(text).newer is None
    assert not may_be_newer(text)
