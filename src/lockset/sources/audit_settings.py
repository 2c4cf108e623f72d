"""`[tool.lockset.audit]`: where advisories are, and which vulnerabilities are ignored, why and until when."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset._pattern import lazy_pattern

if TYPE_CHECKING:
    from lockset.sources.toml_table import SettingsTable

__all__ = ["ANALYSIS_STATES", "ID", "AuditSettings", "IgnoredVulnerability", "read_audit_settings"]

# What `state` may be: the states of an analysis in CycloneDX that say more than "ignored".
ANALYSIS_STATES = ("in_triage", "not_affected", "false_positive", "exploitable")
ID = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,99}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredVulnerability:
    """One entry of `ignore`.

    Attributes:
        id: An id of the vulnerability, in any database.
        reason: Why it is ignored; None on the command line.
        until: The first day on which it counts again; None for never.
        package: The normalized name of the one package for which it is ignored; None for all.
        state: What an analysis has shown, for a VEX.
    """

    id: str
    reason: str | None = None
    until: date | None = None
    package: str | None = None
    state: str = "in_triage"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    """The settings of `lockset audit`.

    Attributes:
        advisories: Paths relative to the settings' folder, and URLs.
        osv: Query OSV's service.
        ignore: Vulnerabilities that do not count.
    """

    advisories: tuple[str, ...] = ()
    osv: bool = False
    ignore: tuple[IgnoredVulnerability, ...] = ()


def read_audit_settings(table: SettingsTable, key: str) -> AuditSettings:
    """Read the table.

    Raises:
        LocksetError: `unknown-key`, `wrong-type` or `invalid-value`.
    """
    inner = table.table(key)
    assert inner is not None
    inner.only(("advisories", "osv", "ignore"))
    return AuditSettings(
        advisories=inner.texts("advisories"),
        osv=inner.flag("osv") or False,
        ignore=tuple(_ignored(entry) for entry in inner.tables("ignore")),
    )


def _ignored(entry: SettingsTable) -> IgnoredVulnerability:
    from lockset.package_names import InvalidName, canonicalize_name

    entry.only(("id", "reason", "until", "package", "state"))
    one, reason = entry.text("id"), entry.text("reason")
    if one is None:
        raise entry.invalid(entry.path, "needs an `id`", hint='Write `{ id = "CVE-2024-1", reason = "..." }`')
    if not ID.match(one):
        raise entry.invalid(entry.at("id"), f"is not a valid id of a vulnerability: `{one}`")
    if reason is None or not reason.strip():
        raise entry.invalid(entry.path, "needs a `reason`", hint="Write why it does not matter here")
    package = entry.text("package")
    try:
        name = None if package is None else canonicalize_name(package, validate=True)
    except InvalidName as error:
        raise entry.invalid(entry.at("package"), f"is not a valid name: `{package}`") from error
    return IgnoredVulnerability(
        id=one,
        reason=reason.strip(),
        until=_date(entry),
        package=name,
        state=entry.choice("state", ANALYSIS_STATES) or "in_triage",
    )


def _date(entry: SettingsTable) -> date | None:
    value = entry.data.get("until")
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise entry.wrong(entry.at("until"), "a date", value)
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        hint = "Write a date such as `2027-01-31`"
        raise entry.invalid(entry.at("until"), f"is not a valid date: `{value}`", hint=hint) from error
