"""Digests: which algorithms count, and a reader that fails on a mismatch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["STRONG_ALGORITHMS", "WEAK_ALGORITHMS", "Digest", "Verifier", "quick_sha256", "strong_digests"]

# Digest length in bytes of every algorithm accepted on its own. Order is preference.
STRONG_ALGORITHMS: Mapping[str, int] = {
    "sha256": 32,
    "sha384": 48,
    "sha512": 64,
    "sha3_256": 32,
    "sha3_384": 48,
    "sha3_512": 64,
    "blake2b": 64,
    "blake2s": 32,
}
# Known, checked where given, never enough alone.
WEAK_ALGORITHMS: Mapping[str, int] = {"md5": 16, "sha1": 20, "sha224": 28, "sha3_224": 28}

_HEX = frozenset("0123456789abcdef")


class Digest(NamedTuple):
    """One hash of a file; both fields in lower case, the length of `value` fits `algorithm`."""

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"


def strong_digests(hashes: Mapping[str, str], *, what: str) -> tuple[Digest, ...]:
    """The known digests among `hashes`, at least one of them strong.

    All of them must hold for the bytes. Unknown algorithms are passed over. `what` names the file in errors.

    Raises:
        LocksetError: `hash-missing` where no strong digest is among them, `hash-malformed` where a known one
            has the wrong length or is not hexadecimal.
    """
    found: list[Digest] = []
    for name, value in hashes.items():
        algorithm = name.lower()
        length = STRONG_ALGORITHMS.get(algorithm) or WEAK_ALGORITHMS.get(algorithm)
        if length is None:
            continue
        digest = value.lower()
        if len(digest) != 2 * length or not _HEX.issuperset(digest):
            raise LocksetError(
                "hash-malformed",
                f"The {algorithm} hash of {what} is not {2 * length} hexadecimal digits",
                hint="Lock again, or restore the file from version control",
            )
        found.append(Digest(algorithm=algorithm, value=digest))
    if not any(d.algorithm in STRONG_ALGORITHMS for d in found):
        named = ", ".join(sorted(hashes)) or "none at all"
        raise LocksetError(
            "hash-missing",
            f"No strong hash is locked for {what} (found: {named})",
            hint="Lock again with a tool that records sha256; lockset installs nothing it cannot verify",
        )
    return tuple(sorted(found, key=lambda d: (d.algorithm not in STRONG_ALGORITHMS, d.algorithm)))


def quick_sha256(data: bytes) -> bytes:
    """The sha256 of a little `data`, by the interpreter's own means where it has them.

    To load OpenSSL, as `hashlib` does, takes longer than a small sync has to hash; for much data it is the quicker one.
    """
    for name in ("_sha2", "_sha256", "hashlib"):
        try:
            digest: bytes = import_module(name).sha256(data).digest()
        except ImportError:  # noqa: PERF203 (`hashlib` is always there)
            continue
        else:
            return digest
    raise AssertionError


class Verifier:
    """Hashes bytes as they pass and tells whether size and every digest hold."""

    def __init__(self, digests: Iterable[Digest], *, size: int | None = None) -> None:
        self._expected = tuple(digests)
        self._size = size
        self.restart()

    def restart(self) -> None:
        """Forget all bytes seen: a transfer begins anew."""
        import hashlib  # here, as above

        self._hashers = [hashlib.new(d.algorithm, usedforsecurity=False) for d in self._expected]
        self.seen = 0

    def update(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.seen += len(chunk)
        for hasher in self._hashers:
            hasher.update(chunk)

    @property
    def too_long(self) -> bool:
        """More bytes came than the expected size allows."""
        return self._size is not None and self.seen > self._size

    def mismatch(self) -> str | None:
        """What does not hold, in words with expected and actual values, or None when all holds."""
        if self._size is not None and self.seen != self._size:
            return f"size: locked {self._size} bytes, got {self.seen}"
        for digest, hasher in zip(self._expected, self._hashers, strict=True):
            actual = hasher.hexdigest()
            if actual != digest.value:
                return f"{digest.algorithm}: locked {digest.value}, got {actual}"
        return None
