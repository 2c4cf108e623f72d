"""What is spent on explaining a failure is bounded, search by search and in all."""

from __future__ import annotations

import pytest

from lockset.resolve.effort import Effort, SpentError
from universes.small_world import SmallWorld


def test_a_search_ends_at_its_share_and_the_rest_goes_on() -> None:
    effort = Effort(10)
    effort.begin(3)
    for _ in range(3):
        effort.step("a")
    with pytest.raises(SpentError):
        effort.step("a")
    effort.begin(100)
    for _ in range(6):
        effort.step("a")
    with pytest.raises(SpentError):
        effort.step("a")
    assert effort.left < 0


def test_trials_count_their_decisions() -> None:
    effort = Effort(1000)
    effort.begin(1000)
    world = SmallWorld.read(WORLD)
    world.lock(listener=effort)
    assert effort.left < 1000, "without a decision that is told, nothing would bound the trials"


WORLD = """
[project]
requires-python = ">=3.12,<3.13"
dependencies = ["a>=2", "b"]
[packages]
a = { "1" = {}, "2" = {} }
b = { "1" = { requires = ["a<3"] } }
"""
