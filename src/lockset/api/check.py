"""check(): check whether a lock file is up to date with its sources, without the network, builds or writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.composition.lock_inputs import read_lock_inputs, source_arguments
from lockset.errors import UsageError
from lockset.resolve.lock.staleness import outdated_parts
from lockset.sources.other_tools.facts import join_many_names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike
    from pathlib import Path

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
        findings: What is out of date, one sentence each.
        uncompared: Dynamic fields that were not compared, since they need a build, one sentence each.
    """

    path: Path
    exists: bool
    findings: tuple[str, ...] = ()
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
) -> LockCheck:
    """Check whether the lock file at `output` is up to date; takes the same arguments as `lock`.

    Raises:
        LocksetError: If the sources are not valid; `merge-conflict` if the lock file has an open merge conflict.
    """
    named, target = source_arguments(sources, output)
    inputs = read_lock_inputs(named, options, indexes, target, context, merging=False, connecting=False)
    if inputs.target is None:
        raise UsageError("check-stdout", "`--check` needs a lock file to check", hint="Name it with `-o`")
    if inputs.pins is None:
        return LockCheck(path=inputs.target, exists=False)
    findings = outdated_parts(
        inputs.project, inputs.options, inputs.pins, now=inputs.context.moment, folder=inputs.folder
    )
    unbuilt = [
        f"The {join_many_names(one.keys)} of {one.name} are dynamic, and were not compared"
        for one in inputs.project.unbuilt
    ]
    return LockCheck(path=inputs.target, exists=True, findings=tuple(findings), uncompared=tuple(unbuilt))
