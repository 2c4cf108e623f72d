"""Interfaces that sync needs, besides downloads (`lockset.index.ports`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["WheelBuilds"]


class WheelBuilds(Protocol):
    """Builds wheels from sources, for the target's interpreter.

    `name` is the normalized name of the package. The result is not trusted: name, version and content of the wheel are
    checked like those of any other.
    """

    def build_key(self, name: str) -> str | None:
        """What wheels of the package depend on besides their source, as a hash: interpreter, settings, variables.

        None if that may change unnoticed, so that its wheels are built again for each target.
        """

    def of_archive(
        self, archive: BinaryIO, out_dir: Path, *, name: str, filename: str, subdirectory: str | None, what: str
    ) -> Path:
        """Build a wheel in `out_dir` from the source archive `archive`, whose hashes were verified.

        `filename` only decides the format; `what` names the release in notes and errors.

        Raises:
            LocksetError: It cannot be unpacked or built.
        """

    def of_directory(
        self, directory: Path, out_dir: Path, *, name: str, subdirectory: str | None, editable: bool, what: str
    ) -> Path:
        """Build a wheel in `out_dir` from the source tree `directory`; a backend may write files into the tree.

        Raises:
            LocksetError: It cannot be built, or not as editable.
        """

    def of_commit(
        self, *, name: str, kind: str, url: str, commit: str, out_dir: Path, subdirectory: str | None, what: str
    ) -> Path:
        """Build a wheel in `out_dir` from `commit` of the repository `url` (version control `kind`).

        `url` may be an absolute local path. `commit` is a full id. Neither is ever read as a command-line option.

        Raises:
            LocksetError: `vcs-refused`, `vcs-failed`, or it cannot be built.
        """
