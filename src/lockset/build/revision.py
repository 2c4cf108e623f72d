"""What a branch, a tag or a short commit id of a git repository means now, as the full id of a commit."""

from __future__ import annotations

import re
import subprocess
import tempfile
from typing import TYPE_CHECKING

from lockset.build.vcs import git_url, hidden_user_info, public_address
from lockset.errors import LocksetError
from lockset.index.credentials import redact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["commit_of"]

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHORT = re.compile(r"[0-9a-f]{7,40}")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+^{}~-]*")
# Bounds one call of git; a repository that takes longer is not coming.
_SECONDS = 600
_SHOWN_LINES = 5


def commit_of(url: str, revision: str | None, *, what: str, environ: Mapping[str, str]) -> str:
    """The full id of the commit that `revision` (None: the default branch) means in the repository.

    Args:
        url: As `lockset.build.vcs.checkout` takes it.
        revision: A branch, a tag, or a commit id; a branch goes before a tag of the same name.
        what: Names the project in errors.
        environ: The process's variables.

    Raises:
        LocksetError: `vcs-refused`: an address or a revision that could mean something else than it seems;
            `vcs-failed`: git is missing, or the repository cannot be reached; `revision-unknown`.
    """
    address = git_url(url, what=what)
    if revision is not None and _COMMIT.fullmatch(revision):
        return revision
    if revision is not None and not _REVISION.fullmatch(revision):
        raise LocksetError("vcs-refused", f"{what} cannot be fetched: `{revision}` is no name of a revision")
    listed = _run(["ls-remote", "--quiet", "--", public_address(address)], what=what, address=address, environ=environ)
    refs = {ref: commit for commit, _, ref in (line.partition("\t") for line in listed.splitlines())}
    wanted = ["HEAD"] if revision is None else [revision, f"refs/heads/{revision}"]
    # An annotated tag is an object of its own; git lists what it points to with `^{}`.
    wanted += [] if revision is None else [f"refs/tags/{revision}^{{}}", f"refs/tags/{revision}"]
    found = next((refs[name] for name in wanted if name in refs), None)
    if found is None and revision is not None and _SHORT.fullmatch(revision):
        found = _short(address, revision, what=what, environ=environ)
    if found is None or not _COMMIT.fullmatch(found):
        asked = f"branch, tag or commit `{revision}`" if revision else "default branch"
        raise LocksetError(
            "revision-unknown",
            f"The repository of {what} has no {asked}",
            place=redact(address),
            hint="Name a branch or a tag that it has, or a full commit id",
        )
    return found


def _short(address: str, revision: str, *, what: str, environ: Mapping[str, str]) -> str | None:
    """The commit whose id begins so: only the repository itself can tell."""
    with tempfile.TemporaryDirectory(prefix="lockset-git-") as folder:
        clone = ["clone", "--quiet", "--bare", "--filter=blob:none", "--", public_address(address), folder]
        _run(clone, what=what, address=address, environ=environ)
        try:
            parse = ["-C", folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
            return _run(parse, what=what, address=address, environ=environ).strip()
        except LocksetError:
            return None


def _run(arguments: Sequence[str], *, what: str, address: str, environ: Mapping[str, str]) -> str:
    kept = {k: v for k, v in environ.items() if not k.upper().startswith("GIT_") and not k.startswith("LOCKSET_")}
    surroundings = {
        **kept,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
        "LC_ALL": "C",
        **hidden_user_info(address, public_address(address)),
    }
    try:
        done = subprocess.run(  # noqa: S603 (a fixed program; what is not ours comes after `--` or was checked)
            ["git", "-c", "protocol.ext.allow=never", *arguments],  # noqa: S607 (the user's own git, found on PATH)
            env=surroundings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except FileNotFoundError as error:
        raise LocksetError(
            "vcs-failed", f"{what} needs git, which is not on this machine", hint="Install git"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise LocksetError("vcs-failed", f"git takes too long for {what}", place=redact(address)) from error
    if done.returncode:
        told = done.stderr.decode("utf-8", "replace").strip().splitlines()[-_SHOWN_LINES:]
        raise LocksetError(
            "vcs-failed",
            f"git could not reach the repository of {what}",
            place=redact(address),
            context=tuple(re.sub(r"(://)[^/\s@]*@", r"\1", line) for line in told),
            hint="Check the address, and that git can reach it by itself",
        )
    return done.stdout.decode("utf-8", "replace")
