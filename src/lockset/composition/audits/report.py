"""The options and the result of an audit, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.option_values import check_options

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date
    from os import PathLike

    from lockset.advisories.database import DatabaseState
    from lockset.advisories.vulnerabilities import Vulnerability
    from lockset.composition.lock_assembly import LockResult
    from lockset.sources.audit_settings import IgnoredVulnerability

__all__ = ["AuditFinding", "AuditFix", "AuditOptions", "AuditReport", "FixOutlook", "IgnoredFinding", "PackageStatus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditOptions:
    """The options of `lockset audit`: what to audit, and against which advisories.

    Attributes:
        advisories: Folders, archives or files of advisories, and URLs of archives; empty for those of the settings.
        osv: Query OSV's service; None for the setting.
        osv_address: The address of the service; None for the public one.
        ignore: Ids of vulnerabilities that do not count, in addition to those of the settings.
        extras: For a lock file: the chosen extras; None for any, unless groups are chosen.
        groups: For a lock file: the chosen dependency groups, in addition to the default groups; None for any, unless
            extras are chosen.
        python_version: For a lock file: only packages for this Python: `3.12`, `3.12.4` or a range.
        platform: For a lock file: only packages for this platform: `linux`, `macos`, `windows`, `win_amd64` and so on.
        python: Audit the environment of this interpreter, or this environment, instead of a file.
        target: Audit this folder of packages instead; `python` has to be given.
        prefix: Audit an installation below this folder instead; `python` has to be given.
        online: Use the indexes: to try which fixing versions fit the lock, and to learn which packages are quarantined
            or yanked.
        fix: Resolve again with fixing versions for the affected packages; see `AuditReport.fix`. Uses the indexes.
    """

    advisories: Collection[str | PathLike[str]] = ()
    osv: bool | None = None
    osv_address: str | None = None
    ignore: Collection[str] = ()
    extras: Collection[str] | None = None
    groups: Collection[str] | None = None
    python_version: str | None = None
    platform: str | None = None
    python: str | PathLike[str] | None = None
    target: str | PathLike[str] | None = None
    prefix: str | PathLike[str] | None = None
    online: bool = False
    fix: bool = False

    def __post_init__(self) -> None:
        check_options(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixOutlook:
    """Whether a version of a package without its vulnerabilities fits the lock; the result of a search.

    Attributes:
        versions: The versions that would be locked; empty if none fits, or the package is no longer required.
        is_removed: Whether the package is no longer required then.
        changes: What else would change, as `name version`; empty if nothing.
        reason: Why none fits, in one sentence; None if one does.
        context: Further lines of the reason.
        lifted: Versions that the cooldown would hold back, and that are used because they are a fix.
    """

    versions: tuple[str, ...] = ()
    is_removed: bool = False
    changes: tuple[str, ...] = ()
    reason: str | None = None
    context: tuple[str, ...] = ()
    lifted: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether one fits."""
        return bool(self.versions) or self.is_removed


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """A vulnerability of a package of the subject.

    Attributes:
        vulnerability: The vulnerability.
        condition: The marker of where the package is locked; None for everywhere, and for an environment.
        line: The line of the package in the file, from 1.
        column: The column of the package in the file, from 1.
        chain: The shortest chain of dependencies, from a direct dependency to the package.
        outlook: Whether a fix fits the lock; None if that was not tried.
        expired: The entry of `ignore` that ignored it until its end date.
    """

    vulnerability: Vulnerability
    condition: str | None = None
    line: int = 1
    column: int = 1
    chain: tuple[str, ...] = ()
    outlook: FixOutlook | None = None
    expired: IgnoredVulnerability | None = None

    @property
    def direct(self) -> str | None:
        """The direct dependency that brings the package, as `name version`; None if it is one itself."""
        return self.chain[0] if len(self.chain) > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredFinding:
    """A finding that does not count, and the entry that says so."""

    finding: AuditFinding
    entry: IgnoredVulnerability


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFix:
    """The result of `fix`.

    Attributes:
        result: The new lock, not yet written; None if nothing changes.
        changes: The changed versions, as `name OLD -> NEW`.
        remaining: Findings that the new lock still has.
        lifted: Versions that the cooldown would hold back, and that are used because they are a fix.
    """

    result: LockResult | None
    changes: tuple[str, ...] = ()
    remaining: tuple[AuditFinding, ...] = ()
    lifted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageStatus:
    """The status of a package on its index.

    Attributes:
        kind: `quarantined`, which counts as a finding; `yanked`; or `unknown` if it has no page that can be read.
        name: The normalized name of the package.
        version: The audited version.
        message: One sentence, with the reason that the index gives.
    """

    kind: str
    name: str
    version: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """The result of an audit.

    Attributes:
        kind: `lock`, `requirements` or `environment`.
        location: The file, or the folder of the environment.
        packages: Number of versions that were compared with the advisories.
        findings: The vulnerabilities that count, the most severe first.
        ignored: Those that do not, with the reason.
        statuses: What the indexes say of the packages; empty without `online` and `fix`.
        unchecked: What has no version to compare, one sentence each.
        databases: Where the advisories come from, and their state.
        warnings: What makes the result less certain: old data, files that cannot be read, values that are not valid.
        notes: Entries of `ignore` that match nothing, and the like.
        fix: What `fix` has done; None without it.
        audited_on: The day of the audit, in UTC.
    """

    kind: str
    location: str
    packages: int
    findings: tuple[AuditFinding, ...]
    ignored: tuple[IgnoredFinding, ...] = ()
    statuses: tuple[PackageStatus, ...] = ()
    unchecked: tuple[str, ...] = ()
    databases: tuple[DatabaseState, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    fix: AuditFix | None = None
    audited_on: date

    @property
    def is_clean(self) -> bool:
        """Whether nothing counts; after a fix, whether nothing remains. A quarantined project counts."""
        if any(one.kind == "quarantined" for one in self.statuses):
            return False
        return not (self.findings if self.fix is None else self.fix.remaining)
