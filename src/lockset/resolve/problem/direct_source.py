"""Direct sources: projects that come from a URL or path instead of an index, each with its one release."""

from __future__ import annotations

import os.path
import re
from functools import cached_property, partial
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.version import Version

from lockset._dataclass import dataclass, field, replace
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import read_version
from lockset.errors import LocksetError, SourceNotSupportedError
from lockset.index.options import is_local
from lockset.lockfile.secrets import secret_in_address
from lockset.sources.direct_url import path_of
from lockset.url_secrets import has_secret, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lockset.hashes import Digest
    from lockset.lockfile.model import Package, PackageVcs
    from lockset.metadata.core import CoreMetadata
    from lockset.sources.other_tools.facts import NamedSource
    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = [
    "DirectSource",
    "DirectVersion",
    "SourceFacts",
    "SourceReader",
    "file_url_path",
    "host_of",
    "leads_to",
    "location_of",
    "relative_path",
    "source_of",
]

_ARCHIVE = lazy_pattern(r"\.(whl|zip|tar\.gz|tgz|tar\.bz2)\Z", re.IGNORECASE)
_OTHER_ARCHIVE = lazy_pattern(r"\.(tar|tar\.(xz|lzma|zst)|tbz|tbz2|txz|tlz|egg|exe|rar|7z)\Z", re.IGNORECASE)
# The host of a URL, with its port.
_HOST = lazy_pattern(r"(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_SCHEME = lazy_pattern(r"[A-Za-z][A-Za-z0-9+.-]+(?=:)")
# Transports that git may use. Others run commands (`ext::`), or are neither encrypted nor signed (`git:`).
_GIT_TRANSPORTS = frozenset({"https", "http", "ssh", "file"})
_REVISION = lazy_pattern(r"[A-Za-z0-9_][A-Za-z0-9._/+^{}~-]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectSource:
    """Where one project comes from instead of an index. Sources of the same code are equal.

    Attributes:
        name: Normalised name of the project; empty while it is not known.
        kind: `archive` (a wheel, or an archive of a source tree), `directory`, or `vcs` (git).
        url: Without credentials and fragment; None for a path. A local repository has both.
        path: Absolute local path; None for a URL.
        subdirectory: The project's folder in the tree; None for its top.
        revision: The requested branch, tag or commit; None for the default branch.
        shown: For messages and the roots recorded in the lock; a path is relative to the lock's folder.
        fetched: The URL with its credentials; never shown, never recorded.
        editable: Whether an editable installation is requested.
        hashes: Digests one of which the archive must have; empty where none are given.
        any_version: Whether it satisfies requirements on any version: it is the project that is locked.
        location: Where the requirement is written, for messages.
    """

    name: str
    kind: Literal["archive", "directory", "vcs"]
    url: str | None = None
    path: str | None = None
    subdirectory: str | None = None
    revision: str | None = None
    shown: str = field(compare=False)
    fetched: str = field(default="", compare=False, repr=False)
    editable: bool = field(default=False, compare=False)
    hashes: tuple[Digest, ...] = field(default=(), compare=False)
    any_version: bool = field(default=False, compare=False)
    location: str = field(default="", compare=False)

    @property
    def order(self) -> tuple[str, ...]:
        """The sort key."""
        return (self.kind, self.url or "", self.path or "", self.subdirectory or "", self.revision or "")

    @property
    def label(self) -> str:
        """The project and its location, for messages."""
        return f"{self.name} ({self.shown})" if self.name else self.shown

    @property
    def requirement(self) -> str:
        """The beginning of a message about the requirement: the project is required from there."""
        return f"{self.name} is required from {self.shown}" if self.name else f"{self.shown} is required"

    @property
    def filename(self) -> str:
        """The file name of an archive."""
        return unquote(path_of(self.path or self.url or "").replace("\\", "/").rpartition("/")[2])

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel."""
        return self.kind == "archive" and self.filename.endswith(".whl")

    def joined(self, other: DirectSource) -> DirectSource:
        """The same source from two requirements: editable if one of them is, with the hashes of both."""
        hashes = tuple(dict.fromkeys((*self.hashes, *other.hashes)))
        return replace(self, editable=self.editable or other.editable, hashes=hashes)


class DirectVersion(Version):
    """The version of a release from `source`; not equal to the same number from an index."""

    source: DirectSource

    def __init__(self, text: str, source: DirectSource) -> None:
        super().__init__(text)
        self.source = source

    @cached_property
    def plain(self) -> Version:
        """The version without its source."""
        return read_version(str(self))

    def _ordered(self, other: object) -> tuple[tuple[object, ...], tuple[object, ...]]:
        mine = (self.plain, 1, self.source.order)
        if isinstance(other, DirectVersion):
            return mine, (other.plain, 1, other.source.order)
        return mine, (other, 0, ())

    def __hash__(self) -> int:
        return hash((self.plain, self.source))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DirectVersion) and self.plain == other.plain and self.source == other.source

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: object) -> bool:
        mine, theirs = self._ordered(other)
        return mine < theirs

    def __le__(self, other: object) -> bool:
        mine, theirs = self._ordered(other)
        return mine <= theirs

    def __gt__(self, other: object) -> bool:
        mine, theirs = self._ordered(other)
        return mine > theirs

    def __ge__(self, other: object) -> bool:
        mine, theirs = self._ordered(other)
        return mine >= theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """The content of a source.

    Attributes:
        metadata: The metadata of the project.
        hashes: Strong hashes of an archive.
        size: Bytes of an archive.
        commit: Full id of the commit of the revision.
        named: Sources that tables of other tools name for its dependencies.
    """

    metadata: CoreMetadata
    hashes: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    commit: str | None = None
    named: tuple[NamedSource, ...] = ()


class SourceReader(Protocol):
    """Reads sources. Implementation: `lockset.composition.sources.source_reader.Sources`."""

    def read(self, source: DirectSource, *, commit: str | None = None) -> SourceFacts:
        """Read a source. May wait for the network, and build it if its metadata needs that and builds are allowed.

        `commit` is the one to use for the revision, if the old lock has one.

        Raises:
            LocksetError: it cannot be read, does not have the required hashes, or is another project.
        """

    def begin(self, sources: Iterable[tuple[DirectSource, str | None]]) -> None:
        """Start to read sources that will be read in any case, each with its `commit`. Returns at once."""


def leads_to(package: Package, source: DirectSource, folder: Path) -> bool:
    """Whether the entry of a lock file in `folder` is installed from `source`."""
    location = package.archive or package.directory or package.vcs
    if location is None or location.subdirectory != source.subdirectory:
        return False
    path = os.path.normpath(os.path.join(folder, location.path)) if location.path else None
    if package.vcs is not None:
        same = location_of(package.vcs, folder) == (source.path or source.url)
        return source.kind == "vcs" and same and package.vcs.requested_revision == source.revision
    if package.directory is not None:
        editable = bool(package.directory.editable)
        return source.kind == "directory" and path == source.path and editable == source.editable
    url = package.archive.url if package.archive is not None else None
    return source.kind == "archive" and (url, path) == (source.url, source.path)


def location_of(repository: PackageVcs, folder: Path) -> str:
    """The absolute path of a local repository, else its URL; relative paths are relative to `folder`."""
    if repository.path:
        return os.path.normpath(os.path.join(folder, repository.path))
    return repository.url or ""


def host_of(url: str) -> str:
    """The host of a URL in lower case, with its port where one is written; empty for local files and malformed ones."""
    try:
        host = urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:  # such as an unclosed bracket
        return ""
    return host if _HOST.fullmatch(host) else ""


def source_of(line: RequirementLine, *, base: Path, folder: Path) -> DirectSource:
    """The direct source of `line`, which has a URL.

    Args:
        line: The requirement.
        base: What a relative path in it is relative to; absolute.
        folder: The lock's folder; absolute.

    Raises:
        LocksetError: `source-not-supported`: not an archive, folder or git repository, or not a safe one.
    """
    url = line.requirement.url
    assert url is not None
    address, _, fragment = url.partition("#")
    subdirectory = next((p[13:] for p in fragment.split("&") if p.startswith("subdirectory=")), None)
    if subdirectory is not None:
        subdirectory = _checked_subdirectory(unquote(subdirectory), line)
    scheme = (_SCHEME.match(address) or [""])[0].lower()
    if scheme.partition("+")[0] in {"git", "hg", "svn", "bzr"}:
        return _vcs(line, address, scheme, subdirectory, folder)
    source = partial(DirectSource, name=line.name, subdirectory=subdirectory, hashes=line.hashes, location=line.origin)
    if scheme in {"http", "https"}:
        _check_archive(path_of(address), line)
        public = _public(address)
        if has_secret(public):
            whose = line.name if line.is_named else without_secrets(public)
            raise secret_in_address(f"a secret of `{whose}`", public, location=line.origin)
        return source(kind="archive", url=public, shown=_shown(public, subdirectory), fetched=address)
    if scheme not in {"", "file"} and not re.match(r"[A-Za-z]:[\\/]", address):
        raise _unsupported(line, f"`{scheme}:` is not a supported scheme", "Use https://, a path, or git+https://")
    path = _local_path(address, base, line)
    relative = _shown(relative_path(path, folder), subdirectory)
    if _ARCHIVE.search(path) or _OTHER_ARCHIVE.search(path):
        _check_archive(path, line)
        return source(kind="archive", path=path, shown=relative)
    if line.hashes:
        raise _unsupported(line, "a folder has no hash", "Leave the hash out, or lock an archive of it")
    return source(kind="directory", path=path, shown=relative, editable=line.editable)


def _vcs(line: RequirementLine, address: str, scheme: str, subdirectory: str | None, folder: Path) -> DirectSource:
    system, _, transport = scheme.partition("+")
    if system != "git":
        raise _unsupported(line, f"{system} repositories are not locked", "Lock an archive of it instead")
    if transport not in _GIT_TRANSPORTS:
        allowed = ", ".join(f"git+{t}" for t in sorted(_GIT_TRANSPORTS))
        raise _unsupported(line, f"git must not be used over `{transport or 'git'}:`", f"Use one of {allowed}")
    parts = urlsplit(address.partition("+")[2])
    path, at, revision = parts.path.rpartition("@")
    if not at:
        path, revision = parts.path, ""
    if at and not _REVISION.match(revision):
        raise _unsupported(line, f"`{revision}` is not a valid revision", "Name a branch, a tag or a commit")
    if parts.netloc.rpartition("@")[2].startswith("-") or not path.strip("/") or "\0" in address:
        raise _unsupported(
            line, "this is not the URL of a repository", "Write `name @ git+https://HOST/REPOSITORY@REVISION`"
        )
    fetched = urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
    public = _public(fetched)
    from urllib.request import url2pathname  # slow to import, and needed for what is local only

    local = os.path.normpath(url2pathname(parts.path)) if parts.scheme == "file" else None
    shown = f"git+{public}" if local is None else f"git+{relative_path(local, folder)}"
    return DirectSource(
        name=line.name,
        kind="vcs",
        url=public,
        path=local,
        subdirectory=subdirectory,
        revision=revision or None,
        shown=_shown(shown + (f"@{revision}" if revision and local is None else ""), subdirectory),
        fetched=fetched,
        location=line.origin,
    )


def _public(url: str) -> str:
    """Without user info, but the user `git` of ssh, which everybody knows and servers want."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    kept = f"git@{host}" if parts.scheme == "ssh" and user.partition(":")[0] == "git" else host
    return urlunsplit((parts.scheme, kept, parts.path, parts.query, ""))


def _shown(text: str, subdirectory: str | None) -> str:
    return f"{text}#subdirectory={subdirectory}" if subdirectory else text


def file_url_path(url: str) -> str:
    """The path that a `file:` URL of this computer means."""
    from urllib.request import url2pathname  # slow to import, and needed for what is local only

    return url2pathname(urlsplit(url).path)


def _local_path(address: str, base: Path, line: RequirementLine) -> str:
    if is_local(address):
        parts = urlsplit(address)
        if parts.netloc not in {"", "localhost"}:
            raise _unsupported(line, "files of other hosts are not read", "Write `file:///PATH`, or a path")
        address = file_url_path(address)
    return os.path.normpath(os.path.join(base, os.path.expanduser(address)))


def relative_path(path: str, folder: Path) -> str:
    """`path` relative to `folder`, with `/` on every system.

    Raises:
        LocksetError: `path-other-drive`: no relative path leads there.
    """
    try:
        relative = os.path.relpath(path, folder)
    except ValueError as error:
        raise LocksetError(
            "path-other-drive",
            f"`{path}` is on another drive than the lock file: paths in a lock are relative to its folder",
            location=str(folder),
            hint="Move it, or write the lock on the same drive with `--output`",
        ) from error
    relative = relative.replace(os.sep, "/")
    return relative if relative.startswith(".") else f"./{relative}"


def _checked_subdirectory(text: str, line: RequirementLine) -> str:
    parts = text.replace("\\", "/").rstrip("/").split("/")
    if text.startswith(("/", "-")) or any(p in {"", ".."} or ":" in p for p in parts) or "\0" in text:
        raise _unsupported(line, f"the subdirectory `{text}` is outside its source tree", "Name a folder inside of it")
    return "/".join(p for p in parts if p != ".")


def _check_archive(path: str, line: RequirementLine) -> None:
    name = unquote(path).rstrip("/").rpartition("/")[2]
    if not _ARCHIVE.search(name):
        what = f"`{name}` is not a wheel, .tar.gz, .tar.bz2 or .zip file" if name else "it names no file"
        raise _unsupported(line, what, "Name an archive; a git repository is written `git+https://...`")


def _unsupported(line: RequirementLine, why: str, hint: str) -> LocksetError:
    address = without_secrets(line.requirement.url or "")
    message = f"{line.name} is required from {address}: {why}" if line.is_named else f"{address} is required: {why}"
    return SourceNotSupportedError(message, location=line.origin, hint=hint)
