"""Failures as people read them: one world and one text each. `LOCKSET_UPDATE_GOLDEN=1` writes the texts anew."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lockset.errors import LocksetError
from support.worlds.small_world import SmallWorld

if TYPE_CHECKING:
    from lockset.errors import Diagnostic

WORLDS = sorted(Path(__file__).parent.glob("*.toml"))
UPDATE = bool(os.environ.get("LOCKSET_UPDATE_GOLDEN"))


def told(diagnostic: Diagnostic) -> str:
    """Message, context and hint as the command shows them, without colours."""
    lines = [f"{diagnostic.code}: {diagnostic.message}", *(f"  {line}" for line in diagnostic.context)]
    return "\n".join([*lines, *([f"hint: {diagnostic.hint}"] if diagnostic.hint else [])]) + "\n"


@pytest.mark.parametrize("path", WORLDS, ids=[path.stem for path in WORLDS])
def test_a_failure_reads_as_it_did(path: Path) -> None:
    world = SmallWorld.read(path.read_text(encoding="utf-8"))
    with pytest.raises(LocksetError) as caught:
        world.lock()
    text = told(caught.value.diagnostic)
    golden = path.with_suffix(".txt")
    if UPDATE:
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_every_text_has_its_world() -> None:
    texts = {path.stem for path in Path(__file__).parent.glob("*.txt")}
    assert texts == {path.stem for path in WORLDS}
