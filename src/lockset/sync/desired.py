"""What a selection asks a target to have: one value per distribution, with everything needed to get it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from lockset.hashes import STRONG_ALGORITHMS, Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.version import Version

__all__ = ["DesiredDistribution", "SourcePolicy", "WheelIdentity", "may_hold_secret", "public_url"]

_SECRET = re.compile(r"""://[^\s"'/]*@|://[^\s"'?]*\?""")


class WheelIdentity(NamedTuple):
    """What the lock file says a wheel is. `version` is None where the lock leaves it open (source trees)."""

    name: str
    version: Version | None
    filename: str | None

    def __str__(self) -> str:
        described = f"{self.name} {self.version}" if self.version is not None else self.name
        return f"`{self.filename}` of {described}" if self.filename else f"the wheel of {described}"


class SourcePolicy(NamedTuple):
    """Which sources of a lock file may be used.

    Attributes:
        outside_path: Local paths that lie outside of the lock file's folder.
        weak_hash: Files with md5, sha1 or sha224 alone.
        editable: Directories are installed as editable where the lock file says so; else as any other.
        folders: Folders of files that the user named: what lies there is no path that leads out, and a file whose own
            path leads out may be there.
    """

    vcs: bool = True
    directory: bool = True
    archive: bool = True
    outside_path: bool = False
    weak_hash: bool = False
    editable: bool = True
    folders: tuple[str, ...] = ()


class DesiredDistribution(NamedTuple):
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
        is_outside: Its path leads out of the lock file's folder: the file may only come from a folder the user named.
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
    is_outside: bool = False

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


def may_hold_secret(text: str) -> bool:
    """Whether an address in `text` has user info or a query: such a text is kept nowhere."""
    return _SECRET.search(text) is not None


def public_url(url: str) -> str:
    """`url` without user info, query and fragment, where secrets may be."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _file_url(path: str) -> str:
    from pathlib import Path

    return Path(path).as_uri()
