"""How sources are built: the config settings of each package, and which are built without isolation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass, field, replace
from lockset.hashes import quick_sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ALL_PACKAGES", "BuildPolicy", "joined_settings"]

# The name that stands for every package.
ALL_PACKAGES = ":all:"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPolicy:
    """How sources are built. Names of packages are normalized.

    Attributes:
        settings: Config settings for all packages.
        package_settings: Config settings for single packages, which take precedence.
        not_isolated: Packages, or `:all:`, that are built in an existing environment instead of one of their own.
    """

    settings: Mapping[str, str | list[str]] = field(default_factory=dict)
    package_settings: Mapping[str, Mapping[str, str | list[str]]] = field(default_factory=dict)
    not_isolated: frozenset[str] = frozenset()

    def settings_of(self, name: str) -> dict[str, Any]:
        """The config settings for the package `name`."""
        return {**self.settings, **self.package_settings.get(name, {})}

    def is_isolated(self, name: str) -> bool:
        """Whether the package `name` is built in an environment of its own."""
        return self.not_isolated.isdisjoint((ALL_PACKAGES, name))

    def cache_key(self, name: str) -> str | None:
        """What the result of a build of `name` depends on besides its source; "" for nothing.

        None if it depends on an environment that may change, so that no result may be stored.
        """
        if not self.is_isolated(name):
            return None
        settings = self.settings_of(name)
        return quick_sha256(json.dumps(settings, sort_keys=True).encode()).hex() if settings else ""

    def for_requirements(self) -> BuildPolicy:
        """The policy for builds of build requirements, which get no settings that were meant for others."""
        return replace(self, settings={})


def joined_settings(*several: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Config settings of packages from several places; a later place takes precedence, key by key."""
    joined: dict[str, dict[str, Any]] = {}
    for one in several:
        for name, settings in one.items():
            joined.setdefault(name, {}).update(settings)
    return joined
