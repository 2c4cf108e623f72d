"""The map of the code names every folder, each one fits a screen, and modules are named by what they hold."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "lockset"
MAP = (ROOT / "docs" / "pages" / "reference" / "map.md").read_text("utf-8")
# More modules side by side than this, and nobody sees a folder whole.
MOST_MODULES = 20


def folders() -> dict[str, list[Path]]:
    """Every package below `lockset`, dotted, with its modules."""
    results = {}
    for init in SOURCE.rglob("__init__.py"):
        name = ".".join(init.parent.relative_to(SOURCE).parts)
        if name:
            results[name] = [path for path in init.parent.glob("*.py") if path.name != "__init__.py"]
    return results


def test_the_map_names_every_folder_and_no_other() -> None:
    rows = [line.split("|")[1] for line in MAP.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([a-z_.]+)`", row)}
    assert named == set(folders())


def test_every_module_that_the_map_names_exists() -> None:
    names = re.findall(r"`([a-z_0-9]+(?:\.[a-z_0-9]+)*)`", MAP)
    known = {".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in SOURCE.rglob("*.py")}
    assert [name for name in names if name not in known and name not in folders()] == []


def test_no_folder_holds_more_than_can_be_seen_at_once() -> None:
    # Each command has its modules here, named like it: the road is the same in all of them.
    by_command = {"api", "cli.commands", "cli.options"}
    counts = {name: len(modules) for name, modules in folders().items() if name not in by_command}
    assert {name: count for name, count in counts.items() if count > MOST_MODULES} == {}


def test_every_folder_says_what_it_holds() -> None:
    silent = [name for name in folders() if not (SOURCE / name.replace(".", "/") / "__init__.py").read_text().strip()]
    assert silent == []
