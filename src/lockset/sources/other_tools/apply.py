"""Apply what tables of other tools say of a project: sources, indexes, groups, and keys with the same meaning.

`[tool.lockset]` takes precedence, key by key. `ignore-tools` there leaves the tables of a tool aside, `no-sources` and
`--no-sources` leave the sources of packages aside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.dependency_specifiers import read_marker
from lockset.errors import InvalidValueError, LocksetError
from lockset.sources.other_tools.facts import OtherTools, plain_index
from lockset.sources.other_tools.package_sources import index_sources, with_sources
from lockset.sources.other_tools.uv_settings import group_pythons, uv_settings
from lockset.sources.requirements.requirement_line import parse_requirement
from lockset.sources.settings import ALL_PACKAGES, IndexSetting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from lockset.sources.other_tools.facts import NamedSource, OtherIndex, UnreadNames
    from lockset.sources.project import RootProject
    from lockset.sources.requirements.requirement_line import RequirementLine
    from lockset.sources.settings import Settings

__all__ = ["applied_tables", "apply_other_tools"]


def apply_other_tools(project: RootProject, *, no_sources: Collection[str] = ()) -> RootProject:
    """The project with what the tables of other tools say of it; the same one if they were applied before.

    Args:
        project: The project, whose `others` has the tables.
        no_sources: Packages whose sources are left aside, or `:all:`.

    Raises:
        LocksetError: `requirement-syntax`, `invalid-value` or `other-tools-disagree`, with the table.
    """
    others = _counted(project.others, project.settings.ignore_tools)
    if others == OtherTools():
        return project
    left_aside = {*project.settings.no_sources, *no_sources}
    sources = [] if ALL_PACKAGES in left_aside else [s for s in others.sources if s.package not in left_aside]
    placed = {package for index in project.settings.index for package in index.packages}
    placed |= {line.name for line in project.settings.overrides if line.requirement.url is not None}
    sources = [source for source in sources if source.package not in placed]
    _refuse_contradictions(sources)
    groups = _with_lines(project.groups, others.names)
    pythons = group_pythons(others.keys)
    settings = uv_settings(project.settings, others.keys, groups=tuple(groups), project=project.name)
    settings = _with_default_groups(settings, others.names, groups)
    added = tuple(line for line in settings.constraints if line not in project.constraints)
    return replace(
        project,
        dependencies=with_sources(project.dependencies, sources),
        extras={name: with_sources(lines, sources, extra=name) for name, lines in project.extras.items()},
        groups={
            name: _within(with_sources(lines, sources, group=name), pythons.get(name)) for name, lines in groups.items()
        },
        constraints=(*project.constraints, *added),
        settings=_with_indexes(settings, others.indexes, sources),
    )


def applied_tables(before: RootProject, after: RootProject) -> str | None:
    """A sentence that names the tables that were applied; None if nothing was."""
    tables: dict[str, None] = {}
    others = _counted(before.others, before.settings.ignore_tools)
    lines = {line for each in (after.dependencies, *after.extras.values(), *after.groups.values()) for line in each}
    pinned = {p for index in after.settings.index for p in index.packages}
    pinned -= {p for index in before.settings.index for p in index.packages}
    for source in others.sources:
        if source.tool == "lockset":
            continue  # the project's own table
        moved = any(source.names(line.name) and source.table in line.origin for line in lines)
        if moved or source.package in pinned:
            tables[source.table] = None
    if after.settings.index[len(before.settings.index) :]:
        tables |= dict.fromkeys(index.table for index in others.indexes)
    for key in others.keys:
        field = (key.setting or "").replace("-", "_")
        if key.setting is not None and getattr(before.settings, field) != getattr(after.settings, field):
            tables[f"{key.table} {key.key}"] = None
    tables |= dict.fromkeys(_shown_table(names) for names in others.names if names.lines)
    return f"Read from other tools' settings: {', '.join(tables)}" if tables else None


def _refuse_contradictions(sources: Sequence[NamedSource]) -> None:
    """Refuse two tools that name different sources for a package in the same place.

    Raises:
        LocksetError: `other-tools-disagree`, with both.
    """
    first: dict[tuple[str, str | None, str | None, str | None], NamedSource] = {}
    for source in sources:
        other = first.setdefault((source.package, source.marker, source.extra, source.group), source)
        if other.tool == source.tool or (other.requirement, other.index_url) == (source.requirement, source.index_url):
            continue
        raise LocksetError(
            "other-tools-disagree",
            f"{other.table} and {source.table} name different sources for {source.package}",
            location=f"{source.location}: {source.table.strip('[]')}.{source.package}",
            context=tuple(f"{one.location}, {one.table}: {one.shown}" for one in (other, source)),
            hint=f'Remove one of them, or leave a tool aside: `ignore-tools = ["{source.tool}"]` in [tool.lockset]',
        )


def _counted(others: OtherTools, ignored: Collection[str]) -> OtherTools:
    """The tables without those of ignored tools."""
    return OtherTools(
        sources=tuple(s for s in others.sources if s.tool not in ignored),
        indexes=tuple(i for i in others.indexes if i.tool not in ignored),
        keys=tuple(k for k in others.keys if k.tool not in ignored),
        names=tuple(n for n in others.names if n.tool not in ignored),
    )


def _with_lines(
    groups: Mapping[str, tuple[RequirementLine, ...]], tables: Iterable[UnreadNames]
) -> dict[str, tuple[RequirementLine, ...]]:
    """The groups, with the requirements of groups in tables of other tools."""
    joined = dict(groups)
    for table in tables:
        origin = f"{table.location} {table.table}"
        for group, text in table.lines:
            if text is None:
                raise InvalidValueError(
                    f"{table.table}: a requirement of the group `{group}` cannot be written as a dependency specifier",
                    location=table.location,
                    hint=f"Write the group in [dependency-groups], or leave the tables of {table.tool} aside with "
                    f'`ignore-tools = ["{table.tool}"]` in [tool.lockset]',
                )
            line = parse_requirement(text, origin=origin, location=table.location)
            known = joined.get(group, ())
            if not any(other.requirement == line.requirement for other in known):
                joined[group] = (*known, line)
    return joined


def _with_default_groups(settings: Settings, tables: Iterable[UnreadNames], groups: Collection[str]) -> Settings:
    """The settings with the default groups of other tools, unless there are default groups."""
    names = tuple(dict.fromkeys(name for table in tables for name in table.defaults if name in groups))
    return replace(settings, default_groups=names) if names and settings.default_groups is None else settings


def _within(lines: tuple[RequirementLine, ...], marker: str | None) -> tuple[RequirementLine, ...]:
    """The requirements, for the Pythons of their group."""
    if marker is None:
        return lines
    limit = read_marker(marker)
    return tuple(
        line if marker in str(line.requirement.marker) else line.where(limit, through="requires-python of the group")
        for line in lines
    )


def _with_indexes(settings: Settings, indexes: Iterable[OtherIndex], sources: Iterable[NamedSource]) -> Settings:
    """The settings with the indexes of packages, and with those of all packages unless the settings name some."""
    listed = list(settings.index)
    if not any(not index.explicit for index in listed):
        listed += _index_settings(indexes, {index.name for index in listed})
    known = {plain_index(index.url): number for number, index in enumerate(listed)}
    for (name, url), packages in index_sources(sources).items():
        number = known.get(plain_index(url))
        if number is None:
            listed.append(IndexSetting(url=url, name=name, explicit=True, packages=tuple(packages)))
        else:
            listed[number] = replace(listed[number], packages=(*listed[number].packages, *packages))
    return settings if tuple(listed) == settings.index else replace(settings, index=tuple(listed))


def _index_settings(indexes: Iterable[OtherIndex], names: set[str | None]) -> Iterator[IndexSetting]:
    seen: set[str] = set()
    defaults: list[OtherIndex] = []
    for index in indexes:
        plain = plain_index(index.url)
        if plain in seen:
            continue
        seen.add(plain)
        if index.default:
            defaults.append(index)
        if len(defaults) > 1 and defaults[0].tool != index.tool:
            raise LocksetError(
                "other-tools-disagree",
                f"{defaults[0].table} and {index.table} name different default indexes",
                location=index.location,
                context=(f"{defaults[0].tool}: {defaults[0].url}", f"{index.tool}: {index.url}"),
                hint="Name the indexes in [[tool.lockset.index]], or set `ignore-tools` in [tool.lockset]",
            )
        name = index.name if index.name not in names else None
        names.add(name)
        yield IndexSetting(url=index.url, name=name, default=index.default and len(defaults) == 1)


def _shown_table(names: UnreadNames) -> str:
    return f"{names.table} dev-dependencies" if names.tool == "uv" else names.table
