"""lock(): lock sources for all environments; the process's surroundings are used only as given in the context."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.composition.lock_inputs import read_lock_inputs, source_arguments
from lockset.composition.lock_pipeline import lock_project
from lockset.composition.lock_repository import lock_repository

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from lockset.composition.lock_assembly import Attest, LockResult
    from lockset.composition.lock_inputs import LockInputs
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
    """Lock the sources for all environments that they support; nothing is written: see `LockResult.write`.

    Args:
        sources: pyproject.toml, requirements files, scripts, or `-` for `context.stdin`; if empty, the nearest
            pyproject.toml.
        options: Options of the lock, in addition to those of the sources.
        indexes: The indexes: `IndexOptions` replace those of the sources, `IndexOverrides` take precedence over them;
            None for those of the sources, else PyPI.
        output: The path of the lock file: the pins of an existing one are kept, and its paths are relative to its
            folder. None for `pylock.toml` next to the project, or `pylock.NAME.toml` next to a script `NAME.py`; `-`
            for no file.
        context: Folder, cache, variables, listener and so on.

    Raises:
        LocksetError: `no-resolution`, and errors of the input, the network and the packages.
    """
    named, target = source_arguments(sources, output)
    inputs = read_lock_inputs(named, options, indexes, target, context)
    fresh: list[float] = []
    result = lock_project(
        inputs.project,
        inputs.options,
        open_repository=lock_repository(inputs, fresh_until=fresh.append),
        now=inputs.context.moment,
        old=inputs.pins,
        folder=inputs.folder,
        verify=inputs.options.verify_metadata,
        listener=inputs.context.heard,
        attest=_attest(inputs),
    )
    return replace(
        result,
        warnings=inputs.warnings,
        inputs=inputs,
        fresh_until=min(fresh, default=0.0),
        build_requirements=_build_requirements(inputs, result),
    )


def _build_requirements(inputs: LockInputs, result: LockResult) -> LockResult | None:
    if not inputs.options.build_requirements:
        return None
    from lockset.composition.builds.requirements_lock import lock_build_requirements  # most locks do without it

    return lock_build_requirements(inputs, result.lock)


def _attest(inputs: LockInputs) -> Attest | None:
    """Records publishers, if the options or the settings ask for it."""
    options, setting = inputs.options, inputs.project.settings.attestations
    wanted = setting if options.attestations is None else options.attestations
    if not (wanted or options.refuse_new_publisher):
        return None
    from lockset.composition.attestations.lock_attestations import LockAttestations  # most locks do without it

    return LockAttestations(inputs)
