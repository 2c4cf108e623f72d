"""Construct targets: an interpreter's environment, a folder, or a prefix."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lockset.lockfile.file_name import PLAIN_NAME
from lockset.sync.layout import Layout
from lockset.sync.target import Target

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.sync.target import Interpreter

__all__ = ["directory_target", "environment_target", "find_environment", "find_lock", "prefix_target"]


def find_environment(folder: Path) -> str | None:
    """The virtual environment `.venv` in `folder` or the nearest folder above it that has one."""
    for above in (folder, *folder.parents):
        candidate = above / ".venv"
        if (candidate / "pyvenv.cfg").is_file():
            return str(candidate)
    return None


def find_lock(folder: Path) -> Path | None:
    """The `pylock.toml` in `folder` or the nearest folder above it that has one."""
    return next((above / PLAIN_NAME for above in (folder, *folder.parents) if (above / PLAIN_NAME).is_file()), None)


def environment_target(interpreter: Interpreter) -> Target:
    """The environment of `interpreter` itself."""
    paths = interpreter.paths
    layout = Layout.of_schemes(
        _resolved(interpreter.prefix),
        purelib=_resolved(paths["purelib"]),
        platlib=_resolved(paths["platlib"]),
        scripts=_resolved(paths["scripts"]),
        headers=_resolved(interpreter.headers),
        data=_resolved(paths["data"]),
    )
    kind = "venv" if interpreter.is_virtual else "system"
    return Target(kind=kind, shown=interpreter.prefix, interpreter=interpreter, layout=layout)


def directory_target(interpreter: Interpreter, directory: str) -> Target:
    """The folder `directory`, which need not exist yet, for `interpreter`."""
    return Target(
        kind="directory",
        shown=directory,
        interpreter=interpreter,
        layout=Layout.of_directory(_resolved(directory)),
    )


def prefix_target(interpreter: Interpreter, directory: str) -> Target:
    """The folder `directory` as the prefix of an installation of `interpreter`."""
    threads = "t" if any(abi.endswith("t") for abi in interpreter.abis) else ""
    layout = Layout.of_prefix(
        _resolved(directory),
        implementation=interpreter.implementation,
        version=f"{interpreter.version[0]}.{interpreter.version[1]}{threads}",
        windows=interpreter.markers["os_name"] == "nt",
    )
    return Target(kind="prefix", shown=directory, interpreter=interpreter, layout=layout)


def _resolved(path: str) -> str:
    """Resolve links once, here; below a root, links are never followed."""
    return os.path.realpath(path)
