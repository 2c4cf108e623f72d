"""Folders to search for a Python that is requested by version or by the name of its command."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["command_path", "python_folders", "python_version_text"]

# Version managers: variable of the root folder, default below the home folder, and the subfolder of the Pythons.
_KEEPERS = (
    ("PYENV_ROOT", ".pyenv", "versions"),
    ("UV_PYTHON_INSTALL_DIR", ".local/share/uv/python", ""),
    ("MISE_DATA_DIR", ".local/share/mise", "installs/python"),
    ("ASDF_DATA_DIR", ".asdf", "installs/python"),
)
# Version managers with other folders on Windows: variable of the parent folder, and the folder below it.
_WINDOWS_KEEPERS = (("APPDATA", "uv/python"), ("USERPROFILE", ".pyenv/pyenv-win/versions"))
_FRAMEWORKS = "/Library/Frameworks/Python.framework/Versions"
_COMMAND = re.compile(r"python(\d+\.\d+)")
_VERSION = re.compile(r"(?<![\d.])(\d+)\.(\d+)(?:\.(\d+))?")


def python_version_text(text: str | None) -> str | None:
    """`3.12` for `python3.12`, which may be a shim of a missing Python; any other text unchanged."""
    named = text and _COMMAND.fullmatch(text)
    return named[1] if named and not os.path.lexists(named[0]) else text


def command_path(text: str, environ: Mapping[str, str]) -> str:
    """The path of the command `text`, such as `python3.12`; `text` itself if it is not on PATH."""
    if os.sep in text or os.path.lexists(text):
        return text
    from shutil import which

    return which(text, path=environ.get("PATH")) or text


def python_folders(environ: Mapping[str, str], *, version: str | None) -> list[str]:
    """Folders that may have a Python of `version`: those of PATH, then those of version managers."""
    folders = environ.get("PATH", "").split(os.pathsep)
    if version is not None:
        folders += _kept(environ, version)
    return folders


def _kept(environ: Mapping[str, str], version: str) -> Iterator[str]:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    roots = [
        Path(environ.get(variable) or Path(home or os.sep, usual), inside)
        for variable, usual, inside in _KEEPERS
        if environ.get(variable) or home
    ]
    if os.name == "nt":
        roots += [Path(environ[variable], inside) for variable, inside in _WINDOWS_KEEPERS if environ.get(variable)]
    for root in (*roots, Path(_FRAMEWORKS)):
        for folder in _newest_first(root, version):
            # On Windows the command is at the root of the installation.
            yield str(folder if os.name == "nt" else folder / "bin")


def _newest_first(root: Path, version: str) -> list[Path]:
    try:
        inside = list(root.iterdir())
    except OSError:
        return []
    matches: list[tuple[tuple[int, ...], str, Path]] = []
    for folder in inside:
        named = _VERSION.search(folder.name)
        if named is not None and f"{named[0]}.".startswith(f"{'.'.join(version.split('.')[:2])}."):
            matches.append((tuple(int(part or 0) for part in named.groups()), folder.name, folder))
    return [folder for *_, folder in sorted(matches, reverse=True)]
