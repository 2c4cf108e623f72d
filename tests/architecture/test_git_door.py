"""Git has one door: what is refused and allowed there, and what `--offline` means, is decided in one place."""

from __future__ import annotations

import re
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "lockset"
CALL = re.compile(r"""[\[(]\s*["']git["']\s*,\s*["'][a-z-]""")


def test_only_the_git_module_calls_git() -> None:
    texts = {path.relative_to(SOURCE).as_posix(): path.read_text() for path in SOURCE.rglob("*.py")}
    callers = {name for name, text in texts.items() if "subprocess" in text and CALL.search(text)}
    assert callers == {"build/git.py"}
