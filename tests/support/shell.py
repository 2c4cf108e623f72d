"""A folder of commands for shell code from the documentation: `lockset`, `python3` and `python`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = ["add_commands"]


def add_commands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the commands to `folder`, which comes first on PATH from then on; the folder."""
    folder.mkdir()
    (folder / "lockset").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lockset "$@"\n')
    (folder / "lockset").chmod(0o755)
    for name in ("python3", "python"):
        (folder / name).symlink_to(getattr(sys, "_base_executable", sys.executable))
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder
