"""File names: of lock files, which PEP 751 calls `pylock.toml` or `pylock.NAME.toml`, and of the files in them."""

from __future__ import annotations

from pathlib import Path

from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError, UsageError

__all__ = [
    "PLAIN_NAME",
    "is_lock_file_name",
    "last_component",
    "lock_file_name",
    "name_of",
    "refuse_source_as_output",
    "refuse_wrong_name",
    "refuse_wrong_output",
]

PLAIN_NAME = "pylock.toml"
# Files that are never the output of `export`, `report`, `graph` or `diff`, besides lock files.
_SOURCES = frozenset({"pyproject.toml", "uv.lock", "poetry.lock", "pdm.lock", "Pipfile", "Pipfile.lock"})
_NOT_IN_NAMES = frozenset("./\\\n\r")
_SEPARATORS = lazy_pattern(r"[-_.]+")


def is_lock_file_name(name: str) -> bool:
    """Whether `name` (without folders) is the name of a lock file."""
    return name == PLAIN_NAME or name_of(name) is not None


def refuse_wrong_name(path: str) -> None:
    """Refuse a TOML file whose name is not valid for a lock file. Other files are recognized by their content.

    Raises:
        LocksetError: `file-name`.
    """
    name = path.replace("\\", "/").rpartition("/")[2]
    if is_lock_file_name(name) or not (name.lower().endswith(".toml") or name.lower().startswith("pylock")):
        return
    raise LocksetError(
        "file-name",
        f"`{name}` is not a valid name for a lock file",
        location=path,
        hint="Rename it to pylock.toml, or to pylock.NAME.toml where NAME has no dot",
    )


def refuse_wrong_output(output: str | None) -> None:
    """Refuse an output whose name is not valid for a lock file; `-` is stdout, None the default.

    Raises:
        UsageError: `file-name` in that case.
    """
    if output in {None, "-"}:
        return
    name = Path(str(output)).name
    if not is_lock_file_name(name):
        raise UsageError(
            "file-name",
            f"{name} is not a valid name for a lock file",
            hint="Name it pylock.toml or pylock.NAME.toml, where NAME has no dot",
        )


def refuse_source_as_output(output: str | None) -> None:
    """Refuse to write an export, a page or a drawing over a lock file or project file; `-` is stdout, None the default.

    Raises:
        UsageError: `output-is-source` in that case.
    """
    name = Path(output or "").name
    if name in _SOURCES or is_lock_file_name(name):
        raise UsageError(
            "output-is-source",
            f"The output would replace {'the lock file' if is_lock_file_name(name) else 'the file'} `{output}`",
            hint="Name another file with `--output`",
        )


def name_of(name: str) -> str | None:
    """NAME of `pylock.NAME.toml`, or None for `pylock.toml` and for other files."""
    inner = name.removeprefix("pylock.").removesuffix(".toml")
    return inner if inner and name == f"pylock.{inner}.toml" and _NOT_IN_NAMES.isdisjoint(inner) else None


def lock_file_name(name: str | None) -> str:
    """`pylock.toml` for None, otherwise `pylock.NAME.toml` with every dot of `name` (as in `my.script`) as a dash.

    Raises:
        LocksetError: `file-name`: `name` cannot be used.
    """
    if name is None:
        return PLAIN_NAME
    # Normalized like project names, without importing `packaging.utils`, which would cost every sync 10 ms.
    usable = _SEPARATORS.sub("-", name).lower() if "." in name else name
    file_name = f"pylock.{usable}.toml"
    if not is_lock_file_name(file_name):
        raise LocksetError(
            "file-name",
            f"`{name}` cannot be used in the name of a lock file",
            hint="Use one name without a dot or a slash, as in pylock.dev.toml",
        )
    return file_name


def last_component(*, path: str | None, url: str | None) -> str | None:
    """The file name in `path`, else in `url` (percent-decoded, without query and fragment), or None."""
    if path:
        # A relative path may use `/` on every platform; one without `/` may be a Windows path.
        separator = "/" if "/" in path else "\\"
        return path.rsplit(separator, 1)[-1] or None
    if not url:
        return None
    from urllib.parse import unquote, urlsplit  # most syncs read no URL

    try:
        return unquote(urlsplit(url).path.rsplit("/", 1)[-1]) or None
    except ValueError:  # such as a host with an open bracket
        return None
