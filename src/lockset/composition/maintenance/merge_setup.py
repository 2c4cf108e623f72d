"""Set up lockset as git's merge driver for lock files: the attribute and the configuration."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern
from lockset.build.git import run_in_repository
from lockset.errors import LocksetError
from lockset.files.atomic import replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["install_driver", "uninstall_driver"]

_PATTERNS = ("pylock.toml", "pylock.*.toml")
_ATTRIBUTE = "merge=lockset"
_LINE = lazy_pattern(r"pylock\.(?:\*\.)?toml[ \t]+merge=lockset[ \t]*\r?\Z")
_SECTION = "merge.lockset"
_ARGUMENTS = "merge-driver %O %A %B -L %X -L %S -L %Y --marker-size %L --path %P"


def install_driver(folder: Path, *, for_user: bool, environ: Mapping[str, str]) -> tuple[Path, bool]:
    """Set up the driver in the repository that contains `folder`, or for all repositories of the user.

    Returns the file of attributes, and whether anything changed.

    Raises:
        LocksetError: `git-failed`, or `output-not-writable`.
    """
    path = _attributes(folder, for_user=for_user, environ=environ)
    lines = _lines(path)
    missing = [f"{pattern} {_ATTRIBUTE}" for pattern in _PATTERNS if not _has(lines, pattern)]
    if missing:
        _write(path, [*lines, *missing])
    settings = {
        f"{_SECTION}.name": "lock files, locked again with the pins of both sides (lockset)",
        f"{_SECTION}.driver": f"{_program()} {_ARGUMENTS}",
        # Between several common bases, any of them will do.
        f"{_SECTION}.recursive": "binary",
    }
    changed = bool(missing)
    for key, value in settings.items():
        if _config(folder, "--get", key, for_user=for_user) != value:
            changed = True
            _config(folder, key, value, for_user=for_user, check=True)
    return path, changed


def uninstall_driver(folder: Path, *, for_user: bool, environ: Mapping[str, str]) -> tuple[Path, bool]:
    """Undo `install_driver`; other lines and settings stay.

    Raises:
        LocksetError: As `install_driver`.
    """
    path = _attributes(folder, for_user=for_user, environ=environ)
    lines = _lines(path)
    kept = [line for line in lines if not _LINE.match(line)]
    if len(kept) < len(lines):
        if kept:
            _write(path, kept)
        else:
            path.unlink()
    had = _config(folder, "--get", f"{_SECTION}.driver", for_user=for_user) is not None
    if had:
        _config(folder, "--remove-section", _SECTION, for_user=for_user, check=True)
    return path, had or len(kept) < len(lines)


def _program() -> str:
    """The command that runs lockset: by its name if that is what the shell finds, else by this Python."""
    command = shutil.which("lockset")
    own = Path(sys.executable).parent
    if command is not None and Path(command).parent in {own, Path(sys.prefix) / "bin", Path(sys.prefix) / "Scripts"}:
        return "lockset"
    return f"{shlex.quote(Path(sys.executable).as_posix())} -m lockset"


def _attributes(folder: Path, *, for_user: bool, environ: Mapping[str, str]) -> Path:
    if not for_user:
        done = run_in_repository("rev-parse", "--show-toplevel", folder=folder)
        if done.returncode != 0:
            raise LocksetError(
                "git-failed",
                f"{folder} is not in a git working tree",
                hint="Change to a repository, or use `--global` for all repositories",
            )
        return Path(done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")) / ".gitattributes"
    named = _config(folder, "--path", "--get", "core.attributesFile", for_user=for_user)
    if named:
        return Path(named)
    home = environ.get("XDG_CONFIG_HOME") or str(Path("~/.config").expanduser())
    return Path(home) / "git" / "attributes"


def _lines(path: Path) -> list[str]:
    if path.is_symlink():
        raise LocksetError(
            "output-not-writable",
            "The attributes file is a symbolic link, which git does not follow",
            location=str(path),
        )
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LocksetError("output-not-writable", f"It cannot be read: {error.strerror}", location=str(path)) from error
    return text.split("\n")[:-1] if text.endswith("\n") else text.split("\n")


def _has(lines: list[str], pattern: str) -> bool:
    """Whether a line has the pattern with a merge driver already, ours or another that the user prefers."""
    words = [line.split() for line in lines]
    return any(word and word[0] == pattern and any(part.startswith("merge=") for part in word) for word in words)


def _write(path: Path, lines: list[str]) -> None:
    data = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    if not replace_file(path, data, private=False):
        raise LocksetError("output-not-writable", "The attributes file cannot be written", location=str(path))


def _config(folder: Path, *arguments: str, for_user: bool, check: bool = False) -> str | None:
    """Run `git config`; its output, or None if it fails."""
    where = "--global" if for_user else "--local"
    done = run_in_repository("config", where, *arguments, folder=folder if os.path.isdir(folder) else Path.cwd())
    if done.returncode != 0 and check:
        text = done.stderr.decode("utf-8", "replace").strip()
        raise LocksetError("git-failed", f"git could not change its configuration: {text}")
    return done.stdout.decode("utf-8", "replace").rstrip("\n") if done.returncode == 0 else None
