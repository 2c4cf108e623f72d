"""What the index offers, and what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BARE", "MODERN", "Fault", "Mode"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """Switches of the index.

    Attributes:
        html: Pages as HTML are offered.
        json: Pages as JSON are offered, by Accept.
        etag: Pages and files carry an ETag and answer 304.
        cache_control: Cache-Control of pages, or None.
        metadata_marked: Pages say that metadata files exist.
        metadata_hashes: ... and give their hashes.
        metadata_files: `.metadata` beside each file answers.
        ranges: Files answer range requests.
        sizes: JSON pages give sizes.
        upload_times: Pages give upload times.
        hashes: Names of the hashes that pages give.
        gzip: Pages are compressed for who accepts it.
        relative_urls: Pages link relative to themselves.
        files_host: Host name that file links show (`localhost` makes it another origin).
        credentials: User and password that every request needs.
        latency: Seconds before each answer.
    """

    html: bool = True
    json: bool = True
    etag: bool = True
    cache_control: str | None = "max-age=600, public"
    metadata_marked: bool = True
    metadata_hashes: bool = True
    metadata_files: bool = True
    ranges: bool = True
    sizes: bool = True
    upload_times: bool = True
    hashes: tuple[str, ...] = ("sha256",)
    gzip: bool = True
    relative_urls: bool = True
    files_host: str = "127.0.0.1"
    credentials: tuple[str, str] | None = None
    latency: float = 0.0


MODERN = Mode()
# As plain mirrors are: no JSON, nothing to revalidate by, no word of metadata files although they are there.
BARE = Mode(
    json=False,
    etag=False,
    cache_control=None,
    metadata_marked=False,
    metadata_hashes=False,
    sizes=False,
    gzip=False,
    relative_urls=False,
)


@dataclass(slots=True, kw_only=True)
class Fault:
    """What goes wrong with requests whose path matches `path` (with `*`), the next `times` times (None: always).

    Attributes:
        skip: So many matching requests are answered well first.
        method: Only this method.
        status: Answer this status instead.
        headers: Headers set on the answer (a value of "" removes one).
        body: Bytes instead of the true body.
        redirect: Answer 302 to there.
        corrupt: One bit of the body is flipped.
        cut_after: The connection ends after so many bytes of the body, though the headers promise all.
        reset: The connection is reset before any answer.
        delay: Seconds before the answer.
        drip: Seconds between pieces of `drip_size` bytes of the body.
    """

    path: str
    times: int | None = 1
    skip: int = 0
    method: str | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    redirect: str | None = None
    corrupt: bool = False
    cut_after: int | None = None
    reset: bool = False
    delay: float = 0.0
    drip: float = 0.0
    drip_size: int = 1024

    def strikes(self, method: str, path: str) -> bool:
        """Whether it strikes this request; counts."""
        if not fnmatchcase(path, self.path) or self.method not in {None, method}:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0
