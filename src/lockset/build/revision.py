"""Resolve a branch, a tag or a short commit id of a git repository to a full commit id."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern
from lockset.build.git import COMMIT, Git, GitFailure, git_url
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["commit_of"]

_SHORT = lazy_pattern(r"[0-9a-f]{7,40}")
_REVISION = lazy_pattern(r"[A-Za-z0-9_][A-Za-z0-9._/+^{}~-]*")
_FAILURE = GitFailure("reach the repository of", "Check the URL, and that git can access it")


def commit_of(url: str, revision: str | None, *, what: str, environ: Mapping[str, str], offline: bool) -> str:
    """The full id of the commit that `revision` (None for the default branch) refers to.

    Args:
        url: The address, as for `lockset.build.checkout.checkout`.
        revision: A branch, a tag, or a commit id; a branch is preferred to a tag of the same name, as in pip.
        what: Names the project in errors.
        environ: The process's environment variables.
        offline: Only use a repository on this machine.

    Raises:
        LocksetError: `offline`; `vcs-refused`: an unsafe address or revision; `vcs-failed`: git is missing, or the
            repository cannot be reached; `unknown-revision`.
    """
    address = git_url(url, what=what)
    if revision is not None and COMMIT.fullmatch(revision):
        return revision
    if revision is not None and not _REVISION.fullmatch(revision):
        raise LocksetError("vcs-refused", f"{what} cannot be fetched: `{revision}` is not a valid revision")
    git = Git(address, what=what, environ=environ, failure=_FAILURE, offline=offline)
    listed = git.call("ls-remote", "--quiet", "--", git.shown)
    refs = {ref: commit for commit, _, ref in (line.partition("\t") for line in listed.splitlines())}
    names = ["HEAD"] if revision is None else [f"refs/heads/{revision}", f"refs/tags/{revision}", revision]
    # An annotated tag is a separate object; git lists its commit with `^{}`.
    commit_id = next((refs[ref] for name in names for ref in (f"{name}^{{}}", name) if ref in refs), None)
    if commit_id is None and revision is not None and _SHORT.fullmatch(revision):
        commit_id = _expand_short_id(git, revision)
    if commit_id is None or not COMMIT.fullmatch(commit_id):
        description = f"branch, tag or commit `{revision}`" if revision else "default branch"
        raise LocksetError(
            "unknown-revision",
            f"The repository of {what} has no {description}",
            location=git.shown,
            hint="Use an existing branch or tag, or a full commit id",
        )
    return commit_id


def _expand_short_id(git: Git, revision: str) -> str | None:
    """The full id for a short commit id, which requires a clone."""
    with tempfile.TemporaryDirectory(prefix="lockset-git-") as folder:
        git.call("clone", "--quiet", "--bare", "--filter=blob:none", "--", git.shown, folder)
        parse = ("-C", folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return git.call(*parse).strip() if git.succeeds(*parse) else None
