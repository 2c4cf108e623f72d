"""The page of `lockset --help`: every command, by purpose, short enough for one screen."""

from __future__ import annotations

from lockset._version import __version__
from lockset.cli.output.help.help_examples import documentation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GROUPS", "front_page"]

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Lock": ("lock", "why-not", "convert", "export"),
    "Install": ("sync", "install", "check-env", "download"),
    "Look": ("validate", "audit", "tree", "why", "diff", "graph", "report", "outdated"),
    "Maintain": ("merge-driver", "cache", "self-check", "completion"),
}
_ABOUT = "lock a Python project for all platforms, sync environments to it"
_OPTIONS = "-q  -v  --color WHEN  --no-progress  --directory DIR  --config FILE  --no-config"
_END = "`lockset help COMMAND` shows the options of a command, `lockset COMMAND -h` the most important ones."


def front_page(commands: Mapping[str, str], columns: int, *, color: bool = False) -> str:
    """The page, no line longer than `columns` where words allow it."""

    def heading(text: str) -> str:
        return f"\x1b[1;32m{text}\x1b[0m" if color else text

    width = max(map(len, commands)) + 4
    parts = [*_folded(f"lockset {__version__}: {_ABOUT}", columns, ""), ""]
    parts += [f"{heading('usage:')} lockset COMMAND [OPTIONS]", ""]
    for title, names in GROUPS.items():
        parts.append(heading(f"{title}:"))
        for name in names:
            parts += _folded(f"  {name}".ljust(width) + commands[name], columns, " " * width)
    parts += ["", *_folded(f"Everywhere: -h  --help  -V  {_OPTIONS}", columns, "  "), *_folded(_END, columns, "  ")]
    parts += _folded(f"Documentation: {documentation(None)}", columns, "  ")
    return "\n".join(parts) + "\n"


def _folded(text: str, columns: int, indent: str) -> list[str]:
    from textwrap import wrap

    return wrap(text, max(columns, 20), subsequent_indent=indent, drop_whitespace=True) or [""]
