"""Export a lock file to a requirements file (read again and compared), constraints or a bill of materials."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lockset._dataclass import dataclass, field, replace
from lockset._version import __version__
from lockset.conversion.model.imported_lock import dropped_credentials, refuse_losses
from lockset.conversion.model.options import FileSelection
from lockset.conversion.model.selection import Situation
from lockset.conversion.pipeline.pylock_transform import KeptParts
from lockset.conversion.pipeline.verify import environments_within, identity_of_package, selected
from lockset.conversion.readers.requirements import read_pins
from lockset.conversion.writers.entries import chosen_entries
from lockset.conversion.writers.requirements import (
    RequirementsStyle,
    omitted_trees,
    to_constraints,
    to_requirements,
)
from lockset.conversion.writers.unlisted_files import unlisted_files
from lockset.errors import LocksetError, UsageError
from lockset.files.output_file import write_export
from lockset.lockfile.secrets import without_user_info
from lockset.lockfile.select import refuse_empty_environments
from lockset.markers import Environment, platform_region
from lockset.option_values import check_options
from lockset.sources.requirements.reader import read_requirements

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lockset.advisories.vulnerabilities import AssessedVulnerability
    from lockset.composition.audits.report import AuditOptions
    from lockset.conversion.model.imported_lock import Loss
    from lockset.conversion.writers.entries import ExportedLock
    from lockset.lockfile.model import Pylock

__all__ = ["FORMATS", "Export", "ExportOptions", "export_lock"]

FORMATS = ("requirements-txt", "constraints", "cyclonedx", "spdx", "spdx3")

_BILLS = frozenset({"cyclonedx", "spdx", "spdx3"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """Options of an export; the same as those of `lockset export`.

    Attributes:
        format: One of FORMATS.
        extras: Extras to install.
        groups: Dependency groups, in addition to the default groups.
        only_groups: Dependency groups, instead of the default groups.
        python: A range of Pythons; with one platform and one version (`3.12`), a single environment.
        platforms: Platforms to include; empty for all.
        all_extras: Include all extras of the lock file.
        all_groups: Include all dependency groups of the lock file.
        style: Layout of a requirements file.
        name: Name of the project that a bill of materials describes; None for the name of the lock file's folder.
        strict: Refuse an export that loses anything.
        excludes: Names of packages to leave out.
        vex: Advisories with which the packages are compared: a CycloneDX bill of materials has the vulnerabilities.
    """

    format: Literal["requirements-txt", "constraints", "cyclonedx", "spdx", "spdx3"] = "requirements-txt"
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    only_groups: tuple[str, ...] = ()
    python: str | None = None
    platforms: tuple[str, ...] = ()
    all_extras: bool = False
    all_groups: bool = False
    style: RequirementsStyle = field(default_factory=RequirementsStyle)
    name: str | None = None
    strict: bool = False
    excludes: tuple[str, ...] = ()
    vex: AuditOptions | None = None

    def __post_init__(self) -> None:
        check_options(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An export; requirements files are verified to install the same packages.

    Attributes:
        text: The exported text.
        losses: Properties that the format cannot express.
        packages: Number of packages.
        compared: Number of environments in which the packages were compared.
    """

    text: str
    losses: tuple[Loss, ...]
    packages: int
    compared: int = 0

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the text atomically.

        Raises:
            LocksetError: `output-not-writable`; the file is unchanged.
        """
        write_export(path, self.text)


def export_lock(
    lock: Pylock,
    options: ExportOptions,
    *,
    now: datetime | None = None,
    location: str = "pylock.toml",
    vulnerabilities: Sequence[AssessedVulnerability] = (),
) -> Export:
    """Convert the lock file to another format; nothing is written.

    Args:
        lock: The lock file.
        options: Format and content.
        now: The creation time of a bill of materials; None for the current time.
        location: The lock file's name in messages.
        vulnerabilities: Vulnerabilities of its packages, for CycloneDX.

    Raises:
        LocksetError: For unknown extras and groups, `library-missing`, `not-expressible`, or `lossy` if `options` are
            strict.
    """
    refuse_empty_environments(lock)
    lock, secretive = without_user_info(lock, parameters=options.format in _BILLS)
    if options.all_extras:
        options = replace(options, extras=tuple(lock.extras or ()))
    if options.all_groups:
        options = replace(options, groups=tuple(lock.dependency_groups or ()))
    if options.only_groups and options.groups:
        raise UsageError("groups-twice", "`--only-group` cannot be used with `--group`")
    if options.excludes:
        lock = replace(lock, packages=[one for one in lock.packages if one.name not in options.excludes])
    exported = _chosen(lock, options)
    losses: tuple[Loss, ...] = ()
    compared = 0
    if options.format == "requirements-txt":
        text, losses = to_requirements(exported, options.style)
        compared = _verify(exported, text, left_out=omitted_trees(exported, options.style))
    elif options.format == "constraints":
        text, losses = to_constraints(exported, source=options.style.source)
    else:
        text = _bill(exported, options, now or datetime.now(timezone.utc), vulnerabilities)
    losses = (*losses, *dropped_credentials(secretive))
    refuse_losses(losses, strict=options.strict, location=location)
    return Export(text=text, losses=losses, packages=len(exported.entries), compared=compared)


def _bill(
    exported: ExportedLock, options: ExportOptions, now: datetime, vulnerabilities: Sequence[AssessedVulnerability]
) -> str:
    """The bill of materials in the format of the options; each writer is imported when it is needed."""
    name = options.name or "pylock"
    if options.format == "cyclonedx":
        from lockset.conversion.writers.cyclonedx import to_cyclonedx

        return to_cyclonedx(exported, name=name, tool_version=__version__, now=now, vulnerabilities=vulnerabilities)
    if options.format == "spdx":
        from lockset.conversion.writers.spdx import to_spdx

        return to_spdx(exported, name=name, tool_version=__version__, now=now)
    from lockset.conversion.writers.spdx3 import to_spdx3

    return to_spdx3(exported, name=name, tool_version=__version__, now=now)


def _chosen(lock: Pylock, options: ExportOptions) -> ExportedLock:
    one = None
    if options.python is not None and len(options.platforms) == 1 and options.python[0].isdigit():
        one = Environment.of_platform(options.platforms[0], options.python)
    kept = KeptParts.of(
        lock,
        python=None if one is not None else options.python,
        platforms=() if one is not None else options.platforms,
        extras=options.extras,
        groups=options.groups,
        only_groups=options.only_groups,
        choose=True,
    )
    if one is not None:
        _refuse_unsupported(lock, one)
    return chosen_entries(lock, kept, one=one)


def _refuse_unsupported(lock: Pylock, one: Environment) -> None:
    values = one.as_dict()
    if not _serves(lock, values):
        raise LocksetError(
            "no-environment",
            f"The lock file does not support Python {one.python_full_version} on {one.sys_platform}",
            hint="Check `--python` and `--platform`",
        )


def _serves(lock: Pylock, values: dict[str, str]) -> bool:
    """Whether the lock file supports this environment."""
    if lock.requires_python is not None and not lock.requires_python.contains(values["python_full_version"]):
        return False
    plain = Situation(environment=values, extras=frozenset(), groups=frozenset())
    return lock.environments is None or any(plain.holds(str(marker)) for marker in lock.environments)


class _LockedPaths:
    """Surroundings in which every path of the lock file exists, and no other file is read."""

    def __init__(self, exported: ExportedLock) -> None:
        self._names = {}
        for entry in exported.entries:
            source = entry.package.directory or entry.package.archive
            if source is not None and source.path is not None:
                path = source.path if entry.package.archive else os.path.join(source.path, source.subdirectory or "")
                self._names[os.path.normpath(os.path.join("/", path))] = entry.package.name

    def read(self, path_or_url: str) -> bytes:
        raise LocksetError("source-missing", "An export includes no other file", location=path_or_url)

    def exists(self, path: str) -> bool:
        del path
        return True

    def project_name(self, path: str) -> str | None:
        return self._names.get(os.path.normpath(path))


def _verify(exported: ExportedLock, text: str, *, left_out: Collection[str]) -> int:
    """Read the requirements file again and compare it with the lock file; return the number of environments.

    The file does not have the packages in `left_out`.

    Raises:
        LocksetError: `proof-failed` if they differ.
    """
    root = Path("/")
    if not exported.entries or not any(line and not line.startswith(("#", "-f", "--")) for line in text.splitlines()):
        return 0
    project = read_requirements(
        text,
        path_or_url="/requirements.txt",
        location="the export",
        base=root,
        environ={},
        surroundings=_LockedPaths(exported),
    )
    selector = read_pins(project, (), location="the export", folder=root, files=FileSelection(unhashed=True)).selector
    lock = exported.lock
    if exported.one is not None:
        environments = [exported.one.as_dict()]
    else:
        regions = [platform_region("linux"), platform_region("windows")]
        environments = environments_within(lock.requires_python, tuple(map(str, lock.environments or ())), regions)
    by_url = _by_url(exported)
    for values in environments:
        situation = Situation(environment=values, extras=frozenset(), groups=frozenset())
        locked = {t.split("==")[0].split(" @ ")[0] + _version(t, by_url) for t in selected(lock, situation)}
        locked = {t for t in locked if t.split("==")[0] not in left_out}
        read_back = {t.split("==")[0].split(" @ ")[0] + _version(t) for t in selector.select(situation)}
        if locked != read_back:
            raise LocksetError(
                "proof-failed",
                "The export would not install the same packages as the lock file",
                context=(
                    *sorted(f"only in the lock: {t}" for t in locked - read_back)[:5],
                    *sorted(read_back - locked)[:5],
                ),
                hint="Nothing was written. This is a bug in lockset: report it with the lock file",
            )
    return len(environments)


def _by_url(exported: ExportedLock) -> frozenset[str]:
    """Identities of the entries that are written with the URL of a file."""
    packages = [entry.package for entry in exported.entries]
    return frozenset(identity_of_package(packages[number]) for number in unlisted_files(packages).by_url)


def _version(identity: str, by_url: frozenset[str] = frozenset()) -> str:
    """The version in an identity; paths and URLs are written differently in requirements files."""
    if "==" not in identity or " @ " in identity or identity in by_url:
        return ""
    return f"=={identity.split('==')[1]}"
