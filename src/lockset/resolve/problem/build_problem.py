"""Build the resolution problem of a project and the user's options."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass, field, replace
from lockset.errors import LocksetError
from lockset.lockfile.conflicts import conflicting_region, conflicting_regions, tables_of
from lockset.markers import DEFAULT_PLATFORMS, KNOWN_PYTHONS, Environment, MarkerSet, Universe, platform_region
from lockset.markers.universe import described_target, known_pythons, targets_within
from lockset.resolve.problem.choices import chosen_parts, conflicting_choices, lasting, recorded_selection
from lockset.resolve.problem.direct_source import location_of, relative_path
from lockset.resolve.problem.file_policy import (
    DirectRules,
    FileRules,
    cooldown_rules,
    in_files,
    in_options,
    in_settings,
    merge_kinds,
)
from lockset.resolve.problem.options import LockOptions, option_requirements
from lockset.resolve.problem.other_sources import refuse_other_sources
from lockset.resolve.problem.python_range import SETTLED_PYTHONS, is_open_above, pythons_of
from lockset.resolve.problem.request import LockRequest, Preference, ReleasePolicy
from lockset.resolve.problem.requirement import Specifier
from lockset.resolve.problem.roots import (
    check_lines,
    constraint_text,
    named,
    overrides_of,
    requirement_hashes,
    roots_of,
    sources_of,
    sources_of_constraints,
)
from lockset.sources.settings import ALL_PACKAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from lockset.lockfile.conflicts import DeclaredConflict
    from lockset.lockfile.model import Pylock
    from lockset.markers.universe import TargetInterpreter
    from lockset.resolve.problem.direct_source import DirectSource
    from lockset.resolve.problem.requirement import RootRequirement
    from lockset.sources.project import RootProject

__all__ = ["DEFAULT_GROUP_NAMES", "LockOptions", "ResolutionProblem", "build_problem"]

DEFAULT_GROUP_NAMES = ("default", "project", "lockset-default")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionProblem:
    """A resolution problem, with what its lock is assembled and verified with.

    Attributes:
        request: The request to the solver.
        rules: Which files may be used.
        samples: Environments at which the lock is verified.
        sdists: Whether sdists are recorded.
        direct: Direct sources, and where they are allowed.
        entry: The project's folder relative to the lock's, if the project itself is locked; else None.
        notes: Notes for the user on how the project and options were read.
    """

    request: LockRequest
    rules: FileRules
    samples: tuple[TargetInterpreter, ...]
    sdists: bool
    direct: DirectRules
    entry: str | None = None
    notes: tuple[str, ...] = field(default=())


def build_problem(
    project: RootProject, options: LockOptions, *, old: Pylock | None, now: datetime, folder: Path | None = None
) -> ResolutionProblem:
    """The resolution problem of `project` and `options`, with the pins of the `old` lock as preferences.

    Paths in the lock are relative to `folder`, the lock's own (None: the project's).

    Raises:
        LocksetError: an extra or group does not exist, or the options leave no environment.
    """
    options, lasting_notes = lasting(project, options, old)
    check_lines(project, options)
    folder = folder or project.base
    requires_python, notes = pythons_of(project, options, old, now)
    universe, environments = _universe(project, options, requires_python)
    roots = _roots_and_choices(project, options, old, folder)
    conflicts = conflicting_choices(
        project,
        universe.region,
        extras=roots["extras"] or (),
        **{key: roots[key] for key in ("groups", "default_group", "default_groups")},
    )
    region = universe.region - conflicting_region(conflicts) if conflicts else universe.region
    if region.is_empty:
        raise _no_environment(project, options)
    samples = targets_within(region.without_extras_and_groups(), universe.targets)
    request = LockRequest(
        **roots,
        universe=region,
        conflicts=conflicts,
        requires_python=requires_python,
        open_above=is_open_above(MarkerSet.of_python(requires_python)),
        environments=environments,
        preferences=_preferences(old, options),
        recorded={**_recorded(project, options, conflicts, folder), **recorded_selection(project, options)},
        probes=_probes([s.environment for s in samples]),
        samples=tuple(s.environment for s in samples),
    )
    direct = _direct(project, options, request, old, folder)
    rules = replace(
        _rules(project, options, universe, open_above=request.open_above, now=now),
        **cooldown_rules(project.settings, options, old, now),
    )
    return ResolutionProblem(
        request=replace(
            request,
            policy=replace(
                _policy(project, options, request.roots, direct.sources),
                conflict_regions=conflicting_regions(conflicts) if conflicts else (),
            ),
            locked_for=MarkerSet.none() if old is None else _locked_for(old, open_above=request.open_above),
        ),
        rules=rules,
        samples=samples,
        sdists=not (options.no_sdist or project.settings.no_sdist),
        direct=direct,
        entry=_entry(project, options, folder),
        notes=(*notes, *lasting_notes),
    )


def _roots_and_choices(project: RootProject, options: LockOptions, old: Pylock | None, folder: Path) -> dict[str, Any]:
    """The fields of the request for roots, extras and groups."""
    extras, groups = chosen_parts(project, options, old)
    default_group = next(n for n in DEFAULT_GROUP_NAMES if n not in project.groups) if groups else None
    return {
        "roots": roots_of(project, options, extras=extras, groups=groups, default_group=default_group, folder=folder),
        "extras": tuple(extras) if project.name is not None or extras or groups else None,
        "groups": tuple(groups),
        "default_group": default_group,
        "default_groups": tuple(g for g in _default_groups(project) if g in groups),
    }


def _direct(
    project: RootProject, options: LockOptions, request: LockRequest, old: Pylock | None, folder: Path
) -> DirectRules:
    requested = sources_of(request.roots, request.universe)
    constrained = sources_of_constraints(
        (*project.constraints, *option_requirements(options.constraints)),
        requested,
        base=project.base,
        folder=folder,
        universe=request.universe,
    )
    overridden = frozenset(overrides_of(project, options))
    elsewhere = overridden | {*project.settings.excludes, *options.excludes}
    elsewhere |= {source.name for source, _ in (*requested, *constrained.sources)}
    rules = DirectRules(
        base=project.base,
        folder=folder,
        universe=request.universe,
        sources=(*requested, *constrained.sources),
        refused=constrained.refused,
        commits=_commits(old, options, folder),
        hosts=frozenset(h.lower() for h in (*options.allow_direct_urls, *project.settings.allow_direct_urls)),
        overridden=overridden,
        project=project.name if project.is_package and project.name not in elsewhere else None,
    )
    if not (rules.concerned or project.others.sources):
        return rules
    guard = refuse_other_sources(project, options, extras=request.extras or (), groups=request.groups)
    return replace(rules, guard=guard)


def _universe(
    project: RootProject, options: LockOptions, requires_python: SpecifierSet
) -> tuple[Universe, tuple[str, ...]]:
    """The environments to lock for, and the markers that bound them."""
    settings = project.settings
    platforms = options.platforms or settings.platforms
    implementation = options.implementation or settings.implementation
    declared = options.environments or tuple(map(str, settings.environments))
    environments = _environments(platforms, declared, implementation)
    if environments is None:
        raise _no_environment(project, options)
    universe = Universe.of(
        requires_python=requires_python,
        environments=[MarkerSet.parse(e) for e in environments],
        platforms=platforms or DEFAULT_PLATFORMS,
    )
    if implementation not in {None, "cpython"}:
        region = universe.region.without_extras_and_groups()
        made = [
            described_target(platform, python, implementation or "")
            for platform in platforms or DEFAULT_PLATFORMS
            for python in known_pythons(region)
        ]
        universe = replace(universe, targets=targets_within(region, made))
    if options.interpreter is not None:
        return replace(universe, targets=(options.interpreter,)), environments
    return (universe if platforms else universe.with_rare_targets()), environments


def _default_groups(project: RootProject) -> list[str]:
    """The default groups of the settings; empty where only a requirements file is locked."""
    chosen = project.settings.default_groups or ()
    return named(chosen, project.groups, "dependency group") if project.groups or project.name is not None else []


def _entry(project: RootProject, options: LockOptions, folder: Path) -> str | None:
    """The project's folder, if the project itself is locked.

    Raises:
        LocksetError: `no-project`: no source has a [project] table.
    """
    # The settings are those of the nearest pyproject.toml also where a requirements file is locked.
    with_project = (
        (project.name and project.settings.with_project) if options.with_project is None else options.with_project
    )
    if not with_project:
        return None
    if project.name is None:
        raise LocksetError(
            "no-project",
            "There is no project to lock: none of the sources has a [project] table",
            hint="Name its pyproject.toml, or leave out `--with-project`",
        )
    return relative_path(str(project.base), folder).removeprefix("./")


def _no_environment(project: RootProject, options: LockOptions) -> LocksetError:
    settings = project.settings
    bounds = []
    if options.python or settings.python is not None:
        bounds.append(f"`--python {options.python}`" if options.python else f"`python = {settings.python}`")
    if project.requires_python is not None:
        bounds.append(f"requires-python `{project.requires_python}`")
    if options.platforms or settings.platforms:
        bounds.append(f"the platforms {', '.join(options.platforms or settings.platforms)}")
    if options.environments or settings.environments:
        bounds.append("`environments`")
    listed = f"{', '.join(bounds[:-1])} and {bounds[-1]} do not overlap" if len(bounds) > 1 else ""
    return LocksetError(
        "no-environment",
        f"No environment is left to lock for{f': {listed}' if listed else ''}",
        hint="Check `requires-python`, `--python`, `--platform` and `environments`",
    )


def _environments(
    platforms: Sequence[str], markers: Sequence[str], implementation: str | None
) -> tuple[str, ...] | None:
    """Marker texts that bound the lock: one for each compatible pair of platform and marker; empty for no bound.

    None if no pair is compatible.
    """
    regions = [platform_region(p) for p in platforms]
    declared = [MarkerSet.parse(m) for m in markers]
    if regions and declared:
        both = [r & d for r in regions for d in declared if not r.is_disjoint(d)]
    else:
        both = regions or declared
    if implementation is not None:
        mine = MarkerSet.parse(f"implementation_name == '{implementation}'")
        both = [region & mine for region in both] if platforms or markers else [mine]
    left = [region for region in both if not region.is_empty]
    if not left and (platforms or markers or implementation):
        return None
    texts = [region.text() for region in left]
    return () if None in texts else tuple(dict.fromkeys(t for t in texts if t is not None))


def _policy(
    project: RootProject,
    options: LockOptions,
    roots: Sequence[RootRequirement],
    sources: Sequence[tuple[DirectSource, MarkerSet]],
) -> ReleasePolicy:
    settings, file_options = project.settings, project.options
    resolution = options.resolution or settings.resolution or "highest"
    constraints: dict[str, tuple[tuple[Specifier, MarkerSet], ...]] = {}
    locations: dict[tuple[str, Specifier], str] = {}
    for line in (*project.constraints, *option_requirements(options.constraints)):
        requirement = line.requirement
        marker = MarkerSet.any() if requirement.marker is None else MarkerSet.of_condition(requirement.marker)
        marker = marker.with_metadata_extra(None)
        name = line.name
        specifier = Specifier.of(requirement.specifier)
        constraints[name] = (*constraints.get(name, ()), (specifier, marker))
        locations[name, specifier] = line.origin
    for source, region in sources:
        held = (Specifier.of_source(source), region)
        constraints[source.name] = (*constraints.get(source.name, ()), held)
    return ReleasePolicy(
        prerelease=_prerelease(project, options) or "if-necessary",  # type: ignore[arg-type]  # checked when read
        prerelease_of={
            **dict.fromkeys(file_options.only_final, "disallow"),
            **dict.fromkeys(file_options.all_releases, "allow"),
            **settings.prerelease_package,
            **options.prerelease_package,
        },
        order="lowest" if resolution == "lowest" else "highest",
        lowest=frozenset(r.dependency.name for r in roots) if resolution == "lowest-direct" else frozenset(),
        fork=options.fork or settings.fork_strategy or "newest",  # type: ignore[arg-type]
        constraints=constraints,
        locations=locations,
    )


def _prerelease(project: RootProject, options: LockOptions) -> str | None:
    """The rule for all packages: of the options, else of requirements files, else of the settings."""
    file_options = project.options
    of_files = "allow" if file_options.pre or ALL_PACKAGES in file_options.all_releases else None
    of_files = of_files or ("disallow" if ALL_PACKAGES in file_options.only_final else None)
    return options.prerelease or of_files or project.settings.prerelease


def _claimed_region(lock: Pylock) -> MarkerSet:
    """The environments that `lock` claims."""
    pythons = MarkerSet.any() if lock.requires_python is None else MarkerSet.of_python(lock.requires_python)
    return (
        pythons if lock.environments is None else pythons & MarkerSet.union(map(MarkerSet.of_marker, lock.environments))
    )


def _locked_for(old: Pylock, *, open_above: bool) -> MarkerSet:
    """The environments that `old` is for, later Pythons included if its own bound may be that of a release."""
    claimed = _claimed_region(old)
    return claimed.without_python_cap() if open_above else claimed


def _recorded(
    project: RootProject, options: LockOptions, conflicts: Iterable[DeclaredConflict], folder: Path
) -> Mapping[str, str | list[Any]]:
    """Settings besides roots, Pythons and platforms that decide on versions, without those left at their default."""
    settings, lines = project.settings, (*project.constraints, *option_requirements(options.constraints))
    values: dict[str, str | list[Any]] = {
        "conflicts": tables_of(conflicts) if conflicts else [],
        "constraints": sorted({constraint_text(line, project.base, folder) for line in lines}),
        "overrides": sorted({text for texts in _override_texts(project, options).values() for text in texts}),
        "excludes": sorted({*settings.excludes, *options.excludes}),
        "prerelease": _prerelease(project, options) or "",
        "resolution": options.resolution or settings.resolution or "",
        "fork-strategy": options.fork or settings.fork_strategy or "",
        "python": options.python or "",
        "sources": _sources(project, folder),
    }
    return {key: value for key, value in values.items() if value}


def _sources(project: RootProject, folder: Path) -> list[str]:
    """The names of the source files in the lock's folder; empty for pyproject.toml alone."""
    is_project_folder = project.base == folder
    names = [Path(source).name if is_project_folder else "-" for source in project.sources]
    return [] if names == ["pyproject.toml"] else names


def _preferences(old: Pylock | None, options: LockOptions) -> Mapping[str, tuple[Preference, ...]]:
    if old is None or options.upgrade:
        return {}
    preferences: dict[str, tuple[Preference, ...]] = {}
    for package in old.packages:
        if package.version is None or package.is_direct or package.name in options.upgrade_packages:
            continue
        region = MarkerSet.any() if package.marker is None else MarkerSet.of_marker(package.marker)
        if not region.is_empty:
            pin = Preference(version=package.version, region=region, binding=True)
            preferences[package.name] = (*preferences.get(package.name, ()), pin)
    return preferences


def _commits(old: Pylock | None, options: LockOptions, folder: Path) -> Mapping[tuple[str, str, str | None], str]:
    """The commits of VCS revisions in the old lock, for packages that are not upgraded."""
    if old is None or options.upgrade:
        return {}
    return {
        (package.name, location_of(package.vcs, folder), package.vcs.requested_revision): package.vcs.commit_id
        for package in old.packages
        if package.vcs is not None and package.name not in options.upgrade_packages
    }


def _probes(samples: Sequence[Environment]) -> tuple[Environment, ...]:
    """The newest and the oldest Python on the first platform."""
    if not samples:
        return ()
    same = [s for s in samples if s.sys_platform == samples[0].sys_platform]
    ordered = sorted(same, key=lambda e: tuple(int(n) for n in e.python_version.split(".")))
    return tuple(dict.fromkeys((ordered[-1], ordered[0])))


def _rules(
    project: RootProject, options: LockOptions, universe: Universe, *, open_above: bool, now: datetime
) -> FileRules:
    settings = project.settings
    strict = options.require_wheels_for or settings.require_wheels_for
    implementation = options.implementation or settings.implementation or "cpython"
    # Where the range is open above, the newest Python known stands for all later ones, and is one that hardly any
    # project has wheels for yet: insisting on them would leave nothing to lock.
    last = KNOWN_PYTHONS[-1] if open_above else None
    pythons = [p for p in KNOWN_PYTHONS if not open_above or p in SETTLED_PYTHONS]
    preferred = {t: _target_region(t, last) for t in universe.targets}
    # A plain `windows` requires wheels for its usual machine.
    strict_targets = [described_target(p, python, implementation) for p in strict for python in pythons]
    required = {t: _target_region(t, last) for t in strict_targets}
    limits = {**settings.exclude_newer_package, **options.exclude_newer_package}
    file_options = project.options
    kinds = (
        in_files(file_options.only_binary, file_options.no_binary),
        in_settings(settings.no_build, settings.no_binary),
        in_options(options.no_build, options.no_binary, options.written),
    )
    return FileRules(
        ignore_caps=open_above,
        **merge_kinds(kinds)._asdict(),
        build_nothing=options.build_nothing,
        no_sdist=options.no_sdist or bool(settings.no_sdist),
        targets={**preferred, **required},
        target_region=MarkerSet.union(preferred.values()),
        counting=MarkerSet.union(
            [r for t, r in (preferred | required).items() if t.environment.python_version in pythons]
        ),
        required=MarkerSet.union(required.values()) & universe.region,
        strictly=required,
        uploaded_before=_moment(options.exclude_newer or settings.exclude_newer, now),
        uploaded_before_of={name: _moment(limit, now) for name, limit in limits.items()},
        overrides=_override_texts(project, options),
        excludes=frozenset((*settings.excludes, *options.excludes)),
        hashes=requirement_hashes(project),
    )


def _override_texts(project: RootProject, options: LockOptions) -> Mapping[str, tuple[str, ...]]:
    overrides = overrides_of(project, options)
    return {name: tuple(str(line.requirement) for line in lines) for name, lines in overrides.items()}


def _moment(limit: datetime | timedelta | None, now: datetime) -> datetime | None:
    return now - limit if isinstance(limit, timedelta) else limit


def _target_region(target: TargetInterpreter, last: str | None) -> MarkerSet:
    """The environments a target stands for; `last` is the Python that stands for all later ones, if there is one."""
    environment = target.environment
    operator = ">=" if environment.python_version == last else "=="
    platform = MarkerSet.parse(
        f"sys_platform == '{environment.sys_platform}' and platform_machine == '{environment.platform_machine}'"
        f" and implementation_name == '{environment.implementation_name}'"
    )
    return platform & MarkerSet.parse(f"python_version {operator} '{environment.python_version}'")
