"""How many requests a lock from an empty cache makes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.command import Command
    from support.local_index import LocalIndex


def lock(cli: Command, index: LocalIndex, *names: str) -> None:
    cli.ok("lock", "-", "--python", ">=3.10", "-i", index.url, stdin="".join(f"{name}\n" for name in names))


def releases_read(index: LocalIndex, name: str) -> set[str]:
    """The versions of a project of which any file was requested."""
    matches = (re.search(rf"/{name}-([0-9.]+)-py3", path) for path in index.paths())
    return {match[1] for match in matches if match is not None}


def test_releases_that_only_a_release_which_does_not_fit_admits_are_not_read(
    cli: Command, local_index: LocalIndex
) -> None:
    world = local_index.world.add("old", requires=["core<2"]).add("core", "1.0").add("core", "2.0")
    for part in ("one", "two", "three"):
        for minor in range(9):
            world.add(part, f"1.{minor}")
    for minor in range(6):
        world.add("app", f"1.{minor}", requires=[f"core=={1 + bool(minor)}.0", *(f"{p}==1.{minor}" for p in PARTS)])
    lock(cli, local_index, "old", "app")
    assert releases_read(local_index, "app") == {f"1.{minor}" for minor in range(6)}
    # The newest app was tried; of the others only their requirements were of interest.
    for part in PARTS:
        assert releases_read(local_index, part) <= {"1.8", "1.5", "1.0"}


PARTS = ("one", "two", "three")


def test_metadata_files_that_mostly_miss_are_not_requested_where_files_can_be_read_in_pieces(
    cli: Command, local_index: LocalIndex
) -> None:
    local_index.set_mode(metadata_marked=False)
    last = ""
    for number in range(40):
        last = f"p{number:02}"
        local_index.world.add(last, requires=[f"p{number + 1:02}"] if number < 39 else [])
        if number % 3:
            local_index.fault(f"*/{last}-*.metadata", times=None, status=404)
    lock(cli, local_index, "p00")
    probes = len(local_index.paths(part=".metadata"))
    local_index.forget()
    local_index.set_mode(ranges=False)
    cli.ok("lock", "-", "--no-cache", "-o", "pylock.b.toml", "--python", ">=3.10", "-i", local_index.url, stdin="p00\n")
    assert probes < 10
    assert len(local_index.paths(part=".metadata")) == 40
