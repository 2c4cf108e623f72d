"""The excerpt of a finding: the value is marked, the line fits the terminal, links are shown where they work."""

from __future__ import annotations

import pytest
import tomli
from hypothesis import example, given
from hypothesis import strategies as st

from lockset.cli.output.cells import cells
from lockset.cli.output.findings.excerpt import Excerpt, excerpt_of, mark_of, rendered, value_span
from lockset.cli.output.findings.finding_text import finding_text
from lockset.cli.output.findings.findings import Line
from lockset.cli.output.hyperlinks import hyperlink, shows_hyperlinks
from lockset.cli.output.streams import Output
from lockset.spans import LineIndex, Span

texts = st.text(
    st.characters(categories=["L", "M", "N", "P", "S", "Zs", "Cc"], exclude_characters="\n\r"), max_size=300
)


@st.composite
def excerpts(draw: st.DrawFn) -> Excerpt:
    text = draw(texts.filter(bool))
    begin = draw(st.integers(0, len(text) - 1))
    end = draw(st.integers(begin + 1, len(text)))
    return Excerpt(text=text, begin=begin, end=end, is_cut_before=draw(st.booleans()), is_cut_after=draw(st.booleans()))


@given(excerpts(), st.integers(20, 200))
def test_an_excerpt_fits_and_its_mark_stands_below_its_text(excerpt: Excerpt, width: int) -> None:
    text, before, marked = rendered(excerpt, width)
    assert cells(text) <= width
    assert text.isprintable()
    assert before + marked <= max(cells(text), before + 1)


@given(st.text("ab日\u0301", max_size=300), st.text("日x", min_size=1, max_size=5), st.text("ab日", max_size=300))
def test_the_caret_is_below_the_first_character_of_the_mark(before: str, wrong: str, after: str) -> None:
    excerpt = Excerpt(text=f"{before}!{wrong}{after}", begin=len(before), end=len(before) + 1 + len(wrong))
    text, columns, marked = rendered(excerpt, 60)
    assert columns == cells(text[: text.index("!")])
    assert marked == cells(f"!{wrong}")


def test_what_an_encoding_lacks_moves_the_caret() -> None:
    excerpt = Excerpt(text="日 wrong", begin=2, end=7)
    text, columns, _ = rendered(excerpt, 60, lambda text: text.encode("ascii", "backslashreplace").decode())
    assert text == "\\u65e5 wrong"
    assert columns == text.index("wrong")


values = st.recursive(
    st.sampled_from(["1", "true", "2025-01-01 10:00:00", "1.5e3", '"a"', "'a # }'", '"]"', '"a\\"b"', "'''x'''", '""']),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(inner, max_size=3).map(
            lambda items: "{" + ", ".join(f"k{i} = {x}" for i, x in enumerate(items)) + "}"
        )
    ),
    max_leaves=6,
)


@example("'a'", "  # b")
@given(values, st.sampled_from(["", " ", "  # comment = 1", "\nb = 1", "\r\n"]))
def test_the_value_behind_a_key_is_marked_as_a_whole(value: str, after: str) -> None:
    text = f"key = {value}{after}"
    tomli.loads(text)
    assert value_span(text, Span(start=0, end=3)) == Span(start=6, end=6 + len(value))


@pytest.mark.parametrize("text", ["key = [\n1]", 'key = """a\nb"""', "[key]", "key.more = 1", "[[key]]\n= 1", "key"])
def test_a_key_is_marked_where_its_value_is_not_on_its_line(text: str) -> None:
    key = Span(start=text.index("key"), end=text.index("key") + 3)
    assert value_span(text, key) == key


def test_columns_are_counted_in_characters_and_in_bytes() -> None:
    index = LineIndex('a = 1\nb = {c = "日本", d = 2}\n')
    start = index.text.index("2}")
    mark = mark_of(Span(start=start, end=start + 1), index)
    assert (mark.start, mark.end, mark.start_byte, mark.end_byte) == ((2, 20), (2, 21), 24, 25)


def test_a_caret_has_the_colour_of_its_level(capsys: pytest.CaptureFixture[str]) -> None:
    index = LineIndex("a = 1")
    mark = mark_of(Span(start=4, end=5), index)
    for level, code in (("error", "31"), ("warning", "33")):
        line = Line(rule="x", level=level, message="m", mark=mark, excerpt=excerpt_of(mark, index))
        shown = finding_text("pylock.toml", line, Output(color="always")).splitlines()
        assert f"\x1b[1;{code}m^\x1b[0m" in shown[-1]
        assert f"\x1b[1;{code}m{level}[x]" in shown[0]


def test_a_rule_is_a_link_where_the_terminal_shows_links() -> None:
    line = Line(rule="x", level="error", message="m", section="https://docs.example.org/#x")
    plain = Output(color="always", environ={})
    linked = Output(color="always", environ={"FORCE_HYPERLINK": "1"})
    assert "\x1b]8" not in finding_text("pylock.toml", line, plain)
    assert "\x1b]8;;https://docs.example.org/#x\x1b\\x\x1b]8;;\x1b\\" in finding_text("pylock.toml", line, linked)
    assert "\x1b" not in finding_text("pylock.toml", line, Output(color="never", environ={"FORCE_HYPERLINK": "1"}))


@pytest.mark.parametrize(
    ("environ", "is_terminal", "expected"),
    [
        ({"TERM_PROGRAM": "WezTerm"}, True, True),
        ({"TERM_PROGRAM": "WezTerm"}, False, False),
        ({"TERM_PROGRAM": "WezTerm", "CI": "true"}, True, False),
        ({"TERM_PROGRAM": "Apple_Terminal"}, True, False),
        ({"VTE_VERSION": "7200"}, True, True),
        ({"VTE_VERSION": "4900"}, True, False),
        ({"VTE_VERSION": "9" * 50}, True, False),
        ({"WT_SESSION": "1"}, True, True),
        ({"WT_SESSION": "1", "FORCE_HYPERLINK": "0"}, True, False),
        ({"FORCE_HYPERLINK": "1"}, False, True),
        ({}, True, False),
    ],
)
def test_links_are_shown_by_terminals_that_are_known_for_it(
    environ: dict[str, str], *, is_terminal: bool, expected: bool
) -> None:
    assert shows_hyperlinks(environ, is_terminal=is_terminal) is expected


@given(st.text())
def test_an_address_cannot_end_a_link(url: str) -> None:
    shown = hyperlink("x", url)
    assert shown == "x" or shown.count("\x1b") == 4
