"""Which of the input's hashes of one archive go into the lock file."""

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
    """The entry with the hashes its archive certainly has; unchanged if the archive must be read to know them.

    As in pip, the archive must match one hash of each list in `alternatives`. The hash of a list of one is certain.

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
            f"The file has two different hashes for {package.name} at one URL, and no file matches both",
            location=package.origin,
            context=tuple(f"{name}:{value}" for name, values in certain.items() for value in values),
            hint="Keep the right hash",
        )
    hashes = {name: value for name, (value,) in certain.items()}
    if all(any(hashes.get(d.algorithm) == d.value for d in one) for one in package.alternatives):
        return _with_hashes(package, hashes), _lost(package, hashes)
    return package, ()


def algorithms_of(package: ImportedPackage) -> tuple[str, ...]:
    """The strong algorithms with which to read the archive, to choose among its hashes."""
    named = {digest.algorithm for one in package.alternatives for digest in one}
    return tuple(sorted(named & STRONG_ALGORITHMS.keys()))


def with_hashes_read(
    package: ImportedPackage, digests: Mapping[str, str], *, location: str
) -> tuple[ImportedPackage, tuple[Loss, ...]]:
    """The entry with those of its hashes that match the archive.

    Raises:
        LocksetError: `no-hash-matches`.
    """
    for one in package.alternatives:
        if not any(digests.get(digest.algorithm) == digest.value for digest in one):
            path_or_url = getattr(package.source, "url", None) or getattr(package.source, "path", None)
            raise LocksetError(
                "no-hash-matches",
                f"{package.shown}: none of its {len(one)} hashes matches {path_or_url} (was the file changed?)",
                location=package.origin or location,
                context=tuple(map(str, one)),
            )
    named = {str(digest) for one in package.alternatives for digest in one}
    hashes = {name: value for name, value in digests.items() if name == "sha256" or f"{name}:{value}" in named}
    return _with_hashes(package, hashes), _lost(package, hashes)


def _by_algorithm(digests: Iterable[Digest]) -> dict[str, set[str]]:
    values: dict[str, set[str]] = {}
    for digest in digests:
        values.setdefault(digest.algorithm, set()).add(digest.value)
    return values


def _with_hashes(package: ImportedPackage, hashes: Mapping[str, str]) -> ImportedPackage:
    assert isinstance(package.source, PackageArchive)
    return replace(package, source=replace(package.source, hashes=dict(hashes)), alternatives=())


def _lost(package: ImportedPackage, hashes: Mapping[str, str]) -> tuple[Loss, ...]:
    kept = {f"{name}:{value}" for name, value in hashes.items()}
    missing: Sequence[str] = sorted({str(d) for one in package.alternatives for d in one} - kept)
    if not missing:
        return ()
    message = f"{package.shown}: {', '.join(missing)} does not match the file at its URL, and is left out"
    return (Loss(kind="hash-unmatched", message=message, hashes=tuple(missing)),)
