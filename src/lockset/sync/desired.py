"""The distributions that a target should have: one value each, with everything that is needed to obtain it."""

from __future__ import annotations

from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.hashes import STRONG_ALGORITHMS, Digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from packaging.version import Version

__all__ = ["DesiredDistribution", "SourcePolicy", "WheelIdentity", "is_secret_name", "may_hold_secret", "public_url"]

_SECRET = lazy_pattern(r"""://[^\s"'/]*@|://[^\s"'?]*\?""")
_SECRET_NAMES = ("PASS", "TOKEN", "SECRET", "USERNAME", "AUTH")
# Characters of addresses that `urlsplit` and `urlunsplit` keep: those without user info, query and fragment.
_KEPT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%+!/:")


def _version(text: str | None) -> Version | None:
    if text is None:
        return None
    from lockset.dependency_specifiers import read_version  # here, since most syncs only compare texts

    return read_version(text)


class WheelIdentity(NamedTuple):
    """The identity of a wheel according to the lock file.

    Attributes:
        version_text: Normalized; None where the lock omits the version (source trees).
    """

    name: str
    version_text: str | None
    filename: str | None

    @property
    def version(self) -> Version | None:
        """The version, or None."""
        return _version(self.version_text)

    def __str__(self) -> str:
        described = f"{self.name} {self.version_text}" if self.version_text is not None else self.name
        return f"`{self.filename}` of {described}" if self.filename else f"the wheel of {described}"


class SourcePolicy(NamedTuple):
    """Which sources of a lock file may be used.

    Attributes:
        outside_path: Whether local paths may lie outside the lock file's folder.
        weak_hash: Whether files with only md5, sha1 or sha224 hashes are accepted.
        editable: Whether directories that the lock file marks as editable are installed as such.
        project: Whether the project itself, whose source tree is the lock file's folder, is installed.
        folders: Folders given with `--find-links`. Their files count as inside, and a file whose locked path leads
            outside is looked up here by its hash.
    """

    vcs: bool = True
    directory: bool = True
    archive: bool = True
    outside_path: bool = False
    weak_hash: bool = False
    editable: bool = True
    project: bool = True
    folders: tuple[str, ...] = ()


class DesiredDistribution(NamedTuple):
    """One distribution that the lock file selects for the target.

    Attributes:
        kind: `wheel`, `sdist`, `archive`, `directory` or `vcs`.
        version_text: The version, normalized; None where the lock leaves it to the source.
        filename: File name; None for directories.
        url: Address, which may contain credentials; None where `path` says where it is.
        path: Absolute local path, or None.
        digests: Every digest that the file must have, best first, at least one of them strong; empty for directories.
        requested: Whether no other locked package depends on it.
        commit: Full commit id; `vcs` is the kind of version control, `revision` the revision that was requested.
        tree: Digest of a directory's current content.
        is_outside: Whether its path leads out of the lock file's folder: the file may then only come from one of
            `SourcePolicy.folders`.
    """

    name: str
    version_text: str | None
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
        return f"{self.name} {self.version_text}" if self.version_text is not None else self.name

    @property
    def version(self) -> Version | None:
        """The version; None where the lock leaves it to the source."""
        return _version(self.version_text)

    @property
    def identity(self) -> WheelIdentity:
        """The name and version that the wheel must have."""
        return WheelIdentity(name=self.name, version_text=self.version_text, filename=self.filename)

    @property
    def source(self) -> str:
        """URL without secrets, or local path, for messages."""
        return public_url(self.url) if self.url and not self.path else str(self.path)

    @property
    def source_url(self) -> str:
        """The source as a URL without secrets."""
        return public_url(self.url) if self.url and not self.path else _file_url(str(self.path))

    @property
    def hashes(self) -> Mapping[str, str]:
        """The strong digests by algorithm; where there are none, the weak ones."""
        strong = {d.algorithm: d.value for d in self.digests if d.algorithm in STRONG_ALGORITHMS}
        return strong or {d.algorithm: d.value for d in self.digests}

    @property
    def direct_url(self) -> Mapping[str, Any] | None:
        """Content of direct_url.json (Direct URL data structure, PEP 610); None for files from an index."""
        if self.kind not in {"archive", "directory", "vcs"}:
            return None
        content: dict[str, Any] = {"url": self.source_url}
        if self.kind == "directory":
            content["dir_info"] = {"editable": True} if self.editable else {}
        elif self.kind == "vcs":
            revision = {"requested_revision": self.revision} if self.revision else {}
            content["vcs_info"] = {"vcs": self.vcs, **revision, "commit_id": self.commit}
        else:
            content["archive_info"] = {"hashes": dict(self.hashes)}
        if self.subdirectory:
            content["subdirectory"] = self.subdirectory
        return content


def may_hold_secret(text: str) -> bool:
    """Whether an address in `text` has user info or a query. Such a text is never stored."""
    return ("@" in text or "?" in text) and _SECRET.search(text) is not None


def is_secret_name(name: str) -> bool:
    """Whether the variable `name` may have a secret as its value."""
    return any(part in name for part in _SECRET_NAMES)


def public_url(url: str) -> str:
    """`url` without user info, query and fragment, which may hold secrets."""
    scheme, _, rest = url.partition("://")
    if scheme in {"https", "http"} and not rest.startswith("/") and _KEPT.issuperset(rest):
        return url
    from urllib.parse import urlsplit, urlunsplit  # importing it takes longer than to read a hundred addresses

    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _file_url(path: str) -> str:
    from pathlib import Path

    return Path(path).as_uri()
