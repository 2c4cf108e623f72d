"""Requirements that are URLs or paths: to what a lock file installs them from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename

from lockset.dependency_specifiers import read_sdist_name, read_wheel_name
from lockset.errors import LocksetError
from lockset.lockfile.model import PackageArchive, PackageDirectory, PackageVcs
from lockset.resolve.problem import direct_source
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
    "read_direct",
    "read_vcs",
    "relative_path",
    "version_of_file",
]

# Stands in an entry whose commit is to be asked of the repository.
UNKNOWN_COMMIT = ""
_HASH = r"[0-9a-f]{40}(?:[0-9a-f]{24})?"
# Systems that count their revisions: a number is never given again.
_REVISIONS = {"svn": r"\d+", "bzr": r"\d+(?:\.\d+\.\d+)?"}
_ARCHIVE = re.compile(r"\.(whl|zip|tar|tar\.(gz|bz2|xz|lzma)|tgz|tbz|txz|tlz)\Z", re.IGNORECASE)


def read_direct(
    line: RequirementLine, *, folder: Path
) -> tuple[PackageVcs | PackageDirectory | PackageArchive, Version | None]:
    """What the requirement is installed from, and its version where the file's name fixes one.

    Hashes of an archive are left to the caller. A repository without a commit is a gap, to be filled from where it is.

    Raises:
        LocksetError: `vcs-unsupported`: neither Git nor a revision that stays. `path-other-drive`: no relative path
            leads to the file or folder.
    """
    url = plain_url(line.requirement.url or "")
    address, subdirectory = _split_subdirectory(url)
    scheme = address.partition(":")[0].lower()
    if "+" in scheme:
        return read_vcs(address, subdirectory, origin=line.origin), None
    if scheme == "file":
        path = unquote(urlsplit(address).path)
        shown = relative_path(direct_source.local_path(address), folder)
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
    """`git+https://host/path@revision` as an entry; the commit may be a gap.

    Raises:
        LocksetError: `vcs-unsupported`.
    """
    kind, _, plain = address.partition("+")
    split = urlsplit(plain)
    path, at, revision = split.path.rpartition("@")
    if not at:
        path, revision = split.path, ""
    where = split._replace(path=path).geturl()
    revision = unquote(revision)
    commit = revision if is_commit(kind, revision) else UNKNOWN_COMMIT
    if kind not in {"git", "hg", "svn", "bzr"} or (kind != "git" and not commit):
        raise LocksetError(
            "vcs-unsupported",
            f"`{without_secrets(address)}` names no revision that a lock file can hold",
            place=origin,
            hint="Name a full commit, or the number of a revision where the system counts them",
        )
    return PackageVcs(
        type=kind,
        url=where,
        requested_revision=revision if revision and not commit else None,
        commit_id=commit,
        subdirectory=subdirectory,
    )


def is_commit(kind: str, revision: str) -> bool:
    """Whether the revision of a repository of this kind always stands for the same tree."""
    return re.fullmatch(_REVISIONS.get(kind, _HASH), revision) is not None


def version_of_file(path: str, project: str) -> Version | None:
    """The version that the name of a wheel or source distribution of `project` says; None for other archives."""
    name = unquote(path.rstrip("/").rpartition("/")[2])
    try:
        found = read_wheel_name(name)[:2] if name.endswith(".whl") else read_sdist_name(name)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return found[1] if found[0] == project else None


def is_archive_name(path: str) -> bool:
    """Whether the path ends as archives do."""
    return _ARCHIVE.search(path) is not None


def relative_path(path: str, folder: Path) -> str:
    """The absolute `path` as seen from `folder`, with `/` on every system.

    Raises:
        LocksetError: `path-other-drive`: no relative path leads there.
    """
    return direct_source.relative_path(path, folder).removeprefix("./")
