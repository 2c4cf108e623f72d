"""The interpreter or environment that a command is for: given by path, version or command, active, or a new one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lockset._pattern import lazy_pattern
from lockset.cli.options.common import cache_dir, named_files
from lockset.composition.sync_pipeline import active_environment, find_environment
from lockset.errors import LocksetError
from lockset.sync.disk.inspect.python_search import find_python, is_range, python_matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    import re
    from collections.abc import Iterator, Mapping

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import RunContext
    from lockset.sync.disk.request import LockSource

__all__ = ["command_path", "new_environment", "python_folders", "python_of", "python_version_text"]

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
# `python3.12`, and `cpython@3.12`, `cp312` and `312` as uv takes them.
_SPELLING = lazy_pattern(r"(?:python|cpython[-@]?|cp)?([23])\.?(\d{1,2})((?:\.\d+)?)")
# A free-threaded build: `3.14t`, `python3.14t` or `cpython@3.14t`; and in the folder names of version managers.
_THREADED = lazy_pattern(r"(?:python|cpython[-@]?|cp)?3\.(\d{1,2})t")
_THREADED_FOLDER = lazy_pattern(r"\d+\.\d+(?:\.\d+)?(?:t\b|\+freethreaded)")
_VERSION = lazy_pattern(r"(?<![\d.])(\d+)\.(\d+)(?:\.(\d+))?")


def python_version_text(text: str | None) -> str | None:
    """`3.12` for `python3.12`, `cpython@3.12`, `cp312` and `312`, unless there is such a file; other text unchanged.

    A range has no spaces around it.
    """
    if text and is_range(text.strip()):
        return text.strip()
    if not text or os.sep in text or not text[-1].isdecimal():
        return text  # no spelling of a version
    spelled = _SPELLING.fullmatch(text)
    return f"{spelled[1]}.{spelled[2]}{spelled[3]}" if spelled and not os.path.lexists(spelled[0]) else text


def command_path(text: str, environ: Mapping[str, str]) -> str:
    """The path of the command `text`, such as `python3.12`; `text` itself if it is not on PATH.

    A free-threaded Python such as `3.14t` may also be one of a version manager.
    """
    if os.sep in text or os.path.lexists(text):
        return text
    from shutil import which

    threaded = _THREADED.fullmatch(text)
    if threaded is not None:
        folders = os.pathsep.join(python_folders(environ, version=f"3.{threaded[1]}"))
        return which(f"python3.{threaded[1]}t", path=folders) or text
    return which(text, path=environ.get("PATH")) or text


def python_folders(environ: Mapping[str, str], *, version: str | None) -> list[str]:
    """Folders that may have a Python of `version` ("3.12" or ">=3.10"): those of PATH, then of version managers."""
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
    matches: list[tuple[bool, tuple[int, ...], str, Path]] = []
    for folder in inside:
        named = _VERSION.search(folder.name)
        if named is not None and _may_match(version, named):
            # A free-threaded build is chosen only if there is no other.
            usual = _THREADED_FOLDER.search(folder.name) is None
            matches.append((usual, tuple(int(part or 0) for part in named.groups()), folder.name, folder))
    return [folder for *_, folder in sorted(matches, reverse=True)]


def _may_match(version: str, named: re.Match[str]) -> bool:
    if is_range(version):
        return named[3] is None or python_matches(version, named[0])
    return f"{named[0]}.".startswith(f"{'.'.join(version.split('.')[:2])}.")


def python_of(args: argparse.Namespace, context: RunContext) -> str:
    """The requested interpreter or environment, else the active environment or the nearest .venv.

    Raises:
        LocksetError: `no-environment` if there is none.
    """
    text = python_version_text(args.python)
    if text and not _is_version(text):
        return command_path(text, os.environ)
    active = active_environment(os.environ) or find_environment(context.here)
    if getattr(args, "system", False) or (text and not (active and _has_version(active, text))):
        return _find_python(text, cache_dir(args))
    if text:
        return str(active)
    if active is not None:
        return active
    if getattr(args, "target", None) or getattr(args, "prefix", None) or not hasattr(args, "target"):
        # That of lockset's own environment may go when lockset does, and would stay in the first line of commands.
        return getattr(sys, "_base_executable", None) or sys.executable
    raise LocksetError(
        "no-environment",
        f"There is no virtual environment: none is active, and there is no .venv in {context.here} or above it",
        hint="Create one with `lockset sync --create-venv`, name an interpreter with `--python`, or, in an image, use "
        "its Python with `--system`",
    )


def new_environment(args: argparse.Namespace, locks: tuple[LockSource, ...], out: Output) -> str | None:
    """The environment that `--create-venv` creates; None if it is not given, or there is one.

    Raises:
        LocksetError: `environment-not-created`.
    """
    if not args.create_venv or args.dry_run or args.check:
        return None
    here = Path.cwd()
    version = python_version_text(args.python)
    active = active_environment(os.environ) or find_environment(here)
    if active is not None and (not version or _has_version(active, version)):
        return active
    folder = here / ".venv" if named_files(args) else Path(locks[0].folder) / ".venv"
    if active is not None:
        raise LocksetError(
            "environment-not-created",
            f"There is already an environment with a Python other than {version}",
            location=active,
            hint="Remove or deactivate it, or omit `--create-venv`",
        )
    from lockset.cli.output.streams import plain
    from lockset.sync.disk.create_environment import create_environment

    python = version if version and not _is_version(version) else _find_python(version, cache_dir(args))
    create_environment(folder, python, environ=os.environ)
    out.line(f"Created {plain(str(folder))} with {plain(python)}")
    return str(folder)


def _is_version(text: str) -> bool:
    """Whether `text` is a version or a range of versions, not the path of an interpreter."""
    if os.sep in text:
        return False
    return (text[:1].isdigit() and text.replace(".", "").isdigit()) or (is_range(text) and not os.path.lexists(text))


def _find_python(version: str | None, cache: Path | None) -> str:
    folders = python_folders(os.environ, version=version)
    try:
        return find_python(folders, version=version, cache=cache)
    except LocksetError as error:
        registry = ", in the registry" if sys.platform == "win32" else ""
        looked = (f"Searched PATH{registry}, and the folders of pyenv, uv, mise and asdf",) if version else ()
        raise error.replaced(context=(*looked, *error.diagnostic.context)) from error


def _has_version(environment: str, version: str) -> bool:
    """Whether pyvenv.cfg of `environment` names this Python version."""
    try:
        text = (Path(environment) / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    lines = (line.partition("=") for line in text.splitlines())
    values = {key.strip().lower(): value.strip() for key, _, value in lines}
    named = _VERSION.search(values.get("version") or values.get("version_info", ""))
    return named is not None and python_matches(version, named[0])
