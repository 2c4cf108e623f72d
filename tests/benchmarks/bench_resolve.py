"""Locks of generated worlds: the search, the proof and the text, without network and metadata to parse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.generated_world import CHOICES, generated_world

if TYPE_CHECKING:
    from benchmarks.runner import Benchmark


@pytest.mark.parametrize("kind", CHOICES)
@pytest.mark.parametrize("size", [100, 200, 400, 800])
def test_lock(benchmark: Benchmark, size: int, kind: str) -> None:
    world = generated_world(size)
    result = benchmark.pedantic(lambda: world.lock(CHOICES[kind]), rounds=5, warmup_rounds=1)
    assert len(result.lock.packages) > size // 2
