"""Assemble a lock file (PEP 751) from an imported lock: entries with markers, in canonical order."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from lockset._dataclass import replace
from lockset._named_tuple import NamedTuple
from lockset.conversion.model.imported_lock import Loss, refuse_overlap, universe_of
from lockset.dependency_specifiers import composed_marker, read_specifiers
from lockset.lockfile.conflicts import ConflictMember, conflicting_region, marker_text, with_conflicts
from lockset.lockfile.model import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
)
from lockset.markers import KNOWN_PYTHONS, MarkerSet
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.conversion.model.imported_lock import ImportedFile, ImportedLock, ImportedPackage
    from lockset.lockfile.conflicts import DeclaredConflict

__all__ = ["assemble_imported"]

# How many packages a note names.
_SHOWN = 4
# Suffixes of source distributions (PEP 625, and `.zip` before it). A lock file may not contain other formats.
_SDIST_SUFFIXES = (".tar.gz", ".zip")


class _Unbounded(NamedTuple):
    """A release whose `Requires-Python` excludes environments in which its entry applies, those `outside`."""

    shown: str
    outside: MarkerSet


def assemble_imported(imported: ImportedLock) -> tuple[Pylock, tuple[Loss, ...]]:
    """The lock file of a completed imported lock, and what it does not keep.

    Raises:
        LocksetError: `pins-overlap`.
    """
    universe = universe_of(imported.requires_python, imported.environments)
    conflicts = _declared_conflicts(imported)
    if conflicts:
        universe -= conflicting_region(conflicts)
    unbounded: list[_Unbounded] = []
    never = [package for package in imported.packages if (package.region & universe).is_empty]
    imported = replace(imported, packages=tuple(package for package in imported.packages if package not in never))
    lost = [loss for package in imported.packages for loss in _losses_of_files(package)]
    lost += [_never_applies_loss(package) for package in never]
    _refuse_overlaps(imported, universe)
    packages = [_package(package, universe, unbounded, conflicts) for package in imported.packages]
    selectable = imported.selectable
    multi = bool(selectable.extras or selectable.groups)
    lock = Pylock(
        lock_version=Version("1.0"),
        environments=[composed_marker(text) for text in imported.environments] or None,
        requires_python=imported.requires_python,
        extras=[canonicalize_name(e) for e in sorted(selectable.extras)] if multi else None,
        dependency_groups=sorted(selectable.groups) if multi else None,
        default_groups=sorted(selectable.default_groups) or None,
        created_by="lockset",
        packages=packages,
        tool=with_conflicts(None, conflicts) if conflicts else None,
    )
    return lock, (*lost, *((_requires_python_loss(unbounded),) if unbounded else ()))


def _never_applies_loss(package: ImportedPackage) -> Loss:
    hashes = {text for file in package.files for text in _hash_texts(file)}
    for algorithm, value in (getattr(package.source, "hashes", None) or {}).items():
        hashes.add(f"{algorithm}:{value}")
    if commit := getattr(package.source, "commit_id", None):
        hashes.add(f"commit:{commit}")
    message = f"{package.shown} is only installed by extras or groups that conflict"
    return Loss(kind="never-applies", message=message, hashes=tuple(sorted(hashes)))


def _declared_conflicts(imported: ImportedLock) -> tuple[DeclaredConflict, ...]:
    """The conflicts of the input by the names in the lock file, where a default group has two."""
    conflicts: dict[DeclaredConflict, None] = {}
    for conflict in imported.conflicts:
        for members in product(*(imported.selectable.names(side) for side in sorted(conflict))):
            conflicts[tuple(ConflictMember(*member) for member in members)] = None
    return tuple(conflicts)


# Hints for lock files that nobody edits by hand.
_HINTS = {
    "uv.lock": "Convert one workspace member alone with `--package NAME`",
    "poetry.lock": "Lock again with Poetry 2.1 or newer, which states where each version applies",
    "pdm.lock": "Run `pdm lock -S inherit_metadata`, which states where each version applies",
}


def _refuse_overlaps(imported: ImportedLock, universe: MarkerSet) -> None:
    by_name: dict[str, list[ImportedPackage]] = {}
    for package in imported.packages:
        for other in by_name.setdefault(package.name, []):
            both = other.region & package.region & universe
            if not both.is_empty:
                first, second = (str(p.version or p.origin or "its source") for p in (other, package))
                raise refuse_overlap(
                    package.name, first, second, both, location=imported.location, hint=_HINTS.get(imported.format)
                )
        by_name[package.name].append(package)


def _package(
    package: ImportedPackage, universe: MarkerSet, unbounded: list[_Unbounded], conflicts: Sequence[DeclaredConflict]
) -> Package:
    marker = marker_text(package.region, universe, conflicts) if conflicts else package.region.text(universe)
    if marker is not None and package.original_marker is not None and not conflicts:
        marker = package.original_marker
    source = package.source
    settings = dict(package.config_settings)
    return Package(
        name=canonicalize_name(package.name),
        version=package.version,
        marker=None if marker is None else composed_marker(marker),
        requires_python=_requires_python(package, universe, unbounded),
        dependencies=_dependencies(package),
        vcs=source if isinstance(source, PackageVcs) else None,
        directory=source if isinstance(source, PackageDirectory) else None,
        archive=source if isinstance(source, PackageArchive) else None,
        index=package.index if source is None else None,
        sdist=next((_sdist(f) for f in _sdists(package)), None),
        wheels=[_wheel(f) for f in sorted(package.files, key=lambda f: f.name or "") if _is_wheel(f)] or None,
        tool={"lockset": {"config-settings": settings}} if settings else None,
    )


def _requires_python(package: ImportedPackage, universe: MarkerSet, unbounded: list[_Unbounded]) -> SpecifierSet | None:
    """`Requires-Python` of the release, if the entry applies within it only. Elsewhere an installer would fail."""
    if not package.requires_python:
        return None
    try:
        specifiers = read_specifiers(package.requires_python)
        admitted = MarkerSet.of_python(specifiers)
    except (InvalidSpecifier, ValueError):
        return None
    here = (package.region & universe).without_extras_and_groups()
    if here.implies(admitted):
        return specifiers
    unbounded.append(_Unbounded(package.shown, here - admitted))
    return None


def _requires_python_loss(unbounded: Sequence[_Unbounded]) -> Loss:
    names = [package.shown for package in unbounded]
    *others, last = names if len(names) <= _SHOWN else (*names[:_SHOWN], f"{len(names) - _SHOWN} more")
    shown = f"{', '.join(others)} and {last}" if others else last
    do, their = ("do", "their") if others else ("does", "its")
    oldest = _oldest_common(unbounded)
    option = f"`--python '>={oldest}'`" if oldest is not None else "a narrower `--python`"
    message = (
        f"The input allows Pythons that {shown} {do} not support, so the lock file omits {their} requires-python "
        f"({option} keeps it)"
    )
    return Loss(kind="requires-python-left-out", message=message, note=True)


def _oldest_common(unbounded: Sequence[_Unbounded]) -> str | None:
    """The oldest Python from which on all of them are supported wherever they apply; None if there is none."""
    outside = MarkerSet.union(package.outside for package in unbounded)
    return next((each for each in KNOWN_PYTHONS if MarkerSet.of_python(f">={each}").is_disjoint(outside)), None)


def _dependencies(package: ImportedPackage) -> list[dict[str, Any]] | None:
    tables = [{"name": n, "version": v} if v else {"name": n} for n, v in package.dependencies or ()]
    return tables or None


def _sdists(package: ImportedPackage) -> list[ImportedFile]:
    """The source distributions, `.tar.gz` first. An entry has only one."""
    sdists = [file for file in package.files if (file.name or "").endswith(_SDIST_SUFFIXES)]
    return sorted(sdists, key=lambda file: (not (file.name or "").endswith(".tar.gz"), file.name or ""))


def _losses_of_files(package: ImportedPackage) -> Iterator[Loss]:
    """The losses for files that a lock file cannot contain: more source distributions, and obsolete formats."""
    for file in _sdists(package)[1:]:
        message = f"{package.shown}: a lock file has one source distribution per package, {file.name} is left out"
        yield Loss(kind="second-sdist", message=message, hashes=_hash_texts(file))
    for file in package.files:
        if not _is_wheel(file) and not (file.name or "").endswith(_SDIST_SUFFIXES):
            message = f"{package.shown}: {file.name} is neither a wheel nor a source distribution, and is left out"
            yield Loss(kind="file-unknown", message=message, hashes=_hash_texts(file))


def _hash_texts(file: ImportedFile) -> tuple[str, ...]:
    return tuple(f"{algorithm}:{value}" for algorithm, value in file.hashes.items())


def _is_wheel(file: ImportedFile) -> bool:
    return (file.name or "").endswith(".whl")


def _wheel(file: ImportedFile) -> PackageWheel:
    return PackageWheel(**_file_fields(file))


def _sdist(file: ImportedFile) -> PackageSdist:
    return PackageSdist(**_file_fields(file))


def _file_fields(file: ImportedFile) -> dict[str, Any]:
    """The keys that wheels and source distributions have in common."""
    return {
        "name": file.name,
        "url": file.url,
        "path": file.path,
        "upload_time": file.upload_time,
        "size": file.size,
        "hashes": dict(file.hashes),
    }
