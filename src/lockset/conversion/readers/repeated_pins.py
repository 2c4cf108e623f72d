"""Pins of one name in a file: joined where they agree, refused where they contradict each other."""

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
    """The entries with one more pin.

    Attributes:
        packages: No two of one name apply in one environment.
        stand_in: The identity of a pin, and that of the narrower one that stands for it in a part of the environments.
        losses: Hashes that only one of two pins has, which installers do not accept.
    """

    packages: list[ImportedPackage]
    stand_in: tuple[tuple[str, str], ...] = ()
    losses: tuple[Loss, ...] = ()


def join_pin(
    packages: Sequence[ImportedPackage], new: ImportedPackage, *, universe: MarkerSet, location: str
) -> JoinedPins:
    """`packages` with the pin `new`: where two pins of a name apply, what both admit is taken.

    Raises:
        LocksetError: `pins-overlap`.
    """
    found: list[ImportedPackage] = []
    stand_in: list[tuple[str, str]] = []
    losses: list[Loss] = []
    for other in packages:
        both = other.region & new.region
        if other.name == new.name and _are_equal(other, new):
            new = replace(other, region=other.region | new.region, said=None)
        elif other.name != new.name or (both & universe).is_empty:
            found.append(other)
        else:
            met = _met(other, new, both & universe, location)
            found.append(replace(met, region=both, said=other.said if both is other.region else None))
            stand_in += [(one.identity, met.identity) for one in (other, new) if one.identity != met.identity]
            losses += _narrowed(met, (other, new))
            if not (rest := other.region - both).is_empty:
                found.append(replace(other, region=rest, said=None))
            new = replace(new, region=new.region - both, said=None)
    if not new.region.is_empty:
        found.append(new)
    return JoinedPins(packages=found, stand_in=tuple(stand_in), losses=tuple(losses))


def _are_equal(one: ImportedPackage, other: ImportedPackage) -> bool:
    same = one.identity == other.identity and _source(one) == _source(other)
    return same and set(one.loose) == set(other.loose) and set(one.alternatives) == set(other.alternatives)


def _source(package: ImportedPackage) -> object:
    return replace(package.source, editable=None) if isinstance(package.source, PackageDirectory) else package.source


def _met(one: ImportedPackage, other: ImportedPackage, both: MarkerSet, location: str) -> ImportedPackage:
    """What two pins say together.

    Raises:
        LocksetError: `pins-overlap` where no release or no file answers both.
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
    loose = tuple(digest for digest in narrow.loose if digest in wide.loose) or (
        () if narrow.loose and wide.loose else narrow.loose or wide.loose
    )
    if narrow.loose and wide.loose and not loose:
        raise _overlap(one, other, both, location)
    return replace(narrow, admits=narrow.admits & wide.admits, loose=loose, every_file=not loose)


def _narrowed(met: ImportedPackage, pins: Sequence[ImportedPackage]) -> list[Loss]:
    dropped = sorted({str(digest) for pin in pins for digest in pin.loose} - {str(digest) for digest in met.loose})
    if not dropped:
        return []
    first, second = (pin.origin for pin in pins)
    message = f"{met.shown}: hashes that only one of {first} and {second} has are left out, as installers do"
    return [Loss(kind="hash-unmatched", message=message, hashes=tuple(dropped))]


def _overlap(one: ImportedPackage, other: ImportedPackage, both: MarkerSet, location: str) -> LocksetError:
    first, second = (f"{_shown(pin)} at {pin.origin}" for pin in (one, other))
    if one.identity == other.identity and one.source is None:
        first, second = (f"{text} with other hashes" for text in (first, second))
    return refuse_overlap(one.name, first, second, both, location=location)


def _shown(package: ImportedPackage) -> str:
    return str(package.version) if package.source is None else package.identity.partition(" @ ")[2]
