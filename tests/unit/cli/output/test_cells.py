"""Columns of a terminal: tables, carets and the progress line hold for every script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.cli.output.cells import cells, cut, padded
from lockset.cli.output.streams import Output


@pytest.mark.parametrize(
    ("shown", "columns"),
    [("", 0), ("abc", 3), ("日本", 4), ("\uff46", 2), ("e\u0301", 1), ("é", 1), ("→", 1), ("📦", 2)],
)
def test_wide_characters_take_two_columns_and_combining_ones_none(shown: str, columns: int) -> None:
    assert cells(shown) == columns


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"]), max_size=20), st.integers(0, 30))
def test_cut_text_fits_and_padded_text_fills_the_width(shown: str, width: int) -> None:
    kept = cut(shown, width)
    assert shown.startswith(kept)
    assert cells(kept) <= width
    assert cells(padded(kept, width)) == width


def test_columns_of_a_table_stand_below_one_another(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(["name", "version"], [["日本語", "1"], ["abc", "2"]], stdout=True)
    assert capsys.readouterr().out.splitlines() == ["name    version", "日本語  1", "abc     2"]
