"""JSON without the module `json` is what the module writes."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from lockset.sync.json_text import json_array, json_text


@given(st.text() | st.text(alphabet='a"\\\x7f\n\ud800é/'))
def test_a_text_is_written_as_by_the_module(text: str) -> None:
    assert json_text(text) == json.dumps(text)


@given(st.lists(st.text()))
def test_an_array_is_written_as_by_the_module(texts: list[str]) -> None:
    assert json_array(texts) == json.dumps(texts)
