"""Random worlds in which a project comes by URL somewhere: what is locked holds, and what fails has no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

from lockset.errors import LocksetError
from support.strategies.source_worlds import ENVIRONMENTS, asked_by_url, has_answer, worlds
from support.worlds.referee import Referee
from support.worlds.small_world import SmallWorld, selected

if TYPE_CHECKING:
    from lockset.composition.lock_assembly import LockResult


def locked(world: SmallWorld) -> LockResult | LocksetError:
    try:
        return world.lock()
    except LocksetError as error:
        return error


@given(worlds())
def test_locks_are_sound_and_failures_have_no_solution(world: SmallWorld) -> None:
    result = locked(world)
    if isinstance(result, LocksetError):
        assert result.diagnostic.code in {"no-resolution", "sources-disagree"}, result
        assert not all(has_answer(world, environment) for environment in ENVIRONMENTS), result.diagnostic
        return
    for environment in ENVIRONMENTS:
        chosen = dict(release.split() for release in selected(result.lock, environment))
        Referee(world, environment).check(chosen, (), ())
        by_url = asked_by_url(world, environment)
        if "a" in chosen:
            assert ({chosen["a"]} == by_url) if by_url else chosen["a"] in {"1.0", "2.0"}
    assert world.lock(old=result.lock).text == result.text
