"""Refuse to take a package from an index where another tool's table names another source for it.

`lockset.sources.other_tools.apply` applies these tables, but not everything that they can say. If the rest was ignored
silently, a stranger's package of the same name would be locked, and built, instead of the project's own
(dependency confusion).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.errors import LocksetError
from lockset.index.options import DEFAULT_INDEX
from lockset.package_names import canonicalize_name
from lockset.resolve.problem.options import option_requirements
from lockset.resolve.problem.roots import overrides_of
from lockset.sources.other_tools.facts import join_many_names, plain_index
from lockset.sources.settings import ALL_PACKAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lockset.errors import Diagnostic
    from lockset.lockfile.model import Pylock
    from lockset.resolve.problem.options import LockOptions
    from lockset.sources.other_tools.facts import NamedSource
    from lockset.sources.project import RequirementLine, RootProject

__all__ = ["SourceGuard", "refuse_of_needed", "refuse_other_sources", "unread_settings"]


class SourceGuard:
    """The packages whose source the user has set for lockset."""

    def __init__(self, project: RootProject, options: LockOptions, lines: Iterable[RequirementLine]) -> None:
        settings = project.settings
        overrides = overrides_of(project, options)
        self._ignored: set[str] = {*settings.no_sources, *options.no_sources}
        self._placed: set[str] = {line.name for line in lines if line.requirement.url is not None}
        self._placed |= {n for n, o in overrides.items() if any(line.requirement.url is not None for line in o)}
        self._placed |= {package for index in settings.index for package in index.packages}
        self._placed |= {*settings.excludes, *options.excludes}
        named = [project.options.index_url, *project.options.extra_index_urls, *options.index_urls]
        named += [index.url for index in settings.index if not index.explicit]
        self._index_urls = [url for url in (DEFAULT_INDEX, *named) if url]

    @cached_property
    def _indexes(self) -> set[str]:
        return set(map(plain_index, self._index_urls))

    def misses(self, package: str, source: NamedSource) -> bool:
        """Whether `package` would not come from `source`, and the user has not set another one."""
        if package in self._placed or not self._ignored.isdisjoint((package, ALL_PACKAGES)):
            return False
        return source.index_url is None or plain_index(source.index_url) not in self._indexes

    def with_sources(self, texts: Iterable[str], sources: Sequence[NamedSource]) -> tuple[str, ...]:
        """Dependency specifiers of a source tree, with the sources that its own tables name for them."""
        # Imported here: few trees have such tables.
        from lockset.dependency_specifiers import read_dependency
        from lockset.sources.other_tools.package_sources import with_source

        result: list[str] = []
        for text in texts:
            requirement = read_dependency(text)
            name = canonicalize_name(requirement.name)
            named = [s for s in sources if s.names(name) and s.extra is None and s.group is None]
            is_set = name in self._placed or not self._ignored.isdisjoint((name, ALL_PACKAGES))
            result += [text] if is_set or not named else [str(one) for one, _ in with_source(requirement, named)]
        return tuple(result)

    def refuse(self, packages: Iterable[str], sources: Sequence[NamedSource]) -> None:
        """Refuse packages that would not come from the one of `sources` that names them.

        Raises:
            LocksetError: `other-source`.
        """
        _refuse((package, next((s for s in sources if s.names(package)), None), self) for package in packages)


def refuse_other_sources(
    project: RootProject, options: LockOptions, *, extras: Sequence[str], groups: Sequence[str]
) -> SourceGuard:
    """Refuse requirements that have a source in a table of another tool.

    Raises:
        LocksetError: `other-source`.
    """
    own = () if options.only_groups else (*project.dependencies, *option_requirements(options.requirements))
    lines: list[tuple[RequirementLine, str | None, str | None]] = [(line, None, None) for line in own]
    lines += [(line, extra, None) for extra in extras for line in project.extras[extra]]
    lines += [(line, None, group) for group in groups for line in project.groups[group]]
    guard = SourceGuard(project, options, (line for line, _, _ in lines))
    others = project.others
    if others.sources:
        _refuse((line.name, others.source_of(line.name, extra=e, group=g), guard) for line, e, g in lines)
    return guard


def refuse_of_needed(project: RootProject, guard: SourceGuard, lock: Pylock) -> None:
    """The same for every package that `lock` takes from an index, for tables that apply to indirect dependencies too.

    Raises:
        LocksetError: `other-source`.
    """
    sources = [source for source in project.others.sources if source.needed]
    if sources:
        guard.refuse((package.name for package in lock.packages if not package.is_direct), sources)


def _refuse(packages: Iterable[tuple[str, NamedSource | None, SourceGuard]]) -> None:
    missed = {name: source for name, source, guard in packages if source is not None and guard.misses(name, source)}
    if missed:
        raise _other_source(missed)


def unread_settings(project: RootProject, options: LockOptions) -> tuple[Diagnostic, ...]:
    """Warnings about tables of other tools that would change the lock and are not read."""
    settings, file_options = project.settings, project.options
    ignored = ALL_PACKAGES in {*settings.no_sources, *options.no_sources}
    others = replace(project.others, indexes=()) if ignored else project.others
    urls = (DEFAULT_INDEX, file_options.index_url or "", *file_options.extra_index_urls, *options.index_urls)
    return others.warnings(
        settings, groups=project.groups, index_urls=(*urls, *(index.url for index in settings.index))
    )


def _other_source(sources: Mapping[str, NamedSource]) -> LocksetError:
    """The error for packages and the sources named for them."""
    names = sorted(sources)
    tables = list(dict.fromkeys(sources[name].table for name in names))
    undefined = [name for name in names if sources[name].index_name is not None and sources[name].index_url is None]
    if undefined:
        first = sources[undefined[0]]
        return LocksetError(
            "other-source",
            f"{first.table} takes {undefined[0]} from the index `{first.index_name}`, which is not defined",
            location=f"{first.location}: {first.table.strip('[]')}.{undefined[0]}",
            hint=f"Correct the name, or define it in [tool.lockset]: {_settings({undefined[0]: first})}; or take what "
            f'other indexes have under the name: `no-sources = ["{undefined[0]}"]` there, or `--no-sources`',
        )
    verbs = ("say" if len(tables) > 1 else "says", "come" if len(names) > 1 else "comes")
    return LocksetError(
        "other-source",
        f"{join_many_names(tables)} {verbs[0]} where {join_many_names(names)} {verbs[1]} from,"
        " in a way that lockset does not support",
        location=", ".join(dict.fromkeys(sources[name].location for name in names)),
        context=tuple(f"{name}: {sources[name].shown}" for name in names),
        hint=f"Set it in [tool.lockset]: {_settings(sources)}; or take what the index has under the name:"
        f" `no-sources = [{', '.join(map(_quoted, names))}]` there, or `--no-sources`",
    )


def _settings(sources: Mapping[str, NamedSource]) -> str:
    """The equivalent keys of [tool.lockset]."""
    overrides: list[str] = []
    indexes: dict[tuple[str, str], list[str]] = {}
    for name, source in sorted(sources.items()):
        if source.index_name is not None:
            indexes.setdefault((source.index_name, source.index_url or "URL"), []).append(name)
        else:
            overrides.append(source.requirement or f"{name} @ file:FOLDER")
    keys = [f"`overrides = [{', '.join(map(_quoted, overrides))}]`"] if overrides else []
    if indexes:
        tables = (
            f"{{ name = {_quoted(name)}, url = {_quoted(url)}, explicit = true,"
            f" packages = [{', '.join(map(_quoted, packages))}] }}"
            for (name, url), packages in indexes.items()
        )
        keys.append(f"`index = [{', '.join(tables)}]`")
    return " and ".join(keys)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
