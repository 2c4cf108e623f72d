"""Downloads from elsewhere than the lock file says; the lock's hashes hold wherever bytes come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.errors import UsageError

if TYPE_CHECKING:
    from lockset.index.ports import Downloads, Sink

__all__ = ["Mirror", "MirroredDownloads", "read_mirror"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """What begins with `origin` is fetched from `goal` instead; both end in a slash."""

    origin: str
    goal: str

    def url(self, url: str) -> str | None:
        """Where `url` is in this mirror, None if it is not mirrored."""
        return self.goal + url[len(self.origin) :] if url.startswith(self.origin) else None


def read_mirror(text: str) -> Mirror:
    """The mirror that `FROM=TO` means.

    Raises:
        UsageError: it is not two web addresses.
    """
    origin, _, goal = text.partition("=")
    web = ("https://", "http://")
    if not origin.startswith(web) or not goal.startswith(web):
        # The text is not shown: the address of a mirror may hold a password.
        raise UsageError(
            "mirror-malformed",
            "A mirror is two web addresses with an equals sign between them",
            hint="`--mirror https://files.example.org/=https://mirror.example.org/files/`",
        )
    return Mirror(origin=origin.rstrip("/") + "/", goal=goal.rstrip("/") + "/")


@dataclass(frozen=True, slots=True)
class MirroredDownloads:
    """`lockset.index.ports.Downloads` that goes to the first fitting mirror, and nowhere else for what is mirrored."""

    inner: Downloads
    mirrors: tuple[Mirror, ...]

    def fetch(self, url: str, sink: Sink, *, limit: int | None = None) -> None:
        """See the port."""
        found = (there for mirror in self.mirrors if (there := mirror.url(url)) is not None)
        self.inner.fetch(next(found, url), sink, limit=limit)
