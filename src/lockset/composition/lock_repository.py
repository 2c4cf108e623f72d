"""Open the repository of releases for the inputs of a lock, with a builder for metadata that only a build has."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from lockset.composition.repositories import repository_opener

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from lockset.composition.lock_inputs import LockInputs
    from lockset.metadata.ports import Builder
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.file_policy import FileRules
    from lockset.resolve.releases.index_repository import IndexRepository

__all__ = ["lock_repository"]


def lock_repository(
    inputs: LockInputs, *, fresh_until: Callable[[float], None] | None = None
) -> Callable[[FileRules, ProgressListener], AbstractContextManager[IndexRepository]]:
    """A function that opens the repository of releases for `inputs`; it builds those whose metadata only a build has.

    `fresh_until` is called at the end with the time at which the first page expires, in seconds since the epoch.
    """
    if inputs.memory is not None:
        from lockset.resolve.releases.memory_index import memory_repository  # for callers of the library alone

        return partial(memory_repository, inputs.memory)

    def make_builder(listener: ProgressListener) -> Builder:
        from lockset.composition.build_environments import builder  # most locks build nothing

        settings = inputs.project.settings
        return builder(
            inputs.indexes,
            inputs.context.cache_folder,
            python=sys.executable,
            now=inputs.context.moment,
            listener=listener,
            constraints=(*inputs.build_constraints, *settings.build_constraints),
            settings={**settings.config_settings, **inputs.options.config_settings},
        )

    return repository_opener(inputs.indexes, inputs.context.cache_folder, builder=make_builder, on_close=fresh_until)
