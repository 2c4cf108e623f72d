"""Download locked files from mirrors. The hashes of the lock file are checked wherever the bytes come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.errors import UsageError

if TYPE_CHECKING:
    from lockset.index.ports import Downloads, Sink

__all__ = ["Mirror", "MirroredDownloads", "read_mirror"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """URLs that begin with `origin` are fetched from `goal` instead; both end in a slash."""

    origin: str
    goal: str

    def url(self, url: str) -> str | None:
        """The URL of `url` in this mirror; None if it is not mirrored."""
        return self.goal + url[len(self.origin) :] if url.startswith(self.origin) else None


def read_mirror(text: str) -> Mirror:
    """Parse a mirror of the form `FROM=TO`.

    Raises:
        UsageError: `mirror-malformed` if it is not two HTTP URLs.
    """
    origin, _, goal = text.partition("=")
    web = ("https://", "http://")
    if not origin.startswith(web) or not goal.startswith(web):
        # The text is not shown: the URL of a mirror may contain a password.
        raise UsageError(
            "mirror-malformed",
            "A mirror must be two HTTP URLs with an equals sign between them",
            hint="For example `--mirror https://files.example.org/=https://mirror.example.org/files/`",
        )
    return Mirror(origin=origin.rstrip("/") + "/", goal=goal.rstrip("/") + "/")


@dataclass(frozen=True, slots=True)
class MirroredDownloads:
    """`lockset.index.ports.Downloads` that uses the first matching mirror; mirrored URLs are never fetched directly."""

    inner: Downloads
    mirrors: tuple[Mirror, ...]

    def fetch(self, url: str, sink: Sink, *, limit: int | None = None) -> None:
        """See the port."""
        mirrored = (there for mirror in self.mirrors if (there := mirror.url(url)) is not None)
        self.inner.fetch(next(mirrored, url), sink, limit=limit)
