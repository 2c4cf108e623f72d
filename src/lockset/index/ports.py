"""What the core needs of package indexes and of downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lockset.index.pages.project_page import ProjectDetail

__all__ = ["EMPTY_PAGE", "Downloads", "Index", "ProjectNotFound", "Sink"]

# What to do where the page of a project has no links of files.
EMPTY_PAGE = "Name the simple API of the index, not its pages for people: devpi has it at `…/+simple/`"


class ProjectNotFound(LocksetError):  # noqa: N818 (reads as what it is: the answer "no such project")
    """No index asked has the project."""

    def __init__(self, project: str, *, asked: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__(
            "project-not-found",
            f"No index has a project named `{project}`",
            context=tuple(f"asked: {url}" for url in asked),
            hint=hint or "Check the spelling, or name the index that has it with `--index`",
        )
        self.project = project


class Index(Protocol):
    """Answers what projects have; one object may stand for several indexes.

    Implementations: `lockset.index.http.client.HttpIndexes`; in tests `fakes.fake_index.FakeIndex`. Safe to call from
    several threads.
    """

    def hint(self, names: Iterable[str]) -> None:
        """These projects will probably be asked for: start fetching. Returns at once and never fails."""

    def project(self, name: str) -> ProjectDetail:
        """The project's page; `name` in any spelling. Within one run every call gives the same object.

        Raises:
            ProjectNotFound: No index asked has it.
            LocksetError: `index-unreachable`, `index-refused`, `index-page-invalid`, `offline`: the answer is unknown.
        """


class Sink(Protocol):
    """Takes the bytes of one file as they come."""

    def write(self, chunk: bytes, /) -> object:
        """Take the next bytes; may raise to end the transfer (the exception reaches the caller of `fetch`)."""

    def restart(self) -> None:
        """Forget all bytes taken: the transfer begins anew."""


class Downloads(Protocol):
    """Fetches files; knows nothing of hashes, which are the sink's to check.

    Implementations: `lockset.index.http.client.HttpDownloads`; in tests `fakes.fake_index.FakeDownloads`. Safe to call
    from several threads.
    """

    def fetch(self, url: str, sink: Sink, *, limit: int | None = None) -> None:
        """Stream the file at `url` into `sink`, exactly its bytes (no content encoding).

        A transfer that broke is tried again after `sink.restart()`. `file:` URLs are read only where the caller's
        configuration allows.

        Raises:
            LocksetError: `file-not-found`, `download-failed`, `download-too-large` (more than `limit` bytes; at most
                one chunk beyond it was given to the sink), `offline`, `scheme-refused`.
        """
