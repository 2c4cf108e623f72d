"""A requirements file of pins to a Draft."""

from __future__ import annotations

import re
from dataclasses import field, replace
from shlex import quote
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.version import InvalidVersion, Version

from lockset._dataclass import dataclass
from lockset.conversion.model.direct_source import read_direct
from lockset.conversion.model.formats import Format
from lockset.conversion.model.imported_lock import ImportedLock, ImportedPackage, Loss
from lockset.conversion.model.reference_selector import EntrySelector, StatedEntry
from lockset.conversion.model.selectable import SelectableNames
from lockset.conversion.readers.archive_hashes import with_certain_hashes
from lockset.conversion.readers.repeated_pins import join_pin
from lockset.conversion.readers.via_comments import COMPILED, with_dependencies
from lockset.dependency_specifiers import read_dependency, read_version
from lockset.errors import LocksetError
from lockset.lockfile.model import PackageArchive
from lockset.markers import MarkerSet, possible
from lockset.url_secrets import plain_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

    from lockset.conversion.model.options import FileSelection
    from lockset.sources.project import RequirementLine, RootProject, SourceOptions

__all__ = ["read_pins"]

# What pip-compile writes above what it leaves to the installer.
_UNSAFE = re.compile(r"^# The following packages are (?:considered|not pinned)", re.MULTILINE)
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
# As many unpinned requirements as a message lists.
_SHOWN = 8


def read_pins(
    project: RootProject,
    texts: Sequence[str],
    *,
    location: str,
    folder: Path,
    files: FileSelection,
    requires_python: SpecifierSet | None = None,
) -> ImportedLock:
    """The pins of a requirements file.

    Args:
        project: The file, read with all it includes.
        texts: The same files as text, for their `# via` comments.
        location: Name of the file in messages.
        folder: Folder of the lock file, which paths in it are relative to.
        files: Which files of a release are taken where the input does not name them by hash.
        requires_python: Pythons the lock serves.

    Raises:
        LocksetError: `not-pinned`, `pins-overlap`, `hashes-mixed`, `marker-extra`, or what is wrong with an entry.
    """
    _refuse_unset(project, location)
    lines = _pinned(project, location)
    _refuse_mixed(lines, files, location, required=project.options.require_hashes is True)
    universe = possible() if requires_python is None else possible() & MarkerSet.of_python(requires_python)
    reading = _RequirementsConverter(
        options=project.options, folder=folder, files=files, universe=universe, location=location
    )
    for line in lines:
        reading.take(line)
    reading.settle()
    packages = with_dependencies(reading.packages, texts, reading.losses)
    reading.losses += _warned(project)
    _note(project, packages, reading.losses)
    offers = SelectableNames()
    stated = tuple(
        StatedEntry(identity=key, when=tuple((("project", ""), marker) for marker in markers))
        for key, markers in reading.markers.items()
    )
    return ImportedLock(
        format=Format.REQUIREMENTS.shown,
        location=location,
        packages=tuple(packages),
        judge=EntrySelector(entries=stated, offers=offers),
        offers=offers,
        requires_python=requires_python,
        evidence={key: frozenset(hashes) for key, hashes in reading.evidence.items()},
        settled={key: frozenset(found) for key, found in reading.settled.items()},
        unhashed=frozenset(reading.unhashed),
        losses=tuple(reading.losses),
        may_be_partial=not any(map(COMPILED.search, texts)) or any(map(_UNSAFE.search, texts)),
    )


def _refuse_unset(project: RootProject, location: str) -> None:
    """Refuse variables that nobody has set: what they stand for is part of the question.

    Raises:
        LocksetError: `variable-unset`.
    """
    options = project.options
    texts = [(str(line.requirement), line.origin) for line in project.dependencies]
    texts += [(text, location) for text in (options.index_url or "", *options.extra_index_urls, *options.find_links)]
    for text, where in texts:
        found = _VARIABLE.search(text)
        if found is not None:
            raise LocksetError(
                "variable-unset",
                f"The environment variable `{found[1]}` is not set, and the file asks for it",
                location=where,
                hint=f"Set it: `{found[1]}=… lockset convert {quote(location)}`",
            )


def _pinned(project: RootProject, location: str) -> list[RequirementLine]:
    """The requirements, each with one version; pins of a constraint serve what the file leaves open.

    Raises:
        LocksetError: `not-pinned` with all that are not.
    """
    pins: dict[str, list[RequirementLine]] = {}
    for constraint in project.constraints:
        if constraint.requirement.url is None and pinned_version(constraint) is not None:
            pins.setdefault(constraint.name, []).append(constraint)
    found: list[RequirementLine] = []
    open_lines: list[RequirementLine] = []
    for line in project.dependencies:
        if line.requirement.url is not None or pinned_version(line) is not None:
            _refuse_contradiction(line, pins.get(line.name, ()))
            found.append(line)
            found.extend(_constrained(line, pin) for pin in pins.get(line.name, ()) if _is_narrower(pin, line))
        elif line.name in pins:
            found.extend(_constrained(line, pin) for pin in pins[line.name])
        else:
            open_lines.append(line)
    if open_lines:
        first = open_lines[0]
        more = f" ({len(open_lines)} of {len(project.dependencies)} requirements are not)" if open_lines[1:] else ""
        raise LocksetError(
            "not-pinned",
            f"`{first.requirement}` is not pinned to one version with `==`{more}; a conversion never resolves",
            location=first.origin,
            context=tuple(f"{line.origin}: {line.requirement}" for line in open_lines[1:_SHOWN]),
            hint=f"`lockset lock {quote(location)}` chooses versions and locks them",
        )
    if not found:
        raise LocksetError(
            "nothing-pinned", "The file asks for nothing", location=location, hint="Name the compiled file"
        )
    return found


def _refuse_contradiction(line: RequirementLine, pins: Iterable[RequirementLine]) -> None:
    """Refuse a pin that a constraint excludes.

    Raises:
        LocksetError: `pin-contradicts`.
    """
    version = pinned_version(line) if line.requirement.url is None else None
    for pin in pins:
        if version is None or pin.requirement.specifier.contains(version, prereleases=True) or _is_narrower(pin, line):
            continue
        regions = [
            MarkerSet.any() if m is None else MarkerSet.of_marker(m)
            for m in (line.requirement.marker, pin.requirement.marker)
        ]
        if not (regions[0] & regions[1]).is_empty:
            raise LocksetError(
                "pin-contradicts",
                f"`{line.requirement}` and the constraint `{pin.requirement}` ({pin.origin}) exclude each other",
                location=line.origin,
                hint="Keep one of them",
            )


def _is_narrower(pin: RequirementLine, line: RequirementLine) -> bool:
    """Whether the constraint pins a local version of what the line pins: 1.0+cpu, where the line says 1.0."""
    if line.requirement.url is not None:
        return False
    version = pinned_version(pin)
    return version != pinned_version(line) and line.requirement.specifier.contains(version or "", prereleases=True)


def _constrained(line: RequirementLine, pin: RequirementLine) -> RequirementLine:
    """The requirement with version, hashes and marker of its constraint.

    Raises:
        LocksetError: `pin-contradicts` where the requirement excludes what the constraint pins.
    """
    joined = line.where(pin.requirement.marker, through=pin.origin)
    requirement = read_dependency(str(joined.requirement))
    requirement.specifier = line.requirement.specifier & pin.requirement.specifier
    if not requirement.specifier.contains(pinned_version(pin) or "", prereleases=True):
        raise LocksetError(
            "pin-contradicts",
            f"`{line.requirement}` and the constraint `{pin.requirement}` ({pin.origin}) exclude each other",
            location=line.origin,
            hint="Keep one of them",
        )
    return replace(joined, requirement=requirement, hashes=line.hashes or pin.hashes)


def pinned_version(line: RequirementLine) -> Version | None:
    """The one version the requirement admits; None where it admits several.

    Raises:
        LocksetError: `version-invalid` where `===` names what is no version.
    """
    exact = [s for s in line.requirement.specifier if s.operator in {"==", "==="} and not s.version.endswith(".*")]
    if not exact:
        return None
    try:
        versions = sorted((read_version(one.version) for one in exact), reverse=True)
    except InvalidVersion as error:
        message = f"`{line.requirement}` names what is not a valid version, and a lock file holds versions only"
        raise LocksetError("version-invalid", message, location=line.origin) from error
    # `==1.0,==1.0+cpu` is a pin of 1.0+cpu, which both admit.
    for version in versions:
        if line.requirement.specifier.contains(version, prereleases=True):
            return version
    raise LocksetError("pin-contradicts", f"`{line.requirement}` admits no version at all", location=line.origin)


def _refuse_mixed(lines: Iterable[RequirementLine], files: FileSelection, location: str, *, required: bool) -> None:
    of_index = [line for line in lines if line.requirement.url is None]
    bare = [line for line in of_index if not line.hashes]
    if not bare or files.unhashed or (len(bare) == len(of_index) and not required):
        return
    why = "the file says `--require-hashes`" if required else "the others have"
    raise LocksetError(
        "hashes-mixed",
        f"{len(bare)} of {len(of_index)} pins have no hash and {why}; installers refuse such a file",
        location=bare[0].origin or location,
        context=tuple(f"{line.origin}: {line.requirement}" for line in bare[:_SHOWN]),
        hint="Add the missing hashes, or take every file for what has none with `--files all`",
    )


def _warned(project: RootProject) -> Iterator[Loss]:
    """What the reader of the file had to leave out, as losses.

    Raises:
        LocksetError: `hash-astray`: a hash that belongs to no requirement.
    """
    for told in project.warnings:
        if told.code == "option-ignored" and told.message.startswith("`--hash`"):
            raise LocksetError(
                "hash-astray",
                "A `--hash` stands on a line of its own, where it belongs to no requirement; installers ignore it",
                location=told.location,
                hint="Join it to the requirement's line with a backslash; no comment may stand between the two",
            )
        if told.code != "hashes-mixed":
            yield Loss(kind=told.code, message=f"{told.location}: {told.message}", note=told.code == "option-ignored")


@dataclass(slots=True, kw_only=True)
class _RequirementsConverter:
    """One run over the pins."""

    options: SourceOptions
    folder: Path
    files: FileSelection
    universe: MarkerSet
    location: str
    packages: list[ImportedPackage] = field(default_factory=list)
    markers: dict[str, list[str | None]] = field(default_factory=dict)
    evidence: dict[str, set[str]] = field(default_factory=dict)
    settled: dict[str, set[str]] = field(default_factory=dict)
    unhashed: set[str] = field(default_factory=set)
    losses: list[Loss] = field(default_factory=list)

    def take(self, line: RequirementLine) -> None:
        """One more pin."""
        marker = line.requirement.marker
        region = MarkerSet.any() if marker is None else MarkerSet.of_marker(marker)
        if region.metadata_extras() or region.extras() or region.groups():
            raise LocksetError(
                "marker-extra",
                f"The marker of `{line.requirement}` asks for an extra, and a requirements file has none",
                location=line.origin,
                hint="Take the part with `extra` out of the marker",
            )
        package = self._package(line, region)
        key = package.identity
        self.evidence.setdefault(key, set()).update(map(str, line.hashes), _commit(package))
        if not line.hashes and package.source is None:
            self.unhashed.add(key)
        self.markers.setdefault(key, []).append(None if marker is None else str(marker))
        if (region & self.universe).is_empty:
            message = f"{package.shown} applies in no environment of the lock and is left out"
            self.losses.append(Loss(kind="never-applies", message=message, hashes=tuple(map(str, line.hashes))))
            return
        self._add(package)

    def _package(self, line: RequirementLine, region: MarkerSet) -> ImportedPackage:
        marker = line.requirement.marker
        said = None if marker is None else str(marker)
        if line.requirement.url is not None:
            if plain_url(line.requirement.url) != line.requirement.url:
                message = f"The credentials in the address of {line.name} are not written"
                self.losses.append(Loss(kind="credentials-dropped", message=message, note=True))
            source, version = read_direct(line, folder=self.folder)
            if line.hashes and not isinstance(source, PackageArchive):
                raise _tree_hashed(line)
            return ImportedPackage(
                name=line.name,
                version=version,
                region=region,
                said=said,
                source=source,
                origin=line.origin,
                config_settings=line.config_settings,
                alternatives=(line.hashes,) if isinstance(source, PackageArchive) and line.hashes else (),
            )
        wheels, sdists = self._formats(str(line.name))
        return ImportedPackage(
            name=line.name,
            version=pinned_version(line),
            region=region,
            said=said,
            loose=line.hashes,
            every_file=not line.hashes,
            wheels=wheels,
            sdists=sdists and not self.files.wheels_only,
            origin=line.origin,
            config_settings=line.config_settings,
            extras=line.extras,
            admits=line.requirement.specifier,
        )

    def _formats(self, name: str) -> tuple[bool, bool]:
        """Whether wheels and source distributions may be used: what names the project counts before `:all:`."""
        no_binary, only_binary = self.options.no_binary, self.options.only_binary
        for word in (name, ":all:"):
            if word in no_binary or word in only_binary:
                return word not in no_binary, word not in only_binary
        return True, True

    def _add(self, package: ImportedPackage) -> None:
        """Joins it with other pins of the name; refuses one that contradicts it where both apply."""
        joined = join_pin(self.packages, package, universe=self.universe, location=self.location)
        self.packages = joined.packages
        self.losses += joined.losses
        for key, narrower in joined.stand_in:
            self.settled.setdefault(key, {key}).add(narrower)

    def settle(self) -> None:
        """The archives with the hashes that are certain."""
        for number, package in enumerate(self.packages):
            self.packages[number], losses = with_certain_hashes(package)
            self.losses += losses


def _tree_hashed(line: RequirementLine) -> LocksetError:
    return LocksetError(
        "tree-hashed",
        f"`{line.name}` is a folder or a repository, which has no hash to compare: installers refuse it",
        location=line.origin,
        hint="Leave out its `--hash`, or name an archive or a wheel in its place",
    )


def _commit(package: ImportedPackage) -> tuple[str, ...]:
    commit = getattr(package.source, "commit_id", None)
    return (f"commit:{commit}",) if commit else ()


def _note(project: RootProject, packages: Sequence[ImportedPackage], losses: list[Loss]) -> None:
    """What the lock file cannot say, or does not need to."""
    losses.extend(
        Loss(kind="config-settings", message=f"The build settings of {package.shown} are kept for lockset only")
        for package in packages
        if package.config_settings
    )
    urls = [project.options.index_url or "", *project.options.extra_index_urls]
    if any("@" in urlsplit(url).netloc for url in urls if "://" in url):
        message = "Credentials in index URLs are not written"
        losses.append(Loss(kind="credentials-dropped", message=message, note=True))
    hashed = any(package.loose for package in packages)
    trees = [p.name for p in packages if p.source is not None and not isinstance(p.source, PackageArchive)]
    if hashed and trees:
        message = f"{', '.join(trees)} can have no hash, and pip refuses that beside pins that have one: it is locked"
        losses.append(Loss(kind="hashes-beside-trees", message=message, note=True))
    if any(package.every_file for package in packages):
        message = "The file has no hashes: those of the index are taken on trust, this once"
        losses.append(Loss(kind="trusted-on-first-use", message=message, note=True))
