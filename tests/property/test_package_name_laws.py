"""Names are normalized as by packaging, whose module takes 11 ms to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import packaging.utils
from hypothesis import example, given
from hypothesis import strategies as st

from lockset.package_names import InvalidName, canonicalize_name, is_normalized_name

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = st.text(alphabet="aZ0-_. \nßİé", max_size=10) | st.text(max_size=6)


@given(NAMES)
@example("a--_.b")
@example("-a")
def test_a_name_is_normalized_as_by_packaging(name: str) -> None:
    assert canonicalize_name(name) == packaging.utils.canonicalize_name(name)
    assert is_normalized_name(name) == packaging.utils.is_normalized_name(name)


@given(NAMES)
def test_the_same_names_are_valid_as_for_packaging(name: str) -> None:
    def outcome(normalize: Callable[..., str], error_type: type[ValueError]) -> tuple[str, bool]:
        try:
            return normalize(name, validate=True), True
        except error_type as error:
            return str(error), False

    theirs = outcome(packaging.utils.canonicalize_name, packaging.utils.InvalidName)
    assert outcome(canonicalize_name, InvalidName) == theirs
