"""Names of packages, extras and groups, normalized (PEP 503, and the specification "Names and normalization").

The results equal those of `packaging.utils`, which imports `packaging.tags` and with it `logging`, `platform` and
`subprocess`: 11 ms of every command.
"""

from __future__ import annotations

from lockset._pattern import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from packaging.utils import NormalizedName

__all__ = ["InvalidName", "canonicalize_name", "is_normalized_name"]

_SEPARATORS = lazy_pattern("[-_.]+")
_VALID = lazy_pattern("[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_NORMALIZED = lazy_pattern("[a-z0-9]+(?:-[a-z0-9]+)*")


class InvalidName(ValueError):
    """A name that no package, extra or group can have."""


def canonicalize_name(name: str, *, validate: bool = False) -> NormalizedName:
    """The normalized form of a name: lower case, with `-` for each run of `-`, `_` and `.`.

    Raises:
        InvalidName: With `validate`, if `name` is not a valid name.
    """
    if validate and not _VALID.fullmatch(name):
        raise InvalidName(f"name is invalid: {name!r}")
    normalized = name.lower()
    return normalized if normalized.isalnum() else _SEPARATORS.sub("-", normalized)  # type: ignore[return-value]


def is_normalized_name(name: str) -> bool:
    """Whether a name is valid and in its normalized form."""
    return _NORMALIZED.fullmatch(name) is not None
