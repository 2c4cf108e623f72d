"""Reader of requirements files whose requirements are pinned."""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.version import InvalidVersion, Version

from lockset._dataclass import dataclass, field, replace
from lockset._pattern import lazy_pattern
from lockset.conversion.model.direct_source import read_direct
from lockset.conversion.model.formats import Format
from lockset.conversion.model.imported_lock import ImportedLock, ImportedPackage, Loss
from lockset.conversion.model.reference_selector import EntrySelector, StatedEntry
from lockset.conversion.model.selection import SelectableNames
from lockset.conversion.readers.pins import join_pin, with_certain_hashes
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

# The comment of pip-compile above packages that it does not pin.
_UNSAFE = lazy_pattern(r"^# The following packages are (?:considered|not pinned)", re.MULTILINE)
_VARIABLE = lazy_pattern(r"\$\{([A-Z0-9_]+)\}")
# How many unpinned requirements a message lists.
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
    """Read the pins of a requirements file.

    Args:
        project: The requirements file, with the files that it includes.
        texts: The text of those files, for their `# via` comments.
        location: Name of the file, for messages.
        folder: Folder of the lock file, to which its paths are relative.
        files: Which files of a release to lock if the input does not name them by hash.
        requires_python: Pythons that the lock supports.

    Raises:
        LocksetError: `not-pinned`, `pins-overlap`, `hashes-mixed`, `marker-extra`, or what is wrong with an entry.
    """
    _refuse_unset_variables(project, location)
    lines = _pinned_lines(project, location)
    _refuse_mixed_hashes(lines, files, location, required=project.options.require_hashes is True)
    universe = possible() if requires_python is None else possible() & MarkerSet.of_python(requires_python)
    converter = _RequirementsConverter(
        options=project.options, folder=folder, files=files, universe=universe, location=location
    )
    for line in lines:
        converter.take(line)
    converter.add_archive_hashes()
    packages = converter.packages
    if any("#" in text for text in texts):
        packages = with_dependencies(packages, texts, converter.losses)
    converter.losses += _warning_losses(project)
    _add_notes(project, packages, converter.losses)
    selectable = SelectableNames()
    stated = tuple(
        StatedEntry(identity=key, when=tuple((("project", ""), marker) for marker in markers))
        for key, markers in converter.markers.items()
    )
    return ImportedLock(
        format=Format.REQUIREMENTS.shown,
        location=location,
        packages=tuple(packages),
        selector=EntrySelector(entries=stated, selectable=selectable),
        selectable=selectable,
        requires_python=requires_python,
        evidence={key: frozenset(hashes) for key, hashes in converter.evidence.items()},
        stand_ins={key: frozenset(stand_ins) for key, stand_ins in converter.stand_ins.items()},
        unhashed=frozenset(converter.unhashed),
        losses=tuple(converter.losses),
        may_be_partial=not any(map(COMPILED.search, texts)) or any(map(_UNSAFE.search, texts)),
    )


def _refuse_unset_variables(project: RootProject, location: str) -> None:
    """Refuse environment variables in the file that are not set.

    Raises:
        LocksetError: `variable-unset`.
    """
    options = project.options
    texts = [(str(line.requirement), line.origin) for line in project.dependencies]
    texts += [(text, location) for text in (options.index_url or "", *options.extra_index_urls, *options.find_links)]
    for text, origin in texts:
        variable = _VARIABLE.search(text)
        if variable is not None:
            raise LocksetError(
                "variable-unset",
                f"The file uses the environment variable `{variable[1]}`, which is not set",
                location=origin,
                hint=f"Set `{variable[1]}` in the environment of the command",
            )


def _pinned_lines(project: RootProject, location: str) -> list[RequirementLine]:
    """The requirements, each with one version. Constraints pin what the file itself does not.

    Raises:
        LocksetError: `not-pinned`, with the requirements that are not.
    """
    pins: dict[str, list[RequirementLine]] = {}
    for constraint in project.constraints:
        if constraint.requirement.url is None and pinned_version(constraint) is not None:
            pins.setdefault(constraint.name, []).append(constraint)
    pinned: list[RequirementLine] = []
    open_lines: list[RequirementLine] = []
    for line in project.dependencies:
        if line.requirement.url is not None or pinned_version(line) is not None:
            _refuse_contradiction(line, pins.get(line.name, ()))
            pinned.append(line)
            pinned.extend(_with_constraint(line, pin) for pin in pins.get(line.name, ()) if _is_narrower(pin, line))
        elif line.name in pins:
            pinned.extend(_with_constraint(line, pin) for pin in pins[line.name])
        else:
            open_lines.append(line)
    if open_lines:
        first = open_lines[0]
        more = f" ({len(open_lines)} of {len(project.dependencies)} requirements are not)" if open_lines[1:] else ""
        raise LocksetError(
            "not-pinned",
            f"`{first.requirement}` is not pinned to one version with `==`{more}",
            location=first.origin,
            context=tuple(f"{line.origin}: {line.requirement}" for line in open_lines[1:_SHOWN]),
            hint=f"Run `lockset lock {quote(location)}` to choose versions and lock them",
        )
    if not pinned:
        raise LocksetError(
            "nothing-pinned",
            "The file contains no requirements",
            location=location,
            hint="Is it the right file?",
        )
    return pinned


def _refuse_contradiction(line: RequirementLine, pins: Iterable[RequirementLine]) -> None:
    """Refuse a pin that contradicts a constraint.

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
                f"`{line.requirement}` and the constraint `{pin.requirement}` ({pin.origin}) contradict each other",
                location=line.origin,
                hint="Keep one of them",
            )


def _is_narrower(pin: RequirementLine, line: RequirementLine) -> bool:
    """Whether the constraint pins a local version of the pinned version: 1.0+cpu for 1.0."""
    if line.requirement.url is not None:
        return False
    version = pinned_version(pin)
    return version != pinned_version(line) and line.requirement.specifier.contains(version or "", prereleases=True)


def _with_constraint(line: RequirementLine, pin: RequirementLine) -> RequirementLine:
    """The requirement with the version, hashes and marker of a constraint.

    Raises:
        LocksetError: `pin-contradicts` if they exclude each other.
    """
    joined = line.where(pin.requirement.marker, through=pin.origin)
    requirement = read_dependency(str(joined.requirement))
    requirement.specifier = line.requirement.specifier & pin.requirement.specifier
    if not requirement.specifier.contains(pinned_version(pin) or "", prereleases=True):
        raise LocksetError(
            "pin-contradicts",
            f"`{line.requirement}` and the constraint `{pin.requirement}` ({pin.origin}) contradict each other",
            location=line.origin,
            hint="Keep one of them",
        )
    return replace(joined, requirement=requirement, hashes=line.hashes or pin.hashes)


def pinned_version(line: RequirementLine) -> Version | None:
    """The version to which the requirement is pinned; None if it is not.

    Raises:
        LocksetError: `version-invalid` if `===` names something that is not a valid version.
    """
    exact = [s for s in line.requirement.specifier if s.operator in {"==", "==="} and not s.version.endswith(".*")]
    if not exact:
        return None
    try:
        versions = sorted((read_version(one.version) for one in exact), reverse=True)
    except InvalidVersion as error:
        message = f"`{line.requirement}` does not name a valid version, which a lock file needs"
        raise LocksetError("version-invalid", message, location=line.origin) from error
    # `==1.0,==1.0+cpu` is a pin of 1.0+cpu, which both admit.
    for version in versions:
        if line.requirement.specifier.contains(version, prereleases=True):
            return version
    raise LocksetError("pin-contradicts", f"No version satisfies `{line.requirement}`", location=line.origin)


def _refuse_mixed_hashes(
    lines: Iterable[RequirementLine], files: FileSelection, location: str, *, required: bool
) -> None:
    of_index = [line for line in lines if line.requirement.url is None]
    bare = [line for line in of_index if not line.hashes]
    if not bare or files.unhashed or (len(bare) == len(of_index) and not required):
        return
    why = "the file has `--require-hashes`" if required else "the others have one"
    raise LocksetError(
        "hashes-mixed",
        f"{len(bare)} of {len(of_index)} pins have no hash, but {why}; installers refuse such a file",
        location=bare[0].origin or location,
        context=tuple(f"{line.origin}: {line.requirement}" for line in bare[:_SHOWN]),
        hint="Add the missing hashes, or lock every file of those releases with `--files all`",
    )


def _warning_losses(project: RootProject) -> Iterator[Loss]:
    """The warnings of the requirements file reader, as losses.

    Raises:
        LocksetError: `hash-without-requirement`: a hash that belongs to no requirement.
    """
    for warning in project.warnings:
        if warning.code == "option-ignored" and warning.message.startswith("`--hash`"):
            raise LocksetError(
                "hash-without-requirement",
                "A `--hash` on its own line belongs to no requirement, and installers ignore it",
                location=warning.location,
                hint="Join it to the line of its requirement with a backslash, without a comment in between",
            )
        if warning.code != "hashes-mixed":
            yield Loss(
                kind=warning.code,
                message=f"{warning.location}: {warning.message}",
                note=warning.code == "option-ignored",
            )


@dataclass(slots=True, kw_only=True)
class _RequirementsConverter:
    """Collects the pins of one file."""

    options: SourceOptions
    folder: Path
    files: FileSelection
    universe: MarkerSet
    location: str
    packages: list[ImportedPackage] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    markers: dict[str, list[str | None]] = field(default_factory=dict)
    evidence: dict[str, set[str]] = field(default_factory=dict)
    stand_ins: dict[str, set[str]] = field(default_factory=dict)
    unhashed: set[str] = field(default_factory=set)
    losses: list[Loss] = field(default_factory=list)

    def take(self, line: RequirementLine) -> None:
        """Add one pin."""
        marker = line.requirement.marker
        region = MarkerSet.any() if marker is None else MarkerSet.of_marker(marker)
        if region.metadata_extras() or region.extras() or region.groups():
            raise LocksetError(
                "marker-extra",
                f"The marker of `{line.requirement}` compares `extra`, which a requirements file does not have",
                location=line.origin,
                hint="Remove the comparison with `extra` from the marker",
            )
        package = self._package(line, region)
        key = package.identity
        self.evidence.setdefault(key, set()).update(map(str, line.hashes), _commit(package))
        if not line.hashes and package.source is None:
            self.unhashed.add(key)
        self.markers.setdefault(key, []).append(None if marker is None else str(marker))
        if (region & self.universe).is_empty:
            message = f"{package.shown} applies in no environment of the lock, and is left out"
            self.losses.append(Loss(kind="never-applies", message=message, hashes=tuple(map(str, line.hashes))))
            return
        self._add(package)

    def _package(self, line: RequirementLine, region: MarkerSet) -> ImportedPackage:
        marker = line.requirement.marker
        original = None if marker is None else str(marker)
        if line.requirement.url is not None:
            if plain_url(line.requirement.url) != line.requirement.url:
                message = f"The credentials in the URL of {line.name} are left out"
                self.losses.append(Loss(kind="credentials-dropped", message=message, note=True))
            source, version = read_direct(line, folder=self.folder)
            if line.hashes and not isinstance(source, PackageArchive):
                raise _hashed_tree_error(line)
            return ImportedPackage(
                name=line.name,
                version=version,
                region=region,
                original_marker=original,
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
            original_marker=original,
            bare_hashes=line.hashes,
            every_file=not line.hashes,
            wheels=wheels,
            sdists=sdists and not self.files.wheels_only,
            origin=line.origin,
            config_settings=line.config_settings,
            extras=line.extras,
            admits=line.requirement.specifier,
        )

    def _formats(self, name: str) -> tuple[bool, bool]:
        """Whether wheels and source distributions may be used. An option that names the project wins over `:all:`."""
        no_binary, only_binary = self.options.no_binary, self.options.only_binary
        for word in (name, ":all:"):
            if word in no_binary or word in only_binary:
                return word not in no_binary, word not in only_binary
        return True, True

    def _add(self, package: ImportedPackage) -> None:
        """Join the pin with others of its name; refuse one that contradicts them where both apply."""
        if package.name not in self.names:
            self.names.add(package.name)
            self.packages.append(package)
            return
        joined = join_pin(self.packages, package, universe=self.universe, location=self.location)
        self.packages = joined.packages
        self.losses += joined.losses
        for key, narrower in joined.stand_in:
            self.stand_ins.setdefault(key, {key}).add(narrower)

    def add_archive_hashes(self) -> None:
        """Give archives the hashes that they certainly have."""
        for number, package in enumerate(self.packages):
            if package.alternatives:
                self.packages[number], losses = with_certain_hashes(package)
                self.losses += losses


def _hashed_tree_error(line: RequirementLine) -> LocksetError:
    return LocksetError(
        "tree-hashed",
        f"`{line.name}` is a folder or a repository, which cannot have a hash: installers refuse it",
        location=line.origin,
        hint="Remove its `--hash`, or name an archive or a wheel instead",
    )


def _commit(package: ImportedPackage) -> tuple[str, ...]:
    commit = getattr(package.source, "commit_id", None)
    return (f"commit:{commit}",) if commit else ()


def _add_notes(project: RootProject, packages: Sequence[ImportedPackage], losses: list[Loss]) -> None:
    """Add losses and notes about what the lock file does not contain."""
    losses.extend(
        Loss(
            kind="config-settings", message=f"Only lockset reads the build settings of {package.shown} in the lock file"
        )
        for package in packages
        if package.config_settings
    )
    urls = [project.options.index_url or "", *project.options.extra_index_urls]
    if any("@" in urlsplit(url).netloc for url in urls if "://" in url):
        message = "The credentials in index URLs are left out"
        losses.append(Loss(kind="credentials-dropped", message=message, note=True))
    hashed = any(package.bare_hashes for package in packages)
    trees = [p.name for p in packages if p.source is not None and not isinstance(p.source, PackageArchive)]
    if hashed and trees:
        they_are, them = ("they are", "them") if len(trees) > 1 else ("it is", "it")
        message = (
            f"{', '.join(trees)} cannot have a hash: {they_are} locked, although pip refuses {them} together with "
            "hashed pins"
        )
        losses.append(Loss(kind="hashes-beside-trees", message=message, note=True))
    if any(package.every_file for package in packages):
        message = "The file has no hashes: those of the index are trusted, this once"
        losses.append(Loss(kind="trusted-on-first-use", message=message, note=True))
