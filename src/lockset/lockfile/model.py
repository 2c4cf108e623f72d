"""packaging's types for lock files, imported here only, and helpers for them."""

from __future__ import annotations

import sys
from typing import TypeAlias

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

from lockset.lockfile.file_name import last_component

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
]

if "logging" in sys.modules:  # not where `lockset.cli.lazy_imports` defers it
    import logging

    # A rule reports newer minor versions; without a handler, packaging's warning would go to standard error.
    logging.getLogger("packaging.pylock").addHandler(logging.NullHandler())

# Sources that are files with hashes.
File: TypeAlias = PackageArchive | PackageSdist | PackageWheel
# Sources that a package can be installed from.
Artifact: TypeAlias = PackageVcs | PackageDirectory | PackageArchive | PackageSdist | PackageWheel


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
