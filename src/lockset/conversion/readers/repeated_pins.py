"""Several pins of one name: joined if they agree, refused if they contradict each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.conversion.model.graph import refuse_overlap
from lockset.conversion.model.imported_lock import Loss
from lockset.lockfile.model import PackageArchive, PackageDirectory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockset.conversion.model.imported_lock import ImportedPackage
    from lockset.errors import LocksetError
    from lockset.markers import MarkerSet

__all__ = ["JoinedPins", "join_pin"]


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
        both = other.region & new.region
        if other.name == new.name and _are_equal(other, new):
            new = replace(other, region=other.region | new.region, original_marker=None)
        elif other.name != new.name or (both & universe).is_empty:
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
