"""Every world in this folder: the lock it expects, and laws that hold for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.specifiers import SpecifierSet

from lockset.errors import LocksetError
from support.worlds.referee import Referee
from support.worlds.small_world import Notes, SmallWorld, entries, selected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.lockfile.model import Pylock

WORLDS = sorted(Path(__file__).parent.glob("*.toml"))
TEXTS = {path: path.read_text(encoding="utf-8") for path in WORLDS}
SOLVABLE = [path for path, text in TEXTS.items() if "\n[failure]" not in text and "\nunsolved" not in text]
KEYS = {
    *("project", "dependency-groups", "tool", "choices", "before"),
    *("packages", "sources", "expect", "lock", "failure", "unsolved"),
}
# Not claimed by the lock, or (told when locking) nobody has a file for it.
HONEST_REFUSALS = {"python-not-supported", "environment-not-supported", "no-usable-file"}
GRID = tuple(
    f"{python} {rest}"
    for python in ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
    for rest in ("linux", "windows", "macos", "linux_aarch64", "linux pypy", "windows pypy")
)


def world_of(path: Path) -> SmallWorld:
    return SmallWorld.read(TEXTS[path])


def ids(paths: Sequence[Path]) -> list[str]:
    return [path.stem for path in paths]


@pytest.mark.parametrize("path", WORLDS, ids=ids(WORLDS))
def test_the_world_has_the_lock_or_the_failure_it_declares(path: Path, request: pytest.FixtureRequest) -> None:
    world = world_of(path)
    assert set(world.data) <= KEYS
    if "unsolved" in world.data:
        request.applymarker(pytest.mark.xfail(reason=world.data["unsolved"], strict=True))
    notes = Notes()
    if "failure" in world.data:
        with pytest.raises(LocksetError) as caught:
            world.lock(listener=notes)
        check_failure(caught.value, world.data["failure"])
        return
    result = world.lock(listener=notes)
    check_lock(result.lock, world.data.get("lock", {}), notes.texts)
    assert [f"{g.name} {g.version}" for g in result.gaps] == world.data.get("lock", {}).get("gaps", [])
    if "warnings" in world.data.get("lock", {}):
        assert [g.text for g in result.gaps] == world.data["lock"]["warnings"]
    if "never-built" in world.data.get("lock", {}):
        assert world.metadata.built_releases == []
    assert world.data["expect"], "a world expects something"
    for expectation in world.data["expect"]:
        check_selection(result.lock, expectation)


def check_failure(error: LocksetError, expected: dict[str, Any]) -> None:
    result = error.diagnostic
    assert result.code == expected.get("code", "no-resolution")
    assert expected["says"], "a failure says something"
    message = "\n".join((result.message, *result.context, result.hint or ""))
    for text in expected["says"]:
        assert text in message, message
    for text in expected.get("never", ()):
        assert text not in message, message


def check_lock(pylock: Pylock, expected: dict[str, Any], notes: list[str]) -> None:
    assert set(expected) <= {"entries", "requires-python", "notes", "gaps", "warnings", "never-built"}
    if "entries" in expected:
        assert entries(pylock) == expected["entries"]
    if "requires-python" in expected:
        assert pylock.requires_python == SpecifierSet(expected["requires-python"])
    for text in expected.get("notes", ()):
        assert any(text in note for note in notes), notes


def check_selection(pylock: Pylock, expected: dict[str, Any]) -> None:
    assert set(expected) <= {"on", "select", "extras", "groups", "refused"}
    for environment in expected.get("on", ["3.12 linux"]):
        choice = {"extras": expected.get("extras", ()), "groups": groups(pylock, expected.get("groups", ()))}
        if "refused" in expected:
            with pytest.raises(LocksetError) as caught:
                selected(pylock, environment, **choice)
            assert caught.value.diagnostic.code == expected["refused"]
        else:
            assert selected(pylock, environment, **choice) == expected["select"], environment


def groups(pylock: Pylock, named: Sequence[str]) -> list[str] | None:
    """The default groups and those named; `only` in front leaves the default ones out."""
    if named and named[0] == "only":
        return list(named[1:])
    return [*(pylock.default_groups or ()), *named] if named else None


@pytest.mark.parametrize("path", SOLVABLE, ids=ids(SOLVABLE))
def test_the_lock_holds_in_every_environment_it_claims(path: Path) -> None:
    world = world_of(path)
    result = world.lock().lock
    for environment in GRID:
        for extras, chosen_groups in choices(world, result):
            chosen = selected_or_refused(result, environment, extras, chosen_groups)
            if chosen is not None:
                Referee(world, environment).check(dict(c.split() for c in chosen), extras, chosen_groups)


def selected_or_refused(
    pylock: Pylock, environment: str, extras: Sequence[str], chosen_groups: Sequence[str]
) -> list[str] | None:
    """What is installed; None for an honest refusal."""
    try:
        return selected(pylock, environment, extras=extras, groups=chosen_groups)
    except LocksetError as error:
        if error.diagnostic.code not in HONEST_REFUSALS:
            raise
        return None


def choices(world: SmallWorld, pylock: Pylock) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The default choice, each extra and each group with it, each group alone."""
    default = tuple(pylock.default_groups or ())
    yield (), default
    for extra in pylock.extras or ():
        yield (extra,), default
    for group in pylock.dependency_groups or ():
        yield (), (*default, group)
        yield (), (group,)


@pytest.mark.parametrize("path", SOLVABLE, ids=ids(SOLVABLE))
def test_locking_again_over_its_own_lock_gives_the_same_bytes(path: Path) -> None:
    world = world_of(path)
    first = world.lock()
    assert world.lock(old=first.lock).text == first.text


@pytest.mark.parametrize("path", SOLVABLE, ids=ids(SOLVABLE))
def test_the_order_in_which_an_index_lists_files_does_not_matter(path: Path) -> None:
    world = world_of(path)
    turned = {name: dict(reversed([*releases.items()])) for name, releases in reversed([*world.packages.items()])}
    assert SmallWorld({**world.data, "packages": turned}).lock().text == world.lock().text
