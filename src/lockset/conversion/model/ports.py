"""The port through which a conversion reads files and repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lockset.index.pages.project_page import DistributionFile

__all__ = ["Remote"]


class Remote(Protocol):
    """Reads hashes, sizes, metadata and commits that a lock file needs.

    Implementations: `lockset.composition.conversions.live_remote.LiveRemote`; in tests a table.
    """

    def fingerprint(self, path_or_url: str) -> tuple[str, int]:
        """sha256 and size of the file at a URL or absolute path.

        Raises:
            LocksetError: the file cannot be read; `offline` if that needs the network.
        """

    def digests_at(self, path_or_url: str, algorithms: Iterable[str]) -> Mapping[str, str]:
        """Hashes of the file at a URL or absolute path, always with sha256.

        Raises:
            LocksetError: the file cannot be read; `offline`.
        """

    def digests(self, file: DistributionFile, algorithms: Iterable[str]) -> Mapping[str, str]:
        """Hashes of a file of an index, always with sha256.

        Raises:
            LocksetError: the file cannot be read; `offline`.
        """

    def sizes(self, files: Sequence[DistributionFile]) -> Mapping[str, int]:
        """Sizes by URL of files for which the index states none, if their servers state them."""

    def hint(self, files: Sequence[DistributionFile]) -> None:
        """Prefetch the metadata of a release with these files. Returns at once and never fails."""

    def requires(self, files: Sequence[DistributionFile]) -> Sequence[str] | None:
        """The `Requires-Dist` of the release with these files; None if its metadata is not available."""

    def commit(self, url: str, revision: str | None) -> str:
        """The full commit that a branch or tag of a Git repository points to now (None: the default branch).

        Raises:
            LocksetError: `unknown-revision`, `vcs-refused`, `vcs-failed`, `offline`.
        """
