"""The tree of one commit, by the `git` of this machine. Nothing of a lock file becomes an option or a command there."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["checkout", "git_url", "hidden_user_info", "public_address"]

# Transports that git may use; `ext` and `fd` run commands, and what else there is nobody needs.
_SCHEMES = frozenset({"https", "http", "ssh", "git", "file"})
_HOST = re.compile(r"[A-Za-z0-9_\[][A-Za-z0-9._:\[\]-]*")
_USER = re.compile(r"[A-Za-z0-9_][^\s\x00-\x1f]*")
# host:path, as `git clone` and ssh have it.
_SCP = re.compile(r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@)?(?P<host>[A-Za-z0-9][A-Za-z0-9.-]+):(?P<path>[^\\]+)")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# Bounds one call of git; a repository that takes longer is not coming.
_SECONDS = 900
_SHOWN_LINES = 5
_KEPT_VARIABLES = frozenset({"GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_ASKPASS"})


def checkout(kind: str, url: str, commit: str, into: Path, *, what: str, environ: Mapping[str, str]) -> Path:
    """The tree of `commit` in the folder `into`, which is made, with its submodules.

    Args:
        kind: Kind of version control; only `git` is known.
        url: A web or ssh address, or an absolute local path.
        commit: Full id; what is checked out has exactly this one.
        into: Where to.
        what: Names the release in errors.
        environ: The process's variables; those that steer git are dropped.

    Raises:
        LocksetError: `vcs-refused`: an address or a commit that could mean something else than it seems;
            `vcs-failed`: git is missing, or could not get it.
    """
    if kind != "git":
        raise _refused(what, f"`{kind}` is a kind of version control that lockset does not know")
    if not _COMMIT.fullmatch(commit):
        raise _refused(what, "its commit id is not 40 or 64 lower-case hexadecimal digits")
    address = git_url(url, what=what)
    shown = public_address(address)
    git = _Git(into, what=what, shown=shown, environ=_surroundings(environ, address, shown))
    into.mkdir(mode=0o700, parents=True)
    git.call("init", "--quiet", *(("--object-format=sha256",) if len(commit) > 40 else ()))  # noqa: PLR2004 (sha1)
    # Servers may refuse to give a commit that no name points to: then everything named is fetched.
    if not git.succeeds("fetch", "--quiet", "--depth=1", "--no-tags", "--", shown, commit):
        git.call("fetch", "--quiet", "--", shown, "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
    git.call("-c", "advice.detachedHead=false", "checkout", "--quiet", "--force", "--detach", commit, "--")
    if git.call("rev-parse", "HEAD").strip() != commit:
        raise _refused(what, "what git checked out is another commit than the locked one")
    if (into / ".gitmodules").is_file():
        git.call("remote", "add", "--", "origin", shown)
        git.call("submodule", "--quiet", "update", "--init", "--recursive", "--depth=1")
    return into


def git_url(url: str, *, what: str) -> str:
    """`url` as git may have it.

    Raises:
        LocksetError: `vcs-refused`.
    """
    text = url.removeprefix("git+")
    if not text.isprintable() or text.startswith("-") or "::" in text.split("/", 1)[0]:
        raise _refused(what, "its address is none")
    if os.path.isabs(text):  # noqa: PTH117 (a value, not a file)
        return Path(text).as_uri()
    if "://" not in text:
        match = _SCP.fullmatch(text)
        if match is None or match["path"].startswith("-"):
            raise _refused(what, "its address is none that lockset knows")
        return text
    parts = urlsplit(text)
    if parts.scheme.lower() not in _SCHEMES:
        raise _refused(what, f"`{parts.scheme}` is not among the transports that are allowed")
    user, at, host = parts.netloc.rpartition("@")
    if parts.scheme.lower() == "file":
        if parts.netloc:
            raise _refused(what, "its file address names a host")
    elif not _HOST.fullmatch(host) or (at and not _USER.fullmatch(user)):
        raise _refused(what, "the host of its address is none")
    return text


class _Git:
    def __init__(self, folder: Path, *, what: str, shown: str, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._what = what
        self._shown = shown
        self._environ = environ

    def call(self, *arguments: str) -> str:
        """What git prints."""
        done = self._run(arguments)
        if done.returncode:
            told = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise LocksetError(
                "vcs-failed",
                f"git could not get {self._what}",
                place=self._shown,
                context=tuple(_without_secrets(line) for line in told[-_SHOWN_LINES:]),
                hint="Check that the repository still has the commit, and that git can reach it by itself",
            )
        return done.stdout.decode("utf-8", "replace")

    def succeeds(self, *arguments: str) -> bool:
        return self._run(arguments).returncode == 0

    def _run(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
        # No hook, no filter of the user's, no credential prompt, and nothing of a parent repository.
        command = [
            "git",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "protocol.ext.allow=never",
            "-c",
            "core.symlinks=true",
        ]
        try:
            return subprocess.run(  # noqa: S603 (a fixed program; what is not ours comes after `--` or was checked)
                [*command, *arguments],
                cwd=self._folder,
                env=dict(self._environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=_SECONDS,
            )
        except FileNotFoundError as error:
            raise LocksetError(
                "vcs-failed", f"{self._what} needs git, which is not on this machine", hint="Install git"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise LocksetError("vcs-failed", f"git takes too long for {self._what}", place=self._shown) from error


def _surroundings(environ: Mapping[str, str], address: str, shown: str) -> dict[str, str]:
    # A submodule of a remote repository has no business with files of this machine.
    schemes = _SCHEMES if address.startswith("file:") else _SCHEMES - {"file"}
    kept = {k: v for k, v in environ.items() if not k.upper().startswith("GIT_") or k in _KEPT_VARIABLES}
    hidden = {k: v for k, v in kept.items() if not k.startswith("LOCKSET_")}
    return {
        **hidden,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": ":".join(sorted(schemes)),
        "GIT_LFS_SKIP_SMUDGE": "0",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
        "LC_ALL": "C",
        **hidden_user_info(address, shown),
    }


def hidden_user_info(address: str, shown: str) -> dict[str, str]:
    """Has git put user info back into an address: others on this machine can read arguments, but not variables."""
    if address == shown:
        return {}
    key = f"url.{address}.insteadOf"
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": key, "GIT_CONFIG_VALUE_0": shown}


def public_address(url: str) -> str:
    """`url` as others on this machine may see it: without user info."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _without_secrets(line: str) -> str:
    """A line of git's own, which repeats addresses, without user info."""
    return re.sub(r"(://)[^/\s@]*@", r"\1", line)


def _refused(what: str, why: str) -> LocksetError:
    return LocksetError(
        "vcs-refused", f"{what} cannot be fetched: {why}", hint="Lock again, or correct the address in the lock file"
    )
