"""The only door to the `git` of this machine. Nothing of a lock file or a project becomes an option or a command."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COMMIT", "Git", "GitFailure", "git_url", "refused", "stored_file"]

# The full id of a commit.
COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# Transports that git may use; `ext` and `fd` run commands, and what else there is nobody needs.
_SCHEMES = frozenset({"https", "http", "ssh", "git", "file"})
_HOST = re.compile(r"[A-Za-z0-9_\[][A-Za-z0-9._:\[\]-]*")
_USER = re.compile(r"[A-Za-z0-9_][^\s\x00-\x1f]*")
# host:path, as `git clone` and ssh have it.
_SCP = re.compile(r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@)?(?P<host>[A-Za-z0-9][A-Za-z0-9.-]+):(?P<path>[^\\]+)")
# Bounds one call of git; a repository that takes longer is not coming.
_SECONDS = 900
_SHOWN_LINES = 5
# Bounds the look at a file of a repository that is here: in a partial clone git fetches it.
_LOOK_SECONDS = 60
_KEPT_VARIABLES = frozenset({"GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_ASKPASS"})
# No hook, no filter of the user's, no transport that runs commands.
_COMMAND = ("git", "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "core.symlinks=true")


def git_url(url: str, *, what: str) -> str:
    """`url` as git may have it.

    Raises:
        LocksetError: `vcs-refused`.
    """
    text = url.removeprefix("git+")
    if not text.isprintable() or text.startswith("-") or "::" in text.split("/", 1)[0]:
        raise refused(what, "its address is none")
    if os.path.isabs(text):  # noqa: PTH117 (a value, not a file)
        return Path(text).as_uri()
    if "://" not in text:
        match = _SCP.fullmatch(text)
        if match is None or match["path"].startswith("-"):
            raise refused(what, "its address is none that lockset knows")
        return text
    parts = urlsplit(text)
    if parts.scheme.lower() not in _SCHEMES:
        raise refused(what, f"`{parts.scheme}` is not among the transports that are allowed")
    user, at, host = parts.netloc.rpartition("@")
    if parts.scheme.lower() == "file":
        if parts.netloc:
            raise refused(what, "its file address names a host")
    elif not _HOST.fullmatch(host) or (at and not _USER.fullmatch(user)):
        raise refused(what, "the host of its address is none")
    return text


class GitFailure(NamedTuple):
    """What git could not do with a project, and what may help."""

    words: str
    hint: str


class Git:
    """Calls about one repository, in a folder (None: in none).

    `address` is what `git_url` gave; `shown` is the same as others on this machine may see it, in arguments and in
    errors. `what` names the project in errors, `failure` tells what could not be done with it. `offline`: only a
    repository on this machine is used, and git reaches no other from there.

    Raises:
        LocksetError: `offline`: the repository is not on this machine.
    """

    def __init__(
        self,
        address: str,
        *,
        what: str,
        environ: Mapping[str, str],
        failure: GitFailure,
        offline: bool,
        folder: Path | None = None,
    ) -> None:
        self.shown = public_address(address)
        if offline and not address.startswith("file:"):
            raise LocksetError(
                "offline",
                f"{what} comes from a git repository on another machine, and the network is off",
                location=self.shown,
                hint="Run again without --offline",
            )
        self._folder = folder
        self._what = what
        self._failure = failure
        self._environ = _surroundings(environ, address, self.shown, offline=offline)

    def call(self, *arguments: str) -> str:
        """What git prints.

        Raises:
            LocksetError: `vcs-failed`: git is missing, takes too long or fails.
        """
        done = self._run(arguments)
        if done.returncode:
            told = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise LocksetError(
                "vcs-failed",
                f"git could not {self._failure.words} {self._what}",
                location=self.shown,
                context=tuple(_without_secrets(line) for line in told[-_SHOWN_LINES:]),
                hint=self._failure.hint,
            )
        return done.stdout.decode("utf-8", "replace")

    def succeeds(self, *arguments: str) -> bool:
        """Whether git says so."""
        return self._run(arguments).returncode == 0

    def _run(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # noqa: S603 (a fixed program; what is not ours comes after `--` or was checked)
                [*_COMMAND, *arguments],
                cwd=self._folder,
                env=self._environ,
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
            raise LocksetError("vcs-failed", f"git takes too long for {self._what}", location=self.shown) from error


def stored_file(name: str, *, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """How git ends when it shows the file `REVISION:PATH` of the repository around `folder`.

    The name may not begin with a dash.

    Raises:
        OSError, ValueError, subprocess.TimeoutExpired: git cannot be run, or takes too long.
    """
    return subprocess.run(  # noqa: S603 (a fixed program, and the one argument from outside is no option)
        ["git", "cat-file", "blob", name],  # noqa: S607 (the git that the user would call)
        cwd=folder,
        capture_output=True,
        timeout=_LOOK_SECONDS,
        check=False,
    )


def _surroundings(environ: Mapping[str, str], address: str, shown: str, *, offline: bool) -> dict[str, str]:
    # A submodule of a remote repository has no business with files of this machine.
    schemes = _SCHEMES if address.startswith("file:") else _SCHEMES - {"file"}
    schemes = frozenset({"file"}) if offline else schemes
    kept = {k: v for k, v in environ.items() if not k.upper().startswith("GIT_") or k in _KEPT_VARIABLES}
    hidden = {k: v for k, v in kept.items() if not k.startswith("LOCKSET_")}
    return {
        **hidden,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": ":".join(sorted(schemes)),
        "GIT_LFS_SKIP_SMUDGE": "0",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
        "LC_ALL": "C",
        **_hidden_user_info(address, shown),
    }


def _hidden_user_info(address: str, shown: str) -> dict[str, str]:
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


def refused(what: str, why: str) -> LocksetError:
    """What cannot be fetched because of what was asked for."""
    return LocksetError(
        "vcs-refused", f"{what} cannot be fetched: {why}", hint="Lock again, or correct the address in the lock file"
    )
