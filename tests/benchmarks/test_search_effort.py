"""What a search costs, in decisions: the same on every computer."""

from __future__ import annotations

import pytest

from benchmarks.generated_world import CHOICES, generated_world
from benchmarks.many_extras import many_extras

# Extras and groups that exclude one another, a family of packages that pin each other, one of which is behind.
SIZES = (1, 4, 16)


@pytest.fixture(scope="module")
def decisions() -> dict[int, tuple[int, int]]:
    """For each number of extras, the decisions of the search and the parts that it divided the universe into."""
    statistics = {size: many_extras(size).lock().resolution.statistics for size in SIZES}
    return {size: (each.rounds, each.parts) for size, each in statistics.items()}


@pytest.mark.parametrize("size", SIZES)
def test_decisions_grow_with_the_extras_and_not_with_their_combinations(
    decisions: dict[int, tuple[int, int]], size: int
) -> None:
    assert decisions[size][0] <= 300 + 20 * size


@pytest.mark.parametrize("size", SIZES)
def test_extras_that_fit_together_are_solved_together(decisions: dict[int, tuple[int, int]], size: int) -> None:
    assert decisions[size][1] == 1


@pytest.mark.parametrize("size", [100, 400, 800])
@pytest.mark.parametrize(("choices", "most"), [("single", 1.25), ("universal", 1.75)])
def test_decisions_grow_with_the_packages(choices: str, most: float, size: int) -> None:
    statistics = generated_world(size, seed=0).lock(CHOICES[choices]).resolution.statistics
    assert statistics.rounds <= most * size
