"""The options of a run as plain values, with which another process is opened."""

from __future__ import annotations

import marshal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lockset.index.options import IndexOptions, IndexSource, options_of_plain, plain_options

_NAMES = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
_TEXTS = st.none() | st.text(max_size=8)


@st.composite
def _options(draw: st.DrawFn) -> IndexOptions:
    names = draw(st.lists(_NAMES, unique=True, max_size=3))
    facts: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {
                "offline": st.booleans(),
                "keyring": st.booleans(),
                "refresh_packages": st.frozensets(_NAMES),
                "insecure_hosts": st.frozensets(_NAMES),
                "find_links": st.lists(_NAMES.map("https://{}.example.org/".format)).map(tuple),
                "max_age": st.none() | st.floats(min_value=0, max_value=1e6),
                "connections": st.integers(min_value=1, max_value=99),
                "cert": _TEXTS,
                "proxy": _TEXTS,
                "strategy": st.sampled_from(["first-index", "unsafe-first-match", "unsafe-best-match"]),
            }
        )
    )
    indexes = tuple(
        IndexSource(url=f"https://{name}.example.org/", name=name, explicit=draw(st.booleans())) for name in names
    )
    pins = draw(st.dictionaries(_NAMES, st.sampled_from(names))) if names else {}
    return IndexOptions(indexes=indexes, pins=pins, index_name=draw(_TEXTS), **facts)


@given(_options())
def test_plain_options_are_marshalled_and_read_as_the_same_options(options: IndexOptions) -> None:
    assert options_of_plain(marshal.loads(marshal.dumps(plain_options(options)))) == options
