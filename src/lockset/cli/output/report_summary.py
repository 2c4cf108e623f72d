"""A report in a few lines, for people."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from lockset.cli.output.streams import count_text, plain
from lockset.lockfile.report.concerns import CONCERNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockset.cli.output.streams import Output
    from lockset.lockfile.report.concerns import Concern
    from lockset.lockfile.report.report import LockReport

__all__ = ["show_failures", "summary_text"]

# As many packages as one line names.
_NAMED = 8


def summary_text(report: LockReport, path: str | None, out: Output) -> str:
    """One line on the report."""
    counts = {
        word: sum(CONCERNS[each.name].gravity == gravity for each in report.concerns)
        for gravity, word in (("bad", "serious"), ("poor", "weak"))
    }
    packages = len(report.matrix.rows)
    concerns = ", ".join(f"{count} {word}" for word, count in counts.items())
    facts = f"{count_text(packages, 'package')}, concerns: {concerns}"
    written = f"Wrote {plain(path)}: " if path is not None else ""
    style = "bold red" if counts["serious"] else "bold yellow" if counts["weak"] else "bold green"
    return out.style(f"{written}{facts}", style)


def show_failures(report: LockReport, failures: Sequence[Concern], out: Output) -> None:
    """One line for each kind of concern that fails the run."""
    for name, group in groupby(failures, key=lambda each: each.name):
        own = list(group)
        names = list(dict.fromkeys(_name(report, each) for each in own))
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        out.line(f"{out.style('failed', 'bold red')}: {name}: {', '.join(names[:_NAMED])}{more}")


def _name(report: LockReport, concern: Concern) -> str:
    if concern.entry is None:
        return plain(concern.detail)
    package = report.packages[concern.entry]
    return plain(package.name if package.version is None else f"{package.name} {package.version}")
