"""Rules on the file's name, its top-level keys, and the keys of each package; and on several packages together."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from itertools import pairwise

from packaging.version import Version

from lockset import dependency_specifiers
from lockset._pattern import lazy_pattern
from lockset.attestations.identity import KINDS
from lockset.dependency_specifiers import excess, plain_clause, plain_release, read_specifiers
from lockset.lockfile.file_name import is_lock_file_name
from lockset.lockfile.read import kind_of_table
from lockset.lockfile.validate.lock_table import LockTable, normalized_names
from lockset.lockfile.validate.rules.markers import check_environment_marker, check_package_marker
from lockset.lockfile.validate.rules.sources import NamedFile, check_sources, check_url, version_in_name
from lockset.package_names import canonicalize_name, is_normalized_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any, TypeAlias

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings

__all__ = [
    "check_across",
    "check_file_name",
    "check_future",
    "check_packages",
    "check_top",
    "depends_on_environments",
]

_TOP_KEYS = frozenset({
    "lock-version", "environments", "requires-python", "extras", "dependency-groups", "default-groups", "created-by",
    "packages", "tool",
})  # fmt: skip
# Limit for the search for a version that satisfies a set, which takes more than linear time; larger sets are assumed
# to have one.
_MOST_SPECIFIERS = 32
_LOCK_VERSION = lazy_pattern(r"([0-9]+)\.([0-9]+)", re.ASCII)
_VALID_NAME = lazy_pattern(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]", re.ASCII)

_PACKAGE_KEYS = frozenset({
    "name", "version", "marker", "requires-python", "dependencies", "vcs", "directory", "archive", "index", "sdist",
    "wheels", "attestation-identities", "tool",
})  # fmt: skip
_Files: TypeAlias = "Mapping[int, Sequence[NamedFile]]"
_NO_VERSION = Version("0")
# The default groups that `lockset lock` adds for what a project itself requires, which may be nothing.
_OWN_GROUPS = frozenset({"default", "project", "lockset-default"})
# Limit for the entries that one dependency is compared with; names with more entries are skipped.
_MOST_ENTRIES = 200
# Clocks of index and user may differ by this much before an upload counts as in the future.
_CLOCK_SKEW = timedelta(days=1)


def check_file_name(name: str, findings: Findings) -> None:
    """Check `name`, the file's name without folders."""
    if is_lock_file_name(name):
        return
    if is_lock_file_name(name.lower()):
        message = f"The file name `{name}` has upper case in `pylock.` or `.toml`"
        findings.add("file-name-lowercase", (), message, "Name the file pylock.toml or pylock.NAME.toml")
        return
    hint = "Name the file pylock.toml or pylock.NAME.toml, where NAME has no dot"
    findings.add("file-name", (), f"A lock file cannot be named `{name}`", hint)


def check_top(file: LockTable) -> None:
    """Check every top-level key except `packages`."""
    kind = kind_of_table(file.data)
    for key in ("lock-version", "created-by", "packages"):
        file.require(key, f"{key}-required", where="The file", hint=kind)
        kind = None  # give the hint once
    _lock_version(file)
    _created_by(file)
    _environments(file)
    requires_python = file.string("requires-python", "requires-python-type")
    if requires_python is not None:
        _check_specifier(requires_python, "requires-python-specifier", file)
    _extras(file)
    _groups(file)
    _check_tool(file, "tool-type")
    file.close(_TOP_KEYS, where="The file")


def _lock_version(file: LockTable) -> None:
    version = file.string("lock-version", "lock-version-type")
    if version is None:
        return
    at = ("lock-version",)
    matched = _LOCK_VERSION.fullmatch(version) if excess(version) is None else None
    if matched is None:
        message = f"`lock-version` is `{version}`, which is not of the form MAJOR.MINOR"
        file.add("lock-version-value", at, message, 'The current version is "1.0"')
        return
    major, minor = (digits.lstrip("0") for digits in matched.groups())
    if major != "1":
        message = f"`lock-version` is `{version}`, but only version 1 is supported"
        file.add("lock-version-major", at, message, "Use a newer lockset, or lock again with a tool that writes 1.0")
    elif minor:
        message = f"`lock-version` is `{version}`, newer than the supported 1.0: new features are not checked"
        file.add("lock-version-minor", at, message)


def _created_by(file: LockTable) -> None:
    creator = file.string("created-by", "created-by-type")
    if creator == "":
        file.add("created-by-empty", ("created-by",), "`created-by` is empty", "Name the tool that wrote the file")
    elif creator is not None and not is_normalized_name(creator):
        hint = f"Write `{canonicalize_name(creator)}`" if _VALID_NAME.fullmatch(creator) else None
        message = f"`created-by` is `{creator}`, which is not a normalized package name"
        file.add("created-by-normalized", ("created-by",), message, hint)


def _environments(file: LockTable) -> None:
    seen: dict[str, int] = {}
    for index, marker in file.strings("environments"):
        path = ("environments", index)
        first = seen.setdefault(marker, index)
        if first != index:
            message = f"The environment `{marker}` is listed twice"
            file.add("environment-overlap", path, message, "Remove one of them")
        check_environment_marker(marker, path, file.findings)
    if file.data.get("environments") == []:
        message = "`environments` is empty, so the file cannot be installed in any environment"
        hint = "Remove the key if the file is for all environments"
        file.add("environments-empty", ("environments",), message, hint)


def _extras(file: LockTable) -> None:
    names = file.strings("extras")
    for index, name in names:
        if is_normalized_name(name):
            continue
        path = ("extras", index)
        if _VALID_NAME.fullmatch(name):
            hint = f"Write `{canonicalize_name(name)}`, and update the markers that use it"
            file.add("extras-name-normalized", path, f"The extra `{name}` is not normalized", hint)
        else:
            file.add("extras-name-valid", path, f"`{name}` is not a valid extra name")
    _check_duplicates("extras", "The extra", names, file)


def _groups(file: LockTable) -> None:
    declared: set[str] = set()
    for key, what in (("dependency-groups", "The dependency group"), ("default-groups", "The default group")):
        names = file.strings(key)
        for index, name in names:
            if not _VALID_NAME.fullmatch(name):
                file.add(f"{key}-name-valid", (key, index), f"`{name}` is not a valid dependency group name")
            elif key == "default-groups" and canonicalize_name(name) in declared:
                message = f"The default group `{name}` is also listed in `dependency-groups`"
                file.add("default-group-public", (key, index), message, "List it in `default-groups` only")
        declared.update(_check_duplicates(key, what, names, file))


def _check_duplicates(key: str, what: str, names: list[tuple[int, str]], file: LockTable) -> Collection[str]:
    """Report names that are listed twice, and return all of them, normalized."""
    seen: dict[str, tuple[int, str]] = {}
    for index, name in names:
        location, first = seen.setdefault(canonicalize_name(name), (index, name))
        if location != index:
            same = "twice" if first == name else f"also as `{first}`"
            file.add("name-duplicate", (key, index), f"{what} `{name}` is listed {same}", "Remove one of them")
    return seen.keys()


def _check_tool(holder: LockTable, code: str) -> None:
    """Check the `tool` table of the file or of a package."""
    tool = holder.table("tool", code)
    for name, value in tool.data.items() if tool is not None else ():
        if not isinstance(value, dict):
            message = f"`{name}` is a value directly in `tool`, which should only have one table per tool"
            holder.add("tool-entry-type", ("tool", name), message)


def _check_specifier(text: str, code: str, holder: LockTable) -> None:
    """Check that the `requires-python` of `holder` is a valid set of specifiers, and that some version satisfies it."""
    meaning = _specifier(text)
    if meaning is _Specifier.NONE:
        hint = None
        if text[:1].isdigit():
            hint = f"Write `=={text}` for exactly this version, `>={text}` for this one and later ones"
        elif text.startswith("^"):
            hint = "`^` is not an operator here: write a range, such as `>=3.9,<4`"
        holder.add(code, ("requires-python",), f"`{text}` is not a valid version specifier", hint)
    elif meaning is _Specifier.EMPTY:
        holder.add("requires-python-empty", ("requires-python",), f"No Python version satisfies `{text}`")


class _Specifier(Enum):
    NONE = "no specifier at all"
    EMPTY = "one that no version meets"
    SOME = "one that some version meets"


def _is_plain_range(text: str) -> bool:
    """Whether it is one version or bounds in order, such as `>=3.9,<4`: packaging need not be imported for these."""
    clauses = [plain_clause(part.strip()) for part in text.split(",", 2)]
    operators = [clause[0] for clause in clauses if clause is not None]
    if len(operators) != len(clauses) or operators not in (["=="], [">="], [">=", "<"]):
        return False
    bounds = [plain_release(clause[1]) or () for clause in clauses if clause is not None]
    return all(one < other for one, other in pairwise(bounds))


@lru_cache(maxsize=1024)
def _specifier(text: str) -> _Specifier:
    if _is_plain_range(text):
        return _Specifier.SOME
    try:
        specifiers = read_specifiers(text)
        searched = len(specifiers) <= _MOST_SPECIFIERS
        return _Specifier.EMPTY if searched and specifiers.is_unsatisfiable() else _Specifier.SOME
    except (dependency_specifiers.InvalidSpecifier, ValueError):
        return _Specifier.NONE


def check_packages(file: LockTable) -> dict[int, list[NamedFile]]:
    """Check every package on its own, and return its named files by the index of the package."""
    data = file.data
    defaults = normalized_names(data, "default-groups")
    declared = {
        "extras": normalized_names(data, "extras"),
        "dependency_groups": normalized_names(data, "dependency-groups") | defaults,
    }
    named: set[str] = set()
    files: dict[int, list[NamedFile]] = {}
    for package in file.tables("packages"):
        named |= _check_package(package, declared)
        name, index = package.data.get("name"), package.path[-1]
        assert isinstance(index, int)
        files[index] = check_sources(package, name if isinstance(name, str) else str(index))
    if data.get("packages"):
        unused = defaults - named
        if data.get("created-by") == "lockset":
            unused -= _OWN_GROUPS
        _check_unused_groups(file, unused)
    return files


def _check_unused_groups(file: LockTable, unused: frozenset[str] | set[str]) -> None:
    value = file.data.get("default-groups")
    for index, name in enumerate(value if isinstance(value, list) else []):
        if isinstance(name, str) and canonicalize_name(name) in unused:
            message = f"The default group `{name}` is not used in any marker, so it selects nothing"
            file.add("default-group-unused", ("default-groups", index), message)


def _check_package(package: LockTable, declared: dict[str, frozenset[str]]) -> frozenset[str]:
    """Check everything except the sources, and return the dependency groups that the marker names."""
    _name(package)
    _version(package)
    groups: frozenset[str] = frozenset()
    marker = package.string("marker", "package-marker-type")
    if marker is not None:
        groups = check_package_marker(marker, (*package.path, "marker"), declared, package.findings)
    requires = package.string("requires-python", "package-requires-python-type")
    if requires is not None:
        _check_specifier(requires, "package-requires-python-specifier", package)
    index = package.string("index", "package-index-type")
    if index is not None:
        check_url(index, "package-index-url", (*package.path, "index"), package.findings)
    package.plain_tables("dependencies")
    _attestations(package)
    if "tool" in package.data:
        _check_tool(package, "package-tool-type")
    if not package.data.keys() <= _PACKAGE_KEYS:
        package.close(_PACKAGE_KEYS, where="A package")
    return groups


def _name(package: LockTable) -> None:
    package.require("name", "package-name-required", where=f"Package {package.path[-1]}")
    name = package.string("name", "package-name-type")
    if name is None or is_normalized_name(name):
        return
    if _VALID_NAME.fullmatch(name):
        message = f"The package name `{name}` is not normalized"
        package.add("package-name-normalized", ("name",), message, f"Write `{canonicalize_name(name)}`")
    else:
        package.add("package-name-valid", ("name",), f"`{name}` is not a valid package name")


def _version(package: LockTable) -> None:
    version = package.string("version", "package-version-type")
    name = package.data.get("name", "?")
    if "version" not in package.data:
        if package.data.get("sdist") or package.data.get("wheels"):
            message = f"`{name}` has no `version`, although its files have one"
            package.add("package-version-recommended", ("version",), message)
        return
    if version is not None and version_in_name(version) is None:
        package.add("package-version-valid", ("version",), f"`{version}` is not a valid version")
    tree = next((key for key in ("vcs", "directory") if key in package.data), None)
    if tree is not None:
        message = f"`{name}` has a `version` although it comes from a source tree ({tree}), whose version may change"
        package.add("package-version-source-tree", ("version",), message, "Remove `version`")


def _attestations(package: LockTable) -> None:
    for identity in package.tables("attestation-identities"):
        identity.require("kind", "attestation-kind-required", where="An attestation identity")
        kind = identity.string("kind", "attestation-kind-type")
        if kind is not None:
            _attestation_keys(identity, kind)


def _attestation_keys(identity: LockTable, kind: str) -> None:
    known = KINDS.get(kind)
    if known is None:
        message = f"`{kind}` is not a known kind of publisher"
        identity.add("attestation-kind-unknown", ("kind",), message, f"Known kinds: {', '.join(KINDS)}")
        return
    for key in known.required:
        if key not in identity.data:
            hint = f"Lock again with `--attestations`, or add `{key}`"
            identity.add("attestation-keys", (), f"A publisher of the kind {kind} needs `{key}`", hint)
    for key in (*known.required, *known.optional):
        identity.string(key, "attestation-keys")


def check_across(data: Mapping[str, Any], files: _Files, findings: Findings) -> None:
    """Check entries of the same name, dependencies, duplicate files, and order."""
    packages = [
        (index, package)
        for index, package in enumerate(data["packages"] if isinstance(data.get("packages"), list) else [])
        if isinstance(package, dict) and isinstance(package.get("name"), str)
    ]
    by_name: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for index, package in packages:
        by_name.setdefault(package["name"], []).append((index, package))
    for entries in by_name.values():
        if len(entries) > 1:
            _check_same_name(entries, findings)
    for index, package in packages:
        _check_dependencies(index, package, by_name, findings)
        _check_duplicate_files(package, files.get(index, ()), findings)
    _check_order(data, packages, files, findings)


def depends_on_environments(data: Mapping[str, Any]) -> bool:
    """Whether anything in the file depends on environments, so that the rules with marker diagrams are needed."""
    packages = [package for package in data["packages"] if isinstance(package, dict)] if _has_packages(data) else []
    if data.get("environments") or any("marker" in package for package in packages):
        return True
    return bool(data.get("requires-python")) and any(
        "requires-python" in package or _has_platform_wheels(package) for package in packages
    )


def _has_packages(data: Mapping[str, Any]) -> bool:
    return isinstance(data.get("packages"), list)


def _has_platform_wheels(package: Mapping[str, Any]) -> bool:
    wheels = package.get("wheels")
    return any(
        not str(wheel.get("name") or wheel.get("url") or wheel.get("path")).endswith("py3-none-any.whl")
        for wheel in (wheels if isinstance(wheels, list) else ())
        if isinstance(wheel, dict)
    )


def check_future(files: _Files, now: datetime, findings: Findings) -> None:
    """Report files that were uploaded after `now`, allowing for clock skew."""
    for listed in (listed for entries in files.values() for listed in entries):
        time = listed.file.get("upload-time")
        if isinstance(time, datetime) and time.tzinfo is not None and time > now + _CLOCK_SKEW:
            findings.add(
                "upload-time-future", (*listed.path, "upload-time"), f"`{listed.name}` was uploaded in the future"
            )


def _check_same_name(entries: list[tuple[int, dict[str, Any]]], findings: Findings) -> None:
    """Report entries of one name without a marker, which apply everywhere. Markers are compared with diagrams."""
    first = next((index for index, package in entries if package.get("marker") is None), None)
    for index, package in entries:
        if package.get("marker") is None and index != first:
            message = f"`{package['name']}` has two entries that apply in every environment"
            where = f"{message} (the other is packages[{first}])"
            findings.add("packages-narrow-to-one", ("packages", index), where, "Give them markers that do not overlap")


def _check_dependencies(
    index: int, package: Mapping[str, Any], by_name: Mapping[str, list[tuple[int, dict[str, Any]]]], findings: Findings
) -> None:
    tables = package.get("dependencies")
    for location, dependency in enumerate(tables if isinstance(tables, list) else ()):
        if not isinstance(dependency, dict):
            continue
        path: KeyPath = ("packages", index, "dependencies", location)
        name = dependency.get("name")
        if not isinstance(name, str):
            findings.add("dependency-ambiguous", path, f"A dependency of `{package['name']}` does not name a package")
            continue
        entries = by_name.get(name, [])
        if len(entries) > _MOST_ENTRIES:
            continue
        try:
            fitting = [entry for entry, other in entries if _fits(dependency, other)]
        except RecursionError:  # nested to the limit of the reader
            continue
        if not fitting:
            message = f"`{package['name']}` depends on `{_shown(dependency)}`, which is not in the file"
            findings.add("dependency-unresolved", path, message)
        elif len(fitting) > 1:
            message = f"`{package['name']}` depends on `{_shown(dependency)}`, which matches {len(fitting)} entries"
            findings.add("dependency-ambiguous", path, message, "Add the version or the source that distinguishes them")
        elif fitting == [index]:
            findings.add("dependency-self", path, f"`{package['name']}` depends on itself")


def _fits(dependency: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether `entry` matches all keys of `dependency`; versions compare as versions, tables by their keys."""
    for key, value in dependency.items():
        actual = entry.get(key)
        if isinstance(value, dict) and isinstance(actual, dict):
            if not _fits(value, actual):
                return False
        elif key == "version" and isinstance(value, str) and isinstance(actual, str):
            if version_in_name(value) != version_in_name(actual):
                return False
        elif value != actual:
            return False
    return True


def _shown(table: Mapping[str, Any]) -> str:
    version = table.get("version")
    return f"{table['name']} {version}" if isinstance(version, str) else str(table["name"])


def _check_duplicate_files(package: Mapping[str, Any], files: Sequence[NamedFile], findings: Findings) -> None:
    names: set[str] = set()
    hashes: dict[str, str] = {}
    for path, name, file in files:
        if name in names:
            findings.add("duplicate-file", path, f"`{package['name']}` lists the file `{name}` twice")
            continue
        names.add(name)
        table = file.get("hashes")
        digest = table.get("sha256") if isinstance(table, dict) else None
        if isinstance(digest, str):
            other = hashes.setdefault(digest, name)
            if other != name:
                findings.add("duplicate-file", path, f"`{name}` and `{other}` have the same hash")


def _check_order(
    data: Mapping[str, Any], packages: list[tuple[int, dict[str, Any]]], files: _Files, findings: Findings
) -> None:
    """Report each array that is out of order, for wheels only the first one: sorting only keeps diffs small."""
    keys = [(package["name"], _version_of(package)) for _, package in packages]
    out = next((location for location in range(1, len(keys)) if keys[location] < keys[location - 1]), None)
    if out is not None:
        message = f"`packages` is not sorted by name and version: `{keys[out][0]}` comes after `{keys[out - 1][0]}`"
        findings.add("packages-unsorted", ("packages", packages[out][0]), message)
    for key in ("extras", "dependency-groups", "default-groups"):
        names = data.get(key)
        if isinstance(names, list) and all(isinstance(name, str) for name in names) and names != sorted(names):
            findings.add("packages-unsorted", (key,), f"`{key}` is not sorted")
    for entries in files.values():
        wheels = [listed for listed in entries if "wheels" in listed.path]
        names = [listed.name for listed in wheels]
        if names != sorted(names):
            path = next(left.path for left, right in zip(wheels, sorted(names), strict=True) if left.name != right)
            findings.add("packages-unsorted", path, "Wheels are not sorted by file name")
            return


def _version_of(package: Mapping[str, Any]) -> Version:
    version = package.get("version")
    return (version_in_name(version) if isinstance(version, str) else None) or _NO_VERSION
