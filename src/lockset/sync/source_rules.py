"""Turn selected packages into desired distributions, and enforce the user's rules on sources, hashes and paths."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lockset.errors import HashMissingError, LocksetError
from lockset.hashes import WEAK_ALGORITHMS, Digest, strong_digests
from lockset.lockfile.model import (
    File,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    describe,
    file_name,
)
from lockset.sync.desired import DesiredDistribution, SourcePolicy, public_url
from lockset.sync.wheel.safe_path import is_within, outside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lockset.lockfile.model import Package
    from lockset.lockfile.select import SelectedPackage

__all__ = ["desired_distributions"]


def desired_distributions(
    items: Sequence[SelectedPackage], *, folder: str, allowed: SourcePolicy | None = None, project: str = "."
) -> tuple[DesiredDistribution, ...]:
    """The distributions for the selected `items`; relative paths start from `folder`, that of the lock file.

    `project` is the folder of the project itself, relative to that.

    Raises:
        LocksetError: `hash-missing`, `hash-malformed`, `unsafe-path`, `source-not-allowed`, `commit-malformed`.
    """
    known, needed = _edges(items)
    rules = allowed or SourcePolicy()
    return tuple(
        _desired(item.package, item.artifact, folder, rules, requested=known and item.package.name not in needed)
        for item in items
        if rules.project or not _is_project(item.artifact, project)
    )


def _is_project(artifact: object, project: str) -> bool:
    """Whether it is the source tree of the project itself."""
    if not isinstance(artifact, PackageDirectory) or artifact.subdirectory:
        return False
    return os.path.normpath(artifact.path.replace("\\", "/") or ".") == os.path.normpath(project)


def _edges(items: Sequence[SelectedPackage]) -> tuple[bool, frozenset[str]]:
    """Whether the lock file records dependencies at all, and the names that another package depends on."""
    lists = [item.package.dependencies for item in items if item.package.dependencies]
    return bool(lists), frozenset(str(edge.get("name", "")) for edges in lists for edge in edges or ())


def _desired(
    package: Package, artifact: object, folder: str, allowed: SourcePolicy, *, requested: bool
) -> DesiredDistribution:
    what = describe(package)
    _check_url(getattr(artifact, "url", None), what, is_file=isinstance(artifact, File) and not artifact.path)
    if isinstance(artifact, PackageVcs):
        _refuse_unless(what, f"a {artifact.type} commit", "--no-vcs", allowed=allowed.vcs)
        return DesiredDistribution(
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
        _refuse_unless(what, "a directory", "--no-directory", allowed=allowed.directory)
        return DesiredDistribution(
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
    _refuse_unless(what, "an archive", "--no-archive", allowed=kind != "archive" or allowed.archive)
    path, is_outside = _path(artifact, folder, allowed, what)
    return DesiredDistribution(
        name=package.name,
        version=package.version,
        kind=kind,
        filename=filename,
        url=artifact.url,
        path=path,
        is_outside=is_outside,
        digests=_digests(artifact.hashes, f"`{filename}` of {what}", weak=allowed.weak_hash),
        size=artifact.size,
        subdirectory=getattr(artifact, "subdirectory", None),
        requested=requested,
    )


# Schemes by which repositories are fetched.
_OF_REPOSITORIES = frozenset({"http", "https", "file", "ssh", "git", "svn", "bzr", "sftp", "lp", "rsync", "ftp"})


def _check_url(url: str | None, what: str, *, is_file: bool) -> None:
    """Refuse an address that is malformed, or whose scheme lockset does not fetch."""
    if not url:
        return
    scheme = url.partition(":")[0].lower()
    try:
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        problem = _address_problem(url, scheme.rpartition("+")[2], parts.hostname or "", parts.port)
    except ValueError as error:
        problem = str(error)
    if problem is not None:
        raise LocksetError(
            "url-malformed",
            f"The URL that `{what}` is locked to is not valid: {problem}",
            hint="Run `lockset lock`",
        )
    if not is_file and (url.startswith("-") or (len(scheme) > 1 and scheme.rpartition("+")[2] not in _OF_REPOSITORIES)):
        raise LocksetError(
            "url-scheme",
            f"`{what}` is locked to `{public_url(url)}`, whose scheme cannot be used for repositories",
            hint="Run `lockset lock` with an https or ssh URL",
        )
    if is_file and scheme not in {"http", "https", "file"}:
        raise LocksetError(
            "url-scheme",
            f"`{what}` is locked to `{public_url(url)}`, but files can only be fetched by http or https",
            hint="Run `lockset lock` with an index or an https URL",
        )


def _address_problem(url: str, scheme: str, host: str, port: int | None) -> str | None:
    if port == 0 or not url.isprintable() or " " in host:
        return "it has a character or a port that is not allowed in a URL"
    if scheme in {"http", "https", "ssh", "git"} and not any(map(str.isalnum, host)):
        return "it has no host"
    return None


def _refuse_unless(what: str, source: str, option: str, *, allowed: bool) -> None:
    if not allowed:
        raise LocksetError(
            "source-not-allowed",
            f"`{what}` is locked as {source}, which {option} refuses",
            hint=f"Run without `{option}`, or lock it from an index",
        )


def _commit(text: str, what: str) -> str:
    """`text` if it is a full commit id. A short id, or a name, may mean another commit tomorrow."""
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
    except HashMissingError:
        known = {name.lower(): value.lower() for name, value in hashes.items() if name.lower() in WEAK_ALGORITHMS}
        fits = known and all(len(value) == 2 * WEAK_ALGORITHMS[name] for name, value in known.items())
        if not weak or not fits:
            raise
        return tuple(Digest(algorithm=name, value=value) for name, value in sorted(known.items()))


def _path(artifact: File, folder: str, allowed: SourcePolicy, what: str) -> tuple[str | None, bool]:
    """The local path of `artifact`, locked or from its `file:` URL, and whether it lies outside."""
    text = artifact.path
    if not text and artifact.url and artifact.url.lower().startswith("file:"):
        parts = urlsplit(artifact.url)
        if parts.netloc in {"", "localhost"}:
            location = unquote(parts.path)
            text = location if os.sep == "/" else location.lstrip("/")
    if not text:
        return None, False
    location = _location(text, folder)
    is_outside = not allowed.outside_path and not any(
        _leads_into(location, each) for each in (folder, *allowed.folders)
    )
    if is_outside and not allowed.folders:
        raise outside(what, location, f"`-f FOLDER` with a folder that has `{file_name(artifact)}`, or ")
    return location, is_outside


def _local(path: str, folder: str, allowed: SourcePolicy, what: str) -> str:
    location = _location(path, folder)
    if not allowed.outside_path and not _leads_into(location, folder):
        raise outside(what, location)
    return location


def _location(path: str, folder: str) -> str:
    if "\0" in path:
        raise LocksetError("unsafe-path", f"The lock file names a path with a NUL character: `{path}`")
    # A relative path may be written with either separator on every platform.
    portable = path.replace("\\", "/") if os.sep == "/" and "/" not in path else path
    return os.path.normpath(os.path.join(folder, portable))


def _leads_into(location: str, folder: str) -> bool:
    return _is_in(location, folder) and _is_in(_resolved(location), _resolved(folder))


def _is_in(location: str, folder: str) -> bool:
    # On Windows this unifies separators and case; elsewhere it changes nothing.
    location, folder = os.path.normcase(location), os.path.normcase(folder)
    return location == folder or is_within(location, folder, separator=os.sep)


def _resolved(path: str) -> str:
    # A symbolic link can lead out of a repository just as `..` can.
    return os.path.realpath(path)
