"""What users of the last release call is still there, with the parameters it had."""

from __future__ import annotations

from contracts.public_api import RECORD, breakages, current


def test_nothing_that_the_last_release_had_is_gone_or_needs_more() -> None:
    assert breakages() == []


def test_the_record_is_that_of_all_public_names() -> None:
    # A name that is new is recorded by `python tests/contracts/public_api.py --write`, and told of in the changelog.
    assert current() == RECORD.read_text("utf-8")
