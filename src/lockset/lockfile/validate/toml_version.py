"""A quick check whether a text may use syntax newer than TOML 1.0, with false positives but no false negatives.

The full scan for positions decides exactly, but takes about as long as parsing, so it is skipped for files that are
certainly TOML 1.0.
"""

from __future__ import annotations

import re

__all__ = ["may_be_newer"]

_NEWER_ESCAPE = re.compile(r"\\[ex]")
# In basic strings only: literal strings have no escapes.
_ESCAPE = re.compile(r"\\.")
_STRINGS = re.compile(r"""\"[^"\n]*\"|'[^'\n]*'""")
_INNERMOST = re.compile(r"\{[^{}\n]*\}")
_FULL_LINE_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
# Neither part of a full time nor an offset.
_SHORT_TIME = re.compile(r"(?<![0-9:+-])[0-9]{2}:[0-9]{2}(?![0-9:])")
_LAST_COMMA = re.compile(r",[ \t]*\}")
# Inline tables nested deeper than this on one line are left to the full scan.
_DEPTH = 6


def may_be_newer(text: str) -> bool:
    """Whether `text`, TOML of some version, needs the full scan."""
    if '"""' in text or "'''" in text:
        return True
    if "\\" in text:
        if "\\'" in text or _NEWER_ESCAPE.search(text):
            return True
        text = _ESCAPE.sub("", text)
    if "#" in text:
        text = _FULL_LINE_COMMENT.sub("", text)
    rest = _STRINGS.sub("", text)
    if "#" in rest or "'" in rest or '"' in rest or _LAST_COMMA.search(rest) or _SHORT_TIME.search(rest):
        return True
    for _ in range(_DEPTH):
        if "{" not in rest:
            return False
        rest = _INNERMOST.sub("", rest)
    return "{" in rest  # possibly an inline table of several lines
