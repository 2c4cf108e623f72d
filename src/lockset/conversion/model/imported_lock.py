"""Draft: a foreign lock as it was read, with its gaps and its losses."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal, TypeAlias

from lockset._dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from lockset.conversion.model.reference_selector import ReferenceSelector
    from lockset.conversion.model.selectable import SelectableNames
    from lockset.hashes import Digest
    from lockset.lockfile.model import PackageArchive, PackageDirectory, PackageVcs
    from lockset.markers import MarkerSet

__all__ = [
    "Conflict",
    "ImportedFile",
    "ImportedLock",
    "ImportedPackage",
    "Loss",
    "Side",
    "identity",
    "identity_of_source",
]

# An extra, a group or the project's own requirements, and two of them that are never chosen together.
Side: TypeAlias = tuple[Literal["project", "extra", "group"], str]
Conflict: TypeAlias = frozenset[Side]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What the lock file does not say although the input did (or says on trust); told, and fatal when asked.

    Attributes:
        kind: Kebab-case id by which losses are grouped, such as `hash-unmatched`.
        message: One sentence that names the package.
        hashes: Hashes of the input that are not in the output because of it.
        note: It is no loss but something to know: never fatal.
    """

    kind: str
    message: str
    hashes: tuple[str, ...] = ()
    note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """One file of a release as far as the input tells; without `url` and `path` it has to be completed."""

    name: str | None
    hashes: Mapping[str, str]
    url: str | None = None
    path: str | None = None
    size: int | None = None
    upload_time: datetime | None = None

    @property
    def is_placed(self) -> bool:
        """Whether it is known where the file is, and what is in it."""
        return (self.url is not None or self.path is not None) and bool(self.hashes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPackage:
    """One entry.

    Attributes:
        name: Normalised name.
        version: None where the source is a tree whose version may change.
        region: Where the entry applies, choices of extras and groups included.
        said: The marker as the input wrote it, where it is exactly `region`.
        dependencies: Names (and versions, where several are locked) this entry needs; None where the input is silent.
        index: The index the input names for it.
        files: The files the input names.
        loose: Hashes of files whose names the input does not tell.
        every_file: The input names no file and no hash: every file of the release is meant.
        wheels: Whether wheels may be taken where files are looked up.
        sdists: The same for source distributions.
        source: A tree or archive the entry is installed from instead of files of an index.
        requires_python: Of the release, as the input tells.
        origin: Where the input says it, for messages (`requirements.txt:3`).
        config_settings: For the build backend.
        extras: Extras with which the input asks for it.
        admits: The versions that the pin admits: `==2.6.0` also admits 2.6.0+cpu; None: `version` and no other.
        alternatives: Lists of hashes, of each of which the archive must have one; only where the input leaves a choice.
    """

    name: str
    version: Version | None
    region: MarkerSet
    said: str | None = None
    dependencies: tuple[tuple[str, str | None], ...] | None = None
    index: str | None = None
    files: tuple[ImportedFile, ...] = ()
    loose: tuple[Digest, ...] = ()
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
        """Whether nothing has to be asked of an index."""
        if self.source is not None:
            return True
        return not self.loose and not self.every_file and bool(self.files) and all(f.is_placed for f in self.files)

    @property
    def shown(self) -> str:
        """`name version`, as messages call it."""
        return self.name if self.version is None else f"{self.name} {self.version}"

    @property
    def identity(self) -> str:
        """What the entry installs, in one text."""
        if self.source is not None:
            return identity_of_source(self.name, self.source)
        return identity(self.name, self.version, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedLock:
    """A foreign lock, read.

    Attributes:
        format: Name of the format, as shown.
        location: Name of the file in messages.
        packages: In the order of the input.
        judge: The input's own answer for one environment, worked out without markers' algebra.
        offers: Extras, groups and what is installed by default.
        requires_python: Of the whole lock.
        environments: Marker texts the lock is bound to.
        evidence: Identity of an entry to the hashes the input has for it.
        losses: What will not be in the output.
        conflicts: Choices that the input declares never to be made together.
        may_be_partial: A person may have written the pins, and left to the installer what these need.
        settled: Identity of an entry of the input to those that stand for it in the lock, where these are others.
        unhashed: Identities of entries of which the input has one without a hash, so that any file may stand for it.
    """

    format: str
    location: str
    packages: tuple[ImportedPackage, ...]
    judge: ReferenceSelector
    offers: SelectableNames
    requires_python: SpecifierSet | None = None
    environments: tuple[str, ...] = ()
    evidence: Mapping[str, frozenset[str]] = field(default_factory=dict)
    losses: tuple[Loss, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    may_be_partial: bool = False
    settled: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unhashed: frozenset[str] = frozenset()


def identity(name: str, version: Version | str | None, kind: str | None) -> str:
    """What is installed, in one text: `name==version`, or `name @ kind` for what has no fixed version."""
    return f"{name}=={version}" if kind is None else f"{name} @ {kind}"


def identity_of_source(name: str, source: PackageVcs | PackageDirectory | PackageArchive) -> str:
    """The identity of an entry installed from `source`: its place and commit; hashes are compared apart."""
    location = getattr(source, "url", None) or source.path or ""
    revision = getattr(source, "commit_id", None) or getattr(source, "requested_revision", None)
    commit = f"@{revision}" if revision else ""
    subdirectory = f"#{source.subdirectory}" if source.subdirectory else ""
    return identity(name, None, f"{location}{commit}{subdirectory}")
