"""The inventory of the store looks where the store writes."""

from __future__ import annotations

from lockset.sync.disk.store import archives, inventory
from lockset.sync.target import STORE_FOLDER


def test_the_folders_are_those_of_the_store() -> None:
    assert (inventory._WHEELS, inventory._ARCHIVES) == (STORE_FOLDER, archives._FOLDER)
