"""The result of `lockset outdated`, as a table and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.cli.output.streams import count_text, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.api.outdated import OutdatedPackage, OutdatedReport
    from lockset.cli.output.streams import Output

__all__ = ["outdated_json", "show_outdated"]


def show_outdated(report: OutdatedReport, out: Output, *, only_direct: bool) -> None:
    """Show the packages that have newer versions, direct ones first, and a summary."""
    compared = [package for package in report.packages if package.is_direct or not only_direct]
    shown = [package for package in compared if package.is_outdated]
    if shown:
        out.table(*_table(shown), stdout=True)
    for line in _remarks(report, compared):
        out.line(line)
    out.line(out.style(_summary(compared, shown, has_source=report.source is not None), "bold"))


def _table(shown: Sequence[OutdatedPackage]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headers and rows; columns that would be empty are left out."""
    names = [package.name for package in shown]
    forks = len(set(names)) < len(names)
    headers = ("package", *(("where",) if forks else ()), "locked", "fits", "newest", "held back by")
    rows = [
        (
            package.name,
            *(((package.marker or "") if names.count(package.name) > 1 else "",) if forks else ()),
            package.version,
            "not required" if package.fits is None else package.fits if package.can_upgrade else "-",
            package.newest or "-",
            "; ".join(_reasons(package)),
        )
        for package in shown
    ]
    return headers, rows


def _reasons(package: OutdatedPackage) -> Iterator[str]:
    if package.yanked is not None:
        yield f"{package.version} was yanked" + (f" ({package.yanked})" if package.yanked else "")
    if package.status is not None:
        yield f"the project is {package.status}"
    # The row names the package and the version.
    own = f"{package.name} {package.newest} "
    reasons = [r.text.removeprefix(own).replace(" [project.dependencies]", "") for r in package.held_back]
    yield from reasons[:2]
    if len(reasons) > 2:
        yield f"{len(reasons) - 2} more"


def _remarks(report: OutdatedReport, compared: Sequence[OutdatedPackage]) -> Iterator[str]:
    for package in compared:
        if package.problem is not None:
            yield f"{package.name} {package.version} was not compared: {plain(package.problem)}"
        elif package.status is not None and not package.is_outdated:
            yield f"The project {package.name} is {plain(package.status)}"
    if report.not_compared:
        count = count_text(len(report.not_compared), "package")
        yield f"{count} without an index (URL, path or repository): {plain(', '.join(report.not_compared))}"
    if report.is_offline:
        yield "Offline: compared with the cached pages of the index, which may be out of date"


def _summary(compared: Sequence[OutdatedPackage], shown: Sequence[OutdatedPackage], *, has_source: bool) -> str:
    names = {package.name for package in compared if package.problem is None}
    newer = {package.name for package in shown}
    fitting = {package.name for package in shown if package.can_upgrade}
    yanked = {package.name for package in shown if package.yanked is not None}
    if not names:
        return "The lock file has no packages from an index"
    if not newer and len(names) == 1:
        return "1 package, at its newest version"
    if not newer:
        return f"{count_text(len(names), 'package')}, all at their newest versions"
    parts = [f"{len(newer)} of {count_text(len(names), 'package')} outdated"]
    if fitting:
        way = ": `lockset lock -U`" if has_source else " within the requirements of the lock file"
        parts.append(f"{len(fitting)} can be upgraded{way}")
    else:
        parts.append("no newer version fits")
    if yanked:
        parts.append(f"{len(yanked)} locked at a yanked version")
    return "; ".join(parts)


def outdated_json(report: OutdatedReport, *, only_direct: bool) -> dict[str, Any]:
    """The report as `schemas/command-output.schema.json` describes it."""
    return {
        "lock": report.path,
        "source": report.source,
        "offline": report.is_offline,
        "packages": [
            {
                "name": package.name,
                "version": package.version,
                "marker": package.marker,
                "direct": package.is_direct,
                "outdated": package.is_outdated,
                "fits": package.fits,
                "newest": package.newest,
                "held-back": [{"kind": reason.kind, "text": reason.text} for reason in package.held_back],
                "yanked": package.yanked,
                "status": package.status,
                "problem": package.problem,
            }
            for package in report.packages
            if package.is_direct or not only_direct
        ],
        "not-compared": list(report.not_compared),
    }
