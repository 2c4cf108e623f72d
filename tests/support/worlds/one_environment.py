"""A reference for laws: every answer of a small world in one environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.tags import Tag

    from lockset.markers import Environment
    from support.worlds.small_world import SmallWorld

__all__ = ["OneEnvironment"]


class OneEnvironment:
    """A complete search in one environment, written as plainly as can be, with packaging alone."""

    def __init__(self, world: SmallWorld, environment: Environment, tags: frozenset[Tag] | None = None) -> None:
        self.packages = world.packages
        self.values = environment.as_dict()
        self.python = Version(environment.python_full_version)
        self.tags = tags

    def has_answer(self, roots: list[str]) -> bool:
        return any(True for _ in self.answers([Requirement(r) for r in roots], {}))

    def usable(self, name: str, version: str) -> bool:
        facts = self.packages[name][version]
        if self.python not in SpecifierSet(facts.get("requires-python", "")):
            return False
        names = [f"{name}-{version}-{tags}.whl" for tags in facts.get("wheels", ())]
        return self.tags is None or any(not parse_wheel_filename(n)[3].isdisjoint(self.tags) for n in names)

    def answers(self, waiting: list[Requirement], chosen: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
        waiting = [r for r in waiting if r.marker is None or r.marker.evaluate(self.values)]
        if not waiting:
            yield chosen
            return
        first, *rest = waiting
        known = chosen.get(first.name)
        for version in self.packages[first.name] if known is None else [known]:
            if version not in first.specifier or not self.usable(first.name, version):
                continue
            more = [] if known else [Requirement(r) for r in self.packages[first.name][version]["requires"]]
            yield from self.answers([*rest, *more], {**chosen, first.name: version})
