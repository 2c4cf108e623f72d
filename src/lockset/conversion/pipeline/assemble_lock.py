"""Draft to lock file: entries with markers, in canonical order."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from lockset.conversion.model.graph import refuse_overlap
from lockset.conversion.model.imported_lock import Loss
from lockset.conversion.model.universe import universe_of
from lockset.dependency_specifiers import composed_marker, read_specifiers
from lockset.lockfile.conflict_regions import conflicting_region, marker_text
from lockset.lockfile.declared_conflicts import ConflictMember, with_conflicts
from lockset.lockfile.model import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
)
from lockset.markers import MarkerSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.conversion.model.imported_lock import ImportedFile, ImportedLock, ImportedPackage
    from lockset.lockfile.declared_conflicts import DeclaredConflict

__all__ = ["assemble_imported"]

# As many packages as a note names.
_SHOWN = 4
# What a source distribution may end in; other forms are no longer files of an index, and no lock file may hold them.
_SDIST_SUFFIXES = (".tar.gz", ".zip")


def assemble_imported(draft: ImportedLock) -> tuple[Pylock, tuple[Loss, ...]]:
    """The lock file of a Draft without gaps, and what was lost on the way.

    Raises:
        LocksetError: `pins-overlap`.
    """
    universe = universe_of(draft.requires_python, draft.environments)
    conflicts = _declared(draft)
    universe -= conflicting_region(conflicts)
    unbounded: list[str] = []
    never = [package for package in draft.packages if (package.region & universe).is_empty]
    draft = replace(draft, packages=tuple(package for package in draft.packages if package not in never))
    lost = [loss for package in draft.packages for loss in _left_out(package)]
    lost += [_never(package) for package in never]
    _refuse_overlaps(draft, universe)
    packages = [_package(package, universe, unbounded, conflicts) for package in draft.packages]
    offers = draft.offers
    multi = bool(offers.extras or offers.groups)
    lock = Pylock(
        lock_version=Version("1.0"),
        environments=[composed_marker(text) for text in draft.environments] or None,
        requires_python=draft.requires_python,
        extras=[canonicalize_name(e) for e in sorted(offers.extras)] if multi else None,
        dependency_groups=sorted(offers.groups) if multi else None,
        default_groups=sorted(offers.default_groups) or None,
        created_by="lockset",
        packages=packages,
        tool=with_conflicts(None, conflicts),
    )
    return lock, (*lost, *((_tell_unbounded(unbounded),) if unbounded else ()))


def _never(package: ImportedPackage) -> Loss:
    hashes = {text for file in package.files for text in _hash_texts(file)}
    for algorithm, value in (getattr(package.source, "hashes", None) or {}).items():
        hashes.add(f"{algorithm}:{value}")
    if commit := getattr(package.source, "commit_id", None):
        hashes.add(f"commit:{commit}")
    message = f"{package.shown} is installed by conflicting choices only, which nobody can make together"
    return Loss(kind="never-applies", message=message, hashes=tuple(sorted(hashes)))


def _declared(draft: ImportedLock) -> tuple[DeclaredConflict, ...]:
    """The conflicts of the input in the names of the lock file, where a default group has two."""
    found: dict[DeclaredConflict, None] = {}
    for conflict in draft.conflicts:
        for members in product(*(draft.offers.names(side) for side in sorted(conflict))):
            found[tuple(ConflictMember(*member) for member in members)] = None
    return tuple(found)


# A person does not edit a lock file of these tools.
_HINTS = {
    "uv.lock": "Choices that conflict cannot be in one lock file: convert one member alone, with `--package NAME`",
    "poetry.lock": "Lock again with Poetry 2.1 or newer, which says where each version applies",
    "pdm.lock": "Lock again with `pdm lock -S inherit_metadata`, which says where each version applies",
}


def _refuse_overlaps(draft: ImportedLock, universe: MarkerSet) -> None:
    by_name: dict[str, list[ImportedPackage]] = {}
    for package in draft.packages:
        for other in by_name.setdefault(package.name, []):
            both = other.region & package.region & universe
            if not both.is_empty:
                first, second = (str(p.version or p.origin or "its source") for p in (other, package))
                raise refuse_overlap(
                    package.name, first, second, both, location=draft.location, hint=_HINTS.get(draft.format)
                )
        by_name[package.name].append(package)


def _package(
    package: ImportedPackage, universe: MarkerSet, unbounded: list[str], conflicts: Sequence[DeclaredConflict]
) -> Package:
    marker = marker_text(package.region, universe, conflicts)
    if marker is not None and package.said is not None and not conflicts:
        marker = package.said
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


def _requires_python(package: ImportedPackage, universe: MarkerSet, unbounded: list[str]) -> SpecifierSet | None:
    """That of the release, where the entry applies inside it only: elsewhere it would turn a skip into a failure."""
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
    unbounded.append(package.shown)
    return None


def _tell_unbounded(unbounded: Sequence[str]) -> Loss:
    shown = ", ".join(unbounded[:_SHOWN]) + (f" and {len(unbounded) - _SHOWN} more" if unbounded[_SHOWN:] else "")
    message = (
        f"The input asks for {shown} on Pythons that the release is not for: its requires-python is left out, "
        "since installers would fail where the input has them go on (`--python` bounds the whole lock)"
    )
    return Loss(kind="requires-python-left-out", message=message, note=True)


def _dependencies(package: ImportedPackage) -> list[dict[str, Any]] | None:
    found = [{"name": n, "version": v} if v else {"name": n} for n, v in package.dependencies or ()]
    return found or None


def _sdists(package: ImportedPackage) -> list[ImportedFile]:
    """The source distributions, the usual form first; an entry has room for one."""
    found = [file for file in package.files if (file.name or "").endswith(_SDIST_SUFFIXES)]
    return sorted(found, key=lambda file: (not (file.name or "").endswith(".tar.gz"), file.name or ""))


def _left_out(package: ImportedPackage) -> Iterator[Loss]:
    """Files that have no place in a lock file: further source distributions, and what no installer of today takes."""
    for file in _sdists(package)[1:]:
        message = f"{package.shown}: a lock file holds one source distribution, {file.name} is left out"
        yield Loss(kind="second-sdist", message=message, hashes=_hash_texts(file))
    for file in package.files:
        if not _is_wheel(file) and not (file.name or "").endswith(_SDIST_SUFFIXES):
            message = f"{package.shown}: {file.name} is neither a wheel nor a source distribution and is left out"
            yield Loss(kind="file-unknown", message=message, hashes=_hash_texts(file))


def _hash_texts(file: ImportedFile) -> tuple[str, ...]:
    return tuple(f"{algorithm}:{value}" for algorithm, value in file.hashes.items())


def _is_wheel(file: ImportedFile) -> bool:
    return (file.name or "").endswith(".whl")


def _wheel(file: ImportedFile) -> PackageWheel:
    return PackageWheel(
        name=file.name,
        url=file.url,
        path=file.path,
        upload_time=file.upload_time,
        size=file.size,
        hashes=dict(file.hashes),
    )


def _sdist(file: ImportedFile) -> PackageSdist:
    return PackageSdist(
        name=file.name,
        url=file.url,
        path=file.path,
        upload_time=file.upload_time,
        size=file.size,
        hashes=dict(file.hashes),
    )
