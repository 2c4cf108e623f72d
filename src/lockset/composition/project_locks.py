"""The lock file that belongs to a project or script, and what to do if there is none."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.lockfile.file_name import PLAIN_NAME, lock_file_name

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["lock_of_project", "no_lock_error"]

# Files that commands take as they take a lock file, if there is no lock file; the first is suggested.
_OTHERS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "requirements.txt", "conda-lock.yml")


def lock_of_project(name: str, here: Path) -> str:
    """The path of the lock file next to a pyproject.toml or script.

    A pyproject.toml has `pylock.toml`; a script `tool.py` has `pylock.tool.toml`, or a `pylock.toml` made from it.

    Raises:
        LocksetError: `lock-not-found` with the command that creates it; `source-missing` if `name` does not exist.
    """
    source = here / name
    if not source.is_file():
        raise LocksetError("source-missing", "There is no such file", location=name)
    for candidate in _candidates(source):
        if candidate.is_file() and (candidate.name != PLAIN_NAME or _is_made_from(candidate, source.name)):
            return str(candidate)
    output = Path(name).parent / _own_name(source)
    option = "" if str(output) == PLAIN_NAME else f" -o {quote(str(output))}"
    raise LocksetError(
        "lock-not-found",
        "It has no lock file",
        location=name,
        hint=f"Run `lockset lock {quote(name)}{option}` to create one",
    )


def no_lock_error(here: Path) -> LocksetError:
    """The error for a folder that has no pylock.toml, nor one above it."""
    other = next((name for name in _OTHERS if (here / name).is_file()), None)
    hint = "Run `lockset lock` to create one, or pass the path of another lock file"
    if other is not None and not (here / "pyproject.toml").is_file():
        hint = f"Pass the path of {other} to use that, or run `lockset lock` to create a lock file"
    elif other is not None:
        hint = f"Run `lockset lock` to create one, or pass the path of {other} to use that"
    return LocksetError("lock-not-found", f"There is no {PLAIN_NAME} in {here} or above it", hint=hint)


def _own_name(source: Path) -> str:
    return PLAIN_NAME if source.name == "pyproject.toml" else lock_file_name(source.stem)


def _candidates(source: Path) -> Iterator[Path]:
    yield source.with_name(_own_name(source))
    yield source.with_name(PLAIN_NAME)


def _is_made_from(lock: Path, name: str) -> bool:
    """Whether the lock file names the source; a lock file of another tool is taken to be that of the project."""
    from lockset.lockfile.load import load

    table = (load(lock).data.get("tool") or {}).get("lockset")
    sources = table.get("sources") if isinstance(table, dict) else None
    return name in sources if isinstance(sources, list) else name == "pyproject.toml"
