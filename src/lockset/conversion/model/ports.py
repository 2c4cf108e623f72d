"""What conversions need of the world beside an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lockset.index.pages.project_page import DistributionFile

__all__ = ["Remote"]


class Remote(Protocol):
    """Reads files and repositories for what a lock file has to hold of them.

    Implementations: `lockset.composition.conversions.remote_files.LiveRemote`; in tests a table.
    """

    def fingerprint(self, path_or_url: str) -> tuple[str, int]:
        """sha256 and size of the file at a URL or absolute path.

        Raises:
            LocksetError: it cannot be had, `offline` where that would need a network that may not be used.
        """

    def digests_at(self, path_or_url: str, algorithms: Iterable[str]) -> Mapping[str, str]:
        """Hashes over the bytes of the file at a URL or absolute path, sha256 always among them.

        Raises:
            LocksetError: it cannot be had, `offline`.
        """

    def digests(self, file: DistributionFile, algorithms: Iterable[str]) -> Mapping[str, str]:
        """Hashes over the bytes of an index's file, sha256 always among them.

        Raises:
            LocksetError: it cannot be had, `offline`.
        """

    def sizes(self, files: Sequence[DistributionFile]) -> Mapping[str, int]:
        """Sizes by URL of files for which the index told none, as far as their servers tell them."""

    def hint(self, files: Sequence[DistributionFile]) -> None:
        """What these files of one release require will probably be asked for. Returns at once and never fails."""

    def requires(self, files: Sequence[DistributionFile]) -> Sequence[str] | None:
        """The requirements of the release with these files, as its metadata says; None where it cannot be told."""

    def commit(self, url: str, revision: str | None) -> str:
        """The full commit that a branch or tag (None: the default branch) of a Git repository stands for now.

        Raises:
            LocksetError: `revision-unknown`, `vcs-refused`, `vcs-failed`, `offline`.
        """
