"""Whether a text may hold anything that TOML 1.0 does not have: quick, and only ever wrong in saying yes.

The full scan for positions tells exactly. It costs about as much as parsing, so files that plainly are TOML 1.0 are
spared it.
"""

from __future__ import annotations

import re

__all__ = ["may_be_newer"]

_NEWER_ESCAPE = re.compile(r"\\[ex]")
# Of basic strings only: in literal ones a backslash is a backslash.
_ESCAPE = re.compile(r"\\.")
_STRINGS = re.compile(r"""\"[^"\n]*\"|'[^'\n]*'""")
_INNERMOST = re.compile(r"\{[^{}\n]*\}")
_FULL_LINE_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
# Not within a full time, and no offset.
_SHORT_TIME = re.compile(r"(?<![0-9:+-])[0-9]{2}:[0-9]{2}(?![0-9:])")
_LAST_COMMA = re.compile(r",[ \t]*\}")
# Inline tables nested deeper than this on one line are left to the full scan.
_DEPTH = 6


def may_be_newer(text: str) -> bool:
    """Whether the full scan has to look at `text`, which is TOML of some version."""
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
    return "{" in rest  # a table that goes on in the next line, too
