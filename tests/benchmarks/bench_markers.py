"""The algebra of marker sets, from nothing each time: parsed, joined, met, told apart, written as text."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from benchmarks.generated_world import MARKERS
from lockset.markers import MarkerSet, possible

if TYPE_CHECKING:
    from benchmarks.runner import Benchmark


def regions() -> list[MarkerSet]:
    """Unions of a Python range, a platform and a choice, some hundred of them."""
    pythons = [f"python_version >= '3.{minor}'" for minor in range(9, 14)]
    choices = ["'x' in extras", "'y' in extras and 'dev' in dependency_groups"]
    return [MarkerSet.parse(f"({p}) and ({m}) or ({c})") for p, m, c in product(pythons, MARKERS, choices)]


def test_parse_again(benchmark: Benchmark) -> None:
    assert len(benchmark(regions)) == 80


def test_operations_that_were_done_before(benchmark: Benchmark) -> None:
    sets = regions()
    assert benchmark(lambda: sum((a & b).is_empty or (a | b).is_full or a.implies(b) for a in sets for b in sets)) >= 80


def test_text(benchmark: Benchmark) -> None:
    universe = possible() & MarkerSet.of_python(">=3.10")
    sets = [region for region in regions() if not (region & universe).is_empty]
    assert benchmark(lambda: [region.text(universe) for region in sets])
