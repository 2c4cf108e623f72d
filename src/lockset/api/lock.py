"""lock(): lock sources for all environments; the process's surroundings are used only as given in the context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.composition.connections import opened_for
from lockset.composition.lock_inputs import needed_pages, read_lock_inputs, source_arguments, workspace_of
from lockset.composition.run_context import context_of
from lockset.composition.sources.names import with_all_names
from lockset.sources.discover import with_lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from lockset.composition.lock_assembly import Attest, LockResult
    from lockset.composition.lock_inputs import LockInputs
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.resolve.problem.options import LockOptions
    from lockset.resolve.releases.memory_index import MemoryIndex

__all__ = ["lock"]


def lock(
    sources: str | PathLike[str] | Iterable[str | PathLike[str]] = (),
    *,
    options: LockOptions | None = None,
    indexes: IndexOptions | IndexOverrides | MemoryIndex | None = None,
    output: str | PathLike[str] | None = None,
    context: RunContext | None = None,
) -> LockResult:
    """Lock the sources for all environments that they support; nothing is written: see `LockResult.write`.

    Args:
        sources: pyproject.toml, requirements files, scripts, or `-` for `context.stdin`; if empty, the nearest
            pyproject.toml, with all members of its workspace if it is in one.
        options: Options of the lock, in addition to those of the sources.
        indexes: The indexes: `IndexOptions` and a `MemoryIndex` replace those of the sources, `IndexOverrides` take
            precedence over them; None for those of the sources, otherwise PyPI.
        output: The path of the lock file: the pins of an existing one are kept, and its paths are relative to its
            folder. None for `pylock.toml` next to the nearest pyproject.toml if no sources are named, otherwise in
            the current folder, or `pylock.NAME.toml` next to a script `NAME.py`; `-` for no file. In a workspace, the
            file is that of the root, and `pylock.MEMBER.toml` next to it those of the members, which are in the
            `members` of the result.
        context: Folder, cache, variables, listener and so on.

    Raises:
        LocksetError: `no-resolution`, and errors of the input, the network and the packages.
    """
    named, target = source_arguments(sources, output)
    root = workspace_of(named, target, context)
    if root is not None:
        from lockset.composition.workspaces.lock_workspace import lock_workspace  # most projects are in no workspace
        from lockset.composition.workspaces.workspace_inputs import read_workspace_inputs

        members = read_workspace_inputs(root, options, indexes, target, context_of(context))
        return _with_build_requirements(lock_workspace(members, attest_of=_attest))
    inputs = with_all_names(read_lock_inputs(named, options, indexes, target, context))
    fresh: list[float] = []
    context = inputs.context
    opened = opened_for(needed_pages(inputs), inputs.indexes, context.cache_folder, context.heard)
    with with_lines_of(context.here), opened as connection:
        # What resolves is imported while the first pages arrive.
        from lockset.composition.lock_pipeline import lock_from_inputs

        result = lock_from_inputs(
            inputs,
            verify=inputs.options.verify_metadata,
            attest=_attest(inputs),
            fresh_until=fresh.append,
            connection=connection,
        )
    result = replace(result, warnings=inputs.warnings, inputs=inputs, fresh_until=min(fresh, default=0.0))
    return _with_build_requirements(result)


def _with_build_requirements(result: LockResult) -> LockResult:
    """The result, with the locks of what its sources are built with if the options say so."""
    inputs = result.inputs
    if inputs is None or not inputs.options.build_requirements or inputs.memory is not None:
        return result
    from lockset.composition.builds.requirements_lock import lock_build_requirements  # most locks do without it

    members = tuple(_with_build_requirements(member) for member in result.members)
    return replace(result, build_requirements=lock_build_requirements(inputs, result.lock), members=members)


def _attest(inputs: LockInputs) -> Attest | None:
    """Records publishers, if the options or the settings say so."""
    options, setting = inputs.options, inputs.project.settings.attestations
    wanted = setting if options.attestations is None else options.attestations
    if not (wanted or options.refuse_new_publisher):
        return None
    from lockset.composition.attestations.lock_attestations import LockAttestations  # most locks do without it

    return LockAttestations(inputs)
