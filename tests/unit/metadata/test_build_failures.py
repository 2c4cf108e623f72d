"""A build that failed is remembered for all that decides on it, for a day, unless it is to be tried again."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.version import Version

from lockset.errors import BuildFailedError, LocksetError
from lockset.index.pages.project_page import unlisted_file
from lockset.metadata.retrieve import BuildFailures

NAME = "hull-1.0.tar.gz"
FILE = unlisted_file(
    filename=NAME,
    project="hull",
    version=Version("1.0"),
    url=f"https://files.example.org/{NAME}",
    hashes={"sha256": "a" * 64},
)
FAILED = BuildFailedError("hull does not build", context=("no compiler",), hint="Use another release")
HOUR = 3600


class Kept:
    def __init__(self) -> None:
        self.data: dict[tuple[str, str], bytes] = {}

    def get(self, kind: str, key: str) -> bytes | None:
        return self.data.get((kind, key))

    def put(self, kind: str, key: str, data: bytes) -> None:
        self.data[kind, key] = data


def memory(store: Kept, *, fingerprint: str = "python 3.12", now: float = 0, **more: Any) -> BuildFailures:
    return BuildFailures(store, fingerprint=lambda: fingerprint, now=now, **more)


@pytest.fixture
def store() -> Kept:
    kept = Kept()
    memory(kept).put(FILE, FAILED)
    return kept


def test_the_next_run_hears_of_the_failure_and_how_to_try_again(store: Kept) -> None:
    with pytest.raises(LocksetError) as caught:
        memory(store, now=23 * HOUR).refuse_known(FILE)
    message = caught.value.diagnostic
    assert (message.code, message.context, message.hint) == ("build-failed", ("no compiler",), "Use another release")
    assert message.message == "hull does not build (in an earlier run; `--refresh` tries again)"


def test_it_is_tried_again_after_a_day_with_refresh_and_where_something_else_decides(store: Kept) -> None:
    memory(store, now=25 * HOUR).refuse_known(FILE)
    memory(store, now=-HOUR).refuse_known(FILE)
    memory(store, refresh=True).refuse_known(FILE)
    memory(store, fingerprint="python 3.13").refuse_known(FILE)
    memory(store).refuse_known(FILE._replace(stated_hashes="b" * 64))


@pytest.mark.parametrize("hashes", [{}, {"md5": "a" * 32}])
def test_a_file_without_a_strong_hash_has_no_memory(hashes: dict[str, str]) -> None:
    kept, file = Kept(), FILE._replace(stated_hashes=tuple(hashes.items()))
    memory(kept).put(file, FAILED)
    assert not kept.data
    memory(kept).refuse_known(file)


@pytest.mark.parametrize("code", ["offline", "build-environment", "archive-refused", "hash-mismatch"])
def test_only_failures_of_the_package_itself_are_cached(code: str) -> None:
    kept = Kept()
    memory(kept).put(FILE, LocksetError(code, "no network"))
    assert not kept.data


def test_a_builder_without_identity_is_always_tried() -> None:
    kept = Kept()
    memory(kept, fingerprint="").put(FILE, FAILED)
    assert not kept.data


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"null", b"[0, 1, 2, 3, 4]", b'["x", "build-failed", 1, 2, 3]', b"\xff"]
)
def test_a_damaged_cache_entry_is_ignored(data: bytes, store: Kept) -> None:
    for key in store.data:
        store.data[key] = data
    memory(store).refuse_known(FILE)
