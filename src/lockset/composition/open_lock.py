"""Open the lock file of a call: by path, of a project, from the standard input, the nearest, or of a git revision."""

from __future__ import annotations

from os import fspath
from os.path import basename
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from lockset.conversion.model.formats import is_foreign
from lockset.errors import LocksetError
from lockset.lockfile.file_name import PLAIN_NAME, is_lock_file_name, lock_file_name
from lockset.lockfile.read import load, load_bytes, read_document
from lockset.option_values import check_argument
from lockset.sources.discover import STDIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from lockset.composition.run_context import RunContext
    from lockset.lockfile.read import Document

__all__ = ["lock_name", "lock_of_project", "nearest_lock", "no_lock_error", "open_lock", "open_revision"]

# Files that commands take as they take a lock file, if there is no lock file; the first is suggested.
_OTHERS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "requirements.txt", "conda-lock.yml")


def open_lock(path: str | PathLike[str] | None, context: RunContext) -> Document:
    """Read the lock file at `path`; without a path, the nearest one from the context's folder upwards.

    That is a pylock.toml, or in the folder of a workspace's member the lock file of the member. `-` reads
    `context.stdin`, if that is set. A pyproject.toml or script stands for the lock file next to it. Requirements files
    and lock files of other tools are converted, with the indexes of the context.

    Raises:
        LocksetError: `lock-not-found`, `lock-unreadable` or `toml-syntax`; as `convert_in_memory`.
    """
    check_argument("path", path, "str | PathLike[str] | None")
    if path == STDIN and context.stdin is not None:
        return _read(context.stdin(), "<stdin>", context)
    if path is not None:
        named = fspath(path)
        if named.endswith(("pyproject.toml", ".py", ".pyw")):
            return load(lock_of_project(named, context.here))
        located = named if context.folder is None else str(context.here / named)
        return load(located) if is_lock_file_name(basename(named)) else _read(load_bytes(located), located, context)
    nearest = nearest_lock(context.here)
    if nearest is None:
        raise no_lock_error(context.here)
    return load(nearest)


def _read(data: bytes, location: str, context: RunContext) -> Document:
    """Read a lock file of any format; `location` is its path."""
    if not is_foreign(data, location):
        return read_document(data, path=location)
    # Imported here: it is slow to import, and most files are lock files.
    from lockset.composition.conversions.in_memory import convert_in_memory

    path = str(context.here / location)
    done = convert_in_memory(data, path, location=location, indexes=context.indexes, context=context)
    return read_document(done.text, path=location)


def open_revision(path: str | PathLike[str] | None, context: RunContext) -> Document:
    """As `open_lock`; if there is no such file, `REVISION:PATH` names one in the folder's git repository.

    Raises:
        LocksetError: As `open_lock`, and `git-revision` if git does not have the file.
    """
    named = None if path is None else fspath(path)
    if named is None or ":" not in named or _exists(context.here / named):
        return open_lock(path, context)
    revision = named.partition(":")[0]
    # A name that begins with a dash would be an option to git, not a revision.
    if not revision or revision.startswith("-"):
        return open_lock(path, context)
    from lockset.build.git import read_revision  # slow to import, and most locks are files

    data, reported = read_revision("cat-file blob", named, folder=context.here, shown=named)
    if data is None:
        raise LocksetError(
            "git-revision",
            f"There is no file `{named}`, and git has no such revision or file",
            context=reported,
            hint="Use a path relative to the repository's root (`HEAD~1:pylock.toml`) or to the working folder "
            "(`HEAD:./pylock.toml`)",
        )
    return _read(data, named, context)


def nearest_lock(folder: Path) -> Path | None:
    """As `lockset.sync.disk.request.find_lock`, whose module is only imported for this: most of it is about targets."""
    from lockset.sync.disk.request import find_lock

    return find_lock(folder)


def lock_name(path: str | None, context: RunContext) -> str:
    """The name of the lock file that `open_lock` reads, for messages and titles."""
    if path is not None:
        return path
    nearest = nearest_lock(context.here)
    return PLAIN_NAME if nearest is None else nearest.name


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


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
    if source.name == "pyproject.toml":
        # A member of a workspace has its lock file next to that of the root.
        nearest = nearest_lock(source.parent)
        if nearest is not None and nearest.name != PLAIN_NAME:
            return str(nearest)
    else:
        _refuse_without_metadata(source, name)
    output = Path(name).parent / _own_name(source)
    option = "" if str(output) == PLAIN_NAME else f" -o {quote(str(output))}"
    raise LocksetError(
        "lock-not-found",
        "It has no lock file",
        location=name,
        hint=f"Run `lockset lock {quote(name)}{option}` to create one",
    )


def _refuse_without_metadata(script: Path, name: str) -> None:
    """Refuse a script that states no requirements.

    Raises:
        LocksetError: `script-metadata`.
    """
    from lockset.files.read_file import decode_utf8, read_file
    from lockset.sources.script import read_script

    read_script(decode_utf8(read_file(script, location=name), location=name), base=script.parent, location=name)


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
    table = (load(lock).data.get("tool") or {}).get("lockset")
    sources = table.get("sources") if isinstance(table, dict) else None
    return name in sources if isinstance(sources, list) else name == "pyproject.toml"
