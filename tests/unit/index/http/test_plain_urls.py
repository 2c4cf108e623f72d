"""A plain URL is sent as httpx would send it, without httpx."""

from __future__ import annotations

import re

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.index.http import httpx_client as client

PLAIN = st.from_regex(re.compile(client._PLAIN_URL.pattern, client._PLAIN_URL.flags), fullmatch=True)


@given(PLAIN)
def test_a_plain_url_has_the_address_that_httpx_reads(url: str) -> None:
    try:
        read = client._read(httpx.URL(url))
    except httpx.InvalidURL:
        return  # 1.2.3.999, which no resolver knows either
    assert _parts(client._address(url)) == _parts(read)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a b",
        "https://example.org/a/../b",
        "https://example.org/a%20b",
        "https://example.org/a?b",
        "https://xn--mnchen-3ya.example/a",
        "https://a.xn--mnchen-3ya.example/a",
        "https://[::1]/a",
        "https://u:p@example.org/a",
        "HTTPS://example.org/a",
        "https://example.org",
        "https://example..org/a",
    ],
)
def test_any_other_url_is_left_to_httpx(url: str) -> None:
    assert client._PLAIN_URL.fullmatch(url) is None


def _parts(address: client._Address) -> tuple[object, ...]:
    url = address.url
    return url.scheme, url.host, url.port, url.target, address.host, address.netloc
