"""Names of projects that only the sources of requirements show; most inputs of a lock state all names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lockset.composition.lock_inputs import LockInputs

__all__ = ["with_all_names", "with_known_names"]


def with_all_names(inputs: LockInputs) -> LockInputs:
    """`inputs` with the names of all projects; sources are fetched and built for them where needed.

    Raises:
        LocksetError: A source cannot be fetched, read or built.
    """
    if inputs.is_named:
        return inputs
    from lockset.composition.sources.named_inputs import named_inputs

    return named_inputs(inputs)


def with_known_names(inputs: LockInputs) -> LockInputs:
    """`inputs` with the names that the old lock file has; the others are in `LockInputs.unknown`.

    Nothing is fetched or built.
    """
    if inputs.is_named:
        return inputs
    from lockset.composition.sources.named_inputs import without_nameless

    return without_nameless(inputs)
