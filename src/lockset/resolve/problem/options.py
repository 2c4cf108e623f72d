"""Options of a lock, in addition to those of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lockset._dataclass import dataclass, field
from lockset.option_values import check_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta

    from lockset.markers.universe import TargetInterpreter
    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = ["LockOptions", "option_requirements"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOptions:
    """Options of a lock. None or empty leaves the choice to the settings of the project.

    Attributes:
        python: A range (`>=3.10`), or one version (`3.12`).
        implementation: `cpython` or `pypy`; None for all.
        platforms: Names of platforms; empty for all.
        interpreter: The one interpreter to lock for, if it is a real one and not described.
        environments: Marker texts that bound the lock; empty for all.
        require_wheels_for: Platforms for which every release needs a wheel.
        requirements: Further requirements of the project itself (`flask>=3`).
        extras: Extras to lock; None for those of the settings or the existing lock, else all.
        all_extras: Lock all extras, whatever the settings and the existing lock have.
        groups: Groups to lock; None for those of the settings or the existing lock, else all.
        all_groups: Lock all groups, whatever the settings and the existing lock have.
        no_groups: Groups to leave out.
        only_groups: Leave out the project's own dependencies.
        upgrade: Ignore the pins of the existing lock.
        upgrade_packages: Ignore the pins of these packages.
        upgrade_groups: Ignore the pins of the packages that these groups require.
        constraints: Further constraints (`urllib3<3`).
        constraint_files: Paths or URLs of requirements files and lock files whose pins and ranges are constraints.
        overrides: Requirements that replace those of projects and releases; they take precedence over the settings.
        override_files: Paths or URLs of requirements files with such requirements.
        editables: Paths of source trees that are locked as editable folders.
        excludes: Projects to leave out wherever they are required.
        prerelease_package: The same as `prerelease`, for single projects.
        exclude_newer_package: The same as `exclude_newer`, for single projects; None lifts the limit.
        cooldown: The least age of files that count, besides `exclude_newer`; those of the existing lock count anyway. A
            cooldown of 0 is none.
        cooldown_package: The same as `cooldown`, for single projects.
        no_build: Projects, or `:all:`, whose source distributions may not be used; a name takes precedence
            over `:all:`.
        no_binary: The same for wheels.
        build_nothing: No source distribution may be used, whatever `no_binary` names.
        written: How options and variables name what is in `no_build` and `no_binary`, for messages.
        allow_direct_urls: Hosts to which releases of an index may point by URL.
        with_project: Lock the project itself as a directory entry; None for as in the settings or the existing lock.
        no_sources: Packages, or `:all:`, that come from the indexes whatever tables of other tools say.
        verify_metadata: Compare what all wheels of a version require, not one wheel's only.
        build_constraint_files: Requirements files that limit what builds need.
        config_settings: Config settings for build backends.
        config_settings_package: The same for single packages; they take precedence.
        no_build_isolation: Names of packages, or `:all:`, that are built in the environment that a sync would use.
        build_requirements: Also lock the build requirements of packages without wheels.
        require_build_hashes: Refuse builds for metadata whose requirements are not in the lock file of build
            requirements; None for the setting.
        attestations: Verify the attestations of all files and record their publishers (PEP 740); None for the setting.
        refuse_new_publisher: Refuse a package that another publisher publishes than in the existing lock, or that lost
            its attestations. Implies `attestations`.
        trusted_root: Path of another root of trust for attestations; None for that of the public Sigstore instance.
        index_urls: Indexes chosen for this run: what another tool takes from one of them comes from there anyway.
    """

    python: str | None = None
    implementation: Literal["cpython", "pypy"] | None = None
    platforms: tuple[str, ...] = ()
    interpreter: TargetInterpreter | None = None
    environments: tuple[str, ...] = ()
    require_wheels_for: tuple[str, ...] = ()
    requirements: tuple[str | RequirementLine, ...] = ()
    extras: tuple[str, ...] | None = None
    all_extras: bool = False
    groups: tuple[str, ...] | None = None
    all_groups: bool = False
    no_groups: tuple[str, ...] = ()
    only_groups: bool = False
    upgrade: bool = False
    upgrade_packages: frozenset[str] = frozenset()
    upgrade_groups: tuple[str, ...] = ()
    constraints: tuple[str | RequirementLine, ...] = ()
    constraint_files: tuple[str, ...] = ()
    overrides: tuple[str | RequirementLine, ...] = ()
    override_files: tuple[str, ...] = ()
    editables: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    prerelease: Literal["if-necessary", "allow", "disallow"] | None = None
    prerelease_package: Mapping[str, Literal["if-necessary", "allow", "disallow"]] = field(default_factory=dict)
    resolution: Literal["highest", "lowest", "lowest-direct"] | None = None
    fork: Literal["newest", "fewest"] | None = None
    exclude_newer: datetime | timedelta | None = None
    exclude_newer_package: Mapping[str, datetime | timedelta | None] = field(default_factory=dict)
    cooldown: timedelta | None = None
    cooldown_package: Mapping[str, timedelta] = field(default_factory=dict)
    no_build: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    build_nothing: bool = False
    written: Mapping[tuple[Literal["no-build", "no-binary"], str], str] = field(default_factory=dict)
    no_sdist: bool = False
    allow_direct_urls: tuple[str, ...] = ()
    with_project: bool | None = None
    no_sources: tuple[str, ...] = ()
    verify_metadata: bool = False
    build_constraint_files: tuple[str, ...] = ()
    config_settings: Mapping[str, str | list[str]] = field(default_factory=dict)
    config_settings_package: Mapping[str, Mapping[str, str | list[str]]] = field(default_factory=dict)
    no_build_isolation: tuple[str, ...] = ()
    build_requirements: bool = False
    require_build_hashes: bool | None = None
    attestations: bool | None = None
    refuse_new_publisher: bool = False
    trusted_root: str | None = None
    index_urls: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_options(self)
        for name in ("requirements", "constraints", "overrides"):
            values = getattr(self, name)
            if any(isinstance(value, str) for value in values):
                object.__setattr__(self, name, option_requirements(values, origin=f"LockOptions.{name}"))


def option_requirements(
    values: Iterable[str | RequirementLine], *, origin: str = "LockOptions"
) -> tuple[RequirementLine, ...]:
    """The parsed requirements among the options; strings are parsed, and have `origin` in messages.

    Raises:
        LocksetError: `requirement-syntax`, `hash-weak` or `hash-malformed` for a string.
    """
    return tuple(_parsed(value, origin) if isinstance(value, str) else value for value in values)


def _parsed(text: str, origin: str) -> RequirementLine:
    from lockset.sources.requirements.requirement_line import parse_requirement  # the command line has none here

    return parse_requirement(text, origin=origin)
