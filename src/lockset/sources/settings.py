"""The settings of a project in `[tool.lockset]`."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from lockset._dataclass import dataclass, field
from lockset.attestations.policy import TrustPolicy
from lockset.dependency_specifiers import read_marker, read_specifiers
from lockset.errors import InvalidValueError, LocksetError
from lockset.markers.environment import split_platform
from lockset.package_names import InvalidName, canonicalize_name
from lockset.sources.audit_settings import AuditSettings, read_audit_settings
from lockset.sources.exclude_newer import parse_age, parse_exclude_newer
from lockset.sources.requirements.requirement_line import RequirementLine, parse_requirement
from lockset.sources.trust import parse_trust

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lockset.sources.toml_table import SettingsTable
    from lockset.sources.workspaces.table import WorkspaceTable

__all__ = [
    "ALL_PACKAGES",
    "CHOICES",
    "NAMES_OF_OPTIONS",
    "OTHER_TOOLS",
    "ConflictItem",
    "IndexSetting",
    "Settings",
    "ValidateSettings",
    "parse_settings",
]

ALL_PACKAGES = ":all:"
# The tools whose tables `ignore-tools` may name.
OTHER_TOOLS = ("hatch", "pdm", "pipenv", "poetry", "uv")

# Settings with a fixed list of values.
CHOICES: Mapping[str, tuple[str, ...]] = {
    "resolution": ("highest", "lowest", "lowest-direct"),
    "prerelease": ("if-necessary", "allow", "disallow"),
    "fork-strategy": ("newest", "fewest"),
    "index-strategy": ("first-index", "unsafe-first-match", "unsafe-best-match"),
    "keyring-provider": ("disabled", "subprocess"),
    "implementation": ("cpython", "pypy"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSetting:
    """One `[[tool.lockset.index]]`: a package index. Indexes are searched in order.

    Attributes:
        url: Root of its simple API, as written.
        name: Short name, for `--index NAME=URL` and credentials; None without one.
        default: Searched last, instead of the user's default index.
        explicit: Searched only for `packages`.
        packages: Normalized names of packages that only come from this index.
    """

    url: str
    name: str | None = None
    default: bool = False
    explicit: bool = False
    packages: tuple[str, ...] = ()


# Options whose setting has another name, and whose own name looks like a different setting.
NAMES_OF_OPTIONS = {"only-binary": "no-build", "extra-index-url": "index", "index-url": "index"}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ConflictItem:
    """One member of a declared conflict.

    Attributes:
        kind: `extra`, `group`, or `package` for a member of a workspace with all that it requires.
        name: Normalized; empty for a `package`.
        package: Normalized name of the member of a workspace whose extra or group it is; empty for the project itself.
    """

    kind: str
    name: str
    package: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateSettings:
    """`[tool.lockset.validate]`: rules by id, and whether warnings are errors."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings; None or empty if the project does not set them.

    Names of packages, extras and groups are normalized. `no_build`, `no_binary`, `no_build_isolation` and `no_sources`
    contain names or `:all:`. An `exclude_newer` of type timedelta is an age before now; for a package, None removes the
    limit. A `cooldown` of 0 removes the cooldown.
    """

    python: SpecifierSet | None = None
    implementation: str | None = None
    platforms: tuple[str, ...] = ()
    environments: tuple[Marker, ...] = ()
    require_wheels_for: tuple[str, ...] = ()
    conflicts: tuple[tuple[ConflictItem, ...], ...] = ()
    default_groups: tuple[str, ...] | None = None
    extras: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    no_groups: tuple[str, ...] = ()
    constraints: tuple[RequirementLine, ...] = ()
    overrides: tuple[RequirementLine, ...] = ()
    build_constraints: tuple[RequirementLine, ...] = ()
    excludes: tuple[str, ...] = ()
    resolution: str | None = None
    prerelease: str | None = None
    prerelease_package: Mapping[str, str] = field(default_factory=dict)
    fork_strategy: str | None = None
    exclude_newer: datetime | timedelta | None = None
    exclude_newer_package: Mapping[str, datetime | timedelta | None] = field(default_factory=dict)
    no_build: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    no_sdist: bool | None = None
    config_settings: Mapping[str, str] = field(default_factory=dict)
    config_settings_package: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    no_build_isolation: tuple[str, ...] = ()
    require_build_hashes: bool | None = None
    no_sources: tuple[str, ...] = ()
    ignore_tools: tuple[str, ...] = ()
    with_project: bool | None = None
    allow_direct_urls: tuple[str, ...] = ()
    allow_overlap: tuple[str, ...] = ()
    index: tuple[IndexSetting, ...] = ()
    index_strategy: str | None = None
    torch_backend: str | None = None
    torch_index: str | None = None
    find_links: tuple[str, ...] = ()
    no_index: bool | None = None
    keyring_provider: str | None = None
    allow_insecure_host: tuple[str, ...] = ()
    attestations: bool | None = None
    trust: TrustPolicy = TrustPolicy()
    validate: ValidateSettings = ValidateSettings()
    cooldown: timedelta | None = None
    cooldown_package: Mapping[str, timedelta] = field(default_factory=dict)
    audit: AuditSettings = AuditSettings()
    workspace: WorkspaceTable | None = None


def parse_settings(table: SettingsTable) -> Settings:
    """Parse `[tool.lockset]`.

    Raises:
        LocksetError: `unknown-key`, `wrong-type`, `invalid-value`, `requirement-syntax` or `exclude-newer-syntax`.
    """
    table.only(KEYS, instead=NAMES_OF_OPTIONS)
    values: dict[str, Any] = {
        key.replace("-", "_"): read(table, key) for key, read in KEYS.items() if key in table.data
    }
    return Settings(**values)


def _specifiers(table: SettingsTable, key: str) -> SpecifierSet:
    text = table.text(key) or ""
    try:
        return read_specifiers(text)
    except InvalidSpecifier as error:
        raise table.invalid(
            table.at(key),
            f"is not a valid version range: `{text}`",
            hint='Write a range such as ">=3.10" or ">=3.10,<3.14"',
        ) from error


def _markers(table: SettingsTable, key: str) -> tuple[Marker, ...]:
    return tuple(_marker(table, f"{table.at(key)}[{number}]", text) for number, text in enumerate(table.texts(key)))


def _marker(table: SettingsTable, key_path: str, text: str) -> Marker:
    try:
        return read_marker(text)
    except (InvalidMarker, RecursionError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise table.invalid(key_path, f"is not a valid environment marker: {reason}") from error


def _requirements(table: SettingsTable, key: str) -> tuple[RequirementLine, ...]:
    origin = f"{table.location} [{table.at(key)}]"
    return tuple(
        parse_requirement(text, origin=origin, location=f"{table.location}: {table.at(key)}[{number}]")
        for number, text in enumerate(table.texts(key))
    )


def _platforms(table: SettingsTable, key: str) -> tuple[str, ...]:
    names = table.texts(key)
    for number, name in enumerate(names):
        try:
            split_platform(name)
        except LocksetError as error:
            what = f"is not a known platform: `{name}`"
            raise table.invalid(f"{table.at(key)}[{number}]", what, hint=error.diagnostic.hint) from error
    return names


def _names(table: SettingsTable, key: str) -> tuple[str, ...]:
    return tuple(_checked_name(table, f"{table.at(key)}[{n}]", name) for n, name in enumerate(table.texts(key)))


def _checked_name(table: SettingsTable, key_path: str, name: str) -> str:
    try:
        return canonicalize_name(name, validate=True)
    except InvalidName as error:
        what = f"is not a valid name: `{name}`"
        raise table.invalid(key_path, what, hint="Use letters, digits, `-`, `_` and `.`, without a version") from error


def _names_or_all(table: SettingsTable, key: str) -> tuple[str, ...]:
    value = table.data[key]
    if isinstance(value, bool):
        return (ALL_PACKAGES,) if value else ()
    if not isinstance(value, list):
        raise table.wrong(table.at(key), "a boolean or an array of package names", value)
    names = enumerate(table.texts(key))
    return tuple(n if n == ALL_PACKAGES else _checked_name(table, f"{table.at(key)}[{at}]", n) for at, n in names)


def _choice(table: SettingsTable, key: str) -> str | None:
    return table.choice(key, CHOICES[key])


def _choice_by_package(table: SettingsTable, key: str) -> dict[str, str]:
    inner = table.table(key)
    assert inner is not None
    allowed = CHOICES[key.removesuffix("-package")]
    return {canonicalize_name(name): inner.choice(name, allowed) or "" for name in inner.data}


def _moment(table: SettingsTable, key: str) -> datetime | timedelta:
    value = table.data[key]
    if not isinstance(value, str | date):
        raise table.wrong(table.at(key), "a date, a date and time, or a string", value)
    return parse_exclude_newer(value, location=f"{table.location}: {table.at(key)}")


def _moment_by_package(table: SettingsTable, key: str) -> dict[str, datetime | timedelta | None]:
    inner = table.table(key)
    assert inner is not None
    return {
        canonicalize_name(name): None if value is False else _moment(inner, name) for name, value in inner.data.items()
    }


def _age(table: SettingsTable, key: str) -> timedelta:
    value = table.data[key]
    if value is False:
        return timedelta()
    if not isinstance(value, str):
        raise table.wrong(table.at(key), 'an age such as "7 days"', value)
    return parse_age(value, location=f"{table.location}: {table.at(key)}")


def _age_by_package(table: SettingsTable, key: str) -> dict[str, timedelta]:
    inner = table.table(key)
    assert inner is not None
    return {_checked_name(table, inner.at(name), name): _age(inner, name) for name in inner.data}


def _pairs(table: SettingsTable, key: str) -> dict[str, str]:
    inner = table.table(key)
    assert inner is not None
    return {name: inner.text(name) or "" for name in inner.data}


def _pairs_by_package(table: SettingsTable, key: str) -> dict[str, dict[str, str]]:
    inner = table.table(key)
    assert inner is not None
    return {_checked_name(table, inner.at(name), name): _pairs(inner, name) for name in inner.data}


def _indexes(table: SettingsTable, key: str) -> tuple[IndexSetting, ...]:
    indexes: list[IndexSetting] = []
    for entry in table.tables(key):
        entry.only(("name", "url", "default", "explicit", "packages"))
        url = entry.text("url")
        if url is None:
            raise entry.invalid(entry.path, "needs a `url`")
        index = IndexSetting(
            url=url,
            name=entry.text("name"),
            default=entry.flag("default") or False,
            explicit=entry.flag("explicit") or False,
            packages=_names(entry, "packages"),
        )
        if index.name is not None and any(other.name == index.name for other in indexes):
            raise entry.invalid(entry.at("name"), f"is the name of another index: `{index.name}`")
        if index.default and any(other.default for other in indexes):
            raise entry.invalid(entry.at("default"), "is set for more than one index")
        if index.explicit and not index.packages:
            raise entry.invalid(
                entry.path, "is explicit and serves no packages", hint="List the packages of the index under `packages`"
            )
        indexes.append(index)
    return tuple(indexes)


def _validate(table: SettingsTable, key: str) -> ValidateSettings:
    inner = table.table(key)
    assert inner is not None
    inner.only(("select", "ignore", "strict"))
    return ValidateSettings(
        select=inner.texts("select"), ignore=inner.texts("ignore"), strict=inner.flag("strict") or False
    )


def _trust(table: SettingsTable, key: str) -> TrustPolicy:
    return parse_trust(table, key, names=_names)


def _conflicts(table: SettingsTable, key: str) -> tuple[tuple[ConflictItem, ...], ...]:
    conflicts: list[tuple[ConflictItem, ...]] = []
    for number, members in enumerate(table.array(key)):
        path = f"{table.at(key)}[{number}]"
        if not isinstance(members, list):
            raise table.wrong(path, "an array of tables such as { extra = 'cpu' }", members)
        items = tuple(sorted({_conflict_item(table, f"{path}[{at}]", member) for at, member in enumerate(members)}))
        if len(items) < 2:
            raise table.invalid(path, "needs at least two different extras or groups, or members of a workspace")
        conflicts.append(items)
    return tuple(conflicts)


def _conflict_item(table: SettingsTable, path: str, member: object) -> ConflictItem:
    if isinstance(member, dict) and member and all(isinstance(name, str) for name in member.values()):
        names = {kind: canonicalize_name(name) for kind, name in member.items()}
        package = names.pop("package", "")
        if not names:
            return ConflictItem(kind="package", name="", package=package)
        if len(names) == 1 and names.keys() <= {"extra", "group"}:
            ((kind, name),) = names.items()
            return ConflictItem(kind=kind, name=name, package=package)
    raise InvalidValueError(
        f"`{path}` is neither an extra nor a group",
        location=table.location,
        hint="Write `{ extra = 'cpu' }` or `{ group = 'docs' }`; in a workspace, with `package = 'NAME'`",
    )


def _other_tools(table: SettingsTable, key: str) -> tuple[str, ...]:
    tools = table.texts(key)
    for number, tool in enumerate(tools):
        if tool not in OTHER_TOOLS:
            path = f"{table.at(key)}[{number}]"
            raise table.invalid(path, f"is not one of {', '.join(OTHER_TOOLS)}: `{tool}`")
    return tools


def _workspace(table: SettingsTable, key: str) -> WorkspaceTable:
    from lockset.sources.workspaces.table import read_workspace_table  # few projects are workspaces

    inner = table.table(key)
    assert inner is not None
    return read_workspace_table(inner)


def _flag(table: SettingsTable, key: str) -> bool | None:
    return table.flag(key)


def _text(table: SettingsTable, key: str) -> str | None:
    return table.text(key)


def _torch_backend(table: SettingsTable, key: str) -> str | None:
    from lockset.sources.torch_backends import AUTO, BACKENDS  # few projects have one

    return table.choice(key, (AUTO, *BACKENDS))


def _texts(table: SettingsTable, key: str) -> tuple[str, ...]:
    return table.texts(key)


# Every key of the table, and how to read its value. The field of Settings is the key with `_` for `-`.
KEYS: Mapping[str, Callable[[SettingsTable, str], object]] = {
    "python": _specifiers,
    "implementation": _choice,
    "platforms": _platforms,
    "environments": _markers,
    "require-wheels-for": _platforms,
    "conflicts": _conflicts,
    "default-groups": _names,
    "extras": _names,
    "groups": _names,
    "no-groups": _names,
    "constraints": _requirements,
    "overrides": _requirements,
    "build-constraints": _requirements,
    "excludes": _names,
    "resolution": _choice,
    "prerelease": _choice,
    "prerelease-package": _choice_by_package,
    "fork-strategy": _choice,
    "exclude-newer": _moment,
    "exclude-newer-package": _moment_by_package,
    "no-build": _names_or_all,
    "no-binary": _names_or_all,
    "no-sdist": _flag,
    "config-settings": _pairs,
    "config-settings-package": _pairs_by_package,
    "no-build-isolation": _names_or_all,
    "require-build-hashes": _flag,
    "no-sources": _names_or_all,
    "ignore-tools": _other_tools,
    "with-project": _flag,
    "allow-direct-urls": _texts,
    "allow-overlap": _names,
    "index": _indexes,
    "index-strategy": _choice,
    "torch-backend": _torch_backend,
    "torch-index": _text,
    "find-links": _texts,
    "no-index": _flag,
    "keyring-provider": _choice,
    "allow-insecure-host": _texts,
    "attestations": _flag,
    "trust": _trust,
    "validate": _validate,
    "cooldown": _age,
    "cooldown-package": _age_by_package,
    "audit": read_audit_settings,
    "workspace": _workspace,
}
