"""Create a virtual environment for a sync that has none."""

from __future__ import annotations

import os
import subprocess
from shutil import rmtree
from typing import TYPE_CHECKING

from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["create_environment"]

_SECONDS = 120


def create_environment(folder: Path, python: str, *, environ: Mapping[str, str]) -> None:
    """Create a virtual environment without pip in `folder`, which must not exist, with the interpreter `python`.

    Raises:
        LocksetError: `environment-not-created`; the folder does not exist then.
    """
    if os.path.lexists(folder):
        raise LocksetError(
            "environment-not-created",
            "It exists, and is not a virtual environment",
            location=str(folder),
            hint="Remove it, or name an interpreter with `--python`",
        )
    command = [python, "-I", "-m", "venv", "--without-pip", str(folder)]
    try:
        done = subprocess.run(  # an interpreter the user chose, our own arguments
            command, capture_output=True, check=False, timeout=_SECONDS, env=dict(environ), stdin=subprocess.DEVNULL
        )
        output = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
    except (OSError, subprocess.TimeoutExpired) as error:
        done, output = None, [str(error)]
    if done is not None and done.returncode == 0:
        return
    rmtree(folder, ignore_errors=True)
    raise LocksetError(
        "environment-not-created",
        f"{python} could not create a virtual environment",
        location=str(folder),
        context=tuple(output[-3:]),
        hint="Name another interpreter with `--python`, or create the environment yourself",
    )
