"""The algebra of marker sets: on sets that were never seen before, and on those that were."""

from __future__ import annotations

from itertools import count, product
from typing import TYPE_CHECKING

from benchmarks.generated_world import MARKERS
from lockset.markers import MarkerSet, possible

if TYPE_CHECKING:
    from benchmarks.runner import Benchmark

_FRESH = count()


def regions(version: str = "1") -> list[MarkerSet]:
    """Unions of a Python range with a platform and of choices, within one kernel: 80 of them."""
    pythons = [f"python_version >= '3.{minor}'" for minor in range(9, 14)]
    choices = ["'x' in extras", "'y' in extras and 'dev' in dependency_groups"]
    kernel = f"platform_version == '{version}'"
    return [
        MarkerSet.parse(f"{kernel} and (({p}) and ({m}) or ({c}))") for p, m, c in product(pythons, MARKERS, choices)
    ]


def compared(sets: list[MarkerSet]) -> int:
    """How many pairs are disjoint, full together, or imply one another."""
    return sum((a & b).is_empty or (a | b).is_full or a.implies(b) for a in sets for b in sets)


def test_never_seen(benchmark: Benchmark) -> None:
    assert benchmark.pedantic(lambda: compared(regions(str(next(_FRESH)))), rounds=10, warmup_rounds=1) >= 80


def test_seen(benchmark: Benchmark) -> None:
    assert benchmark(lambda: compared(regions())) >= 80


def test_text_of_sets_never_seen(benchmark: Benchmark) -> None:
    universe = possible() & MarkerSet.of_python(">=3.10")

    def texts() -> list[str | None]:
        return [region.text(universe) for region in regions(f"t{next(_FRESH)}")]

    assert len(benchmark.pedantic(texts, rounds=10, warmup_rounds=1)) == 80
