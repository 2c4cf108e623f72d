"""The names a lock file may have: `pylock.toml` and `pylock.NAME.toml`."""

from __future__ import annotations

import re

from lockset.errors import LocksetError

__all__ = ["PLAIN_NAME", "is_lock_file_name", "lock_file_name", "name_of", "refuse_wrong_name"]

PLAIN_NAME = "pylock.toml"
_SEPARATORS = re.compile(r"[-_.]+")
# Also refuses a line end in the name, which `[^.]` would let through.
_NAMED = re.compile(r"pylock\.([^.\n\r/\\]+)\.toml", re.ASCII)


def is_lock_file_name(name: str) -> bool:
    """Whether `name` (without folders) is the name of a lock file."""
    return name == PLAIN_NAME or _NAMED.fullmatch(name) is not None


def refuse_wrong_name(path: str) -> None:
    """Refuse the TOML file at `path` where a lock file may not have its name; its content tells of any other file.

    Raises:
        LocksetError: `file-name`.
    """
    name = re.split(r"[/\\]", path)[-1]
    if is_lock_file_name(name) or not (name.lower().endswith(".toml") or name.lower().startswith("pylock")):
        return
    raise LocksetError(
        "file-name",
        f"`{name}` is not a valid name for a lock file",
        location=path,
        hint="Rename it to pylock.toml, or to pylock.NAME.toml where NAME has no dot",
    )


def name_of(name: str) -> str | None:
    """NAME of `pylock.NAME.toml`, or None for `pylock.toml` and for other files."""
    matched = _NAMED.fullmatch(name)
    return matched.group(1) if matched else None


def lock_file_name(name: str | None) -> str:
    """`pylock.toml` for None, else `pylock.NAME.toml` with every dot of `name` (as in `my.script`) as a dash.

    Raises:
        LocksetError: `file-name` where nothing usable is left of `name`.
    """
    if name is None:
        return PLAIN_NAME
    # As names of projects are normalised, without `packaging.utils`, whose import would cost every sync 10 ms.
    usable = _SEPARATORS.sub("-", name).lower() if "." in name else name
    made = f"pylock.{usable}.toml"
    if not is_lock_file_name(made):
        raise LocksetError(
            "file-name",
            f"No lock file can be named after `{name}`",
            hint="Use one name without a dot or a slash, as in pylock.dev.toml",
        )
    return made
