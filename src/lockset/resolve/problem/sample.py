"""A described interpreter at which a lock is verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass

if TYPE_CHECKING:
    from packaging.tags import Tag

    from lockset.markers import Environment

__all__ = ["Sample"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One environment at which a lock is verified.

    Attributes:
        name: For messages, such as `linux, Python 3.12`.
        platform: The described platform.
        implementation: The Python implementation, such as `cpython`.
        environment: Its marker values.
        tags: Tags of the wheels it can install.
    """

    name: str
    platform: str
    implementation: str
    environment: Environment
    tags: frozenset[Tag]
