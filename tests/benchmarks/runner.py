"""What the fixture `benchmark` of pytest-benchmark offers, as far as it is used here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Benchmark"]

T = TypeVar("T")


class Benchmark(Protocol):
    """Measures a function."""

    def __call__(self, function: Callable[[], T]) -> T:
        """Call `function` as often as it takes to tell its time; what it returned last."""

    def pedantic(self, target: Callable[[], T], *, rounds: int, warmup_rounds: int) -> T:
        """Call `target` just so often."""
