"""Keys of `[tool.uv]` as settings of `[tool.lockset]`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from packaging.markers import InvalidMarker
from packaging.specifiers import InvalidSpecifier

from lockset._dataclass import replace
from lockset.dependency_specifiers import read_marker, read_specifiers
from lockset.errors import InvalidValueError, LocksetError
from lockset.markers import MarkerSet
from lockset.markers.environment import Environment
from lockset.package_names import canonicalize_name
from lockset.sources.settings import parse_settings
from lockset.sources.toml_table import SettingsTable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from packaging.markers import Marker

    from lockset.sources.other_tools.facts import UnreadKey
    from lockset.sources.settings import Settings

__all__ = ["APPLIED", "group_pythons", "uv_settings"]

# The keys that are applied, all with the values of the setting but for those that `_value` converts.
APPLIED = frozenset({
    "conflicts", "constraint-dependencies", "default-groups", "dependency-groups", "environments",
    "exclude-dependencies", "override-dependencies", "required-environments", "build-constraint-dependencies",
    "resolution", "prerelease", "fork-strategy", "exclude-newer", "exclude-newer-package",
})  # fmt: skip
# Values with another name in lockset.
_NAMES = {"explicit": "if-necessary", "if-necessary-or-explicit": "if-necessary", "requires-python": "newest"}

# The machines of the systems for which wheels can be required.
_MACHINES = {
    "linux": ("x86_64", "aarch64", "i686", "armv7l", "ppc64le", "s390x", "riscv64"),
    "macos": ("arm64", "x86_64"),
    "windows": ("amd64", "arm64", "x86"),
}


def uv_settings(
    settings: Settings, keys: Iterable[UnreadKey], *, groups: Collection[str], project: str | None
) -> Settings:
    """The settings with those of `[tool.uv]`, for each that `[tool.lockset]` does not have.

    `groups` and `project` are the names of the groups and of the project itself.

    Raises:
        LocksetError: As `parse_settings`, with the table and key of uv.
    """
    values: dict[str, Any] = {}
    for key in keys:
        if key.tool != "uv" or key.key not in APPLIED or key.setting is None or _is_set(settings, key.setting):
            continue
        value = _value(key, groups, project)
        if value is None:
            continue
        path = key.table.strip("[]")
        table = SettingsTable({key.setting: value}, path=path, location=key.location)
        field = key.setting.replace("-", "_")
        with _naming(f"{path}.{key.setting}", f"{path}.{key.key}"):
            values[field] = getattr(parse_settings(table), field)
        if key.key == "default-groups":
            _refuse_unknown_groups(values[field], groups, key)
    return replace(settings, **values) if values else settings


@contextmanager
def _naming(setting: str, key: str) -> Iterator[None]:
    """Name the key of uv in errors about the setting."""
    try:
        yield
    except LocksetError as error:
        one = error.diagnostic
        location = one.location and one.location.replace(setting, key)
        error.diagnostic = one._replace(message=one.message.replace(setting, key), location=location)
        raise


def _refuse_unknown_groups(names: Collection[str], groups: Collection[str], key: UnreadKey) -> None:
    """Refuse default groups that do not exist.

    Raises:
        LocksetError: `invalid-value`.
    """
    unknown = [name for name in names if name not in groups]
    if unknown:
        known = f"The groups are {', '.join(sorted(groups))}" if groups else "The project has no groups"
        path = f"{key.table.strip('[]')}.{key.key}"
        message = f"`{path}` names `{unknown[0]}`, which is not a group of the project"
        raise InvalidValueError(message, location=key.location, hint=known)


def group_pythons(keys: Iterable[UnreadKey]) -> dict[str, str]:
    """The Pythons of dependency groups as markers, from `[tool.uv.dependency-groups]`.

    Raises:
        LocksetError: `invalid-value` for something that is not a version range.
    """
    markers: dict[str, str] = {}
    for key in keys:
        if key.key != "dependency-groups" or not isinstance(key.value, dict):
            continue
        for name, entry in key.value.items():
            text = entry.get("requires-python") if isinstance(entry, dict) else None
            if not isinstance(text, str):
                continue
            try:
                marker = MarkerSet.of_python(read_specifiers(text)).text()
            except (InvalidSpecifier, ValueError) as error:
                raise InvalidValueError(
                    f"`tool.uv.dependency-groups.{name}.requires-python` is not a valid version range: `{text}`",
                    location=key.location,
                    hint='Write a range such as ">=3.10"',
                ) from error
            if marker is not None:
                markers[canonicalize_name(str(name))] = marker
    return markers


def _is_set(settings: Settings, setting: str) -> bool:
    value = getattr(settings, setting.replace("-", "_"))
    return value is not None and value not in ((), {})


def _value(key: UnreadKey, groups: Collection[str], project: str | None) -> object:
    """The value as the setting of `[tool.lockset]` has it; None if it says nothing."""
    value = key.value
    if key.key == "default-groups" and value == "all":
        return sorted(groups)
    if key.key in {"prerelease", "fork-strategy"} and isinstance(value, str):
        return _NAMES.get(value, value)
    if key.key in {"environments", "required-environments"} and isinstance(value, str):
        value = [value]
    if key.key == "required-environments":
        return _platforms(key, value)
    if key.key == "conflicts":
        return _conflicts(value, project)
    return value


def _platforms(key: UnreadKey, markers: object) -> object:
    """The platforms that the markers describe: a system, with its architectures if the marker depends on them."""
    names: list[str] = []
    for text in markers if isinstance(markers, list) else []:
        matches = _matching_platforms(text) if isinstance(text, str) else []
        if not matches:
            raise InvalidValueError(
                f"`required-environments` in {key.table} does not describe a platform: `{text}`",
                location=key.location,
                hint="Name platforms with `require-wheels-for` in [tool.lockset]",
            )
        names += matches
    return list(dict.fromkeys(names)) or None


def _matching_platforms(text: str) -> list[str]:
    try:
        marker = read_marker(text)
    except InvalidMarker:
        return []
    names: list[str] = []
    for family, machines in _MACHINES.items():
        matches = [m for m in machines if _holds(marker, f"{family}_{m}")]
        names += [family] if len(matches) == len(machines) else [f"{family}_{m}" for m in matches]
    return names


def _holds(marker: Marker, platform: str) -> bool:
    # Any Python: a marker of a platform does not depend on it.
    return marker.evaluate({**Environment.of_platform(platform, "3.12").as_dict(), "extra": ""})


def _conflicts(value: object, project: str | None) -> object:
    """The conflicts of the project itself: in a workspace, uv names a package with each extra and group."""
    if not isinstance(value, list) or not all(isinstance(members, list) for members in value):
        return value
    own = [members for members in value if not any(_is_of_other_package(member, project) for member in members)]
    return [[_without_package(member) for member in members] for members in own] or None


def _is_of_other_package(member: object, project: str | None) -> bool:
    package = member.get("package") if isinstance(member, dict) else None
    return isinstance(package, str) and canonicalize_name(package) != project


def _without_package(member: object) -> object:
    return {k: v for k, v in member.items() if k != "package"} if isinstance(member, dict) else member
