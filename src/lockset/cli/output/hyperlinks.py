"""Links in a terminal: the OSC 8 sequence, where the terminal is known to show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["hyperlink", "shows_hyperlinks"]

_PROGRAMS = frozenset({"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby", "rio", "WarpTerminal"})
_TERMS = frozenset({"xterm-kitty", "alacritty", "xterm-ghostty", "foot", "foot-extra", "wezterm", "contour"})
# VTE (GNOME Terminal and others) shows links since 0.50.
_VTE = 5000
_LONGEST_NUMBER = 10
_SAFE = lazy_pattern(r"[!-~]+")


def hyperlink(text: str, url: str) -> str:
    """`text` as a link to `url`; `text` alone if the address has characters that end the sequence."""
    return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\" if _SAFE.fullmatch(url) else text


def shows_hyperlinks(environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Whether the terminal shows links, as its environment variables tell; `FORCE_HYPERLINK` decides if it is set."""
    forced = environ.get("FORCE_HYPERLINK", "")
    if forced:
        return forced != "0"
    if not is_terminal or environ.get("CI") or environ.get("TERM") == "dumb":
        return False
    vte = environ.get("VTE_VERSION", "")
    return (
        environ.get("TERM_PROGRAM") in _PROGRAMS
        or environ.get("TERM") in _TERMS
        or any(environ.get(name) for name in ("WT_SESSION", "KONSOLE_VERSION", "DOMTERM"))
        or (vte.isdecimal() and len(vte) < _LONGEST_NUMBER and int(vte) >= _VTE)
    )
