"""What a selection asks a target to have: one value per distribution, with everything needed to get it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from lockset.errors import LocksetError
from lockset.hashes import STRONG_ALGORITHMS, WEAK_ALGORITHMS, Digest, strong_digests
from lockset.lockfile.model import (
    File,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    describe,
    file_name,
)
from lockset.sync.safe_path import is_within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.version import Version

    from lockset.lockfile.model import Package
    from lockset.lockfile.select import Selected

__all__ = ["Allowed", "Wanted", "public_url", "wanted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Which sources of a lock file may be used.

    Attributes:
        outside_path: Local paths that lie outside of the lock file's folder.
        weak_hash: Files with md5, sha1 or sha224 alone.
        editable: Directories are installed as editable where the lock file says so; else as any other.
    """

    vcs: bool = True
    directory: bool = True
    archive: bool = True
    outside_path: bool = False
    weak_hash: bool = False
    editable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One distribution that the lock file asks for.

    Attributes:
        kind: `wheel`, `sdist`, `archive`, `directory` or `vcs`.
        version: None where the lock leaves it to the source.
        filename: Of the file; None for directories.
        url: Where it is, without credentials being a concern here; None where `path` tells.
        path: Absolute local path, None without.
        digests: All that must hold for the file, a strong one among them, best first; empty for directories.
        requested: Nothing else in the lock asks for it.
        commit: Of version control: the full id. `vcs` is its kind, `revision` what it was locked from.
        tree: Of a directory: the digest of its content as it is now.
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
    vcs: str | None = None
    commit: str | None = None
    revision: str | None = None
    tree: str | None = None

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
        """The strong digests by algorithm; where there are none, the weak ones."""
        strong = {d.algorithm: d.value for d in self.digests if d.algorithm in STRONG_ALGORITHMS}
        return strong or {d.algorithm: d.value for d in self.digests}

    @property
    def direct_url(self) -> Mapping[str, Any] | None:
        """Content of direct_url.json; None for what comes from an index."""
        if self.kind not in {"archive", "directory", "vcs"}:
            return None
        found: dict[str, Any] = {"url": self.source_url}
        if self.kind == "directory":
            found["dir_info"] = {"editable": True} if self.editable else {}
        elif self.kind == "vcs":
            revision = {"requested_revision": self.revision} if self.revision else {}
            found["vcs_info"] = {"vcs": self.vcs, **revision, "commit_id": self.commit}
        else:
            found["archive_info"] = {"hashes": dict(self.hashes)}
        if self.subdirectory:
            found["subdirectory"] = self.subdirectory
        return found


def wanted(items: Sequence[Selected], *, folder: str, allowed: Allowed | None = None) -> tuple[Wanted, ...]:
    """What `items` of a selection ask for; relative paths are below `folder`, the lock file's own.

    Raises:
        LocksetError: `hash-missing`, `hash-malformed`, `unsafe-path`, `source-not-allowed`, `commit-malformed`.
    """
    known, needed = _edges(items)
    rules = allowed or Allowed()
    return tuple(
        _wanted(item.package, item.artifact, folder, rules, requested=known and item.package.name not in needed)
        for item in items
    )


def _edges(items: Sequence[Selected]) -> tuple[bool, frozenset[str]]:
    """Whether the lock records dependencies at all, and the names that something depends on."""
    lists = [item.package.dependencies for item in items if item.package.dependencies]
    return bool(lists), frozenset(str(edge.get("name", "")) for edges in lists for edge in edges or ())


def _wanted(package: Package, artifact: object, folder: str, allowed: Allowed, *, requested: bool) -> Wanted:
    what = describe(package)
    if isinstance(artifact, PackageVcs):
        _check_allowed(allowed.vcs, what, f"a {artifact.type} commit", "--no-vcs")
        return Wanted(
            name=package.name,
            version=package.version,
            kind="vcs",
            url=artifact.url,
            path=_local(artifact.path, folder, allowed, what) if artifact.path and not artifact.url else None,
            vcs=artifact.type,
            commit=_commit(artifact.commit_id, what),
            revision=artifact.requested_revision,
            subdirectory=artifact.subdirectory,
            requested=requested,
        )
    if isinstance(artifact, PackageDirectory):
        _check_allowed(allowed.directory, what, "a directory", "--no-directory")
        return Wanted(
            name=package.name,
            version=package.version,
            kind="directory",
            path=_local(artifact.path, folder, allowed, what),
            subdirectory=artifact.subdirectory,
            editable=bool(artifact.editable) and allowed.editable,
            requested=requested,
        )
    assert isinstance(artifact, File)
    filename = file_name(artifact)
    kind = "wheel" if isinstance(artifact, PackageWheel) else "sdist"
    kind = kind if isinstance(artifact, PackageWheel | PackageSdist) else "archive"
    _check_allowed(kind != "archive" or allowed.archive, what, "an archive", "--no-archive")
    return Wanted(
        name=package.name,
        version=package.version,
        kind=kind,
        filename=filename,
        url=artifact.url,
        path=_path(artifact, folder, allowed, what),
        digests=_digests(artifact.hashes, f"`{filename}` of {what}", weak=allowed.weak_hash),
        size=artifact.size,
        subdirectory=getattr(artifact, "subdirectory", None),
        requested=requested,
    )


def _check_allowed(fine: bool, what: str, source: str, option: str) -> None:  # noqa: FBT001 (read as a sentence)
    if not fine:
        raise LocksetError(
            "source-not-allowed",
            f"`{what}` is locked as {source}, which {option} refuses",
            hint=f"Leave {option} away, or lock it from an index",
        )


def _commit(text: str, what: str) -> str:
    """A commit id in full: a short one, or a name, can mean another commit tomorrow."""
    if len(text) not in {40, 64} or not set(text.lower()) <= set("0123456789abcdef"):
        raise LocksetError(
            "commit-malformed",
            f"The commit id of `{what}` is not 40 or 64 hexadecimal digits",
            hint="Lock again with a tool that records full commit ids",
        )
    return text.lower()


def _digests(hashes: Mapping[str, str], what: str, *, weak: bool) -> tuple[Digest, ...]:
    try:
        return strong_digests(hashes, what=what)
    except LocksetError as error:
        known = {name.lower(): value.lower() for name, value in hashes.items() if name.lower() in WEAK_ALGORITHMS}
        fits = known and all(len(value) == 2 * WEAK_ALGORITHMS[name] for name, value in known.items())
        if not weak or error.diagnostic.code != "hash-missing" or not fits:
            raise
        return tuple(Digest(algorithm=name, value=value) for name, value in sorted(known.items()))


def _path(artifact: File, folder: str, allowed: Allowed, what: str) -> str | None:
    """The local path of `artifact`: as locked, or of its `file:` URL."""
    if artifact.path:
        return _local(artifact.path, folder, allowed, what)
    if artifact.url and artifact.url.lower().startswith("file:"):
        parts = urlsplit(artifact.url)
        if parts.netloc in {"", "localhost"}:
            place = unquote(parts.path)
            return _local(place if os.sep == "/" else place.lstrip("/"), folder, allowed, what)
    return None


def _local(path: str, folder: str, allowed: Allowed, what: str) -> str:
    if "\0" in path:
        raise LocksetError("unsafe-path", f"The lock file names a path with a NUL character: `{path}`")
    # A relative path may be written with either separator on every platform.
    portable = path.replace("\\", "/") if os.sep == "/" and "/" not in path else path
    place = os.path.normpath(os.path.join(folder, portable))  # noqa: PTH118 (a value, not a file)
    if not allowed.outside_path and place != folder and not is_within(place, folder, separator=os.sep):
        raise LocksetError(
            "path-outside",
            f"`{what}` is locked to a path outside of the lock file's folder",
            place=place,
            hint="Use `--allow-outside-path` if that is where it belongs",
        )
    return place


def public_url(url: str) -> str:
    """`url` without user info, query and fragment, where secrets may be."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _file_url(path: str) -> str:
    from pathlib import Path

    return Path(path).as_uri()
