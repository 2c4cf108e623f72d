"""Each way in which a lock can be unsound is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lockset.errors import LocksetError
from lockset.markers import MarkerSet, described_target
from lockset.resolve.lock.verify import MissingFile, verify_lock
from lockset.resolve.problem.dependencies import Dependencies
from lockset.resolve.problem.requirement import RequirementOrigin, RootRequirement, parse_dependency
from support.worlds.small_world import PLATFORMS, old_lock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.version import Version

    from lockset.markers.universe import TargetInterpreter

NEEDS = {
    "a": ("b>=1", "c ; extra == 'x'"),
    "b": ("d ; sys_platform == 'win32'",),
    "loop": ("loop[x]", "a ; extra == 'x'"),
}


def sample(text: str) -> TargetInterpreter:
    python, platform = text.split()
    return described_target(PLATFORMS.get(platform, platform), python)


def root(text: str) -> RootRequirement:
    dependency = parse_dependency(text)
    origin = RequirementOrigin(name="project", version=None, text=dependency.text)
    return RootRequirement(dependency=dependency, region=dependency.marker, origin=origin)


def proved(
    entries: Sequence[str],
    roots: Sequence[str] = ("a",),
    *,
    samples: Sequence[str] = ("3.12 linux", "3.12 windows"),
    universe: MarkerSet | None = None,
    extras: Sequence[tuple[str, ...]] = ((),),
) -> tuple[MissingFile, ...]:
    def dependencies(name: str, version: Version) -> Dependencies:
        return Dependencies(parse_dependency(text) for text in NEEDS.get(name, ()))

    result = verify_lock(
        old_lock(entries),
        roots=[root(r) for r in roots],
        dependencies=dependencies,
        samples=[sample(s) for s in samples],
        choices=[(e, ()) for e in extras],
        universe=universe or MarkerSet.any(),
    )
    return tuple(result)


SOUND = ("a 1", "b 1", "d 1 ; sys_platform == 'win32'")


def test_a_sound_lock_passes() -> None:
    assert proved(SOUND) == ()
    assert proved((*SOUND, "c 1"), ["a[x]"]) == ()
    assert (
        proved((*SOUND, "loop 1", "c 1 ; 'e' in extras"), ["loop", "a[x] ; 'e' in extras"], extras=[(), ("e",)]) == ()
    )


@pytest.mark.parametrize(
    ("entries", "roots", "why"),
    [
        ((*SOUND, "a 2"), ["a"], "two entries of a apply"),
        (("b 1", "d 1 ; sys_platform == 'win32'"), ["a"], "the project requires a, and no entry of it applies"),
        (("a 1", "d 1 ; sys_platform == 'win32'"), ["a"], "a 1 requires b>=1, and no entry of it applies"),
        (("a 1", "b 1"), ["a"], "win_amd64, Python 3.12: b 1 requires d, and no entry of it applies"),
        (SOUND, ["a[x]"], "a 1 requires c, and no entry of it applies"),
        (SOUND, ["a>=2"], "the project requires a>=2, and 1 is locked"),
        (("a 1", "b 0.9", "d 1 ; sys_platform == 'win32'"), ["a"], "a 1 requires b>=1, and 0.9 is locked"),
        ((*SOUND, "e 1"), ["a"], "nothing requires e"),
        (("a 1", "b 1", "d 1"), ["a"], "manylinux_2_28_x86_64, Python 3.12: nothing requires d"),
        ((*SOUND, "c 1"), ["a"], "nothing requires c"),
        (SOUND, ["a ; sys_platform == 'win32'"], "manylinux_2_28_x86_64, Python 3.12: nothing requires a, b"),
    ],
)
def test_an_unsound_lock_is_refused(entries: Sequence[str], roots: Sequence[str], why: str) -> None:
    with pytest.raises(LocksetError) as caught:
        proved(entries, roots)
    assert caught.value.diagnostic.code == "internal-unsound"
    assert why in caught.value.diagnostic.message


def test_two_entries_of_a_name_may_apply_apart() -> None:
    assert (
        proved(
            ("b 1 ; sys_platform != 'win32'", "b 2 ; sys_platform == 'win32'", "d 1 ; sys_platform == 'win32'"), ["b"]
        )
        == ()
    )


def test_the_one_of_two_entries_that_nothing_requires_is_refused() -> None:
    with pytest.raises(LocksetError, match=r"Python 3\.12: nothing requires b"):
        proved(
            ("b 1 ; sys_platform != 'win32'", "b 2 ; sys_platform == 'win32'", "d 1 ; sys_platform == 'win32'"),
            ["b ; sys_platform == 'win32'"],
        )


def test_environments_outside_of_the_universe_do_not_count() -> None:
    assert proved(("b 1",), ["b"], universe=MarkerSet.parse("sys_platform == 'linux'")) == ()


def test_every_choice_of_extras_is_looked_at() -> None:
    with pytest.raises(LocksetError, match="requires e, and no entry"):
        proved(
            ("b 1 ; 'x' in extras",),
            ["b ; 'x' in extras", "e ; 'y' in extras"],
            extras=[("y",)],
            samples=["3.12 linux"],
        )


def test_an_entry_without_a_file_is_named_with_every_sample_it_lacks_one_in() -> None:
    result = verify_lock(
        old_lock(["b 1"], tags="py3-none-win_amd64"),
        roots=[root("b")],
        dependencies=lambda name, version: Dependencies(),
        samples=[sample(s) for s in ("3.12 windows", "3.12 linux", "3.13 macos")],
        choices=[((), ())],
        universe=MarkerSet.any(),
    )
    assert result == (MissingFile(name="b", version="1", samples=(sample("3.12 linux"), sample("3.13 macos"))),)


def test_a_marker_that_names_an_extra_in_another_spelling_is_evaluated_for_each_choice() -> None:
    choices = ((), ("some-extra",))
    entries, roots = ["a 1 ; 'Some.Extra' in extras", "b 1 ; 'Some.Extra' in extras"], ["a ; 'some_extra' in extras"]
    assert not proved(entries, roots, samples=["3.12 linux"], extras=choices)
    with pytest.raises(LocksetError, match="nothing requires a, b"):
        proved(["a 1", "b 1"], roots, samples=["3.12 linux"], extras=choices)
