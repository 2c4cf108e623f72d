"""packaging's types for lock files, imported here only, and helpers for them."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockUnsupportedVersionError,
    PylockValidationError,
)

from lockset._dataclass import replace
from lockset._pattern import lazy_pattern
from lockset.lockfile.file_name import last_component

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

__all__ = [
    "Artifact",
    "File",
    "Package",
    "PackageArchive",
    "PackageDirectory",
    "PackageSdist",
    "PackageVcs",
    "PackageWheel",
    "Pylock",
    "PylockUnsupportedVersionError",
    "PylockValidationError",
    "artifacts",
    "describe",
    "file_name",
    "lock_of",
    "packages_by_name",
]

if "logging" in sys.modules:  # not where `lockset.cli.lazy_imports` defers it
    import logging

    # A rule reports newer minor versions; without a handler, packaging's warning would go to standard error.
    logging.getLogger("packaging.pylock").addHandler(logging.NullHandler())

# Sources that are files with hashes.
File: TypeAlias = PackageArchive | PackageSdist | PackageWheel
# Sources that a package can be installed from.
Artifact: TypeAlias = PackageVcs | PackageDirectory | PackageArchive | PackageSdist | PackageWheel

_TAG = r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*){0,9}"
_TAGS = lazy_pattern(rf"{_TAG}-{_TAG}-{_TAG}\.whl", re.ASCII)


def artifacts(package: Package) -> tuple[Artifact, ...]:
    """All sources of `package`, in the specification's order of preference."""
    single = (package.vcs, package.directory, package.archive)
    sources: list[Artifact] = [source for source in single if source is not None]
    sources.extend(package.wheels or ())
    if package.sdist is not None:
        sources.append(package.sdist)
    return tuple(sources)


def file_name(artifact: Artifact) -> str | None:
    """The file name of `artifact`: its `name`, else the end of `path`, else of `url`; None for source trees."""
    if isinstance(artifact, PackageWheel | PackageSdist):
        return artifact.name or last_component(path=artifact.path, url=artifact.url)
    if isinstance(artifact, PackageArchive):
        return last_component(path=artifact.path, url=artifact.url)
    return None


def describe(package: Package) -> str:
    """`name version`, or `name` alone, for messages."""
    return f"{package.name} {package.version}" if package.version is not None else str(package.name)


def packages_by_name(packages: Iterable[Package]) -> dict[str, list[Package]]:
    """The entries of each name, in order."""
    by_name: dict[str, list[Package]] = {}
    for package in packages:
        by_name.setdefault(package.name, []).append(package)
    return by_name


def lock_of(data: Mapping[str, Any]) -> Pylock:
    """The lock file in `data`, as `Pylock.from_dict` returns it, with the errors that it raises.

    packaging parses the name of each wheel. Most releases have many that differ in their tags alone, and it need parse
    only the first of these.

    Raises:
        PylockValidationError: `data` does not follow the specification.
    """
    packages = data.get("packages")
    if not isinstance(packages, list):
        return Pylock.from_dict(data)
    alike = [_alike(package.get("wheels")) if isinstance(package, dict) else () for package in packages]
    short = [
        {**package, "wheels": package["wheels"][:1]} if wheels else package
        for package, wheels in zip(packages, alike, strict=True)
    ]
    lock = Pylock.from_dict({**data, "packages": short})
    whole = [
        replace(package, wheels=[*(package.wheels or ()), *wheels]) if wheels else package
        for package, wheels in zip(lock.packages, alike, strict=True)
    ]
    return replace(lock, packages=whole)


def _alike(wheels: Any) -> Sequence[PackageWheel]:
    """The wheels after the first one, if all are certainly valid where that one is; else none."""
    first = wheels[0] if isinstance(wheels, list) and len(wheels) > 1 else None
    name = first.get("name") if isinstance(first, dict) else None
    if not isinstance(name, str):
        return ()
    start = "".join(f"{part}-" for part in name.split("-", 2)[:2])
    alike = []
    for wheel in wheels[1:]:
        if not (isinstance(wheel, dict) and _is_valid_after(start, wheel)):
            return ()
        time, size = wheel.get("upload-time"), wheel.get("size")
        alike.append(
            PackageWheel(name=wheel["name"], upload_time=time, url=wheel["url"], size=size, hashes=wheel["hashes"])
        )
    return alike


def _is_valid_after(start: str, wheel: Mapping[str, Any]) -> bool:
    """Whether `wheel` is certainly valid, if project and version of its package are those in `start`."""
    name, url, hashes = wheel.get("name"), wheel.get("url"), wheel.get("hashes")
    if not (isinstance(name, str) and isinstance(url, str) and isinstance(hashes, dict)) or "path" in wheel:
        return False
    if not (name.startswith(start) and _TAGS.fullmatch(name, len(start)) and url and hashes):
        return False
    if "size" in wheel and type(wheel["size"]) is not int:
        return False
    if "upload-time" in wheel and not isinstance(wheel["upload-time"], datetime):
        return False
    return all(isinstance(value, str) for value in hashes.values())
