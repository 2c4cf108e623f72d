"""Two packages that own one path with different content: refused, or on request one file, told and recorded."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lockset.composition.sync_pipeline import InstallOptions, RemovalPolicy
from lockset.errors import LocksetError
from support.builders.locks import write_lock
from support.builders.wheel import make_wheel
from support.worlds.target_world import World, judge, tree

if TYPE_CHECKING:
    from lockset.composition.sync_pipeline import SyncResult
    from support.builders.archives import Artifact
    from support.command import Command


def owner(name: str, version: str = "1.0", *, shared: str | None = None, **files: str) -> Artifact:
    content = {f"{name}/__init__.py": f"{name}\n", f"{name}/more.py": version}
    if shared != "":
        content["cv/core.py"] = shared or f"of {name} {version}\n"
        content["cv/deep/data.txt"] = "the same of all\n"
    return make_wheel(name, version, files=content | files)


def overlapping(*names: str) -> InstallOptions:
    return InstallOptions(overlap=lambda: names)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(folder=tmp_path / "world", directory=str(tmp_path / "target"))


def core(world: World) -> str:
    return (library(world) / "cv/core.py").read_text()


def library(world: World) -> Path:
    return Path(str(world.directory))


def right(world: World, result: SyncResult, **versions: str) -> None:
    """What stands there is whole by RECORD, and the next sync has nothing to do."""
    assert judge(library(world)) == versions
    assert result.plan.blocked == ()


@pytest.mark.parametrize("names", [(), ("one",), ("two",), ("one", "three")])
def test_without_both_names_it_is_refused(world: World, names: tuple[str, ...]) -> None:
    with pytest.raises(LocksetError, match=r"both own `.*cv.core.py`, with different content") as caught:
        world.sync(owner("one"), owner("two"), install_options=overlapping(*names))
    assert "--allow-overlap one --allow-overlap two" in str(caught.value.diagnostic.hint)
    assert not library(world).exists()


@pytest.mark.parametrize("order", list(itertools.permutations(["one", "two", "three"])))
@pytest.mark.parametrize("wheels", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_one_named_last_wins_whatever_the_order_of_the_lock(
    world: World, order: tuple[str, ...], wheels: tuple[int, ...]
) -> None:
    made = [owner(name) for name in ("one", "two", "three")]
    result = world.sync(*(made[number] for number in wheels), install_options=overlapping(*order))
    assert core(world) == f"of {order[-1]} 1.0\n"
    assert {(one.owner, one.winner) for one in result.overlaps} == {(name, order[-1]) for name in order[:-1]}
    right(world, result, one="1.0", two="1.0", three="1.0")
    again = world.sync(*made, install_options=overlapping(*order))
    assert not again.changed
    assert again.overlaps == result.overlaps
    assert not world.sync(*made, check_only=True).plan.changes


def test_each_can_go_and_the_others_keep_or_get_back_their_files(world: World) -> None:
    one, two = owner("one"), owner("two")
    for going, staying in (("one", two), ("two", one)):
        world.sync(one, two, install_options=overlapping("one", "two"))
        assert core(world) == "of two 1.0\n"
        result = world.sync(staying)
        name = "two" if going == "one" else "one"
        assert core(world) == f"of {name} 1.0\n"
        assert result.overlaps == ()
        right(world, result, **{name: "1.0"})
        assert (library(world) / "cv/deep/data.txt").read_text() == "the same of all\n"
        assert not world.sync(staying).changed
    world.sync(one, two, install_options=overlapping("one", "two"))
    world.sync()
    assert tree(library(world)) == {}


def test_one_that_comes_later_takes_or_leaves_the_path_by_the_order(world: World) -> None:
    one, two = owner("one"), owner("two")
    for first, order in itertools.product((one, two), (("one", "two"), ("two", "one"))):
        world.sync(first)
        before = tree(library(world))
        with pytest.raises(LocksetError, match="both own"):
            world.sync(one, two)
        assert tree(library(world)) == before
        result = world.sync(one, two, install_options=overlapping(*order))
        assert core(world) == f"of {order[-1]} 1.0\n"
        right(world, result, one="1.0", two="1.0")
        assert not world.sync(one, two, install_options=overlapping(*order)).changed
        world.sync()


@pytest.mark.parametrize("shared", [None, "", "of two 1.0\n"])
@pytest.mark.parametrize("changed", ["one", "two"])
def test_a_change_of_either_leaves_every_file_right(world: World, changed: str, shared: str | None) -> None:
    """The new version has another file at the path, none at all, or the very file of the other."""
    old = {name: owner(name) for name in ("one", "two")}
    new = old | {changed: owner(changed, "2.0", shared=shared)}
    world.sync(*old.values(), install_options=overlapping("one", "two"))
    result = world.sync(*new.values(), install_options=overlapping("one", "two"))
    expected = "of two 1.0\n"
    if changed == "two":
        expected = {None: "of two 2.0\n", "": "of one 1.0\n", "of two 1.0\n": "of two 1.0\n"}[shared]
    assert core(world) == expected
    versions = {"one": "1.0", "two": "1.0"} | {changed: "2.0"}
    right(world, result, **versions)
    assert not world.sync(*new.values(), install_options=overlapping("one", "two")).changed
    fresh = World(folder=world.folder / "fresh", directory=str(world.folder / "fresh-target"))
    fresh.sync(*new.values(), install_options=overlapping("one", "two"))
    assert tree(library(world)) == tree(library(fresh))


def test_another_order_changes_whose_file_is_there(world: World) -> None:
    wheels = owner("one"), owner("two")
    world.sync(*wheels, install_options=overlapping("one", "two"))
    result = world.sync(*wheels, install_options=overlapping("two", "one"))
    assert core(world) == "of one 1.0\n"
    right(world, result, one="1.0", two="1.0")
    assert not world.sync(*wheels, install_options=overlapping("two", "one")).changed


@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_harm_to_the_shared_file_is_repaired(world: World, harm: str) -> None:
    wheels = owner("one"), owner("two")
    world.sync(*wheels, install_options=overlapping("one", "two"))
    path = library(world) / "cv/core.py"
    path.unlink()
    if harm == "changed":
        path.write_text("harm")
    result = world.sync(*wheels, install_options=overlapping("one", "two"))
    assert core(world) == "of two 1.0\n"
    right(world, result, one="1.0", two="1.0")


def test_kept_packages_outside_the_lock_are_not_overlapped(world: World) -> None:
    world.sync(owner("one"))
    before = tree(library(world))
    with pytest.raises(LocksetError, match="both own") as caught:
        world.sync(owner("two"), policy=RemovalPolicy(exact=False), install_options=overlapping("one", "two"))
    assert "--allow-overlap" not in str(caught.value.diagnostic.hint)
    assert tree(library(world)) == before


def test_commands_of_one_name_overlap_as_files_do(world: World) -> None:
    points = {"console_scripts": {"run": "one:main"}}
    wheels = make_wheel("one", entry_points=points), make_wheel("two", scripts={"run": "#!python\nprint(2)\n"})
    with pytest.raises(LocksetError, match="bin/run"):
        world.sync(*wheels)
    world.sync(*wheels, install_options=overlapping("two", "one"))
    assert "one" in (library(world) / "bin/run").read_text()
    assert (library(world) / "bin/run").stat().st_mode & 0o111
    world.sync(wheels[1])
    assert "print(2)" in (library(world) / "bin/run").read_text()


@pytest.mark.parametrize("where", ["option", "variable", "setting"])
def test_it_is_allowed_by_option_variable_or_setting_reported_each_time_and_recorded(
    cli: Command, tmp_path: Path, where: str
) -> None:
    write_lock(tmp_path / "pylock.toml", [owner("one"), owner("two")])
    options: dict[str, Any] = {"env": {}}
    arguments: list[str] = []
    if where == "option":
        arguments = ["--allow-overlap", "One", "--allow-overlap", "two"]
    elif where == "variable":
        options = {"env": {"LOCKSET_ALLOW_OVERLAP": "one two"}}
    else:
        text = '[project]\nname = "x"\nversion = "1"\n[tool.lockset]\nallow-overlap = ["one", "Two"]\n'
        (tmp_path / "pyproject.toml").write_text(text)
    for _ in range(3):
        result = cli.ok("sync", "--target", "out", *arguments, **options)
        assert "two and one both own `cv/core.py`, with different content: two's is installed" in result.stderr
    assert "both own" in cli.ok("check-env", "--target", "out").stderr
    report = cli.ok("sync", "--target", "out", "--json", *arguments, **options).json()
    assert report["overlaps"] == [{"path": "cv/core.py", "owner": "one", "winner": "two"}]
    note = json.loads((tmp_path / "out/one-1.0.dist-info/lockset.json").read_text())
    assert note == {"overlapped": {"cv/core.py": "two"}}


@pytest.mark.parametrize("seed", range(6))
def test_the_target_equals_a_fresh_sync_whatever_it_contained(world: World, seed: int) -> None:
    chance = random.Random(seed)
    contents = ["", "first\n", "second\n", None]
    for number in range(6):
        names = chance.sample(["one", "two", "three"], chance.randint(0, 3))
        made = [owner(name, chance.choice(["1.0", "2.0"]), shared=chance.choice(contents)) for name in names]
        order = chance.sample(["one", "two", "three"], 3)
        result = world.sync(*made, install_options=overlapping(*order))
        again = world.sync(*made, install_options=overlapping(*order))
        assert not again.changed
        assert again.overlaps == result.overlaps
        fresh = World(folder=world.folder / f"fresh-{number}", directory=str(world.folder / f"target-{number}"))
        fresh.sync(*made, install_options=overlapping(*order))
        assert tree(library(world)) == tree(library(fresh)), (seed, number)
