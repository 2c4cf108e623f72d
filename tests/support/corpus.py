"""Real files of public projects, which are not part of the repository.

The variable LOCKSET_TEST_CORPUS names their folder; without it, that is `../shared`. `corpus/FORMAT/*` has what
`lockset convert` reads, `corpus/pylock/*.toml` and `interop/*.toml` have lock files. Tests of them are marked `corpus`;
where the folder is missing they are skipped, with the reason.
"""

from __future__ import annotations

import os
from pathlib import Path

from support.repository import ROOT

__all__ = ["CORPUS", "FORMATS", "files_of", "pylock_files", "reason_without_corpus"]

CORPUS = Path(os.environ.get("LOCKSET_TEST_CORPUS") or ROOT.parent / "shared")
FORMATS = ("requirements", "poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "conda-lock")


def files_of(format_: str) -> list[Path]:
    """The files of one format, none where there is no corpus."""
    folder = CORPUS / "corpus" / format_
    return sorted(folder.iterdir()) if folder.is_dir() else []


def pylock_files() -> list[Path]:
    """All pylock files, none where there is no corpus."""
    return [path for folder in ("interop", "corpus/pylock") for path in sorted(CORPUS.glob(f"{folder}/*.toml"))]


def reason_without_corpus() -> str | None:
    """Why tests marked `corpus` cannot run; None where they can."""
    if (CORPUS / "corpus").is_dir():
        return None
    return f"{CORPUS} has no files of public projects; LOCKSET_TEST_CORPUS names another folder"
