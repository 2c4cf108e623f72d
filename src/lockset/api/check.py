"""check(): check whether a lock file is up to date with its sources, without builds or writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.composition.lock_inputs import read_lock_inputs, source_arguments
from lockset.errors import UsageError
from lockset.lockfile.validate.report import finding_severity
from lockset.resolve.lock.staleness import outdated_parts
from lockset.sources.other_tools.facts import join_many_names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike
    from pathlib import Path

    from lockset.composition.lock_inputs import LockInputs
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.lockfile.model import Pylock
    from lockset.lockfile.validate.finding import Finding
    from lockset.resolve.problem.options import LockOptions

__all__ = ["LockCheck", "check"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockCheck:
    """Whether a lock file is up to date.

    Attributes:
        path: The lock file.
        exists: Whether the file exists and can be read.
        findings: What is out of date, one sentence each; with `online`, also what the index no longer has or has
            quarantined.
        notes: With `online`, what the index says of releases that can still be installed (yanked, archived,
            deprecated), one sentence each.
        uncompared: Dynamic fields that were not compared, since they need a build, one sentence each.
    """

    path: Path
    exists: bool
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    uncompared: tuple[str, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether the lock file is up to date, as far as it was compared."""
        return self.exists and not self.findings


def check(
    sources: str | PathLike[str] | Iterable[str | PathLike[str]] = (),
    *,
    options: LockOptions | None = None,
    indexes: IndexOptions | IndexOverrides | None = None,
    output: str | PathLike[str] | None = None,
    context: RunContext | None = None,
    online: bool = False,
) -> LockCheck:
    """Check whether the lock file at `output` is up to date; takes the same arguments as `lock`.

    With `online`, also compare the lock file with the indexes: files that are missing or differ, projects that are
    quarantined, archived or deprecated (PEP 792), and files that are yanked (PEP 592). Without, no network is used.

    Raises:
        LocksetError: If the sources are not valid; `merge-conflict` if the lock file has an open merge conflict.
    """
    named, target = source_arguments(sources, output)
    inputs = read_lock_inputs(named, options, indexes, target, context, merging=False, connecting=online)
    if inputs.target is None:
        raise UsageError("check-stdout", "`--check` requires a lock file", hint="Name it with `-o`")
    if inputs.pins is None:
        return LockCheck(path=inputs.target, exists=False)
    findings = [
        *outdated_parts(inputs.project, inputs.options, inputs.pins, now=inputs.context.moment, folder=inputs.folder)
    ]
    notes: list[str] = []
    if online:
        for finding in _compared_online(inputs, inputs.pins):
            (findings if finding_severity(finding) == "error" else notes).append(finding.message)
    unbuilt = [
        f"The {join_many_names(one.keys)} of {one.name} are dynamic, and were not compared"
        for one in inputs.project.unbuilt
    ]
    return LockCheck(
        path=inputs.target, exists=True, findings=tuple(findings), notes=tuple(notes), uncompared=tuple(unbuilt)
    )


def _compared_online(inputs: LockInputs, lock: Pylock) -> list[Finding]:
    from lockset.composition.connections import connected
    from lockset.composition.verify_online import check_online

    listener = inputs.context.heard
    with connected(inputs.indexes, inputs.context.cache_folder, listener) as connection:
        return list(check_online(lock, connection.index, listener))
