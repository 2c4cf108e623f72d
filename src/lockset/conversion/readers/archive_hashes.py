"""Hashes of an archive at one place: which of those that the input names are kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.conversion.model.imported_lock import Loss
from lockset.errors import LocksetError
from lockset.hashes import STRONG_ALGORITHMS
from lockset.lockfile.model import PackageArchive

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lockset.conversion.model.imported_lock import ImportedPackage
    from lockset.hashes import Digest

__all__ = ["algorithms_of", "with_certain_hashes", "with_hashes_read"]


def with_certain_hashes(package: ImportedPackage) -> tuple[ImportedPackage, tuple[Loss, ...]]:
    """The entry with the hashes that its archive has for certain; unchanged where only its bytes tell which these are.

    Of each list in `alternatives` the archive has one hash, as pip has it. A list of one hash is certain.

    Raises:
        LocksetError: `hashes-contradict`.
    """
    if not package.alternatives or not isinstance(package.source, PackageArchive):
        return package, ()
    named = _by_algorithm(digest for one in package.alternatives for digest in one)
    if all(len(values) == 1 for values in named.values()):
        return _with_hashes(package, {name: value for name, (value,) in named.items()}), ()
    certain = _by_algorithm(one[0] for one in package.alternatives if len(one) == 1)
    if any(len(values) > 1 for values in certain.values()):
        raise LocksetError(
            "hashes-contradict",
            f"The file gives {package.name} from one address two different hashes, and no file has both",
            location=package.origin,
            context=tuple(f"{name}:{value}" for name, values in certain.items() for value in values),
            hint="Keep the right one",
        )
    hashes = {name: value for name, (value,) in certain.items()}
    if all(any(hashes.get(d.algorithm) == d.value for d in one) for one in package.alternatives):
        return _with_hashes(package, hashes), _lost(package, hashes)
    return package, ()


def algorithms_of(package: ImportedPackage) -> tuple[str, ...]:
    """The strong algorithms with which the archive's bytes have to be read, to choose among the hashes."""
    named = {digest.algorithm for one in package.alternatives for digest in one}
    return tuple(sorted(named & STRONG_ALGORITHMS.keys()))


def with_hashes_read(
    package: ImportedPackage, digests: Mapping[str, str], *, location: str
) -> tuple[ImportedPackage, tuple[Loss, ...]]:
    """The entry with those of its hashes that the archive's bytes have.

    Raises:
        LocksetError: `no-hash-matches`.
    """
    for one in package.alternatives:
        if not any(digests.get(digest.algorithm) == digest.value for digest in one):
            path_or_url = getattr(package.source, "url", None) or getattr(package.source, "path", None)
            raise LocksetError(
                "no-hash-matches",
                f"{package.shown}: none of its {len(one)} hashes is that of {path_or_url} (was the file changed?)",
                location=package.origin or location,
                context=tuple(map(str, one)),
            )
    named = {str(digest) for one in package.alternatives for digest in one}
    hashes = {name: value for name, value in digests.items() if name == "sha256" or f"{name}:{value}" in named}
    return _with_hashes(package, hashes), _lost(package, hashes)


def _by_algorithm(digests: Iterable[Digest]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for digest in digests:
        found.setdefault(digest.algorithm, set()).add(digest.value)
    return found


def _with_hashes(package: ImportedPackage, hashes: Mapping[str, str]) -> ImportedPackage:
    assert isinstance(package.source, PackageArchive)
    return replace(package, source=replace(package.source, hashes=dict(hashes)), alternatives=())


def _lost(package: ImportedPackage, hashes: Mapping[str, str]) -> tuple[Loss, ...]:
    kept = {f"{name}:{value}" for name, value in hashes.items()}
    lost: Sequence[str] = sorted({str(d) for one in package.alternatives for d in one} - kept)
    if not lost:
        return ()
    message = f"{package.shown}: {', '.join(lost)} is not the hash of the one file at its address, and is left out"
    return (Loss(kind="hash-unmatched", message=message, hashes=tuple(lost)),)
