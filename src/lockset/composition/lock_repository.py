"""Open the repository of releases for the inputs of a lock, with a builder for metadata that only a build has."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from lockset.composition.lock_pipeline import repository_opener
from lockset.resolve.problem.roots import line_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from lockset.build.hooks import HookBuilder
    from lockset.build.policy import BuildPolicy
    from lockset.composition.lock_inputs import LockInputs
    from lockset.composition.run_context import RunContext
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.file_policy import FileRules
    from lockset.resolve.releases.index_repository import IndexRepository

__all__ = ["lock_builder", "lock_repository"]


def lock_repository(
    inputs: LockInputs, *, fresh_until: Callable[[float], None] | None = None
) -> Callable[[FileRules, ProgressListener], AbstractContextManager[IndexRepository]]:
    """A function that opens the repository of releases for `inputs`; it builds those whose metadata only a build has.

    `fresh_until` is called at the end with the time at which the first page expires, in seconds since the epoch.
    """
    if inputs.memory is not None:
        from lockset.resolve.releases.memory_index import memory_repository  # for callers of the library alone

        return partial(memory_repository, inputs.memory)
    return repository_opener(
        inputs.indexes,
        inputs.context.cache_folder,
        builder=partial(lock_builder, inputs),
        policy=_policy(inputs),
        on_close=fresh_until,
    )


def lock_builder(inputs: LockInputs, listener: ProgressListener) -> HookBuilder:
    """Builds sources for their metadata, with the Python that runs lockset."""
    from lockset.build.policy import BuildPolicy
    from lockset.composition.builds.environments import builder  # most locks build nothing

    policy, settings, options = _policy(inputs) or BuildPolicy(), inputs.project.settings, inputs.options
    required = settings.require_build_hashes if options.require_build_hashes is None else options.require_build_hashes
    more: dict[str, Any] = {"present": _present_python(inputs.context)} if policy.not_isolated else {}
    # What locks build requirements cannot depend on them.
    if required and not options.build_requirements:
        from lockset.composition.builds.build_lock import build_locks_of

        more |= {"require_locked": True, "build_locks": build_locks_of([inputs.target])}
    return builder(
        inputs.indexes,
        inputs.context.cache_folder,
        python=sys.executable,
        now=inputs.context.moment,
        listener=listener,
        constraints=(*inputs.build_constraints, *settings.build_constraints),
        policy=policy,
        **more,
    )


def _policy(inputs: LockInputs) -> BuildPolicy | None:
    """How sources are built, by the options, the settings, and the lines of requirements; None for the default."""
    settings, options = inputs.project.settings, inputs.options
    pairs = {**settings.config_settings, **options.config_settings}
    of_packages = (
        settings.config_settings_package,
        line_settings(inputs.project, options),
        options.config_settings_package,
    )
    not_isolated = frozenset((*settings.no_build_isolation, *options.no_build_isolation))
    if not (pairs or any(of_packages) or not_isolated):
        return None
    from lockset.build.policy import BuildPolicy, joined_settings

    return BuildPolicy(settings=pairs, package_settings=joined_settings(*of_packages), not_isolated=not_isolated)


def _present_python(context: RunContext) -> str:
    """The interpreter of the environment that a sync would use, else the one that runs lockset."""
    from lockset.sync.disk.inspect.interpreter import interpreter_of
    from lockset.sync.disk.request import find_environment

    active = context.process_variables.get("VIRTUAL_ENV")
    return interpreter_of(active or find_environment(context.here) or sys.executable)
