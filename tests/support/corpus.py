"""Real files beside the repository, where they are: none of them is part of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FORMATS", "SHARED", "files_of", "pylock_files"]

SHARED = Path(__file__).parents[3] / "shared"
FORMATS = ("requirements", "poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "conda-lock")


def files_of(format_: str) -> list[Path]:
    """The files of one format, none where there is no corpus."""
    folder = SHARED / "corpus" / format_
    return sorted(folder.iterdir()) if folder.is_dir() else []


def pylock_files() -> Iterator[Path]:
    """All pylock files."""
    for folder in (SHARED / "interop", SHARED / "corpus" / "pylock"):
        if folder.is_dir():
            yield from sorted(folder.glob("*.toml"))
