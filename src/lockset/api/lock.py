"""lock(): sources in, a proved lock out; nothing of the process's surroundings counts unless given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.composition.lock_inputs import read_lock_inputs, source_arguments
from lockset.composition.lock_pipeline import lock_project

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from lockset.composition.lock_assembly import LockResult
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.resolve.problem.options import LockOptions

__all__ = ["lock"]


def lock(
    sources: str | PathLike[str] | Iterable[str | PathLike[str]] = (),
    *,
    options: LockOptions | None = None,
    indexes: IndexOptions | IndexOverrides | None = None,
    output: str | PathLike[str] | None = None,
    context: RunContext | None = None,
) -> LockResult:
    """One lock for every environment that the sources require; nothing is written: see `LockResult.write`.

    Args:
        sources: pyproject.toml, requirements files, scripts, or `-` for `context.stdin`; none: the nearest
            pyproject.toml.
        options: What to choose beside what the sources say.
        indexes: Where packages come from: `IndexOptions` alone, or `IndexOverrides` in front of what the sources say;
            None: as they say, else the public index.
        output: Where the lock will lie: pins of a lock that lies there are kept, and paths in the new one are relative
            to its folder. None: `pylock.toml` next to the project, `pylock.NAME.toml` next to a script `NAME.py`.
            `-`: for no file.
        context: Folder, cache, variables, listener and the like.

    Raises:
        LocksetError: `no-resolution`, and all that can be wrong with the input, the network and the packages.
    """
    named, target = source_arguments(sources, output)
    inputs = read_lock_inputs(named, options, indexes, target, context)
    fresh: list[float] = []
    result = lock_project(
        inputs.project,
        inputs.options,
        open_repository=inputs.repository(fresh_until=fresh.append),
        now=inputs.context.moment,
        old=inputs.pins,
        folder=inputs.folder,
        verify=inputs.options.verify_metadata,
        listener=inputs.context.heard,
    )
    return replace(result, warnings=inputs.warnings, inputs=inputs, fresh_until=min(fresh, default=0.0))
