"""Which parts of a URL are secret, and texts without them."""

from __future__ import annotations

import time

import pytest

from lockset.url_secrets import has_secret, masked, plain_url, without_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:SECRET@h.example.org/x", "https://****@h.example.org/x"),
        ("https://SECRET@h.example.org", "https://****@h.example.org"),
        ("https://:SECRET@h.example.org/", "https://****@h.example.org/"),
        ("https://me@corp.example.org:SECRET@h.example.org/x", "https://****@h.example.org/x"),
        ("https://user:SEC/RET@h.example.org/x", "https://****@h.example.org/x"),
        ("git+ssh://git:SECRET@h.example.org/x@v1", "git+ssh://****@h.example.org/x@v1"),
        ("https://h.example.org/x?token=SECRET&a=b", "https://h.example.org/x?token=****&a=b"),
        ("https://h.example.org/x?a=b&private_token=SECRET", "https://h.example.org/x?a=b&private_token=****"),
        ("https://h.example.org/x?X-Amz-Signature=SECRET", "https://h.example.org/x?X-Amz-Signature=****"),
        ("https://h.example.org/x?sv=1&sig=SECRET", "https://h.example.org/x?sv=1&sig=****"),
        ("https://h.example.org/x#access_token=SECRET", "https://h.example.org/x#access_token=****"),
        ('https://h.example.org/x?token=SEC"RET', "https://h.example.org/x?token=****"),
        ('https://h.example.org/x?token=SEC""RET&a=b', "https://h.example.org/x?token=****&a=b"),
        ('say "https://h.example.org/x?token=SECRET".', 'say "https://h.example.org/x?token=****".'),
        (
            '{"a":"say \\"https://h.example.org/?token=SECRET\\" x"}',
            '{"a":"say \\"https://h.example.org/?token=****\\" x"}',
        ),
        ('{"a":"https://h.example.org/?token=SEC\\"RET","b":1}', '{"a":"https://h.example.org/?token=****","b":1}'),
        ('{"a":"https://u:SECRET@h.example.org","b":"c@d"}', '{"a":"https://****@h.example.org","b":"c@d"}'),
    ],
)
def test_a_secret_is_masked_wherever_it_stands_in_an_address(text: str, shown: str) -> None:
    assert has_secret(text)
    assert without_secrets(text) == shown
    assert len(masked(text)) == len(text)
    assert "SECRET" not in masked(text)
    assert not has_secret(shown)


@pytest.mark.parametrize(
    "text",
    [
        "git+ssh://git@h.example.org/x@v1",
        "ssh://me@h.example.org/x",
        "git+https://h.example.org/x@main",
        "https://h.example.org:8080/x@v1",
        "https://h.example.org/@scope/x",
        "https://${TOKEN}@h.example.org/x",
        "https://user:${TOKEN}@h.example.org/x",
        "https://h.example.org/x?token=${TOKEN}",
        "https://h.example.org/x?author=me&monkey=1&a=b@c",
        "https://h.example.org/x#sha256=abc&egg=x&subdirectory=y",
        '{"a":"https://h.example.org","b":"c@d"}',
        "who@example.org",
    ],
)
def test_text_without_secrets_is_unchanged(text: str) -> None:
    assert not has_secret(text)
    assert without_secrets(text) == masked(text) == text


def test_the_user_of_an_ssh_address_stays_without_its_password() -> None:
    assert plain_url("ssh://git:SECRET@h.example.org/x") == "ssh://git@h.example.org/x"
    assert plain_url("https://me@corp.example.org:SECRET@h.example.org/x?a=b") == "https://h.example.org/x?a=b"
    assert plain_url("https://user:SEC/RET@h.example.org/x") == "https://h.example.org/x"


@pytest.mark.parametrize(
    "text",
    [
        "a" * 500_000 + "://@",
        "://" + "a" * 500_000 + "@",
        "://a:b" * 100_000 + "@",
        "://@" * 100_000,
        "https://h?" + "token" * 100_000,
        "https://h?" + "a" * 500_000,
        "https://h" + "?token" * 100_000,
        "https://" + ":" * 300_000 + "@",
    ],
    ids=range(8),
)
def test_long_texts_take_time_in_proportion(text: str) -> None:
    before = time.process_time()
    has_secret(text)
    plain_url(text)
    without_secrets(text)
    assert time.process_time() - before < 30
