"""Find files that may belong to an install without a complete list of its files."""

# Paths are strings here: there may be thousands of them.
from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern
from lockset.sync.disk.inspect.metadata_text import normalized, read_text
from lockset.sync.installed import METADATA_ENDINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from lockset.sync.installed import InstalledDistribution
    from lockset.sync.target import Layout

__all__ = ["with_suspects"]

_MODULE = (".pth", ".py", ".pyc", ".pyo", ".so", ".pyd")
# Files of tools that create environments, and files that configure the interpreter.
_SURROUNDINGS = frozenset({"_virtualenv.py", "sitecustomize.py", "usercustomize.py", "_manylinux.py"})
_COMMAND = lazy_pattern(r"^\s*([\w.@+-][\w.@+ -]*?)\s*=\s*[\w.]+\s*:", re.MULTILINE)


def with_suspects(distributions: Sequence[InstalledDistribution], layout: Layout) -> list[InstalledDistribution]:
    """`distributions`, where each one with an incomplete list of files has suspects: files without an owner.

    If its metadata names its modules (top_level.txt), these are the files below them; otherwise any module.
    """
    owned = {file.path for one in distributions for file in one.files}
    return [
        one._replace(suspects=tuple(_suspects(one, owned, layout))) if one.unlisted else one for one in distributions
    ]


def _suspects(one: InstalledDistribution, owned: Collection[str], layout: Layout) -> Iterator[str]:
    named = read_text(one.info, "top_level.txt") or ""
    tops = {line.strip() for line in named.splitlines() if line.strip()}
    for library in layout.libraries:
        for name in _listed(library):
            if name.endswith(".pth") or name.startswith("__editable__"):
                # setuptools and other backends make a source tree importable through such files.
                counts = one.name in normalized(name)
            elif name == "__pycache__" or name.lower().endswith(METADATA_ENDINGS) or name in _SURROUNDINGS:
                counts = False
            else:
                counts = not tops or name.split(".", 1)[0] in tops
            for path in _files(f"{library}{os.sep}{name}") if counts else ():
                if path not in owned and (tops or path.endswith(_MODULE)) and not layout.is_reserved(path):
                    yield path
    for name in _COMMAND.findall(read_text(one.info, "entry_points.txt") or ""):
        command = f"{layout.scripts}{os.sep}{name}"
        if os.path.isfile(command) and command not in owned and not layout.is_reserved(command):
            yield command


def _files(path: str) -> Iterator[str]:
    """The regular file `path`, or those below the folder `path`, without __pycache__."""
    if os.path.isfile(path):
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            yield f"{folder}{os.sep}{name}"


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
