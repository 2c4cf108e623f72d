"""The inventory of the store looks where the store writes."""

from __future__ import annotations

from lockset.sync.disk.store import archives, inventory, wheel_store


def test_the_folders_are_those_of_the_store() -> None:
    assert (inventory._WHEELS, inventory._ARCHIVES) == (wheel_store._FOLDER, archives._FOLDER)
