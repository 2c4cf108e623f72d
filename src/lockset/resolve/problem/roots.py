"""Root requirements: those of the project itself, with the environments, extras and groups they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, field
from lockset.errors import HashMissingError, LocksetError, SourceNotSupportedError
from lockset.markers import MarkerSet
from lockset.resolve.problem.direct_source import source_of
from lockset.resolve.problem.options import option_requirements
from lockset.resolve.problem.requirement import (
    RequirementOrigin,
    RootRequirement,
    from_source,
    parse_dependency,
    replaced,
)
from lockset.similar_names import known_names_hint
from lockset.url_secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from lockset.resolve.problem.direct_source import DirectSource
    from lockset.resolve.problem.options import LockOptions
    from lockset.sources.project import RequirementLine, RootProject

__all__ = [
    "ConstraintSources",
    "check_lines",
    "constraint_text",
    "line_settings",
    "named",
    "overrides_of",
    "requirement_hashes",
    "roots_of",
    "sources_of",
    "sources_of_constraints",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintSources:
    """Direct sources of constraints.

    Attributes:
        sources: Each with the environments in which it applies.
        refused: Errors of sources that are not supported, by project; raised once the project is needed.
    """

    sources: tuple[tuple[DirectSource, MarkerSet], ...] = ()
    refused: Mapping[str, LocksetError] = field(default_factory=dict)


def line_settings(project: RootProject, options: LockOptions) -> dict[str, dict[str, str]]:
    """Config settings of requirement lines (`--config-settings`) for builds, by normalized name."""
    groups = (project.dependencies, options.requirements, *project.extras.values(), *project.groups.values())
    lines = (line for lines in groups for line in lines if not isinstance(line, str))
    return {str(line.name): dict(line.config_settings) for line in lines if line.config_settings}


def check_lines(project: RootProject, options: LockOptions) -> None:
    """Refuse options of requirement lines that lockset does not support.

    Raises:
        LocksetError: `hash-missing` or `source-not-supported`.
    """
    groups = (
        project.dependencies,
        option_requirements(options.requirements),
        *project.extras.values(),
        *project.groups.values(),
    )
    for line in (line for lines in groups for line in lines):
        if project.options.require_hashes and not line.hashes:
            raise HashMissingError(
                f"{line.name} has no hash, and `--require-hashes` requires one",
                location=line.origin,
                hint="Leave out `--require-hashes`: a lock records the hashes of all files in any case",
            )


def named(names: Iterable[str] | None, known: Collection[str], what: str) -> list[str]:
    """`names`, sorted, each of which must be among `known`; all of these for None.

    Raises:
        LocksetError: `unknown-extra` or `unknown-group`.
    """
    if names is None:
        return sorted(known)
    chosen = sorted(set(names))
    for name in chosen:
        if name not in known:
            raise LocksetError(
                "unknown-extra" if what == "extra" else "unknown-group",
                f"The project has no {what} named `{name}`",
                hint=known_names_hint(name, known),
            )
    return chosen


def overrides_of(project: RootProject, options: LockOptions) -> Mapping[str, tuple[RequirementLine, ...]]:
    """Overrides by project; those of the options replace those of the settings."""
    own = option_requirements(options.overrides)
    chosen = {line.name for line in own}
    overrides: dict[str, tuple[RequirementLine, ...]] = {}
    for line in (
        *option_requirements(options.overrides),
        *(o for o in project.settings.overrides if o.name not in chosen),
    ):
        overrides[line.name] = (*overrides.get(line.name, ()), line)
    return overrides


def roots_of(
    project: RootProject,
    options: LockOptions,
    *,
    extras: Sequence[str],
    groups: Sequence[str],
    default_group: str | None,
    folder: Path,
) -> tuple[RootRequirement, ...]:
    """Every requirement of the project, of these extras and groups; with overrides and exclusions applied.

    Raises:
        LocksetError: `source-not-supported`: a URL or path that cannot be locked.
    """
    default = MarkerSet.any() if default_group is None else MarkerSet.group(default_group)
    own = () if options.only_groups else (*project.dependencies, *option_requirements(options.requirements))
    lines = [(line, default) for line in own]
    for extra in extras:
        lines += [(line, MarkerSet.extra(extra)) for line in project.extras[extra]]
    for group in groups:
        lines += [(line, MarkerSet.group(group)) for line in project.groups[group]]
    excluded = {*project.settings.excludes, *options.excludes}
    overrides = overrides_of(project, options)
    roots: list[RootRequirement] = []
    for line, region in lines:
        if line.name not in excluded:
            roots += _roots(line, region, overrides.get(line.name), project.base, folder)
    return tuple(roots)


def _roots(
    line: RequirementLine,
    region: MarkerSet,
    overrides: Sequence[RequirementLine] | None,
    base: Path,
    folder: Path,
) -> Iterable[RootRequirement]:
    original = parse_dependency(str(line.requirement))
    for replacement in overrides or (line,):
        dependency = original if replacement is line else replaced(original, str(replacement.requirement))
        if dependency.url is not None:
            dependency = from_source(dependency, source_of(replacement, base=base, folder=folder))
        origin = RequirementOrigin(name=replacement.origin, version=None, text=dependency.text)
        # A requirement of the project is not part of an extra of a release: `extra == "x"` never holds.
        yield RootRequirement(
            dependency=dependency, region=region & dependency.marker.with_metadata_extra(None), origin=origin
        )


def sources_of(roots: Iterable[RootRequirement], universe: MarkerSet) -> tuple[tuple[DirectSource, MarkerSet], ...]:
    """The direct sources of `roots`, each with the environments in which its project comes from it.

    A project comes from its source whatever extras and groups are chosen, unless these choose between sources, or are
    never chosen together with those that require it.

    Raises:
        LocksetError: `sources-disagree`: two of one project in one environment.
    """
    by_name: dict[str, dict[DirectSource, MarkerSet]] = {}
    for root in roots:
        source = root.dependency.specifier.source
        if source is not None:
            regions = by_name.setdefault(source.name, {})
            # Of equal sources the last is kept, joined with the others: `editable` and hashes of all count.
            known = next((s for s in regions if s == source), None)
            region = (regions.pop(known) if known is not None else MarkerSet.none()) | root.region & universe
            regions[source if known is None else known.joined(source)] = region
    return tuple(pair for regions in by_name.values() for pair in _disjoint_sources(regions))


def sources_of_constraints(
    lines: Iterable[RequirementLine],
    required: Sequence[tuple[DirectSource, MarkerSet]],
    *,
    base: Path,
    folder: Path,
    universe: MarkerSet,
) -> ConstraintSources:
    """The direct sources of constraints; `required` are those of requirements.

    Such a source counts only where its project is needed. It is not read before, and its errors are not raised before.

    Raises:
        LocksetError: `sources-disagree`: a requirement names another source of the project.
    """
    sources: list[tuple[DirectSource, MarkerSet]] = []
    refused: dict[str, LocksetError] = {}
    for line in lines:
        region = universe & _region_of(line)
        if line.requirement.url is None or region.is_empty:
            continue
        try:
            source = source_of(line, base=base, folder=folder)
        except SourceNotSupportedError as error:
            refused.setdefault(line.name, error)
            continue
        if (other := _overlapping_source(required, source, region)) is not None:
            raise _disagreement(other, source)
        if (other := _overlapping_source(sources, source, region)) is not None:
            refused.setdefault(line.name, _constraints_disagree(other, source))
        sources.append((source, region))
    return ConstraintSources(sources=tuple(sources), refused=refused)


def _region_of(line: RequirementLine) -> MarkerSet:
    marker = line.requirement.marker
    return MarkerSet.any() if marker is None else MarkerSet.of_condition(marker).with_metadata_extra(None)


def _overlapping_source(
    sources: Iterable[tuple[DirectSource, MarkerSet]], source: DirectSource, region: MarkerSet
) -> DirectSource | None:
    """Another source of the same project that applies in some of the same environments."""
    others = (o for o, where in sources if o.name == source.name and o != source and not where.is_disjoint(region))
    return next(others, None)


def constraint_text(line: RequirementLine, base: Path, folder: Path) -> str:
    """The constraint as a lock records it: without credentials, with paths relative to its folder."""
    url = line.requirement.url
    if url is None:
        return str(line.requirement)
    marker = "" if line.requirement.marker is None else f" ; {line.requirement.marker}"
    try:
        shown = source_of(line, base=base, folder=folder).shown
    except SourceNotSupportedError:
        shown = without_secrets(url)
    return f"{line.name} @ {shown}{marker}"


def _disjoint_sources(regions: Mapping[DirectSource, MarkerSet]) -> Iterable[tuple[DirectSource, MarkerSet]]:
    listed = list(regions.items())
    for at, (one, region) in enumerate(listed):
        for other, where in listed[:at]:
            if not region.is_disjoint(where):
                raise _disagreement(other, one)
    wide = [(source, _with_more_choices(region)) for source, region in listed]
    meeting = any(not a.is_disjoint(MarkerSet.union([b for _, b in wide[:at]])) for at, (_, a) in enumerate(wide))
    return listed if meeting else wide


def _constraints_disagree(one: DirectSource, other: DirectSource) -> LocksetError:
    return LocksetError(
        "sources-disagree",
        f"{other.name} is constrained to {one.shown} and to {other.shown} in the same environments",
        location=other.location if other.location == one.location else f"{one.location}, {other.location}",
        hint="Keep one of the constraints, or give each its own marker",
    )


def _disagreement(one: DirectSource, other: DirectSource) -> LocksetError:
    return LocksetError(
        "sources-disagree",
        f"{other.name} is required from {one.shown} and from {other.shown} in the same environments",
        location=other.location if other.location == one.location else f"{one.location}, {other.location}",
        hint="Require it from one source, or from each under its own marker; sources of extras and"
        " groups that are never installed together belong under `conflicts` in [tool.lockset]",
    )


def _with_more_choices(region: MarkerSet) -> MarkerSet:
    """`region`, and the environments that are in it once more extras and groups are chosen."""
    for extra in sorted(region.extras()):
        region |= region.with_chosen(extras=[extra])
    for group in sorted(region.groups()):
        region |= region.with_chosen(groups=[group])
    return region


def requirement_hashes(project: RootProject) -> Mapping[str, frozenset[str]]:
    """The hashes of requirements on projects of an index, as `algorithm:value`, by project."""
    lines = [
        *project.dependencies,
        *(line for group in (*project.extras.values(), *project.groups.values()) for line in group),
    ]
    hashes: dict[str, frozenset[str]] = {}
    for line in (*lines, *project.constraints):
        if line.hashes and line.requirement.url is None:
            digests = frozenset(f"{d.algorithm}:{d.value}" for d in line.hashes)
            hashes[line.name] = hashes.get(line.name, frozenset()) | digests
    return hashes
