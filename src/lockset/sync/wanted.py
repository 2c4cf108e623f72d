"""What a selection asks a target to have: one value per distribution, with everything needed to get it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from lockset.errors import LocksetError
from lockset.hashes import STRONG_ALGORITHMS, Digest, strong_digests
from lockset.lockfile.model import (
    File,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    describe,
    file_name,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.version import Version

    from lockset.lockfile.model import Package
    from lockset.lockfile.select import Selected

__all__ = ["Wanted", "public_url", "wanted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One distribution that the lock file asks for.

    Attributes:
        kind: `wheel`, `sdist`, `archive` or `directory`.
        version: None where the lock leaves it to the source.
        filename: Of the file; None for directories.
        url: Where it is, without credentials being a concern here; None where `path` tells.
        path: Absolute local path, None without.
        digests: All that must hold for the file, a strong one among them, best first; empty for directories.
        requested: Nothing else in the lock asks for it.
    """

    name: str
    version: Version | None
    kind: str
    filename: str | None = None
    url: str | None = None
    path: str | None = None
    digests: tuple[Digest, ...] = ()
    size: int | None = None
    subdirectory: str | None = None
    editable: bool = False
    requested: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.version}" if self.version is not None else self.name

    @property
    def source(self) -> str:
        """Where it comes from, fit to be shown."""
        return public_url(self.url) if self.url and not self.path else str(self.path)

    @property
    def source_url(self) -> str:
        """The same as a URL."""
        return public_url(self.url) if self.url and not self.path else _file_url(str(self.path))

    @property
    def hashes(self) -> Mapping[str, str]:
        """The strong digests by algorithm."""
        return {d.algorithm: d.value for d in self.digests if d.algorithm in STRONG_ALGORITHMS}

    @property
    def direct_url(self) -> Mapping[str, Any] | None:
        """Content of direct_url.json; None for what comes from an index."""
        if self.kind not in {"archive", "directory"}:
            return None
        found: dict[str, Any] = {"url": self.source_url}
        if self.kind == "directory":
            found["dir_info"] = {"editable": True} if self.editable else {}
        else:
            found["archive_info"] = {"hashes": dict(self.hashes)}
        if self.subdirectory:
            found["subdirectory"] = self.subdirectory
        return found


def wanted(items: Sequence[Selected], *, folder: str) -> tuple[Wanted, ...]:
    """What `items` of a selection ask for; relative paths are below `folder`, the lock file's own.

    Raises:
        LocksetError: `hash-missing`, `hash-malformed`; `source-not-supported` for version control.
    """
    known, needed = _edges(items)
    return tuple(
        _wanted(item.package, item.artifact, folder, requested=known and item.package.name not in needed)
        for item in items
    )


def _edges(items: Sequence[Selected]) -> tuple[bool, frozenset[str]]:
    """Whether the lock records dependencies at all, and the names that something depends on."""
    lists = [item.package.dependencies for item in items if item.package.dependencies]
    return bool(lists), frozenset(str(edge.get("name", "")) for edges in lists for edge in edges or ())


def _wanted(package: Package, artifact: object, folder: str, *, requested: bool) -> Wanted:
    if isinstance(artifact, PackageVcs):
        raise LocksetError(
            "source-not-supported",
            f"`{describe(package)}` is locked to a {artifact.type} commit, which lockset cannot install yet",
            hint="Lock it from an index, as an archive or as a directory",
        )
    if isinstance(artifact, PackageDirectory):
        return Wanted(
            name=package.name,
            version=package.version,
            kind="directory",
            path=_local(artifact.path, folder),
            subdirectory=artifact.subdirectory,
            editable=bool(artifact.editable),
            requested=requested,
        )
    assert isinstance(artifact, File)
    filename = file_name(artifact)
    what = f"`{filename}` of {describe(package)}"
    kind = "wheel" if isinstance(artifact, PackageWheel) else "sdist"
    kind = kind if isinstance(artifact, PackageWheel | PackageSdist) else "archive"
    return Wanted(
        name=package.name,
        version=package.version,
        kind=kind,
        filename=filename,
        url=artifact.url,
        path=_local(artifact.path, folder) if artifact.path else None,
        digests=strong_digests(artifact.hashes, what=what),
        size=artifact.size,
        subdirectory=getattr(artifact, "subdirectory", None),
        requested=requested,
    )


def _local(path: str, folder: str) -> str:
    if "\0" in path:
        raise LocksetError("unsafe-path", f"The lock file names a path with a NUL character: `{path}`")
    # A relative path may be written with either separator on every platform.
    portable = path.replace("\\", "/") if os.sep == "/" and "/" not in path else path
    return os.path.normpath(os.path.join(folder, portable))  # noqa: PTH118 (a value, not a file)


def public_url(url: str) -> str:
    """`url` without user info, query and fragment, where secrets may be."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _file_url(path: str) -> str:
    from pathlib import Path

    return Path(path).as_uri()
