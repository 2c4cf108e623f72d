"""The policy on attestations of the project around a lock file, in a module that imports little."""

from __future__ import annotations

import os

from lockset.files.record_store import content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lockset.attestations.policy import TrustPolicy
    from lockset.composition.run_context import RunContext

__all__ = ["SUFFIX", "file_bytes", "policy_files", "trust_policy"]

# What the name of a file's provenance ends in, next to the file (PEP 740).
SUFFIX = ".provenance"

_PYPROJECT = "pyproject.toml"


def policy_files(folder: str, context: RunContext) -> tuple[str, ...]:
    """The files that may hold the policy of the project around `folder`; the first may be missing."""
    if context.config is not None:
        return (str(context.here / context.config),)
    first = os.path.join(folder, _PYPROJECT)
    while folder != (above := os.path.dirname(folder)) and not os.path.isfile(os.path.join(folder, _PYPROJECT)):
        folder = above
    return tuple(dict.fromkeys((first, os.path.join(folder, _PYPROJECT))))


def trust_policy(folder: str, context: RunContext) -> TrustPolicy | None:
    """`[tool.lockset.trust]` of the project around `folder`; None for sure where it has none.

    Reading settings takes milliseconds, so it is only done where their text names the table.

    Raises:
        LocksetError: The settings are not valid.
    """
    if not context.use_settings or not any(b"trust" in file_bytes(path) for path in policy_files(folder, context)):
        return None
    from pathlib import Path

    from lockset.composition.indexes import project_around  # most projects have no policy

    project = project_around(Path(folder), context)
    return None if project is None else project.settings.trust


def file_bytes(path: str, limit: int = 1 << 24) -> bytes:
    """The content of a regular file of at most `limit` bytes; empty for any other, and where it cannot be read."""
    try:
        size = os.stat(path).st_size
        return content(path, size) if 0 < size <= limit else b""
    except (OSError, ValueError):
        return b""
