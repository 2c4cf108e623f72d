"""review(): compare two lock files for a review."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.composition.maintenance.lock_report import review_of
from lockset.composition.run_context import context_of
from lockset.lockfile.diff_review import Alert, DiffReview, EnvironmentEffect, ReviewedChange
from lockset.option_values import check_argument

if TYPE_CHECKING:
    from os import PathLike

    from lockset.composition.run_context import RunContext
    from lockset.lockfile.model import Pylock

__all__ = ["Alert", "DiffReview", "EnvironmentEffect", "ReviewedChange", "review"]

_LOCK = "str | PathLike[str] | Pylock | None"


def review(
    old: str | PathLike[str] | Pylock | None = None,
    new: str | PathLike[str] | Pylock | None = None,
    *,
    context: RunContext | None = None,
) -> DiffReview:
    """Compare two lock files for a review; `render_review` writes the comparison as HTML, Markdown or JSON.

    Args:
        old: The old lock file, or its path as for `read`, a revision of git, or a range of revisions (`main..`); None
            for the version of the last commit.
        new: The new lock file, or its path or revision; None for the nearest pylock.toml.
        context: The folder, and the standard input.

    Raises:
        LocksetError: As `read`; `git-revision`.
    """
    return review_of(check_argument("old", old, _LOCK), check_argument("new", new, _LOCK), context_of(context))
