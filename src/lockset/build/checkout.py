"""Check out the tree of one commit, with the `git` of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.build.git import COMMIT, Git, GitFailure, git_url, refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["checkout"]

_FAILURE = GitFailure("get", "Check that the repository still has the commit, and that git can access it")


def checkout(
    kind: str, url: str, commit: str, into: Path, *, what: str, environ: Mapping[str, str], offline: bool
) -> Path:
    """Check out `commit` with its submodules into the new folder `into`, and return the folder.

    Args:
        kind: Kind of version control; only `git` is supported.
        url: A web or ssh address, or an absolute local path.
        commit: Full commit id, which is verified.
        into: The folder to create.
        what: Names the release in errors.
        environ: The process's environment variables; those that configure git are removed.
        offline: Only use a repository on this machine.

    Raises:
        LocksetError: `offline`; `vcs-refused`: an unsafe address or commit id; `vcs-failed`: git is missing or failed.
    """
    if kind != "git":
        raise refused(what, f"lockset does not support the version control system `{kind}`")
    if not COMMIT.fullmatch(commit):
        raise refused(what, "its commit id is not 40 or 64 lower-case hexadecimal digits")
    address = git_url(url, what=what)
    git = Git(address, what=what, environ=environ, folder=into, failure=_FAILURE, offline=offline)
    shown = git.shown
    into.mkdir(mode=0o700, parents=True)
    git.call("init", "--quiet", *(("--object-format=sha256",) if len(commit) > 40 else ()))
    # Servers may refuse to send a commit that no ref points to: then fetch all branches and tags.
    if not git.succeeds("fetch", "--quiet", "--depth=1", "--no-tags", "--", shown, commit):
        git.call("fetch", "--quiet", "--", shown, "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
    git.call("-c", "advice.detachedHead=false", "checkout", "--quiet", "--force", "--detach", commit, "--")
    if git.call("rev-parse", "HEAD").strip() != commit:
        raise refused(what, "git checked out a different commit than the locked one")
    if (into / ".gitmodules").is_file():
        git.call("remote", "add", "--", "origin", shown)
        git.call("submodule", "--quiet", "update", "--init", "--recursive", "--depth=1")
    return into
