"""Values that no reader expects, at every place of a document."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MANY", "VALUES", "changed", "locations", "with_value"]

MANY = "9" * 5000
ESCAPED = "\\x39" * 5000
Place = tuple["str | int", ...]

# Of every type, and texts beyond every bound of versions, specifiers, markers, requirements, URLs and hashes.
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 10**30, 1.5, "", [], {}, [1], [[]], [{}], {"a": 1}, {"sha256": 5}),
    *(MANY, f"1.{MANY}", f"{MANY}!1", f"1.0+{MANY}", f">={MANY}", f"==1.{MANY}", f"^{MANY}", f"~{MANY}", "²"),
    *(f"python_version >= '{MANY}'", f"python_version in '{MANY}.{MANY}'", f"python_version >= '{ESCAPED}'"),
    *(f"hull>={MANY}", f"hull; python_version < '{MANY}'", "(" * 3000, " or ".join(["os_name == 'nt'"] * 3000)),
    *("https://[::1", f"https://h.example.org/hull-{MANY}-py3-none-any.whl", "git+ssh://-oProxy/x", "/", ".."),
    *("\x1b[31m", "sha256:zz", f"sha256:{MANY}", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"),
    *("extra-9999999999-a", "a" * 300_000, "hull" + " " * 100_000 + "!"),
)


def locations(document: Any, before: Place = ()) -> Iterator[Place]:
    """The path of every value of a document of tables and lists."""
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        yield (*before, key)
        yield from locations(value, (*before, key))


def with_value(document: Any, location: Place, value: Any) -> Any:
    """A copy of the document with another value at one place."""
    changed_one = copy.deepcopy(document)
    holder = changed_one
    for key in location[:-1]:
        holder = holder[key]
    holder[location[-1]] = value
    return changed_one


def changed(document: Any) -> st.SearchStrategy[Any]:
    """The document with one of VALUES at one of its places."""
    return st.builds(
        lambda location, value: with_value(document, location, value),
        st.sampled_from(list(locations(document))),
        st.sampled_from(VALUES),
    )
