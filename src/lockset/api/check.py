"""check(): check whether a lock file is up to date with its sources, without builds or writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, replace
from lockset.composition.lock_inputs import read_lock_inputs, source_arguments, workspace_of
from lockset.composition.run_context import context_of
from lockset.composition.sources.names import with_known_names
from lockset.errors import UsageError
from lockset.lockfile.validate.report import finding_severity
from lockset.resolve.lock.staleness import outdated_parts
from lockset.sources.other_tools.facts import join_many_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike
    from pathlib import Path

    from lockset.composition.lock_inputs import LockInputs
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
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
        members: In a workspace, the same for the lock files of its members besides the root's.
    """

    path: Path
    exists: bool
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    uncompared: tuple[str, ...] = ()
    members: tuple[LockCheck, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether the lock file, and those of `members`, are up to date, as far as they were compared."""
        return self.exists and not self.findings and all(member.is_current for member in self.members)


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
    root = workspace_of(named, target, context)
    if root is not None:
        return _check_workspace(root, options, indexes, target, context_of(context), online=online)
    inputs = with_known_names(
        read_lock_inputs(named, options, indexes, target, context, merging=False, connecting=online)
    )
    if inputs.target is None:
        raise UsageError("check-stdout", "`--check` requires a lock file", hint="Name it with `-o`")
    if inputs.pins is None:
        return LockCheck(path=inputs.target, exists=False)
    findings = outdated_parts(
        inputs.project, inputs.options, inputs.pins, now=inputs.context.moment, folder=inputs.folder
    )
    return _checked(inputs, findings, online=online)


def _check_workspace(
    root: Path,
    options: LockOptions | None,
    indexes: IndexOptions | IndexOverrides | None,
    target: str | None,
    context: RunContext,
    *,
    online: bool,
) -> LockCheck:
    # Imported here: most projects are in no workspace.
    from lockset.composition.workspaces.check_workspace import member_states
    from lockset.composition.workspaces.workspace_inputs import read_workspace_inputs

    read = read_workspace_inputs(root, options, indexes, target, context, merging=False, connecting=online)
    first, *members = (_checked(inputs, findings, online=online) for inputs, findings in member_states(read))
    return replace(first, members=tuple(members))


def _checked(inputs: LockInputs, outdated: Sequence[str] | None, *, online: bool) -> LockCheck:
    """The result for one lock file; `outdated` is None if there is none."""
    assert inputs.target is not None
    if outdated is None or inputs.pins is None:
        return LockCheck(path=inputs.target, exists=False)
    findings = [*inputs.unknown, *outdated]
    notes: list[str] = []
    if online:
        from lockset.composition.connections import connected
        from lockset.composition.verify_online import check_online

        with connected(inputs.indexes, inputs.context.cache_folder, inputs.context.heard) as connection:
            for finding in check_online(inputs.context.heard, enumerate(inputs.pins.packages), connection.index):
                (findings if finding_severity(finding) == "error" else notes).append(finding.message)
    unbuilt = [
        f"The {join_many_names(one.keys)} of {one.name or 'the project'} are dynamic, and were not compared"
        for one in inputs.project.unbuilt
    ]
    return LockCheck(
        path=inputs.target, exists=True, findings=tuple(findings), notes=tuple(notes), uncompared=tuple(unbuilt)
    )
