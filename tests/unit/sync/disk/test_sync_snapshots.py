"""What is remembered of a target only saves time: without it, or where it is wrong, files are looked at again."""

from __future__ import annotations

import marshal
import os
from typing import TYPE_CHECKING, Any

import pytest

from lockset.files.record_store import get_parts, put_parts
from lockset.sync.disk.inspect import snapshot
from lockset.sync.target import Layout
from support.builders.wheel import make_wheel
from support.worlds.target_world import World, judge

if TYPE_CHECKING:
    from pathlib import Path

WHEELS = [make_wheel("one", files={"one.py": "x", "one_more/a.py": "y"}), make_wheel("two", files={"two.py": "z"})]


@pytest.fixture
def world(tmp_path: Path) -> World:
    result = World(folder=tmp_path, directory=str(tmp_path / "target"))
    result.sync(*WHEELS)
    return result


def remembered(world: World) -> Path:
    (path,) = (world.folder / "cache/targets-v1").iterdir()
    return path


def key(world: World) -> Any:
    return snapshot._FORMAT, Layout.of_directory(os.path.realpath(world.folder / "target")).roots


def rows_of(world: World) -> Any:
    stored = get_parts(str(remembered(world)), key(world))
    assert stored is not None
    return stored


@pytest.mark.parametrize(
    "row",
    [
        b"",
        b"nothing that marshal writes",
        marshal.dumps(None),
        marshal.dumps(("facts", ())),
        marshal.dumps((("one",) * 9, (("/", "x"),))),
        marshal.dumps((("one",) * 9, (("/", "x\0y", "z", (1,), (1,)),))),
    ],
)
def test_a_row_that_cannot_be_read_costs_only_time(world: World, row: bytes) -> None:
    stamps, _ = rows_of(world)
    put_parts(str(remembered(world)), key(world), stamps, [row] * len(stamps))
    assert not world.sync(*WHEELS).changed
    assert judge(world.folder / "target") == {"one": "1.0", "two": "1.0"}


def test_what_a_sync_remembers_is_what_a_scan_finds(world: World) -> None:
    """The rows of new distributions come from the store, those of a scan from RECORD."""

    def rows() -> dict[str, Any]:
        stamps, found = rows_of(world)
        unpacked = {info: (stamp, marshal.loads(row)) for (info, stamp), row in zip(stamps, found, strict=True)}
        files = {
            info: sorted(
                (above + name, digest, size, time)
                for above, names, hashes, sizes, times in columns
                for name, digest, size, time in zip(names.split("\0"), hashes.split("\0"), sizes, times, strict=True)
            )
            for info, (_, (_, columns)) in unpacked.items()
        }
        return {info: (stamp, facts, files[info]) for info, (stamp, (facts, _)) in unpacked.items()}

    after_install = rows()
    remembered(world).unlink()
    assert not world.sync(*WHEELS).changed
    assert rows() == after_install


def test_only_what_is_changed_is_read_again(world: World) -> None:
    (world.folder / "target/two.py").write_text("other")
    plan = world.sync(*WHEELS).plan
    assert [step.name for step in plan.changes] == ["two"]
    assert judge(world.folder / "target") == {"one": "1.0", "two": "1.0"}
