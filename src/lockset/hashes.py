"""Digests of files: accepted algorithms, and verification."""

from __future__ import annotations

import binascii
import sys
from contextlib import suppress
from functools import cache

from lockset._named_tuple import NamedTuple
from lockset.errors import HashMissingError, LocksetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

__all__ = ["STRONG_ALGORITHMS", "WEAK_ALGORITHMS", "Digest", "Verifier", "hash_text", "quick_sha256", "strong_digests"]

# From standard base64 to URL-safe base64.
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
# Digest length in bytes of every strong algorithm, in order of preference.
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
# Weak algorithms, which are checked but never sufficient alone.
WEAK_ALGORITHMS: Mapping[str, int] = {"md5": 16, "sha1": 20, "sha224": 28, "sha3_224": 28}

_HEX = frozenset("0123456789abcdef")


class Digest(NamedTuple):
    """One hash of a file; both fields in lower case, the length of `value` fits `algorithm`."""

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"


def strong_digests(hashes: Mapping[str, str], *, what: str) -> tuple[Digest, ...]:
    """The digests in `hashes` with known algorithms, at least one of them strong.

    A file must match all of them. Unknown algorithms are ignored. `what` names the file in errors.

    Raises:
        LocksetError: `hash-missing`: there is no strong digest; `hash-malformed`: a digest has the wrong length or is
            not hexadecimal.
    """
    digests: list[Digest] = []
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
                hint="Restore the lock file from version control, or run `lockset lock`",
            )
        digests.append(Digest(algorithm=algorithm, value=digest))
    if not any(d.algorithm in STRONG_ALGORITHMS for d in digests):
        named = ", ".join(sorted(hashes)) or "none"
        raise HashMissingError(
            f"No strong hash is locked for {what} (only: {named})",
            hint="Lock again with a tool that records sha256; lockset only installs files that it can verify",
        )
    return tuple(sorted(digests, key=lambda d: (d.algorithm not in STRONG_ALGORITHMS, d.algorithm)))


def quick_sha256(data: bytes) -> bytes:
    """The sha256 of a small amount of `data`, with the interpreter's own implementation if it has one.

    Loading OpenSSL, as `hashlib` does, takes longer than all hashing of a small sync; it is faster for large data.
    """
    digest: bytes = _quick_module().sha256(data).digest()
    return digest


def hash_text(algorithm: str, digest: bytes) -> str:
    """A hash as RECORD has it (PEP 376): the algorithm, and `digest` in URL-safe base64 without padding."""
    letters = binascii.b2a_base64(digest, newline=False).translate(_URL_SAFE).rstrip(b"=")
    return f"{algorithm}={letters.decode()}"


@cache
def _quick_module() -> Any:
    # A module that is missing is looked for in every folder of the path: once is enough.
    with suppress(ImportError):
        return __import__("_sha2" if sys.version_info >= (3, 12) else "_sha256")
    return __import__("hashlib")


class Verifier:
    """Hashes a stream of bytes and checks its size and all digests."""

    def __init__(self, digests: Iterable[Digest], *, size: int | None = None) -> None:
        self._expected = tuple(digests)
        self._size = size
        self.restart()

    def restart(self) -> None:
        """Discard all bytes: the transfer starts again."""
        import hashlib  # here, as above

        self._hashers = [hashlib.new(d.algorithm, usedforsecurity=False) for d in self._expected]
        self.seen = 0

    def update(self, chunk: bytes) -> None:
        """Add the next bytes."""
        self.seen += len(chunk)
        for hasher in self._hashers:
            hasher.update(chunk)

    @property
    def too_long(self) -> bool:
        """Whether there are more bytes than the expected size."""
        return self._size is not None and self.seen > self._size

    def mismatch(self) -> str | None:
        """The first mismatch with its expected and actual value, for messages; None if everything matches."""
        if self._size is not None and self.seen != self._size:
            return f"size: locked {self._size} bytes, got {self.seen}"
        for digest, hasher in zip(self._expected, self._hashers, strict=True):
            actual = hasher.hexdigest()
            if actual != digest.value:
                return f"{digest.algorithm}: locked {digest.value}, got {actual}"
        return None
