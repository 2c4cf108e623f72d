"""Each reader of hostile input takes any bytes: it answers, or refuses with a `LocksetError`."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.run import mutated, run_once
from fuzz.targets import SEEDS, TARGETS


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    run_once(name, data)


@pytest.mark.parametrize("name", TARGETS)
@given(seed=st.integers(0, 2**32))
def test_mutated_input_is_read_or_refused(name: str, seed: int) -> None:
    run_once(name, mutated(SEEDS.get(name, b"{}"), random.Random(seed)))


@pytest.mark.parametrize("name", SEEDS)
def test_every_seed_is_valid_input(name: str) -> None:
    TARGETS[name](SEEDS[name])
