"""The severity of a vulnerability, and which fix fits, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.url_secrets import plain

if TYPE_CHECKING:
    from lockset.composition.audits.report import AuditFinding

__all__ = ["outlook_text", "severity_text"]

# Changes that a fix needs, of which a sentence names so many.
_SHOWN_CHANGES = 4


def outlook_text(finding: AuditFinding) -> str:
    """Which versions fix it, and whether one fits the lock, in one sentence without a full stop."""
    fixed = finding.vulnerability.fixed
    text = f"fixed in {' and '.join(fixed)}" if fixed else "no version is known to fix it"
    outlook = finding.outlook
    if outlook is None:
        return text
    if not outlook.fits:
        return f"{text}; no fix fits: {outlook.reason}"
    if outlook.is_removed:
        return f"{text}; with the versions that fit the lock, it is no longer required"
    more = outlook.changes[:_SHOWN_CHANGES]
    further = f" and {len(outlook.changes) - len(more)} more" if len(outlook.changes) > len(more) else ""
    with_changes = f", with {', '.join(more)}{further}" if more else ""
    lifted = " (within the cooldown, which does not apply to fixes)" if outlook.lifted else ""
    return f"{text}; {' and '.join(outlook.versions)} fits the lock{lifted}{with_changes}"


def severity_text(finding: AuditFinding) -> str:
    """The severity in a few words, such as `high, 7.5`; the vector where nothing else is known."""
    severity = finding.vulnerability.severity
    parts = [severity.level] if severity.level else []
    parts += [f"{severity.score:.1f}"] if severity.score is not None else []
    if not parts and severity.vector is not None:
        return plain(severity.vector)
    return ", ".join(parts)
