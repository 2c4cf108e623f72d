"""How the time of a lock grows with the number of packages: `PYTHONPATH=tests python -m benchmarks.growth`.

Prints processor seconds for worlds of 100, 200, 400 and 800 packages (or the sizes given), the median over a few
worlds of each size, and the exponent e of `time = c * packages ** e` that fits best: 1 is linear.
"""

from __future__ import annotations

import gc
import sys
from math import log
from statistics import fmean, median
from time import process_time

from benchmarks.generated_world import CHOICES, generated_world

_SEEDS = range(5)


def main() -> None:
    # As the command has it: nothing of a search is garbage before it ends.
    gc.freeze()
    gc.set_threshold(200_000, 50, 100)
    sizes = [int(text) for text in sys.argv[1:]] or [100, 200, 400, 800]
    for kind, choices in CHOICES.items():
        print(kind)
        times: list[float] = []
        for size in sizes:
            taken: list[float] = []
            decisions: list[int] = []
            conflicts: list[int] = []
            for seed in _SEEDS:
                world = generated_world(size, seed)
                world.lock(choices)
                begun = process_time()
                result = world.lock(choices)
                taken.append(process_time() - begun)
                decisions.append(result.resolution.statistics.rounds)
                conflicts.append(result.resolution.statistics.conflicts)
            times.append(median(taken))
            print(
                f"  {size:5} packages {times[-1]:7.3f} s ({min(taken):.3f} to {max(taken):.3f}),"
                f" {1000 * times[-1] / size:.2f} ms each; {median(decisions)} decisions, {median(conflicts)} conflicts",
                flush=True,
            )
        print(f"  time grows as packages ** {exponent(sizes, times):.2f}")


def exponent(sizes: list[int], times: list[float]) -> float:
    """The slope of the line that fits the logarithms best."""
    x, y = [log(size) for size in sizes], [log(time) for time in times]
    mean_x, mean_y = fmean(x), fmean(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum((a - mean_x) ** 2 for a in x)


if __name__ == "__main__":
    main()
