"""One described interpreter that a lock is tested at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass

if TYPE_CHECKING:
    from packaging.tags import Tag

    from lockset.markers import Environment

__all__ = ["Sample"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One environment to prove the lock at.

    Attributes:
        name: For messages, such as `linux, Python 3.12`.
        platform: The described platform.
        implementation: What runs Python there.
        environment: Its marker values.
        tags: What it can install.
    """

    name: str
    platform: str
    implementation: str
    environment: Environment
    tags: frozenset[Tag]
