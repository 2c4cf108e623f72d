"""Which files of releases and which direct sources (URLs and paths) may be used, and where files must exist.

Whether wheels and source distributions of a project may be used follows from options, settings and files, merged here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from lockset._dataclass import dataclass, field
from lockset._named_tuple import NamedTuple
from lockset.markers import MarkerSet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from packaging.version import Version

    from lockset.errors import LocksetError
    from lockset.lockfile.model import Pylock
    from lockset.markers.universe import TargetInterpreter
    from lockset.resolve.problem.direct_source import DirectSource, SourceFacts
    from lockset.resolve.problem.options import LockOptions
    from lockset.resolve.problem.other_sources import SourceGuard
    from lockset.sources.settings import Settings

__all__ = [
    "BUILD_NOTHING",
    "DirectRules",
    "FileKinds",
    "FileRules",
    "Option",
    "UploadedFile",
    "cooldown_rules",
    "in_files",
    "in_options",
    "in_settings",
    "merge_kinds",
]

_EVERY_PROJECT = ":all:"
Option = Literal["no-build", "no-binary"]
# The option that _forbids every build, whatever other options name.
BUILD_NOTHING: tuple[Option, str] = ("no-build", "")


class FileKinds(NamedTuple):
    """The rules of one source, or of several merged.

    Attributes:
        no_build: Projects, or `:all:`, whose source distributions may not be used.
        no_binary: Projects, or `:all:`, whose wheels may not be used.
        undo: For each of these, how the user can undo it.
    """

    no_build: frozenset[str]
    no_binary: frozenset[str]
    undo: Mapping[tuple[Option, str], str]


def in_options(
    no_build: Iterable[str], no_binary: Iterable[str], written: Mapping[tuple[Option, str], str]
) -> FileKinds:
    """The rules of options; `written` has the names of options that are not the usual ones."""

    def undo(option: Option, word: str) -> str:
        names = {"no-build": "--no-build" if word in {"", _EVERY_PROJECT} else f"--only-binary {word}"}
        return f"leave `{written.get((option, word)) or names.get(option, f'--no-binary {word}')}` out"

    kinds = _kinds(no_build, no_binary, undo)
    return kinds._replace(undo={**kinds.undo, BUILD_NOTHING: undo(*BUILD_NOTHING)})


def in_settings(no_build: Iterable[str], no_binary: Iterable[str]) -> FileKinds:
    """The rules of `[tool.lockset]`."""

    def undo(option: Option, word: str) -> str:
        if word == _EVERY_PROJECT:  # `true` or `[":all:"]`
            return f"take `{option}` for all packages out of [tool.lockset]"
        return f"take {word} out of `{option}` in [tool.lockset]"

    return _kinds(no_build, no_binary, undo)


def in_files(only_binary: Iterable[str], no_binary: Iterable[str]) -> FileKinds:
    """The rules of requirements files."""
    names = {"no-build": "--only-binary", "no-binary": "--no-binary"}
    return _kinds(
        only_binary, no_binary, lambda option, word: f"take `{names[option]} {word}` out of the requirements files"
    )


def merge_kinds(locations: Iterable[FileKinds]) -> FileKinds:
    """Merge rules, the weakest first: for one word (a project, or `:all:`), the last one counts.

    A name and `:all:` are different words; which of them counts is for `_forbids` to say.
    """
    no_build: frozenset[str] = frozenset()
    no_binary: frozenset[str] = frozenset()
    undo: dict[tuple[Option, str], str] = {}
    for location in locations:
        no_build = (no_build - location.no_binary) | location.no_build
        no_binary = (no_binary - location.no_build) | location.no_binary
        undo |= location.undo
    return FileKinds(no_build, no_binary, undo)


def _forbids(these: Collection[str], opposite: Collection[str], name: str) -> bool:
    """Whether `these` (projects, or `:all:`) forbid one kind of file for `name`; a name counts more than `:all:`."""
    return name in these or (_EVERY_PROJECT in these and name not in opposite)


def _kinds(no_build: Iterable[str], no_binary: Iterable[str], undo: Callable[[Option, str], str]) -> FileKinds:
    builds, binaries = frozenset(no_build), frozenset(no_binary)
    words: list[tuple[Option, str]] = [("no-build", word) for word in builds]
    words += [("no-binary", word) for word in binaries]
    return FileKinds(builds, binaries, {word: undo(*word) for word in words})


class UploadedFile(Protocol):
    """The facts of a file that limits on upload times depend on."""

    @property
    def version(self) -> Version:
        """The version of its release."""

    @property
    def hashes(self) -> Mapping[str, str]:
        """Its hashes by algorithm."""

    @property
    def upload_time(self) -> datetime | None:
        """When it was uploaded; None if the index does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRules:
    """Which files may be used, and where they must exist.

    Attributes:
        ignore_caps: Ignore upper bounds in Requires-Python during the search (the lock is narrowed afterwards).
        caps_count: Environments in which they count anyway.
        no_build: Projects, or `:all:`, whose sdists may not be used. A name takes precedence over `:all:`.
        no_sdist: The lock records wheels only: sdists of an index may not be used, whatever may be built.
        no_binary: Projects, or `:all:`, whose wheels may not be used.
        build_nothing: No sdist may be used, whatever `no_binary` names.
        undo: For each of these, how the user can undo it.
        targets: Described interpreters, each with the region that it stands for: a wheel counts there only if the
            interpreter accepts it.
        target_region: Environments in which a release should have a usable file, if any release of its project has.
        counting: The part of it in which a usable file counts more than a newer version or a pin of an old lock.
            Without Pythons in development if the range is open above.
        must_have: The part of it in which a release must have a usable file; empty except in searches for these.
        sdists: For projects in it, the releases whose sdists count as a usable file, and where.
        required: Environments in which a release must have a usable wheel.
        strictly: The described interpreters of `required`; a part of `targets`.
        uploaded_before: Files uploaded later do not exist; nor do those without an upload time.
        uploaded_before_of: The same for single projects; None lifts the limit.
        cooldown: Files uploaded later are held back, besides that limit; nor do those count without an upload time.
        cooldown_of: The same for single projects; None lifts the cooldown.
        locked_hashes: Hashes as `algorithm:value` of files of the old lock, which the cooldown does not hold back.
        cooldown_lifted: Releases that the cooldown does not hold back, by project.
        overrides: Requirement texts that replace every requirement on a project.
        excludes: Projects on which all requirements are ignored.
        hashes: By project, digests as `algorithm:value`, one of which each of its files must have.
    """

    ignore_caps: bool = False
    caps_count: MarkerSet = field(default_factory=MarkerSet.none)
    no_build: frozenset[str] = frozenset()
    no_sdist: bool = False
    no_binary: frozenset[str] = frozenset()
    build_nothing: bool = False
    undo: Mapping[tuple[Option, str], str] = field(default_factory=dict)
    targets: Mapping[TargetInterpreter, MarkerSet] = field(default_factory=dict)
    target_region: MarkerSet
    counting: MarkerSet = field(default_factory=MarkerSet.none)
    must_have: MarkerSet = field(default_factory=MarkerSet.none)
    sdists: Mapping[str, Mapping[Version, MarkerSet]] = field(default_factory=dict)
    required: MarkerSet
    strictly: Mapping[TargetInterpreter, MarkerSet] = field(default_factory=dict)
    uploaded_before: datetime | None = None
    uploaded_before_of: Mapping[str, datetime | None] = field(default_factory=dict)
    cooldown: datetime | None = None
    cooldown_of: Mapping[str, datetime | None] = field(default_factory=dict)
    locked_hashes: frozenset[str] = frozenset()
    cooldown_lifted: Mapping[str, frozenset[Version]] = field(default_factory=dict)
    overrides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    excludes: frozenset[str] = frozenset()
    hashes: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def has_targets_alike(self) -> bool:
        """Whether markers do not tell some of the described interpreters apart."""
        return len(set(self.targets.values())) < len(self.targets)

    def needs_wheel(self, name: str, version: Version, *, has_sdist: bool) -> MarkerSet:
        """Where a release must have a usable wheel, because it must have a usable file and no sdist counts."""
        if not has_sdist:
            return self.must_have
        built = self.sdists.get(name)
        return MarkerSet.none() if built is None else self.must_have - built.get(version, MarkerSet.none())

    def limit(self, name: str) -> datetime | None:
        """The upload time before which all files of `name` count: the earlier one of both limits."""
        uploaded, cooldown = self.upload_limit(name), self.cooldown_limit(name)
        return cooldown if uploaded is None else uploaded if cooldown is None else min(uploaded, cooldown)

    def upload_limit(self, name: str) -> datetime | None:
        """The upload time from which on files of `name` do not exist."""
        return self.uploaded_before_of.get(name, self.uploaded_before)

    def cooldown_limit(self, name: str) -> datetime | None:
        """The upload time from which on files of `name` are held back."""
        return self.cooldown_of.get(name, self.cooldown)

    def admits_upload(self, name: str, file: UploadedFile) -> bool:
        """Whether the file of `name` was uploaded early enough, or the cooldown is lifted for it."""
        limit, cooldown, uploaded = self.upload_limit(name), self.cooldown_limit(name), file.upload_time
        if limit is not None and (uploaded is None or uploaded >= limit):
            return False
        if cooldown is None or (uploaded is not None and uploaded < cooldown):
            return True
        is_locked = any(f"{algorithm}:{value}" in self.locked_hashes for algorithm, value in file.hashes.items())
        return is_locked or file.version in self.cooldown_lifted.get(name, ())

    def may_build(self, name: str) -> bool:
        """Whether source trees of `name` may be built."""
        return not self.build_nothing and not _forbids(self.no_build, self.no_binary, name)

    def may_use_sdists(self, name: str) -> bool:
        """Whether sdists of `name` that an index has may be used."""
        return not self.no_sdist and self.may_build(name)

    def may_use_wheels(self, name: str) -> bool:
        """Whether wheels of `name` may be used."""
        return not _forbids(self.no_binary, self.no_build, name)

    def undo_sources(self, name: str) -> list[str]:
        """How the user can undo what _forbids sdists of `name`."""
        words: list[tuple[Option, str]] = [
            ("no-build", word) for word in (_EVERY_PROJECT, name) if word in self.no_build
        ]
        return [self._undo(*one) for one in (*words, *([BUILD_NOTHING] if self.build_nothing else ()))]

    def undo_wheels(self, name: str) -> list[str]:
        """How the user can undo what _forbids wheels of `name`."""
        return [self._undo("no-binary", word) for word in (_EVERY_PROJECT, name) if word in self.no_binary]

    def _undo(self, option: Option, word: str) -> str:
        usual = f"--{option} {word}".rstrip()
        return self.undo.get((option, word)) or f"leave `{usual}` out"


def cooldown_rules(settings: Settings, options: LockOptions, old: Pylock | None, now: datetime) -> dict[str, Any]:
    """The fields of `FileRules` for the cooldown; none without one.

    The options take precedence over the settings, and a single project over all. Files of the `old` lock are known by
    their hashes: what is locked already is not new, so that a lock does not go back when a cooldown is set.
    """
    whole = options.cooldown if options.cooldown is not None else settings.cooldown
    single = {**settings.cooldown_package, **options.cooldown_package}
    if not whole and not any(single.values()):
        return {}
    packages = old.packages if old is not None else ()
    files = [f for p in packages for f in (p.sdist, *(p.wheels or ())) if f is not None]
    return {
        "cooldown": now - whole if whole else None,
        "cooldown_of": {name: now - age if age else None for name, age in single.items()},
        "locked_hashes": frozenset(f"{algorithm}:{value}" for f in files for algorithm, value in f.hashes.items()),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectRules:
    """Rules for direct sources.

    Attributes:
        base: What relative paths are relative to; absolute.
        folder: The lock's folder; absolute.
        universe: The environments to lock for.
        sources: Sources that the project requires, with the environments in which their packages come from them.
        commits: Commits of revisions in the old lock, by project, URL or absolute path, and revision.
        hosts: Hosts to which releases of an index may point by URL.
        overridden: Projects with overrides: a URL there is the user's own.
        refused: Errors of sources that are not supported, by project; raised once the project is needed.
        guard: Packages whose source the user has set; None where that does not matter.
        project: The name of the project that is locked; None if it has none, or something else stands for it.
        own: The trees of the projects that are locked, if their dependencies require one of them.
    """

    base: Path
    folder: Path
    universe: MarkerSet
    sources: tuple[tuple[DirectSource, MarkerSet], ...] = ()
    commits: Mapping[tuple[str, str, str | None], str] = field(default_factory=dict)
    hosts: frozenset[str] = frozenset()
    overridden: frozenset[str] = frozenset()
    refused: Mapping[str, LocksetError] = field(default_factory=dict, compare=False)
    guard: SourceGuard | None = field(default=None, compare=False)
    project: str | None = None
    own: Mapping[DirectSource, SourceFacts] = field(default_factory=dict, compare=False)

    def commit_of(self, source: DirectSource) -> str | None:
        """The commit that the old lock has for the source, if any."""
        return self.commits.get((source.name, source.path or source.url or "", source.revision))

    @property
    def concerned(self) -> bool:
        """Whether anything can come from a source."""
        return bool(self.sources or self.hosts or self.overridden or self.refused)
