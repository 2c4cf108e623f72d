"""What `lockset --help` shows: every command under what it is for, short enough for one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GROUPS", "front_page"]

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Lock": ("lock", "why-not", "convert", "export"),
    "Install": ("sync", "install", "check-env", "download"),
    "Look": ("validate", "audit", "tree", "why", "diff"),
}
_ABOUT = "lock a Python project for all platforms, sync environments to it"
_OPTIONS = "-q  -v  --color WHEN  --no-progress  --directory DIR  --config FILE  --no-config"
_END = "`lockset COMMAND --help` tells the options of a command."


def front_page(commands: Mapping[str, str], columns: int) -> str:
    """The page, no line longer than `columns` where words allow it."""
    width = max(map(len, commands)) + 4
    parts = [*_folded(f"lockset {__version__}: {_ABOUT}", columns, ""), ""]
    parts += ["usage: lockset COMMAND [OPTIONS]", ""]
    for title, names in GROUPS.items():
        parts.append(f"{title}:")
        for name in names:
            parts += _folded(f"  {name}".ljust(width) + commands[name], columns, " " * width)
    parts += ["", *_folded(f"Everywhere: -h  --version  {_OPTIONS}", columns, "  "), *_folded(_END, columns, "  ")]
    return "\n".join(parts) + "\n"


def _folded(text: str, columns: int, indent: str) -> list[str]:
    from textwrap import wrap

    return wrap(text, max(columns, 20), subsequent_indent=indent, drop_whitespace=True) or [""]
