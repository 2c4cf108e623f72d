"""Links of pages are resolved as `urljoin` does, however quick."""

from __future__ import annotations

from urllib.parse import urljoin

from hypothesis import given
from hypothesis import strategies as st

from lockset.index.pages.links import LinkBase

bases = st.sampled_from(
    ["https://x.example.org/simple/a/", "http://127.0.0.1:8080/simple/a/", "HTTPS://x.example.org/a", "http://[::1]/a/"]
)
paths = st.lists(
    st.sampled_from(
        [
            "/",
            "a",
            "b-1.0.whl",
            ".",
            "..",
            "%2e",
            "?",
            "#",
            ";",
            ":",
            " ",
            "\t",
            "\x7f",
            "\u00e9",
            "\u202e",
            "+",
            "!",
            "\\",
        ]
    ),
    max_size=8,
).map("".join)
from_root = st.lists(st.sampled_from(["/a", "/b-1.0-py3-none-any.whl", "/..", "/%20", "//"]), max_size=5).map("".join)


@given(bases, paths | from_root)
def test_a_link_is_what_urljoin_makes_of_it(base: str, path: str) -> None:
    try:
        joined = urljoin(base, path)
    except ValueError:
        assert LinkBase(base).resolve(path) is None
    else:
        expected = joined if joined.startswith(("http://", "https://")) and joined.isprintable() else None
        assert LinkBase(base).resolve(path) == expected
