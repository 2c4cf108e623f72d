"""The publishers that lock files record, and how they differ between two lock files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from lockset._dataclass import dataclass, replace
from lockset.attestations.identity import PublisherIdentity, identities_of
from lockset.errors import LocksetError
from lockset.lockfile.model import PackageSdist, PackageWheel, artifacts, describe, file_name, packages_by_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lockset.lockfile.model import Package, Pylock

__all__ = [
    "PublisherChange",
    "keep_identities",
    "note_publisher_changes",
    "publisher_changed",
    "publisher_changes",
    "recorded_identities",
]

# `changed`: somebody else publishes now. `lost`: nobody is recorded any more for a package that had a publisher.
PublisherChangeKind: TypeAlias = Literal["changed", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherChange:
    """A package whose publisher is not the one that another lock file records.

    Attributes:
        name: Normalised name of the package.
        kind: `changed` or `lost`.
        old_release: Name and version in the old file.
        new_release: Name and version in the new file.
        old: Publishers that the old file records.
        new: Publishers that the new file records and the old one does not; empty if they are lost.
    """

    name: str
    kind: PublisherChangeKind
    old_release: str
    new_release: str
    old: tuple[PublisherIdentity, ...]
    new: tuple[PublisherIdentity, ...] = ()

    @property
    def text(self) -> str:
        """The change as one sentence without a full stop."""
        before = ", ".join(map(str, self.old))
        if self.kind == "lost":
            return f"No publisher is recorded for {self.new_release}; {self.old_release} was published by {before}"
        return f"{self.new_release} was published by {', '.join(map(str, self.new))}; {self.old_release} by {before}"


def recorded_identities(packages: Iterable[Package]) -> tuple[PublisherIdentity, ...]:
    """The publishers that these entries record, sorted, each once."""
    return identities_of(table for package in packages for table in package.attestation_identities or ())


def publisher_changes(old: Pylock, new: Pylock) -> tuple[PublisherChange, ...]:
    """Packages of both files whose publishers changed or are lost, by name.

    A publisher is the same if everything that its signing certificate proves is the same: the environment of a GitHub
    workflow, for instance, is the word of the index and may differ.
    """
    before, after = packages_by_name(old.packages), packages_by_name(new.packages)
    changes: list[PublisherChange] = []
    for name in sorted(before.keys() & after.keys()):
        had, has = recorded_identities(before[name]), recorded_identities(after[name])
        known = {identity.subject for identity in had}
        others = tuple(identity for identity in has if identity.subject not in known)
        lost = not has and any(_from_index(package) for package in after[name])
        if had and (others or lost):
            changes.append(
                PublisherChange(
                    name=name,
                    kind="changed" if others else "lost",
                    old_release=describe(before[name][-1]),
                    new_release=describe(after[name][-1]),
                    old=had,
                    new=others,
                )
            )
    return tuple(changes)


def publisher_changed(texts: Sequence[str]) -> LocksetError:
    """The error for packages that changed or lost their publisher; `texts` are the changes, one sentence each."""
    return LocksetError(
        "publisher-changed",
        f"{len(texts)} package{'s' if len(texts) > 1 else ''} changed publisher or lost it",
        context=tuple(texts),
        hint="Find out why before you use it; without `--refuse-new-publisher` this is a note",
    )


def note_publisher_changes(lock: Pylock, old: Pylock, note: Callable[[str], object], *, refuse: bool) -> None:
    """Report packages that another publisher publishes than in `old`, or that lost theirs.

    Raises:
        LocksetError: `publisher-changed`, where they are to be refused.
    """
    texts = [change.text for change in publisher_changes(old, lock)]
    if texts and refuse:
        raise publisher_changed(texts)
    for text in texts:
        note(text)


def _from_index(package: Package) -> bool:
    return bool(package.wheels or package.sdist)


def keep_identities(lock: Pylock, old: Pylock) -> Pylock:
    """`lock` with the publishers that `old` records for entries all of whose files it has, with the same hashes."""
    recorded = [package for package in old.packages if package.attestation_identities]
    if not recorded:
        return lock
    known = packages_by_name(recorded)
    return replace(lock, packages=[_kept(package, known.get(package.name, ())) for package in lock.packages])


def _kept(package: Package, candidates: Iterable[Package]) -> Package:
    files = _files(package)
    for other in candidates:
        if other.version == package.version and files and files.items() <= _files(other).items():
            return replace(package, attestation_identities=other.attestation_identities)
    return package


def _files(package: Package) -> dict[str, tuple[tuple[str, str], ...]]:
    return {
        file_name(file) or "": tuple(sorted((name.lower(), value.lower()) for name, value in file.hashes.items()))
        for file in artifacts(package)
        if isinstance(file, PackageWheel | PackageSdist)
    }
