"""Wheels of an old and of a new lock: one package changes, one goes, one comes, one stays."""

from __future__ import annotations

from support.builders.wheel import make_wheel

__all__ = ["BEFORE", "NEW", "OLD", "PLANNED"]

OLD = [
    make_wheel(
        "changes",
        "1.0",
        files={"changes/__init__.py": "old", "changes/old/x.py": "", "changes-1.0.data/scripts/tool": "#!python\n1"},
    ),
    make_wheel("goes", "1.0", files={"goes/__init__.py": "", "goes/deep/er.py": ""}),
    make_wheel("stays", "1.0", files={"stays.py": ""}),
]
NEW = [
    make_wheel(
        "changes",
        "2.0",
        files={"changes/__init__.py": "new", "changes/new/x.py": "", "changes-2.0.data/scripts/tool": "#!python\n2"},
    ),
    make_wheel("comes", "1.0", files={"comes/__init__.py": "", "comes-1.0.data/data/share/comes/x": ""}),
    make_wheel("stays", "1.0", files={"stays.py": ""}),
]
BEFORE = {"changes": "1.0", "goes": "1.0", "stays": "1.0"}
PLANNED = {"changes": "2.0", "comes": "1.0", "stays": "1.0"}
