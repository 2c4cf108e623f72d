"""Checks a selection of a small world with packaging alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from support.builders.core_metadata import requires_dist_lines
from support.worlds.small_world import SmallWorld, described

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Referee"]


class Referee:
    """Judges a selection by what the world itself says, with packaging alone."""

    def __init__(self, world: SmallWorld, environment: str) -> None:
        self.world = world
        self.values = described(environment)[0].as_dict()
        settings = world.data.get("tool", {}).get("lockset", {})
        self.overrides = [Requirement(o) for o in settings.get("overrides", ())]
        self.excludes = set(settings.get("excludes", ()))
        self.constraints = [Requirement(c) for c in settings.get("constraints", ())]

    def check(self, chosen: dict[str, str], extras: Sequence[str], named: Sequence[str]) -> None:
        reached: dict[str, frozenset[str]] = {}
        waiting = [r for r in self.roots(extras, named) if self.applies(r, frozenset())]
        while waiting:
            requirement = waiting.pop()
            name = canonicalize_name(requirement.name)
            assert name in chosen, f"{requirement} is not served"
            if requirement.url is not None:
                assert self.world.sources[requirement.url]["version"] == chosen[name], f"{requirement}: {chosen[name]}"
            assert requirement.specifier.contains(chosen[name], prereleases=True), f"{requirement}: {chosen[name]}"
            before = reached.get(name)
            after = (before or frozenset()) | requirement.extras
            if after != before:
                reached[name] = after
                waiting += [r for r in self.needed(name, chosen[name]) if self.applies(r, after)]
        assert chosen.keys() == reached.keys(), "something superfluous is selected"
        self.check_releases(chosen)

    def check_releases(self, chosen: dict[str, str]) -> None:
        python = Version(self.values["python_full_version"])
        for name, version in chosen.items():
            facts = self.facts(name, version)
            assert python in SpecifierSet(facts.get("requires-python", "")), f"{name} {version}"
            assert not facts.get("broken")
        for constraint in self.constraints:
            if constraint.name in chosen and self.applies(constraint, frozenset()):
                assert constraint.specifier.contains(chosen[constraint.name], prereleases=True)

    def roots(self, extras: Sequence[str], named: Sequence[str]) -> list[Requirement]:
        project = self.world.project
        lines = [line for extra in extras for line in project.extras[extra]]
        own = not project.groups or any(group not in project.groups for group in named)
        lines += list(project.dependencies) if own and not self.world.choices.only_groups else []
        for group in named:
            lines += project.groups.get(group, ())
        return [made for line in lines for made in self.replaced(line.requirement)]

    def needed(self, name: str, version: str) -> Iterator[Requirement]:
        facts = self.facts(name, version)
        for text in requires_dist_lines(facts.get("requires", ()), facts.get("extras", {})):
            yield from self.replaced(Requirement(text))

    def replaced(self, requirement: Requirement) -> Iterator[Requirement]:
        """What counts in the place of a requirement, given overrides and exclusions."""
        if requirement.name in self.excludes:
            return
        instead = [o for o in self.overrides if o.name == requirement.name]
        if not instead:
            yield requirement
        for override in instead:
            if override.marker is None or override.marker.evaluate(self.values):
                made = Requirement(str(override).partition(";")[0])
                made.marker = requirement.marker
                made.extras |= requirement.extras
                yield made

    def facts(self, name: str, version: str) -> Any:
        at_urls = (s for s in self.world.sources.values() if (s["name"], s["version"]) == (name, version))
        releases = self.world.packages.get(name, {})
        return next(at_urls, None) or next(f for v, f in releases.items() if Version(v) == Version(version))

    def applies(self, requirement: Requirement, extras: frozenset[str]) -> bool:
        marker = requirement.marker
        return marker is None or any(marker.evaluate({**self.values, "extra": e}) for e in {"", *extras})
