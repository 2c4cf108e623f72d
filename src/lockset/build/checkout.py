"""The tree of one commit, by the `git` of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.build.git import COMMIT, Git, GitFailure, git_url, refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["checkout"]

_FAILURE = GitFailure("get", "Check that the repository still has the commit, and that git can reach it by itself")


def checkout(
    kind: str, url: str, commit: str, into: Path, *, what: str, environ: Mapping[str, str], offline: bool
) -> Path:
    """The tree of `commit` in the folder `into`, which is made, with its submodules.

    Args:
        kind: Kind of version control; only `git` is known.
        url: A web or ssh address, or an absolute local path.
        commit: Full id; what is checked out has exactly this one.
        into: Where to.
        what: Names the release in errors.
        environ: The process's variables; those that steer git are dropped.
        offline: Only a repository on this machine is used.

    Raises:
        LocksetError: `offline`; `vcs-refused`: an address or a commit that could mean something else than it seems;
            `vcs-failed`: git is missing, or could not get it.
    """
    if kind != "git":
        raise refused(what, f"`{kind}` is a kind of version control that lockset does not know")
    if not COMMIT.fullmatch(commit):
        raise refused(what, "its commit id is not 40 or 64 lower-case hexadecimal digits")
    address = git_url(url, what=what)
    git = Git(address, what=what, environ=environ, folder=into, failure=_FAILURE, offline=offline)
    shown = git.shown
    into.mkdir(mode=0o700, parents=True)
    git.call("init", "--quiet", *(("--object-format=sha256",) if len(commit) > 40 else ()))  # noqa: PLR2004 (sha1)
    # Servers may refuse to give a commit that no name points to: then everything named is fetched.
    if not git.succeeds("fetch", "--quiet", "--depth=1", "--no-tags", "--", shown, commit):
        git.call("fetch", "--quiet", "--", shown, "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
    git.call("-c", "advice.detachedHead=false", "checkout", "--quiet", "--force", "--detach", commit, "--")
    if git.call("rev-parse", "HEAD").strip() != commit:
        raise refused(what, "what git checked out is another commit than the locked one")
    if (into / ".gitmodules").is_file():
        git.call("remote", "add", "--", "origin", shown)
        git.call("submodule", "--quiet", "update", "--init", "--recursive", "--depth=1")
    return into
