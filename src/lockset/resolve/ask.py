"""A project and the user's choices as one question to the resolver."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from lockset.errors import LocksetError, UsageError
from lockset.markers import DEFAULT_PLATFORMS, KNOWN_PYTHONS, Environment, MarkerSet, Universe, platform_region
from lockset.resolve.index_repository import FileRules
from lockset.resolve.prove import Sample
from lockset.resolve.regions import union
from lockset.resolve.request import LockRequest, Policy, Preference
from lockset.resolve.requirement import Origin, Root, Specifier, parse_dependency

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lockset.lockfile.model import Pylock
    from lockset.sources.project import RequirementLine, RootProject
    from lockset.sources.settings import ConflictItem

__all__ = ["Choices", "Question", "ask", "python_range"]

# When each known Python stops being maintained: what asks for no Pythons is locked for those that still are.
_MAINTAINED_UNTIL = {
    "3.8": date(2024, 10, 31),
    "3.9": date(2025, 10, 31),
    "3.10": date(2026, 10, 31),
    "3.11": date(2027, 10, 31),
    "3.12": date(2028, 10, 31),
    "3.13": date(2029, 10, 31),
    "3.14": date(2030, 10, 31),
}
_DEFAULT_GROUP_NAMES = ("default", "project", "lockset-default")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the user chose beside the project; what is None or empty leaves the choice to the project's settings.

    Attributes:
        python: A range (`>=3.10`), or one version (`3.12`).
        platforms: Names of platforms; empty for all.
        environments: Marker texts that bound the lock; empty for all.
        require_wheels_for: Platforms for which every release needs a wheel.
        extras: Extras to lock; None for all.
        groups: Groups to lock; None for all.
        only_groups: Leave the project's own dependencies out.
        upgrade: Take no pin of the old lock.
        upgrade_packages: Take no pin of these.
        constraints: Further constraints.
    """

    python: str | None = None
    platforms: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    require_wheels_for: tuple[str, ...] = ()
    extras: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    only_groups: bool = False
    upgrade: bool = False
    upgrade_packages: frozenset[str] = frozenset()
    constraints: tuple[RequirementLine, ...] = ()
    prerelease: Literal["if-necessary", "allow", "disallow"] | None = None
    resolution: Literal["highest", "lowest", "lowest-direct"] | None = None
    fork: Literal["newest", "fewest"] | None = None
    exclude_newer: datetime | timedelta | None = None
    no_build: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    no_sdist: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The question, and what its answer is built and proved with.

    Attributes:
        request: For the search.
        rules: Which files may be used.
        samples: Environments to prove the lock at.
        sdists: Whether sdists are recorded.
        notes: What the user should know about how the question was read.
    """

    request: LockRequest
    rules: FileRules
    samples: tuple[Sample, ...]
    sdists: bool
    notes: tuple[str, ...] = field(default=())


def python_range(text: str) -> SpecifierSet:
    """`>=3.10,<3.14` as it is; `3.12` as `==3.12.*`, `3.12.4` as that release and later ones of its series.

    Raises:
        UsageError: neither.
    """
    text = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return SpecifierSet(f"=={text}.*")
    if match := re.fullmatch(r"(\d+\.\d+)\.\d+", text):
        return SpecifierSet(f">={text},=={match[1]}.*")
    try:
        return SpecifierSet(text)
    except InvalidSpecifier as error:
        raise UsageError(
            "python-range", f"`{text}` is no range of Python versions", hint="Write `>=3.10`, `>=3.10,<3.14` or `3.12`"
        ) from error


def ask(project: RootProject, choices: Choices, *, old: Pylock | None, now: datetime) -> Question:
    """The question that `project` and `choices` make, with the pins of the `old` lock as preferences.

    Raises:
        LocksetError: something named does not exist, or the choices leave no environment.
    """
    settings = project.settings
    requires_python, notes = _pythons(project, choices, old, now)
    platforms = choices.platforms or settings.platforms
    environments = _environments(platforms, choices.environments or tuple(map(str, settings.environments)))
    universe = Universe.of(
        requires_python=requires_python,
        environments=[MarkerSet.parse(e) for e in environments],
        platforms=platforms or DEFAULT_PLATFORMS,
    )
    region = universe.region - _conflicts(settings.conflicts)
    if region.is_empty:
        raise _no_environment()
    extras = _named(choices.extras, project.extras, "extra")
    groups = _named(choices.groups, project.groups, "dependency group")
    default_group = next(n for n in _DEFAULT_GROUP_NAMES if n not in project.groups) if groups else None
    roots = _roots(project, extras, groups, default_group, own=not choices.only_groups)
    pythons = MarkerSet.of_python(requires_python)
    samples = tuple(
        Sample(name=t.name, environment=t.environment, tags=frozenset(t.tags))
        for t in universe.targets
        if region.without_extras_and_groups().evaluate(t.environment)
    )
    preferences = _preferences(old, choices)
    request = LockRequest(
        roots=roots,
        universe=region,
        requires_python=requires_python,
        open_above=pythons.python_is_open_above(),
        environments=environments,
        extras=tuple(extras) if project.name is not None or extras or groups else None,
        groups=tuple(groups),
        default_group=default_group,
        policy=_policy(project, choices, roots),
        preferences=preferences,
        recorded=_recorded(project, choices),
        locked_for=MarkerSet.none() if old is None else _served(old),
        probes=_probes([s.environment for s in samples]),
        samples=tuple(s.environment for s in samples),
    )
    return Question(
        request=request,
        rules=_rules(project, choices, universe, platforms, open_above=request.open_above, now=now),
        samples=samples,
        sdists=not (choices.no_sdist or settings.no_sdist),
        notes=notes,
    )


def _pythons(
    project: RootProject, choices: Choices, old: Pylock | None, now: datetime
) -> tuple[SpecifierSet, tuple[str, ...]]:
    own = project.requires_python
    chosen = python_range(choices.python) if choices.python else project.settings.python
    if chosen is not None:
        return (chosen if own is None or _within(chosen, own) else chosen & own), ()
    if own is not None:
        return own, ()
    if old is not None and old.requires_python is not None:
        return old.requires_python, ()
    first = next(p for p in KNOWN_PYTHONS if _MAINTAINED_UNTIL.get(p, date.max) >= now.date())
    note = f"No Python is asked for: locking for those still maintained, `>={first}` (choose with `--python`)"
    return SpecifierSet(f">={first}"), (note,)


def _no_environment() -> LocksetError:
    return LocksetError(
        "no-environment",
        "No environment is left to lock for: the Pythons and platforms asked for exclude one another",
        hint="Check `requires-python`, `--python`, `--platform` and `environments`",
    )


def _within(chosen: SpecifierSet, own: SpecifierSet) -> bool:
    return MarkerSet.of_python(chosen).implies(MarkerSet.of_python(own))


def _environments(platforms: Sequence[str], markers: Sequence[str]) -> tuple[str, ...]:
    """Marker texts that bound the lock: one for each platform and marker that go together; none for no bound.

    Raises:
        LocksetError: `no-environment`: none go together.
    """
    regions = [platform_region(p) for p in platforms]
    declared = [MarkerSet.parse(m) for m in markers]
    if regions and declared:
        both = [r & d for r in regions for d in declared if not r.is_disjoint(d)]
    else:
        both = regions or declared
    left = [region for region in both if not region.is_empty]
    if not left and (platforms or markers):
        raise _no_environment()
    texts = [region.text() for region in left]
    return () if None in texts else tuple(dict.fromkeys(t for t in texts if t is not None))


def _conflicts(conflicts: Iterable[Sequence[ConflictItem]]) -> MarkerSet:
    """The choices of extras and groups that are declared never to be made together."""
    found = MarkerSet.none()
    for conflict in conflicts:
        for one, other in combinations(conflict, 2):
            found |= _chosen(one) & _chosen(other)
    return found


def _chosen(item: ConflictItem) -> MarkerSet:
    return MarkerSet.extra(item.name) if item.kind == "extra" else MarkerSet.group(item.name)


def _named(wanted: tuple[str, ...] | None, known: Collection[str], what: str) -> list[str]:
    if wanted is None:
        return sorted(known)
    for name in wanted:
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise LocksetError(
                "unknown-extra" if what == "extra" else "unknown-group",
                f"The project has no {what} named {name}",
                hint=f"It has: {listed}",
            )
    return sorted(set(wanted))


def _roots(
    project: RootProject, extras: Sequence[str], groups: Sequence[str], default_group: str | None, *, own: bool
) -> tuple[Root, ...]:
    default = MarkerSet.any() if default_group is None else MarkerSet.group(default_group)
    found = [_root(line, default) for line in project.dependencies] if own else []
    for extra in extras:
        found += [_root(line, MarkerSet.extra(extra)) for line in project.extras[extra]]
    for group in groups:
        found += [_root(line, MarkerSet.group(group)) for line in project.groups[group]]
    excluded = set(project.settings.excludes)
    return tuple(root for root in found if root.dependency.name not in excluded)


def _root(line: RequirementLine, region: MarkerSet) -> Root:
    requirement = line.requirement
    if requirement.url is not None:
        raise LocksetError(
            "source-not-supported",
            f"{requirement.name} is asked for by URL or path, and only projects of an index are locked",
            place=line.origin,
            hint="Name a version of it instead, or put its wheel into a folder named with `--find-links`",
        )
    dependency = parse_dependency(str(requirement))
    origin = Origin(name=line.origin, version=None, text=dependency.text)
    return Root(dependency=dependency, region=region & dependency.marker, origin=origin)


def _policy(project: RootProject, choices: Choices, roots: Sequence[Root]) -> Policy:
    settings = project.settings
    prerelease = choices.prerelease or ("allow" if project.options.pre else None) or settings.prerelease
    resolution = choices.resolution or settings.resolution or "highest"
    constraints: dict[str, tuple[tuple[Specifier, MarkerSet], ...]] = {}
    for line in (*project.constraints, *choices.constraints):
        requirement = line.requirement
        marker = MarkerSet.any() if requirement.marker is None else MarkerSet.of_marker(requirement.marker)
        name = line.name
        constraints[name] = (*constraints.get(name, ()), (Specifier.of(requirement.specifier), marker))
    return Policy(
        prerelease=prerelease if prerelease in {"allow", "disallow"} else "if-necessary",  # type: ignore[arg-type]
        prerelease_of={**dict.fromkeys(project.options.all_releases, "allow"), **settings.prerelease_package},
        order="lowest" if resolution == "lowest" else "highest",
        lowest=frozenset(r.dependency.name for r in roots) if resolution == "lowest-direct" else frozenset(),
        fork=choices.fork or settings.fork_strategy or "newest",  # type: ignore[arg-type]
        constraints=constraints,
    )


def _served(lock: Pylock) -> MarkerSet:
    """The environments that `lock` claims."""
    pythons = MarkerSet.any() if lock.requires_python is None else MarkerSet.of_python(lock.requires_python)
    return pythons & union(map(MarkerSet.of_marker, lock.environments)) if lock.environments else pythons


def _recorded(project: RootProject, choices: Choices) -> Mapping[str, str | list[str]]:
    """What beside roots, Pythons and platforms decides on versions; empty where the project leaves all to lockset."""
    settings = project.settings
    told: dict[str, str | list[str]] = {
        "constraints": sorted({str(line.requirement) for line in (*project.constraints, *choices.constraints)}),
        "overrides": sorted({str(line.requirement) for line in settings.overrides}),
        "excludes": sorted(settings.excludes),
        "prerelease": choices.prerelease or ("allow" if project.options.pre else None) or settings.prerelease or "",
        "resolution": choices.resolution or settings.resolution or "",
        "fork-strategy": choices.fork or settings.fork_strategy or "",
    }
    return {key: value for key, value in told.items() if value}


def _preferences(old: Pylock | None, choices: Choices) -> Mapping[str, tuple[Preference, ...]]:
    if old is None or choices.upgrade:
        return {}
    found: dict[str, tuple[Preference, ...]] = {}
    for package in old.packages:
        if package.version is None or package.is_direct or package.name in choices.upgrade_packages:
            continue
        region = MarkerSet.any() if package.marker is None else MarkerSet.of_marker(package.marker)
        if not region.is_empty:
            pin = Preference(version=package.version, region=region, binding=True)
            found[package.name] = (*found.get(package.name, ()), pin)
    return found


def _probes(samples: Sequence[Environment]) -> tuple[Environment, ...]:
    """The newest and the oldest Python on the first platform."""
    if not samples:
        return ()
    same = [s for s in samples if s.sys_platform == samples[0].sys_platform]
    ordered = sorted(same, key=lambda e: tuple(int(n) for n in e.python_version.split(".")))
    return tuple(dict.fromkeys((ordered[-1], ordered[0])))


def _rules(
    project: RootProject,
    choices: Choices,
    universe: Universe,
    platforms: Sequence[str],
    *,
    open_above: bool,
    now: datetime,
) -> FileRules:
    settings = project.settings
    strict = choices.require_wheels_for or settings.require_wheels_for
    targets = [MarkerSet.parse(_target_marker(t.environment)) for t in universe.targets]
    wanted = union(targets)
    pythons = union(MarkerSet.parse(f"python_version == '{p}'") for p in KNOWN_PYTHONS)
    required = union(platform_region(p) & pythons & MarkerSet.parse("implementation_name == 'cpython'") for p in strict)
    age = choices.exclude_newer or settings.exclude_newer
    return FileRules(
        ignore_caps=open_above,
        no_build=frozenset((*choices.no_build, *settings.no_build, *project.options.only_binary)),
        no_binary=frozenset((*choices.no_binary, *settings.no_binary, *project.options.no_binary)),
        wanted=wanted,
        must_have=wanted if platforms else MarkerSet.none(),
        required=required & universe.region,
        uploaded_before=now - age if isinstance(age, timedelta) else age,
        uploaded_before_of={
            name: now - limit if isinstance(limit, timedelta) else limit
            for name, limit in settings.exclude_newer_package.items()
        },
        overrides=_by_name(settings.overrides),
        excludes=frozenset(settings.excludes),
    )


def _by_name(lines: Iterable[RequirementLine]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in lines:
        found[line.name] = (*found.get(line.name, ()), str(line.requirement))
    return found


def _target_marker(environment: Environment) -> str:
    return (
        f"python_version == '{environment.python_version}' and sys_platform == '{environment.sys_platform}'"
        f" and platform_machine == '{environment.platform_machine}'"
        f" and implementation_name == '{environment.implementation_name}'"
    )
