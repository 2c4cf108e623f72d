"""Which digests verify a file: known ones of the right length, with a strong one among them."""

from __future__ import annotations

import hashlib

import pytest

from lockset.errors import HashMissingError, LocksetError
from lockset.hashes import STRONG_ALGORITHMS, WEAK_ALGORITHMS, strong_digests


@pytest.mark.parametrize("algorithm", sorted(STRONG_ALGORITHMS))
def test_the_length_of_each_strong_hash_is_that_of_hashlib(algorithm: str) -> None:
    digest = hashlib.new(algorithm, b"x").hexdigest()
    assert [(d.algorithm, d.value) for d in strong_digests({algorithm.upper(): digest.upper()}, what="x")] == [
        (algorithm, digest)
    ]


@pytest.mark.parametrize("hashes", [{}, {"md5": "0" * 32}, {"sha1": "0" * 40, "md5": "0" * 32}, {"crc32": "0" * 8}])
def test_a_file_without_a_strong_hash_is_refused(hashes: dict[str, str]) -> None:
    with pytest.raises(HashMissingError, match=", ".join(sorted(hashes)) or "none"):
        strong_digests(hashes, what="x")


@pytest.mark.parametrize("algorithm", [*STRONG_ALGORITHMS, *WEAK_ALGORITHMS])
@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: d + "0", lambda d: "g" + d[1:], lambda d: " " + d[1:]])
def test_a_digest_that_is_not_one_of_its_algorithm_is_refused(algorithm: str, change: object) -> None:
    assert callable(change)
    wrong = change(hashlib.new(algorithm, b"x", usedforsecurity=False).hexdigest())
    with pytest.raises(LocksetError) as caught:
        strong_digests({"sha256": "0" * 64} | {algorithm: wrong}, what="x")
    assert caught.value.diagnostic.code == "hash-malformed"


def test_a_weak_or_unknown_hash_next_to_a_strong_one_does_no_harm() -> None:
    digests = strong_digests({"md5": "0" * 32, "sha256": "1" * 64, "odd": "x"}, what="x")
    assert [digest.algorithm for digest in digests] == ["sha256", "md5"]
