"""Interfaces to package indexes and downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from lockset._dataclass import dataclass
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lockset.index.pages.project_page import ProjectDetail

__all__ = ["EMPTY_PAGE", "Downloads", "Index", "ProjectNotFound", "RemoteCall", "Sink"]

T = TypeVar("T")

# Hint for a project page without links to wheels and sdists.
EMPTY_PAGE = (
    "Check the name of the project. If this concerns all projects of the index, use the URL of its simple API, not of"
    " its web pages: for devpi it is `…/+simple/`"
)


class ProjectNotFound(LocksetError):
    """None of the configured indexes has the project."""

    def __init__(self, project: str, *, searched: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__(
            "project-not-found",
            f"No index has a project named `{project}`",
            context=tuple(f"searched: {url}" for url in searched),
            hint=hint or "Check the spelling, or add the index that has it with `--index`",
        )
        self.project = project


class Index(Protocol):
    """Provides project pages; one object may represent several indexes.

    Implementations: `lockset.index.http.client.HttpIndexes`; in tests `fakes.fake_index.FakeIndex`. Safe to call from
    several threads.
    """

    def hint(self, names: Iterable[str]) -> None:
        """Start fetching the pages of projects that will probably be needed. Returns at once and never fails."""

    def project(self, name: str) -> ProjectDetail:
        """The project's page; `name` in any spelling. Within one run every call returns the same object.

        Raises:
            ProjectNotFound: No index has it.
            LocksetError: `index-unreachable`, `index-refused`, `index-page-invalid`, `offline`: it is not known.
        """

    def renew(self, names: Iterable[str]) -> bool:
        """Request the pages that were taken from a cache as they were; whether one of them has changed since.

        For what a page lacks: it may have been published meanwhile. If there is no cache, nothing changes.

        Raises:
            LocksetError: As `project`, except for `ProjectNotFound`.
        """


class Sink(Protocol):
    """Receives the bytes of one file."""

    def write(self, chunk: bytes, /) -> object:
        """Receive the next bytes; may raise to abort the transfer (the exception reaches the caller of `fetch`)."""

    def restart(self) -> None:
        """Discard all received bytes: the transfer starts again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteCall(Generic[T]):
    """A call as another process can make it: `lockset.index.http.process_copies`.

    Attributes:
        kind: What is called.
        argument: Its argument, of plain values.
        read: Turns the plain value that is returned into the result.
    """

    kind: str
    argument: Any
    read: Callable[[Any], T]


class Downloads(Protocol):
    """Fetches files without checking hashes, which is the task of the sink.

    Implementations: `lockset.index.http.transport.HttpDownloads`; in tests `fakes.fake_index.FakeDownloads`. Safe to
    call from several threads.
    """

    def fetch(self, url: str, sink: Sink, *, limit: int | None = None) -> None:
        """Stream the file at `url` into `sink`, exactly its bytes (no content encoding).

        A broken transfer is repeated after `sink.restart()`. `file:` URLs are only read if the caller's configuration
        allows it.

        Raises:
            LocksetError: `file-not-found`, `download-failed`, `download-too-large` (more than `limit` bytes; at most
                one chunk more was written to the sink), `offline`, `scheme-refused`.
        """
