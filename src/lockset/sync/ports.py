"""What sync needs from outside, besides downloads (`lockset.index.ports`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["WheelBuilds"]


class WheelBuilds(Protocol):
    """Makes wheels of sources, for the target's interpreter.

    Nothing is trusted of what it gives: name, version and content of the wheel are checked as those of any other.
    """

    def of_archive(
        self, archive: BinaryIO, out_dir: Path, *, filename: str, subdirectory: str | None, what: str
    ) -> Path:
        """A wheel in `out_dir` of the source archive that `archive` reads; its hashes were verified.

        `filename` tells the format only; `what` names the release in notes and errors.

        Raises:
            LocksetError: It cannot be unpacked or built.
        """

    def of_directory(
        self, directory: Path, out_dir: Path, *, subdirectory: str | None, editable: bool, what: str
    ) -> Path:
        """A wheel in `out_dir` of the source tree `directory`, where a backend may leave its own; editable where asked.

        Raises:
            LocksetError: It cannot be built, or not as an editable one.
        """

    def of_commit(
        self, *, kind: str, url: str, commit: str, out_dir: Path, subdirectory: str | None, what: str
    ) -> Path:
        """A wheel in `out_dir` of the source tree that the version control `kind` has at `url` as `commit`.

        `url` may be an absolute local path, `commit` is a full id; neither is read as an option, whatever it holds.

        Raises:
            LocksetError: `vcs-refused`, `vcs-failed`, or it cannot be built.
        """
