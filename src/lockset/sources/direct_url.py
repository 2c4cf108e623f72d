"""The fragment of a direct URL: hashes, project name and subdirectory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError
from lockset.hashes import STRONG_ALGORITHMS, WEAK_ALGORITHMS, Digest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["egg_name", "parse_digest", "path_of", "split_hashes", "without_weak_hashes"]

_HEX = lazy_pattern(r"[0-9a-f]+\Z")
_WEAK = lazy_pattern(rf"(?<=[#&])(?:{'|'.join(sorted(WEAK_ALGORITHMS))})=[0-9a-f]+&?", re.IGNORECASE)
_PROJECT = lazy_pattern(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")


def path_of(url: str) -> str:
    """The URL without query and fragment."""
    return url.partition("#")[0].partition("?")[0]


def split_hashes(url: str, *, location: str) -> tuple[str, tuple[Digest, ...]]:
    """Split the hashes from the fragment of a URL, and keep only `subdirectory` in it.

    A weak hash next to a strong one is dropped.

    Raises:
        LocksetError: `hash-weak` or `hash-malformed`.
    """
    kept: list[str] = []
    hashes: list[Digest] = []
    pairs = list(_pairs(url))
    has_strong = any(key.lower() in STRONG_ALGORITHMS for key, _ in pairs)
    for key, value in pairs:
        if key == "subdirectory":
            kept.append(f"{key}={value}")
        elif key.lower() in STRONG_ALGORITHMS or (key.lower() in WEAK_ALGORITHMS and not has_strong):
            hashes.append(parse_digest(key, value, location=location))
    address = url.partition("#")[0]
    return (f"{address}#{'&'.join(kept)}" if kept else address), tuple(hashes)


def without_weak_hashes(text: str) -> str:
    """The requirement without weak hashes in the fragment of its URL. For requirements with a `--hash`."""
    return _WEAK.sub("", text)


def egg_name(url: str, *, location: str) -> str | None:
    """The project name in `#egg=`; None without one.

    Raises:
        LocksetError: `requirement-name` if it is more than a plain name.
    """
    for key, value in _pairs(url):
        if key != "egg":
            continue
        name = unquote(value)
        if not _PROJECT.match(name):
            raise LocksetError(
                "requirement-name",
                f"`egg={name}` is not a plain project name",
                location=location,
                hint="Write extras before the URL: `name[extra] @ URL`",
            )
        return name
    return None


def parse_digest(algorithm: str, value: str, *, location: str) -> Digest:
    """The digest, with length and digits checked.

    Raises:
        LocksetError: `hash-weak` or `hash-malformed`.
    """
    algorithm, value = algorithm.lower(), value.lower()
    if algorithm in WEAK_ALGORITHMS:
        raise LocksetError(
            "hash-weak", f"{algorithm} is too weak to verify a file", location=location, hint="Use a sha256 hash"
        )
    length = STRONG_ALGORITHMS[algorithm]
    if len(value) != 2 * length or not _HEX.match(value):
        raise LocksetError(
            "hash-malformed",
            f"The {algorithm} hash `{value}` does not have {2 * length} hexadecimal digits",
            location=location,
        )
    return Digest(algorithm=algorithm, value=value)


def _pairs(url: str) -> Iterator[tuple[str, str]]:
    for part in url.partition("#")[2].split("&"):
        key, _, value = part.partition("=")
        yield key, value
