"""The environments that a lock file with given bounds is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.markers import MarkerSet, possible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.specifiers import SpecifierSet

__all__ = ["universe_of"]


def universe_of(requires_python: SpecifierSet | None, environments: Sequence[str]) -> MarkerSet:
    """What a lock with these bounds serves."""
    found = possible()
    if requires_python is not None:
        found &= MarkerSet.of_python(requires_python)
    if environments:
        declared = MarkerSet.none()
        for text in environments:
            declared |= MarkerSet.parse(text)
        found &= declared
    return found
