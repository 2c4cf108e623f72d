"""What is shown of texts from outside: nothing that a terminal acts on, nothing without end, no password."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lockset.cli.output.streams import plain

words = st.from_regex(r"[^\s/@:{}]+", fullmatch=True)


@given(st.text(), st.text())
def test_whatever_comes_is_printable_and_bounded(text: str, more: str) -> None:
    shown = plain(text + "\x1b[31m" + more)
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert len(plain(text * 1000)) <= 2000


@example("0", "`", "http")
@example("0", '"', "http")
@example("`", '","', "https")
@given(words, words, st.sampled_from(["http", "https", "git+https", "ftp", "ssh", "git+ssh"]))
def test_a_password_in_an_address_is_never_shown(user: str, password: str, scheme: str) -> None:
    message = f"Invalid name '{scheme}://{{}}example.org/path' in `packages[0]`"
    assert plain(message.format(f"{user}:{password}@")) == plain(message.format(""))


@pytest.mark.parametrize(
    "text", ["a @ https://example.org/a@1.whl", "x@y.example", "ssh://git@example.org/a.git", "a@b://c"]
)
def test_text_without_user_info_is_unchanged(text: str) -> None:
    assert plain(text) == text


def test_a_token_alone_is_none_either() -> None:
    assert plain("https://token@example.org/") == "https://example.org/"


@given(words, words)
def test_a_password_is_not_shown_where_its_address_is_quoted(user: str, password: str) -> None:
    escaped = password.replace("\\", "\\\\").replace('"', '\\"')
    name = user.replace("\\", "").replace('"', "") or "me"
    for quoted in (f'"https://{name}:{escaped}@example.org/"', f"`https://{name}:{password}@example.org/`"):
        assert plain(quoted) in {'"https://example.org/"', "`https://example.org/`"}


def test_a_backtick_does_not_end_the_value_of_a_secret_parameter() -> None:
    shown = plain("`https://example.org/?token=se`cret` is not valid")
    assert shown == "`https://example.org/?token=****` is not valid"
