"""Modules and names of lockset that docstrings, comments and the documentation mention in full exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path.read_text("utf-8")
    for path in SOURCE.rglob("*.py")
}
TEXTS = sorted([*SOURCE.rglob("*.py"), *(ROOT / "docs" / "pages" / "development").rglob("*.md")])


def is_there(reference: str) -> bool:
    """Whether it is a module, or a name in a module, perhaps with an attribute."""
    module, names = reference, list[str]()
    while module not in MODULES and "." in module:
        module, _, name = module.rpartition(".")
        names.insert(0, name)
    return len(names) <= 2 and all(re.search(rf"\b{name}\b", MODULES[module]) for name in names)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("lockset.errors", True),
        ("lockset.errors.LocksetError", True),
        ("lockset.files.atomic.LockFile.release", True),
        ("lockset.files.atomic.LockFile.no_such_method", False),
        ("lockset.errors.NoSuchError", False),
        ("lockset.nowhere.at.all", False),
    ],
)
def test_a_reference_is_a_module_or_a_name_in_one(reference: str, *, expected: bool) -> None:
    assert is_there(reference) == expected


def test_what_texts_refer_to_exists() -> None:
    references = {
        f"{path.relative_to(ROOT)}: {reference}": is_there(reference)
        for path in TEXTS
        for reference in re.findall(r"`(lockset(?:\.[A-Za-z_]+)+)`", path.read_text("utf-8"))
    }
    assert len(references) > 50
    assert [where for where, exists in references.items() if not exists] == []
