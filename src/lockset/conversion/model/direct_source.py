"""Requirements with a URL or a path, as the source of a lock file entry (`packages.vcs`, `directory`, `archive`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename

from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import read_sdist_name, read_wheel_name
from lockset.errors import LocksetError
from lockset.lockfile.model import PackageArchive, PackageDirectory, PackageVcs
from lockset.resolve.problem.direct_source import file_url_path, relative_path
from lockset.sources.direct_url import path_of
from lockset.url_secrets import plain_url, without_secrets

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.version import Version

    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = [
    "UNKNOWN_COMMIT",
    "is_archive_name",
    "is_commit",
    "path_from",
    "read_direct",
    "read_vcs",
    "version_of_file",
]

# The commit of an entry for which the repository must be queried.
UNKNOWN_COMMIT = ""
_HASH = r"[0-9a-f]{40}(?:[0-9a-f]{24})?"
# Version control systems that number their revisions: a number is never reused.
_REVISIONS = {"svn": r"\d+", "bzr": r"\d+(?:\.\d+\.\d+)?"}
_ARCHIVE = lazy_pattern(r"\.(whl|zip|tar|tar\.(gz|bz2|xz|lzma)|tgz|tbz|txz|tlz)\Z", re.IGNORECASE)


def read_direct(
    line: RequirementLine, *, folder: Path
) -> tuple[PackageVcs | PackageDirectory | PackageArchive, Version | None]:
    """The source of a requirement, and its version if the file name states one.

    The caller adds the hashes of an archive. A repository may lack its commit (`UNKNOWN_COMMIT`).

    Raises:
        LocksetError: `vcs-unsupported`: not Git, and the revision is not fixed. `path-other-drive`: no relative path
            leads to the file or folder.
    """
    url = plain_url(line.requirement.url or "")
    address, subdirectory = _split_subdirectory(url)
    scheme = address.partition(":")[0].lower()
    if "+" in scheme:
        return read_vcs(address, subdirectory, origin=line.origin), None
    if scheme == "file":
        path = unquote(urlsplit(address).path)
        shown = path_from(file_url_path(address), folder)
        if not _ARCHIVE.search(path):
            return PackageDirectory(path=shown, editable=line.editable or None, subdirectory=subdirectory), None
        return PackageArchive(path=shown, hashes={}, subdirectory=subdirectory), version_of_file(path, line.name)
    return PackageArchive(url=address, hashes={}, subdirectory=subdirectory), version_of_file(
        path_of(address), line.name
    )


def _split_subdirectory(url: str) -> tuple[str, str | None]:
    address, _, fragment = url.partition("#")
    parts = dict(part.partition("=")[::2] for part in fragment.split("&"))
    return address, parts.get("subdirectory") or None


def read_vcs(address: str, subdirectory: str | None, *, origin: str) -> PackageVcs:
    """Read `git+https://host/path@revision`. The commit is `UNKNOWN_COMMIT` if the revision is a branch or tag.

    Raises:
        LocksetError: `vcs-unsupported`.
    """
    kind, _, plain = address.partition("+")
    split = urlsplit(plain)
    path, at, revision = split.path.rpartition("@")
    if not at:
        path, revision = split.path, ""
    repository = split._replace(path=path).geturl()
    revision = unquote(revision)
    commit = revision if is_commit(kind, revision) else UNKNOWN_COMMIT
    if kind not in {"git", "hg", "svn", "bzr"} or (kind != "git" and not commit):
        raise LocksetError(
            "vcs-unsupported",
            f"`{without_secrets(address)}` does not name a fixed revision, which a lock file needs",
            location=origin,
            hint="Name a full commit, or a revision number if the system has them",
        )
    return PackageVcs(
        type=kind,
        url=repository,
        requested_revision=revision if revision and not commit else None,
        commit_id=commit,
        subdirectory=subdirectory,
    )


def is_commit(kind: str, revision: str) -> bool:
    """Whether a revision always means the same tree in this version control system."""
    return re.fullmatch(_REVISIONS.get(kind, _HASH), revision) is not None


def version_of_file(path: str, project: str) -> Version | None:
    """The version in the name of a wheel or source distribution of `project`; None for any other file."""
    name = unquote(path.rstrip("/").rpartition("/")[2])
    try:
        parts = read_wheel_name(name)[:2] if name.endswith(".whl") else read_sdist_name(name)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return parts[1] if parts[0] == project else None


def is_archive_name(path: str) -> bool:
    """Whether the path has the suffix of an archive."""
    return _ARCHIVE.search(path) is not None


def path_from(path: str, folder: Path) -> str:
    """The absolute `path` relative to `folder`, with forward slashes on every system.

    Raises:
        LocksetError: `path-other-drive`: no relative path leads there.
    """
    return relative_path(path, folder).removeprefix("./")
