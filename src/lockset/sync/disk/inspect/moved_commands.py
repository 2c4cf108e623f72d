"""Find commands of an environment that name the Python of another place, as after the environment was moved or copied.

Such a command does not run, or runs with the packages of the environment that was copied.
"""

from __future__ import annotations

import os

from lockset.sync.disk.inspect.metadata_text import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from lockset.sync.installed import InstalledFile

__all__ = ["moved_command"]

# Limit for what is read of a command: two lines, with a path of the longest that systems take.
_HEAD = 8 << 10
# How the second line begins where the first one cannot hold the path; see `lockset.sync.wheel.scripts`.
_THROUGH_SHELL = "'''exec' "
_PYTHONS = ("python", "pypy", "graalpy")


def moved_command(info: str, files: Iterable[InstalledFile], scripts: str) -> str | None:
    """The name of a command that names a Python outside the folder `scripts`, with links resolved; None if none does.

    Only commands that an installer generated from entry_points.txt in the dist-info folder `info` count: scripts that a
    wheel contains may name any interpreter.
    """
    start = f"{scripts}{os.sep}"
    moved = [
        file.path[len(start) :] for file in files if file.path.startswith(start) and _is_elsewhere(file.path, scripts)
    ]
    if not moved:
        return None
    from lockset.sync.wheel.entry_points import scripts_in  # here, since environments are rarely moved

    try:
        generated = {script.name for script in scripts_in(read_text(info, "entry_points.txt") or "")}
    except ValueError:
        return None
    return next((name for name in moved if name in generated), None)


def _is_elsewhere(command: str, scripts: str) -> bool:
    """Whether the file `command` names an interpreter that is not in the folder `scripts`."""
    try:
        with open(command, "rb") as file:
            lines = os.fsdecode(file.read(_HEAD)).split("\n", 2)
    except OSError:
        return False
    python = _interpreter(lines)
    folder, name = os.path.split(python)
    return os.path.isabs(python) and name.startswith(_PYTHONS) and os.path.realpath(folder) != scripts


def _interpreter(lines: list[str]) -> str:
    """The interpreter that a script with these first `lines` names, without arguments; "" if there is none."""
    if not lines[0].startswith("#!"):
        return ""
    if len(lines) > 1 and lines[1].startswith(_THROUGH_SHELL):
        import shlex

        try:
            return next(iter(shlex.split(lines[1][len(_THROUGH_SHELL) :])), "")
        except ValueError:
            return ""
    return lines[0][2:].strip().partition(" ")[0]
