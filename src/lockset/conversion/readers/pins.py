"""Pins of one name, which are joined if they agree and refused if they contradict each other; hashes of an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, replace
from lockset.conversion.model.imported_lock import Loss, refuse_overlap
from lockset.errors import LocksetError
from lockset.hashes import STRONG_ALGORITHMS
from lockset.lockfile.model import PackageArchive, PackageDirectory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lockset.conversion.model.imported_lock import ImportedPackage
    from lockset.hashes import Digest
    from lockset.markers import MarkerSet

__all__ = [
    "JoinedPins",
    "algorithms_of",
    "join_pin",
    "with_certain_hashes",
    "with_hashes_read",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedPins:
    """Entries with one more pin.

    Attributes:
        packages: Entries. No two of one name apply in the same environment.
        stand_in: Identities of a pin and of the narrower pin that replaces it in part of the environments.
        losses: Hashes of only one of two pins, which installers do not accept.
    """

    packages: list[ImportedPackage]
    stand_in: tuple[tuple[str, str], ...] = ()
    losses: tuple[Loss, ...] = ()


def join_pin(
    packages: Sequence[ImportedPackage], new: ImportedPackage, *, universe: MarkerSet, location: str
) -> JoinedPins:
    """Add the pin `new` to `packages`. Where two pins of a name apply, the entry is what both admit.

    Raises:
        LocksetError: `pins-overlap`.
    """
    joined: list[ImportedPackage] = []
    stand_in: list[tuple[str, str]] = []
    losses: list[Loss] = []
    for other in packages:
        if other.name != new.name:
            joined.append(other)
            continue
        both = other.region & new.region
        if _are_equal(other, new):
            new = replace(other, region=other.region | new.region, original_marker=None)
        elif (both & universe).is_empty:
            joined.append(other)
        else:
            common = _joint_pin(other, new, both & universe, location)
            joined.append(
                replace(common, region=both, original_marker=other.original_marker if both is other.region else None)
            )
            stand_in += [(one.identity, common.identity) for one in (other, new) if one.identity != common.identity]
            losses += _dropped_hash_losses(common, (other, new))
            if not (rest := other.region - both).is_empty:
                joined.append(replace(other, region=rest, original_marker=None))
            new = replace(new, region=new.region - both, original_marker=None)
    if not new.region.is_empty:
        joined.append(new)
    return JoinedPins(packages=joined, stand_in=tuple(stand_in), losses=tuple(losses))


def _are_equal(one: ImportedPackage, other: ImportedPackage) -> bool:
    same = one.identity == other.identity and _source(one) == _source(other)
    return same and set(one.bare_hashes) == set(other.bare_hashes) and set(one.alternatives) == set(other.alternatives)


def _source(package: ImportedPackage) -> object:
    return replace(package.source, editable=None) if isinstance(package.source, PackageDirectory) else package.source


def _joint_pin(one: ImportedPackage, other: ImportedPackage, both: MarkerSet, location: str) -> ImportedPackage:
    """The pin that satisfies two pins.

    Raises:
        LocksetError: `pins-overlap` if no release or no file satisfies both.
    """
    if isinstance(one.source, PackageArchive) and one.identity == other.identity:
        return replace(one, alternatives=(*one.alternatives, *other.alternatives))
    admitting = [
        (narrow, wide)
        for narrow, wide in ((one, other), (other, one))
        if wide.admits is not None
        and narrow.version is not None
        and wide.admits.contains(narrow.version, prereleases=True)
    ]
    if not admitting or one.source is not None or other.source is not None:
        raise _overlap(one, other, both, location)
    narrow, wide = admitting[0]
    assert narrow.admits is not None
    assert wide.admits is not None
    bare_hashes = tuple(digest for digest in narrow.bare_hashes if digest in wide.bare_hashes) or (
        () if narrow.bare_hashes and wide.bare_hashes else narrow.bare_hashes or wide.bare_hashes
    )
    if narrow.bare_hashes and wide.bare_hashes and not bare_hashes:
        raise _overlap(one, other, both, location)
    return replace(narrow, admits=narrow.admits & wide.admits, bare_hashes=bare_hashes, every_file=not bare_hashes)


def _dropped_hash_losses(met: ImportedPackage, pins: Sequence[ImportedPackage]) -> list[Loss]:
    dropped = sorted(
        {str(digest) for pin in pins for digest in pin.bare_hashes} - {str(digest) for digest in met.bare_hashes}
    )
    if not dropped:
        return []
    first, second = (pin.origin for pin in pins)
    message = f"{met.shown}: hashes that only one of {first} and {second} has are left out"
    return [Loss(kind="hash-unmatched", message=message, hashes=tuple(dropped))]


def _overlap(one: ImportedPackage, other: ImportedPackage, both: MarkerSet, location: str) -> LocksetError:
    first, second = (f"{_shown(pin)} at {pin.origin}" for pin in (one, other))
    if one.identity == other.identity and one.source is None:
        first, second = (f"{text} with other hashes" for text in (first, second))
    return refuse_overlap(one.name, first, second, both, location=location)


def _shown(package: ImportedPackage) -> str:
    return str(package.version) if package.source is None else package.identity.partition(" @ ")[2]


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
