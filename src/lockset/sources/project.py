"""RootProject: the project to lock, from one source or several."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, field, replace
from lockset.errors import LocksetError
from lockset.sources.other_tools.facts import OtherTools
from lockset.sources.requirements.requirement_line import RequirementLine
from lockset.sources.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

    from lockset.errors import Diagnostic
    from lockset.sources.groups import Inclusion

__all__ = ["DynamicFields", "RequirementLine", "RootProject", "Settings", "SourceOptions", "merge_sources"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """Options in requirements files that apply to the whole run.

    Attributes:
        index_url: The last `--index-url`, which is searched first; None without one.
        extra_index_urls: Every `--extra-index-url`, in order.
        no_index: Whether no index may be used.
        find_links: URLs and absolute paths.
        no_binary: Normalized names, or `:all:`, for which wheels may not be used.
        only_binary: Normalized names, or `:all:`, for which source distributions may not be used.
        prefer_binary: Whether an older wheel is preferred to a newer source distribution.
        pre: Whether pre-releases are allowed for all packages.
        all_releases: Normalized names, or `:all:`, whose pre-releases are allowed.
        only_final: Normalized names, or `:all:`, whose pre-releases are not allowed.
        require_hashes: Whether every requirement needs a hash; None if the files do not say.
        trusted_hosts: `host` or `host:port` whose certificates are not verified.
    """

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    no_index: bool = False
    find_links: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    only_binary: tuple[str, ...] = ()
    prefer_binary: bool = False
    pre: bool = False
    all_releases: tuple[str, ...] = ()
    only_final: tuple[str, ...] = ()
    require_hashes: bool | None = None
    trusted_hosts: tuple[str, ...] = ()

    def followed_by(self, later: SourceOptions) -> SourceOptions:
        """Both sets of options. `later` replaces or extends this one, as in one run of an installer."""
        return SourceOptions(
            index_url=later.index_url or self.index_url,
            extra_index_urls=_unique(self.extra_index_urls, later.extra_index_urls),
            no_index=self.no_index or later.no_index,
            find_links=_unique(self.find_links, later.find_links),
            no_binary=_unique(_without(self.no_binary, later.only_binary), later.no_binary),
            only_binary=_unique(_without(self.only_binary, later.no_binary), later.only_binary),
            prefer_binary=self.prefer_binary or later.prefer_binary,
            pre=self.pre or later.pre,
            all_releases=_unique(self.all_releases, later.all_releases),
            only_final=_unique(self.only_final, later.only_final),
            require_hashes=self.require_hashes if later.require_hashes is None else later.require_hashes,
            trusted_hosts=_unique(self.trusted_hosts, later.trusted_hosts),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicFields:
    """Fields of a project that only its build backend knows (PEP 621, `dynamic`), and what the file states itself.

    Attributes:
        base: The project's folder, absolute.
        name: The normalized name of the project; empty where only its build shows it.
        location: Name of the file, for messages.
        keys: The dynamic ones of `dependencies`, `optional-dependencies` and `requires-python`.
        files: Files from which setuptools reads them, as the project names them.
        dependencies: As written, with references to the project itself; empty if dynamic.
        extras: The same for each extra.
        groups: The same for each dependency group.
        has_project_table: Whether the file has `[project]`; without it, setup.py or another file describes the project.
    """

    base: Path
    name: str
    location: str
    keys: tuple[str, ...]
    files: tuple[str, ...] = ()
    dependencies: tuple[RequirementLine, ...] = ()
    extras: Mapping[str, tuple[RequirementLine, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[RequirementLine, ...]] = field(default_factory=dict)
    has_project_table: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RootProject:
    """The input of a lock.

    Attributes:
        base: Folder to which paths in the source are relative; absolute.
        name: Normalized name of the project; None if the source is not a project.
        requires_python: `requires-python` of the project; None if it has none.
        dependencies: The requirements of the project.
        extras: Requirements by normalized extra. References of the project to its own extras are resolved.
        groups: Requirements by normalized dependency group. Includes and references to the project are resolved.
        inclusions: Which extras and groups include others.
        constraints: Limits on versions, from constraints files and from the settings.
        options: Options of requirements files.
        settings: `[tool.lockset]`.
        sources: The files that were read, as they were named, in order.
        is_package: Whether the project can be installed: it has a build backend, and `package = false` of uv does not
            deny it.
        unbuilt: Dynamic keys, which only the build backend knows.
        others: What tables of other tools say, which lockset does not apply.
        warnings: Warnings for the user.
    """

    base: Path
    name: str | None = None
    requires_python: SpecifierSet | None = None
    dependencies: tuple[RequirementLine, ...] = ()
    extras: Mapping[str, tuple[RequirementLine, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[RequirementLine, ...]] = field(default_factory=dict)
    inclusions: tuple[Inclusion, ...] = ()
    constraints: tuple[RequirementLine, ...] = ()
    options: SourceOptions = field(default_factory=SourceOptions)
    settings: Settings = field(default_factory=Settings)
    sources: tuple[str, ...] = ()
    unbuilt: tuple[DynamicFields, ...] = ()
    is_package: bool = False
    others: OtherTools = OtherTools()
    warnings: tuple[Diagnostic, ...] = ()


def merge_sources(projects: Sequence[RootProject]) -> RootProject:
    """Merge projects (at least one) into one that requires everything they require, in order.

    Name and base are those of the first project with a name, else of the first one. The Pythons are those that all
    projects admit. Extras and groups of the same name are joined.

    Raises:
        LocksetError: `settings-disagree` if two of them have different settings.
    """
    first, *rest = projects
    if not rest:
        return first
    lead = next((project for project in projects if project.name is not None), first)
    options = first.options
    for project in rest:
        options = options.followed_by(project.options)
    return replace(
        lead,
        requires_python=_intersection(project.requires_python for project in projects),
        dependencies=tuple(line for project in projects for line in project.dependencies),
        extras=_join_tables(project.extras for project in projects),
        groups=_join_tables(project.groups for project in projects),
        inclusions=tuple(inclusion for project in projects for inclusion in project.inclusions),
        constraints=tuple(line for project in projects for line in project.constraints),
        options=options,
        settings=_one_of_settings(projects),
        sources=tuple(source for project in projects for source in project.sources),
        unbuilt=tuple(each for project in projects for each in project.unbuilt),
        others=reduce(OtherTools.joined, (project.others for project in projects)),
        warnings=tuple(warning for project in projects for warning in project.warnings),
    )


def _without(names: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in others)


def _unique(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(first + second))


def _intersection(ranges: Iterable[SpecifierSet | None]) -> SpecifierSet | None:
    result: SpecifierSet | None = None
    for each in ranges:
        if each is not None:
            result = each if result is None else result & each
    return result


def _join_tables(
    mappings: Iterable[Mapping[str, tuple[RequirementLine, ...]]],
) -> dict[str, tuple[RequirementLine, ...]]:
    joined: dict[str, tuple[RequirementLine, ...]] = {}
    for mapping in mappings:
        for name, lines in mapping.items():
            joined[name] = joined.get(name, ()) + lines
    return joined


def _one_of_settings(projects: Sequence[RootProject]) -> Settings:
    # Constraints in the settings are already in `constraints` of their project.
    nothing = Settings()
    holders = [project for project in projects if project.settings != nothing]
    for project in holders[1:]:
        if project.settings != holders[0].settings:
            raise LocksetError(
                "settings-disagree",
                "Two sources have different settings in [tool.lockset]",
                location=", ".join(holders[0].sources + project.sources),
                hint="Keep the settings in one of them, or lock them separately",
            )
    return holders[0].settings if holders else nothing
