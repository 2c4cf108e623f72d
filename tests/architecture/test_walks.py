"""A small job stays a short walk: how many files of lockset it enters, and how often it moves between them.

`walks.py` says what is counted, and shows with `--pairs` between which files the moves are. What exceeds a limit does
again and again what could be done once, or passes through layers that only pass on.
"""

from __future__ import annotations

import sys

import pytest

from architecture.walks import JOBS, Walk, walks

# Files and moves, a little above what they are.
MOST = {"lock": (85, 1_160), "convert": (60, 410), "validate": (25, 196), "sync": (53, 249)}


@pytest.fixture(scope="module")
def counted() -> dict[str, Walk]:
    return walks()


@pytest.mark.skipif(sys.platform == "win32", reason="counted on POSIX systems")
@pytest.mark.parametrize("job", JOBS)
def test_a_small_job_is_a_short_walk(counted: dict[str, Walk], job: str) -> None:
    files, moves = MOST[job]
    assert len(counted[job].calls) <= files, sorted(counted[job].calls)
    assert counted[job].moves.total() <= moves, counted[job].moves.most_common(20)


def test_the_same_job_is_the_same_walk(counted: dict[str, Walk]) -> None:
    assert walks(["validate"])["validate"] == counted["validate"]
