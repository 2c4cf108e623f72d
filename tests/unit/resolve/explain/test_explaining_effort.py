"""What is spent on explaining a failure is bounded, search by search and in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lockset.errors import LocksetError
from lockset.resolve.explain.minimal_conflict import TrialRunner
from lockset.resolve.solver.budget import BudgetSpentError, SearchBudget
from support.worlds.small_world import SmallWorld

if TYPE_CHECKING:
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.releases.repository import AdjustableRepository
    from lockset.resolve.solver.resolution import Pins


def test_a_search_ends_at_its_share_and_the_rest_goes_on() -> None:
    effort = SearchBudget(10)
    effort.begin(3)
    for _ in range(3):
        effort.step("a")
    with pytest.raises(BudgetSpentError):
        effort.step("a")
    effort.begin(100)
    for _ in range(6):
        effort.step("a")
    with pytest.raises(BudgetSpentError):
        effort.step("a")
    assert effort.left < 0


def test_trials_count_their_decisions() -> None:
    effort = SearchBudget(1000)
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


TWO_GROUPS = """
[project]
requires-python = ">=3.10,<3.14"
dependencies = ["a"]
[dependency-groups]
build = ["wheels==2"]
docs = ["pages==2"]
[packages]
a = { "1" = {} }
wheels = { "1" = {}, "2" = { requires-python = ">=3.11" } }
pages = { "1" = {}, "2" = { requires-python = ">=3.12" } }
"""


def test_a_failure_has_proposals_when_trials_exhaust_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two groups fail at once: no change for the one is enough, and trying that on all others may cost everything."""
    tried = []

    def everywhere(laboratory: TrialRunner, request: LockRequest, repository: AdjustableRepository) -> Pins | None:
        tried.append(len(request.roots))
        if len(request.roots) > 1:
            laboratory._budget.left -= 6_000  # a project of hundreds of packages
        return result(laboratory, request, repository)

    result = TrialRunner.everywhere
    monkeypatch.setattr(TrialRunner, "everywhere", everywhere)
    with pytest.raises(LocksetError) as caught:
        SmallWorld.read(TWO_GROUPS).lock()
    hint = caught.value.diagnostic.hint or ""
    assert "it is not the only one" in hint
    assert "`--no-group build`" in hint
    assert tried.count(3) == 2, "Python 3.10 and 3.11; all other changes fail where one of these did"
