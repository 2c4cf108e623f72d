"""The words of a report that HTML and Markdown share."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from datetime import datetime

    from lockset.lockfile.report.concerns import Concern, ConcernName
    from lockset.lockfile.report.health import PackageHealth
    from lockset.lockfile.report.report import LockReport

__all__ = ["age_text", "concern_groups", "files_text", "heading", "package_page", "required_text"]

_DAYS_A_MONTH, _DAYS_A_YEAR = 30.44, 365.25
# Younger versions have their age in days, then in months, then in years.
_FEW_DAYS, _FEW_MONTHS = 60, 730


def heading(report: LockReport) -> str:
    """Who wrote the lock file, and for what."""
    parts = [f"written by {report.created_by}"]
    parts.append(f"Python {report.requires_python}" if report.requires_python else "no range of Pythons")
    if report.extras:
        parts.append(f"extras {', '.join(report.extras)}")
    if report.groups:
        parts.append(f"groups {', '.join(report.groups)}")
    parts.append("compared with the index" if report.online else "from the lock file alone")
    return " · ".join(parts)


def concern_groups(report: LockReport) -> list[tuple[ConcernName, list[Concern]]]:
    """The concerns by kind, the gravest first."""
    return [(name, list(own)) for name, own in groupby(report.concerns, key=lambda each: each.name)]


def required_text(package: PackageHealth) -> str:
    """Whether the project itself requires the package."""
    return "-" if package.direct is None else "direct" if package.direct else "transitive"


def age_text(then: datetime, now: datetime) -> str:
    """How long ago something was, such as `27 days` or `4.1 years`."""
    days = max(0, (now - then).days)
    if days < _FEW_DAYS:
        return f"{days} day{'' if days == 1 else 's'}"
    if days < _FEW_MONTHS:
        return f"{days / _DAYS_A_MONTH:.0f} months"
    return f"{days / _DAYS_A_YEAR:.1f} years"


def files_text(package: PackageHealth) -> str:
    """The files that can be installed, in words."""
    if package.source != "index":
        return package.source
    wheels = f"{package.wheels} wheel{'' if package.wheels == 1 else 's'}" if package.wheels else ""
    parts = [wheels, "sdist" if package.has_sdist else ""]
    return " + ".join(part for part in parts if part) or "none"


def package_page(report: LockReport, package: PackageHealth) -> str | None:
    """The project's page on the default index; None for a package from elsewhere."""
    own = package.location is None or package.location.rstrip("/") == (report.default_index or "").rstrip("/")
    if report.project_pages is None or package.source != "index" or not own or package.version is None:
        return None
    return report.project_pages.format(name=quote(package.name, safe=""), version=quote(package.version, safe=""))
