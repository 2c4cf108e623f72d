"""The environments that a Requires-Python admits, also where it is not a valid specifier."""

from __future__ import annotations

from lockset.errors import LocksetError
from lockset.markers import MarkerSet

__all__ = ["read_python", "requires_python_region"]


def requires_python_region(text: str) -> MarkerSet:
    """Environments that a Requires-Python admits; all where it cannot be read."""
    read_as = read_python(text)
    # One that cannot be read does not bind (as in installers).
    return MarkerSet.any() if read_as is None else MarkerSet.of_python(read_as)


def read_python(text: str) -> str | None:
    """`text` if it is a valid Requires-Python, else the valid one it means; None where that is not clear."""
    try:
        MarkerSet.of_python(text)
    except LocksetError:
        from lockset.metadata.specifier_fixes import fixed_specifiers  # few texts are not valid

        return fixed_specifiers(text)
    return text
