"""Check whether a project's requirements have changed since its lock file was made.

A quick check without false alarms: it compares the requirements that the lock file records with those of its sources.
`lockset lock --check` compares everything. The result is cached, so that a sync does not wait for it.
"""

from __future__ import annotations

import zlib
from pathlib import Path, PurePosixPath

from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset._version import __version__
from lockset.files.record_store import get_value, put_value
from lockset.hashes import quick_sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from lockset.lockfile.model import Pylock
    from lockset.sources.project import RootProject
    from lockset.sync.disk.request import LockSource

__all__ = ["ProjectState", "project_state", "read_new"]

# The extra or group of a requirement: the marker variable, and the name.
Choice: TypeAlias = "tuple[str, str]"
_ALWAYS: Choice = ("", "")

# Increase it with every change of what is compared.
_FORMAT = 4
_FOLDER = "projects-v1"
# The most cached results: a further one replaces an older one.
_MOST = 256
_PYPROJECT = "pyproject.toml"
# An extra or a group in the marker of a recorded requirement.
_CHOICE = lazy_pattern(r"""['"]([^'"]+)['"] (?:not )?in (extras|dependency_groups)""")
# The largest source that is compared, in bytes.
_LARGEST = 1 << 20
# Pythons that a range may start with.
_PYTHONS = [f"3.{minor}" for minor in range(50)]


class ProjectState(NamedTuple):
    """The changes of a project since it was locked, as sentences, and the paths of its sources."""

    changes: tuple[str, ...]
    inputs: tuple[str, ...]


def project_state(source: LockSource, environment: Mapping[str, str], *, cache: Path | None) -> ProjectState:
    """The state of the project of the lock file `source`; without changes if these cannot be determined.

    Requirements whose marker is false in `environment` are not compared.
    """
    if source.data is None or source.path is None or not Path(source.path).is_file():
        return ProjectState((), ())
    location, key = _entry(source, cache)
    markers = repr(sorted(environment.items()))
    row = get_value(location, key)
    if row is not None and row[1] == markers and _contents(source.folder, row[0]) == row[2]:
        names, changes = row[0], row[3]
    else:
        lock = source.read()
        names = _names(lock)
        contents = _contents(source.folder, names)
        changes = tuple(_compared(lock, source.folder, names, environment)) if contents else ()
        put_value(location, key, (names, markers, contents, changes))
    return ProjectState(changes, tuple(str(Path(source.folder, name)) for name in names))


def read_new(sources: Iterable[LockSource], cache: Path | None) -> None:
    """Read the lock files of which the cache has no result, so that `read` returns them at once later.

    Raises:
        LocksetError: As `LockSource.read`.
    """
    for source in sources:
        if get_value(*_entry(source, cache)) is None:
            source.read()


def _entry(source: LockSource, cache: Path | None) -> tuple[str | None, tuple[Any, ...]]:
    """Where the result for `source` is cached, and its key."""
    key = (_FORMAT, __version__, source.folder, quick_sha256(source.data or b""))
    number = zlib.crc32(repr(key).encode()) % _MOST
    return (None if cache is None else str(cache / _FOLDER / f"{number:02x}")), key


def _names(lock: Pylock) -> list[str]:
    """The file names of the sources that `lock` was made from; empty if they are not known.

    In a workspace, the own file comes first, and the files of the root or the members follow.
    """
    table = (lock.tool or {}).get("lockset")
    if not isinstance(table, dict) or not isinstance(table.get("roots"), list):
        return []
    names, members = table.get("sources", [_PYPROJECT]), table.get("members")
    if not isinstance(names, list):
        return []
    if "workspace" in table:
        names = [*names, table["workspace"]]
    elif isinstance(members, dict):
        names = [*names, *(f"{folder}/{_PYPROJECT}" for folder in members.values())]
    elif not all(isinstance(name, str) and name == Path(name).name for name in names):
        return []
    return names if all(isinstance(name, str) and _is_below(name) for name in names) else []


def _is_below(name: str) -> bool:
    """Whether the path stays in the folder of the lock file."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and ":" not in name and "\\" not in name


def _project(names: Sequence[str], folder: str, table: Mapping[str, Any]) -> RootProject | None:
    """The project as its files state it now."""
    if "workspace" in table or "members" in table:
        from lockset.composition.workspaces.locked_project import locked_project  # most projects are in no workspace

        return locked_project(Path(folder), names[0])
    from lockset.sources.discover import read_sources
    from lockset.sources.other_tools.apply import apply_other_tools

    return apply_other_tools(read_sources(list(names), folder=Path(folder), environ={}, nameless=True))


def _contents(folder: str, names: Sequence[str]) -> tuple[tuple[str, bytes], ...]:
    """The sources with the hashes of their bytes, which may contain secrets; empty if one is missing."""
    contents = []
    for name in names:
        path = Path(folder, name)
        try:
            if not path.is_file() or path.stat().st_size > _LARGEST:
                return ()
            contents.append((name, quick_sha256(path.read_bytes())))
        except (OSError, ValueError):
            return ()
    return tuple(contents)


def _compared(lock: Pylock, folder: str, names: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    # Imported here: not needed if the result is cached.
    from lockset.composition.sources.locked_names import named_by_lock
    from lockset.errors import LocksetError

    table = (lock.tool or {})["lockset"]
    try:
        project = _project(names, folder, table)
        if project is None:
            yield "it is not a member of the workspace any more"
            return
        project, unknown = named_by_lock(project, lock, Path(folder))
    except LocksetError:
        return  # `lock` reports it
    yield from unknown
    locked = _locked_keys(table["roots"])
    if locked is None:
        return
    replaced = {line.name for line in project.settings.overrides} | {*project.settings.excludes, project.name}
    replaced |= {key[0] for key in _locked_keys([*table.get("overrides", ()), *table.get("excludes", ())]) or ()}
    for (key, choice), text, holds in _required(project, lock):
        if key[0] in replaced or not holds(environment):
            continue
        if key not in locked:
            yield f"`{text}` is required, but not locked"
        elif not locked[key][1] & {choice, _ALWAYS}:
            yield f"`{text}` is required {_with(choice)}, but is only locked {_with(*sorted(locked[key][1]))}"
    if not project.unbuilt:  # else its build may require what its files do not state
        yield from _gone(project, locked, replaced)
    yield from _limits(project, table)
    yield from _pythons(project, lock, table)
    if isinstance(table.get("members"), dict):
        yield from _of_members(lock, folder, table["members"], environment)


def _gone(
    project: RootProject, locked: Mapping[Any, tuple[str, set[Choice]]], replaced: Collection[Any]
) -> Iterator[str]:
    """Requirements that the lock file records, and the project no longer has."""
    everything = {key for (key, _), _, _ in _required(project, None)}
    for key, (text, _) in locked.items():
        if key not in everything and key[0] not in replaced:
            yield f"`{text}` is locked, but no longer required"


def _of_members(lock: Pylock, folder: str, members: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[str]:
    """Changes of the members that the lock of a root installs as folders, since their own locks were made."""
    from lockset.errors import LocksetError
    from lockset.lockfile.read import load

    installed = {str(package.name) for package in lock.packages if package.directory is not None}
    for name in sorted(installed & members.keys()):
        try:
            own = load(Path(folder, f"pylock.{name}.toml")).lock
        except LocksetError:
            continue
        names = _names(own)
        for change in _compared(own, folder, names, environment) if names else ():
            yield f"{change} ({name})"


def _with(*choices: Choice) -> str:
    names = [f"{'extra' if variable == 'extras' else 'group'} `{name}`" for variable, name in choices if name]
    return f"with {' or '.join(names)}" if names else "without extras and groups"


def _required(project: RootProject, lock: Pylock | None) -> Iterator[tuple[tuple[Any, Choice], str, Any]]:
    """The requirements of `project`, with those of the extras and groups that `lock` has."""
    from lockset.package_names import canonicalize_name

    lines = [(line, _ALWAYS) for line in project.dependencies]
    groups = None if lock is None else {*(lock.dependency_groups or ()), *(lock.default_groups or ())}
    lines += [
        (line, ("extras", canonicalize_name(name)))
        for name, each in project.extras.items()
        if lock is None or name in (lock.extras or ())
        for line in each
    ]
    lines += [
        (line, ("dependency_groups", canonicalize_name(name)))
        for name, each in project.groups.items()
        if groups is None or name in groups
        for line in each
    ]
    for line, choice in lines:
        marker = line.requirement.marker

        def holds(environment: Mapping[str, str], marker: Any = marker) -> bool:
            try:
                return marker is None or marker.evaluate({**environment, "extra": ""})
            except Exception:  # noqa: BLE001 (a marker may compare anything)
                return False

        # A URL may contain a secret.
        shown = line.text if line.requirement.url is None else line.name
        yield (_key(line.requirement), choice), shown, holds


def _locked_keys(texts: Any) -> dict[Any, tuple[str, set[Choice]]] | None:
    """The recorded requirements with their extras and groups; None if one cannot be read."""
    from packaging.requirements import InvalidRequirement

    from lockset.dependency_specifiers import read_dependency
    from lockset.package_names import canonicalize_name

    keys: dict[Any, tuple[str, set[Choice]]] = {}
    try:
        for text in texts:
            plain, _, marker = text.partition(" ; ")
            requirement = read_dependency(plain)
            shown = str(requirement) if requirement.url is None else requirement.name
            choices: set[Choice] = {(variable, canonicalize_name(name)) for name, variable in _CHOICE.findall(marker)}
            keys.setdefault(_key(requirement), (shown, set()))[1].update(choices or {_ALWAYS})
    except (InvalidRequirement, AttributeError, TypeError):
        return None
    return keys


def _key(requirement: Any) -> tuple[Any, ...]:
    """The key of a requirement. A URL is not part of it, since the lock file writes URLs in its own way."""
    from lockset.package_names import canonicalize_name

    name = canonicalize_name(requirement.name)
    extras = frozenset(map(canonicalize_name, requirement.extras))
    return (name, extras, requirement.specifier) if requirement.url is None else (name, extras, "url")


def _limits(project: RootProject, table: Mapping[str, Any]) -> Iterator[str]:
    """Constraints and excluded packages of the project that the lock file does not record."""
    constraints = table.get("constraints", ())
    for line in project.constraints:
        if line.requirement.url is None and str(line.requirement) not in constraints:
            yield f"the constraint `{line.text}` is new"
    for name in project.settings.excludes:
        if name not in table.get("excludes", ()):
            yield f"`{name}` was not excluded"


def _pythons(project: RootProject, lock: Pylock, table: Mapping[str, Any]) -> Iterator[str]:
    """Whether the lower bound of the project's Pythons has changed; a lock sets upper bounds itself."""
    required, served = project.requires_python, lock.requires_python
    if required is None or served is None or "python" in table or project.settings.python is not None:
        return
    first, locked = (next((v for v in _PYTHONS if r.contains(f"{v}.99")), None) for r in (required, served))
    if first != locked:
        yield f"it requires Python {required}, but the lock file is for {served}"
