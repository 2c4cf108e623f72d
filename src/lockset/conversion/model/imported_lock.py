"""A lock file of another tool as it was read: entries that may lack files or hashes, and what is lost."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, field
from lockset.errors import LocksetError
from lockset.markers import MarkerSet, possible
from lockset.markers.environment import example_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from lockset.conversion.model.selection import Conflict, ReferenceSelector, SelectableNames
    from lockset.hashes import Digest
    from lockset.lockfile.model import PackageArchive, PackageDirectory, PackageVcs

__all__ = [
    "ImportedFile",
    "ImportedLock",
    "ImportedPackage",
    "Loss",
    "dropped_credentials",
    "identity",
    "refuse_losses",
    "refuse_overlap",
    "region_of_text",
    "universe_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Something that the lock file does not keep of the input, or takes on trust. Fatal with `--strict`.

    Attributes:
        kind: Kebab-case name of the kind, such as `hash-unmatched`.
        message: One sentence that names the package.
        hashes: Hashes of the input that the output therefore lacks.
        note: Only a note, never fatal.
    """

    kind: str
    message: str
    hashes: tuple[str, ...] = ()
    note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """One file of a release. Without `url` and `path` it is looked up on an index."""

    name: str | None
    hashes: Mapping[str, str]
    url: str | None = None
    path: str | None = None
    size: int | None = None
    upload_time: datetime | None = None

    @property
    def is_located(self) -> bool:
        """Whether the file has a location and a hash."""
        return (self.url is not None or self.path is not None) and bool(self.hashes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPackage:
    """One entry of the imported lock.

    Attributes:
        name: Normalized name.
        version: None for a source tree, whose version may change.
        region: The environments, extras and groups for which the entry applies.
        original_marker: The marker as the input wrote it, if it means exactly `region`.
        dependencies: Names (and versions, if several are locked); None if the input does not state them.
        index: The index that the input names.
        files: The files that the input names.
        bare_hashes: Hashes of files that the input does not name.
        every_file: The input names neither files nor hashes, so that every file of the release is meant.
        wheels: Whether wheels may be used.
        sdists: Whether source distributions may be used.
        source: A source tree or archive, instead of files of an index.
        requires_python: `Requires-Python` of the release, if the input states it.
        origin: Location in the input, for messages (`requirements.txt:3`).
        config_settings: Settings for the build backend.
        extras: Extras that the input requests.
        admits: The versions that the pin admits: `==2.6.0` also admits 2.6.0+cpu. None admits `version` only.
        alternatives: Lists of hashes. The archive must match one of each list.
    """

    name: str
    version: Version | None
    region: MarkerSet
    original_marker: str | None = None
    dependencies: tuple[tuple[str, str | None], ...] | None = None
    index: str | None = None
    files: tuple[ImportedFile, ...] = ()
    bare_hashes: tuple[Digest, ...] = ()
    every_file: bool = False
    wheels: bool = True
    sdists: bool = True
    source: PackageVcs | PackageDirectory | PackageArchive | None = None
    requires_python: str | None = None
    origin: str = ""
    config_settings: tuple[tuple[str, str], ...] = ()
    extras: frozenset[str] = frozenset()
    admits: SpecifierSet | None = None
    alternatives: tuple[tuple[Digest, ...], ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether no index has to be queried."""
        if self.source is not None:
            return True
        return (
            not self.bare_hashes and not self.every_file and bool(self.files) and all(f.is_located for f in self.files)
        )

    @property
    def shown(self) -> str:
        """`name version`, for messages."""
        return self.name if self.version is None else f"{self.name} {self.version}"

    @property
    def identity(self) -> str:
        """The identity of the entry: equal for entries that install the same."""
        return identity(self.name, self.version, self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedLock:
    """A lock file of another tool, read.

    Attributes:
        format: Name of the format, for messages.
        location: Name of the file, for messages.
        packages: In the order of the input.
        selector: What the input installs in one environment, evaluated without `MarkerSet`.
        selectable: Extras and groups that can be selected, and the default groups.
        requires_python: `requires-python` of the lock.
        environments: Markers of the supported environments.
        evidence: Hashes of the input by identity of the entry.
        losses: What the output will not contain.
        conflicts: Extras and groups that the input declares as conflicting.
        may_be_partial: The pins may be written by hand, without the dependencies of what they pin.
        stand_ins: Identity of an entry of the input to the entries of the lock that replace it.
        unhashed: Identities of entries that the input pins without a hash, so that any file is accepted.
    """

    format: str
    location: str
    packages: tuple[ImportedPackage, ...]
    selector: ReferenceSelector
    selectable: SelectableNames
    requires_python: SpecifierSet | None = None
    environments: tuple[str, ...] = ()
    evidence: Mapping[str, frozenset[str]] = field(default_factory=dict)
    losses: tuple[Loss, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    may_be_partial: bool = False
    stand_ins: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unhashed: frozenset[str] = frozenset()


def identity(
    name: str, version: Version | str | None, source: PackageVcs | PackageDirectory | PackageArchive | None
) -> str:
    """The identity of an entry: `name==version`, or `name @` location and commit of its source, without hashes."""
    if source is None:
        return f"{name}=={version}"
    location = getattr(source, "url", None) or source.path or ""
    revision = getattr(source, "commit_id", None) or getattr(source, "requested_revision", None)
    commit = f"@{revision}" if revision else ""
    subdirectory = f"#{source.subdirectory}" if source.subdirectory else ""
    return f"{name} @ {location}{commit}{subdirectory}"


def refuse_losses(losses: Sequence[Loss], *, strict: bool, location: str) -> None:
    """Refuse losses if `strict`; notes are not losses.

    Raises:
        LocksetError: `lossy`, with all losses.
    """
    real = [loss for loss in losses if not loss.note]
    if strict and real:
        raise LocksetError(
            "lossy",
            f"{len(real)} {'thing' if len(real) == 1 else 'things'} would be lost, and `--strict` allows none",
            location=location,
            context=tuple(loss.message for loss in real),
            hint="Nothing was written. Run again without `--strict` to accept this",
        )


def dropped_credentials(names: Iterable[str]) -> tuple[Loss, ...]:
    """The note for packages whose URLs were written without their user info."""
    listed = ", ".join(names)
    message = f"The credentials in the URLs of {listed} are not written: installers take them from netrc or git"
    return (Loss(kind="credentials-dropped", message=message, note=True),) if listed else ()


@lru_cache(maxsize=4096)
def region_of_text(marker: str | None) -> MarkerSet:
    """The environments in which a marker holds; all of them for None."""
    return MarkerSet.any() if marker is None else MarkerSet.parse(marker)


def universe_of(requires_python: SpecifierSet | None, environments: Sequence[str]) -> MarkerSet:
    """The environments that a lock file with these bounds supports (`requires-python` and `environments`)."""
    universe = possible()
    if requires_python is not None:
        universe &= MarkerSet.of_python(requires_python)
    if environments:
        declared = MarkerSet.none()
        for text in environments:
            declared |= MarkerSet.parse(text)
        universe &= declared
    return universe


def refuse_overlap(
    name: str, first: str, second: str, both: MarkerSet, *, location: str, hint: str | None = None
) -> LocksetError:
    """The error for two entries that apply at once, with an environment in which they do."""
    example = both.example()
    context: tuple[str, ...] = ()
    if example is not None:
        environment = example_in_words(example.environment)
        chosen = ", ".join(sorted(example.extras | example.groups))
        context = (f"for example: {environment}" + (f" with {chosen}" if chosen else ""),)
    return LocksetError(
        "pins-overlap",
        f"`{name}` is pinned twice ({first}, {second}), and both pins apply in the same environment",
        location=location,
        context=context,
        hint=hint or "Give them markers that do not overlap, or remove one",
    )
