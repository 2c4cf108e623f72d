"""Compare two lock files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from lockset._dataclass import dataclass
from lockset.lockfile.model import PackageDirectory, PackageVcs, artifacts, file_name, packages_by_name
from lockset.lockfile.publishers import publisher_changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.version import Version

    from lockset.lockfile.model import Artifact, File, Package, Pylock
    from lockset.lockfile.publishers import PublisherChange

__all__ = ["Change", "ChangeKind", "LockDiff", "compare_locks"]

# `version` and `source` change what is installed, `files` (hashes or the set of files) may, `marker` changes where.
ChangeKind: TypeAlias = Literal["added", "removed", "version", "source", "marker", "requires-python", "files", "index"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One package that differs between the two files.

    Attributes:
        name: Normalised name.
        kinds: What changed, in the order of ChangeKind; `added` and `removed` stand alone.
        old: The entry in the old file, or None if added.
        new: The entry in the new file, or None if removed.
        files_added: File names that only the new entry lists, sorted.
        files_removed: File names that only the old entry lists, sorted.
        files_changed: File names that both entries list, with different hashes.
    """

    name: str
    kinds: tuple[ChangeKind, ...]
    old: Package | None
    new: Package | None
    files_added: tuple[str, ...] = ()
    files_removed: tuple[str, ...] = ()
    files_changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LockDiff:
    """The differences between two lock files.

    Attributes:
        top: Top-level keys that differ, with old and new text (None if a file lacks the key).
        changes: Packages that differ, by name, then by version.
        publishers: Packages that another publisher publishes, or that lost theirs (attestation identities), by name.
    """

    top: Mapping[str, tuple[str | None, str | None]]
    changes: tuple[Change, ...]
    publishers: tuple[PublisherChange, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether both files install the same in every environment."""
        return not self.top and not self.changes

    def of_kind(self, kind: ChangeKind) -> tuple[Change, ...]:
        """The changes of one kind."""
        return tuple(change for change in self.changes if kind in change.kinds)


def compare_locks(old: Pylock, new: Pylock) -> LockDiff:
    """The changes from `old` to `new`; order, `created-by`, `tool` tables and dependencies are ignored."""
    changes: list[Change] = []
    before, after = packages_by_name(old.packages), packages_by_name(new.packages)
    for name in sorted(before.keys() | after.keys()):
        changes.extend(_changes(name, before.get(name, []), after.get(name, [])))
    return LockDiff(top=_top(old, new), changes=tuple(changes), publishers=publisher_changes(old, new))


def _top(old: Pylock, new: Pylock) -> dict[str, tuple[str | None, str | None]]:
    before, after = _top_texts(old), _top_texts(new)
    keys = [*before, *(key for key in after if key not in before)]
    return {key: (before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}


def _top_texts(lock: Pylock) -> dict[str, str]:
    texts: dict[str, str] = {"lock-version": str(lock.lock_version)}
    if lock.environments is not None:
        texts["environments"] = "; ".join(sorted(map(str, lock.environments)))
    if lock.requires_python is not None:
        texts["requires-python"] = str(lock.requires_python)
    for key, names in (
        ("extras", lock.extras),
        ("dependency-groups", lock.dependency_groups),
        ("default-groups", lock.default_groups),
    ):
        if names is not None:
            texts[key] = ", ".join(sorted(names))
    return texts


def _changes(name: str, old: Sequence[Package], new: Sequence[Package]) -> Iterator[Change]:
    """Pair the entries of one name: unchanged ones first, then same version and marker, same version, same marker."""
    before, after = _sorted(old), _sorted(new)
    pairs: list[tuple[Package, Package]] = []
    for same in (_alike, _same_both, _same_version, _same_marker, _any):
        for entry in list(before):
            fitting = next((other for other in after if same(entry, other)), None)
            if fitting is not None:
                if same is not _alike:  # those do not change
                    pairs.append((entry, fitting))
                before = [other for other in before if other is not entry]
                after = [other for other in after if other is not fitting]
    for entry in before:
        yield Change(name=name, kinds=("removed",), old=entry, new=None)
    for entry in after:
        yield Change(name=name, kinds=("added",), old=None, new=entry)
    for left, right in pairs:
        yield _compare(name, left, right)


def _sorted(packages: Sequence[Package]) -> list[Package]:
    def rank(package: Package) -> tuple[bool, Version | int, str]:
        version = package.version
        return version is not None, version if version is not None else 0, str(package.marker or "")

    return sorted(packages, key=rank)


def _alike(left: Package, right: Package) -> bool:
    return left == right or not _compare("", left, right).kinds


def _same_both(left: Package, right: Package) -> bool:
    return _same_version(left, right) and _same_marker(left, right)


def _same_version(left: Package, right: Package) -> bool:
    return left.version == right.version


def _same_marker(left: Package, right: Package) -> bool:
    return left.marker == right.marker


def _any(_left: Package, _right: Package) -> bool:
    return True


def _compare(name: str, old: Package, new: Package) -> Change:
    before, after = _files(old), _files(new)
    changed = sorted(file for file in before.keys() & after.keys() if not _agree(before[file], after[file]))
    added, removed = sorted(after.keys() - before.keys()), sorted(before.keys() - after.keys())
    differs: dict[ChangeKind, bool] = {
        "version": old.version != new.version,
        "source": _source(old) != _source(new),
        "marker": old.marker != new.marker,
        "requires-python": old.requires_python != new.requires_python,
        "files": bool(added or removed or changed),
        "index": old.index != new.index,
    }
    return Change(
        name=name,
        kinds=tuple(kind for kind, differ in differs.items() if differ),
        old=old,
        new=new,
        files_added=tuple(added),
        files_removed=tuple(removed),
        files_changed=tuple(changed),
    )


def _files(package: Package) -> dict[str, File]:
    """Files by name; those without a name by URL or path."""
    files: dict[str, File] = {}
    for artifact in artifacts(package):
        if not isinstance(artifact, PackageVcs | PackageDirectory):
            files[file_name(artifact) or artifact.url or artifact.path or ""] = artifact
    return files


def _agree(left: File, right: File) -> bool:
    """Whether both list a common hash, and all common hashes and the sizes agree."""
    if left.hashes == right.hashes and left.size == right.size:
        return bool(left.hashes)
    mine = {name.lower(): value.lower() for name, value in left.hashes.items()}
    theirs = {name.lower(): value.lower() for name, value in right.hashes.items()}
    common = mine.keys() & theirs.keys()
    if left.size is not None and right.size is not None and left.size != right.size:
        return False
    return bool(common) and all(mine[name] == theirs[name] for name in common)


def _source(package: Package) -> tuple[object, ...]:
    """The source, apart from files: a source tree with its commit, or the address of an archive."""
    first: Artifact | None = next(iter(artifacts(package)), None)
    if isinstance(first, PackageVcs):
        return ("vcs", first.type, first.url or first.path, first.commit_id, first.subdirectory)
    if isinstance(first, PackageDirectory):
        return ("directory", first.path, bool(first.editable), first.subdirectory)
    if package.archive is not None:
        return ("archive", package.archive.url or package.archive.path, package.archive.subdirectory)
    return ("index",)
