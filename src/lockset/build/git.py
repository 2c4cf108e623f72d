"""Run the `git` of this machine, safely: no value from a lock file or a project becomes an option or a command."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError, OfflineError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COMMIT", "Git", "GitFailure", "git_url", "read_revision", "refused", "run_in_repository"]

# A full commit id.
COMMIT = lazy_pattern(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# Transports that git may use; `ext` and `fd` run commands.
_SCHEMES = frozenset({"https", "http", "ssh", "git", "file"})
_HOST = lazy_pattern(r"[A-Za-z0-9_\[][A-Za-z0-9._:\[\]-]*")
_USER = lazy_pattern(r"[A-Za-z0-9_][^\s\x00-\x1f]*")
# host:path, as accepted by `git clone` and ssh.
_SCP = lazy_pattern(r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@)?(?P<host>[A-Za-z0-9][A-Za-z0-9.-]+):(?P<path>[^\\]+)")
# Timeout for one call of git.
_SECONDS = 900
_SHOWN_LINES = 5
# Timeout for reading a file of a local repository, which git may fetch in a partial clone.
_LOOK_SECONDS = 60
_KEPT_VARIABLES = frozenset({"GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_ASKPASS"})
# No hooks, and no transport that runs commands.
_COMMAND = ("git", "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "core.symlinks=true")


def git_url(url: str, *, what: str) -> str:
    """`url` in a form that is safe to pass to git.

    Raises:
        LocksetError: `vcs-refused`.
    """
    text = url.removeprefix("git+")
    if not text.isprintable() or text.startswith("-") or "::" in text.split("/", 1)[0]:
        raise refused(what, "its URL is not valid")
    if os.path.isabs(text):
        return Path(text).as_uri()
    if "://" not in text:
        match = _SCP.fullmatch(text)
        if match is None or match["path"].startswith("-"):
            raise refused(what, "lockset does not support this form of URL")
        return text
    parts = urlsplit(text)
    if parts.scheme.lower() not in _SCHEMES:
        raise refused(what, f"the transport `{parts.scheme}` is not allowed")
    user, at, host = parts.netloc.rpartition("@")
    if parts.scheme.lower() == "file":
        if parts.netloc:
            raise refused(what, "its `file:` URL names a host")
    elif not _HOST.fullmatch(host) or (at and not _USER.fullmatch(user)):
        raise refused(what, "the host in its URL is not valid")
    return text


class GitFailure(NamedTuple):
    """Describes a failed action of git, as a verb phrase before the name of the project, with a hint."""

    words: str
    hint: str


class Git:
    """Runs git for one repository, in `folder` if given.

    `address` is the result of `git_url`; `shown` is the same without user info, for arguments and errors, which others
    on this machine may see. `what` names the project in errors, `failure` describes the failed action. With `offline`,
    only a repository on this machine is used.

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
            raise OfflineError(
                f"{what} comes from a git repository on another machine, but the network is disabled",
                location=self.shown,
                hint="Run again without `--offline`",
            )
        self._folder = folder
        self._what = what
        self._failure = failure
        self._environ = _git_environ(environ, address, self.shown, offline=offline)

    def call(self, *arguments: str) -> str:
        """Run git and return its standard output.

        Raises:
            LocksetError: `vcs-failed`: git is missing, takes too long or fails.
        """
        done = self._run(arguments)
        if done.returncode:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise LocksetError(
                "vcs-failed",
                f"git could not {self._failure.words} {self._what}",
                location=self.shown,
                context=tuple(_without_secrets(line) for line in lines[-_SHOWN_LINES:]),
                hint=self._failure.hint,
            )
        return done.stdout.decode("utf-8", "replace")

    def succeeds(self, *arguments: str) -> bool:
        """Run git and return whether its exit code is 0."""
        return self._run(arguments).returncode == 0

    def _run(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # a fixed program; what is not ours comes after `--` or was checked
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
                "vcs-failed", f"{self._what} requires git, which is not installed", hint="Install git"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise LocksetError(
                "vcs-failed", f"git did not finish in time for {self._what}", location=self.shown
            ) from error


def read_revision(command: str, *names: str, folder: Path, shown: str) -> tuple[bytes | None, tuple[str, ...]]:
    """What git prints for `command` and `names`, in the repository that contains `folder`; None where it fails.

    With it the first lines that git reports. The names must not start with a dash; `shown` stands for them in errors.

    Raises:
        LocksetError: `git-revision`: git cannot be run, or takes too long.
    """
    try:
        done = subprocess.run(  # fixed programs, and no argument from outside can be an option
            ["git", *command.split(), *names],  # the git that the user would call
            cwd=folder,
            capture_output=True,
            timeout=_LOOK_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise LocksetError("git-revision", f"git could not read `{shown}`: {error}") from error
    reported = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return None if done.returncode else done.stdout, tuple(reported[:3])


def run_in_repository(*arguments: str, folder: Path, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run git in the repository that contains `folder`, which the user works in; git never prompts.

    Arguments from outside must not start with a dash.

    Raises:
        LocksetError: `git-failed` if git cannot be run, or takes too long.
    """
    try:
        return subprocess.run(  # see the docstring
            ["git", *arguments],  # the git that the user would call
            cwd=folder,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            timeout=_LOOK_SECONDS,
            check=False,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise LocksetError("git-failed", f"git could not be run: {error}", hint="Install git, or try again") from error


def _git_environ(environ: Mapping[str, str], address: str, shown: str, *, offline: bool) -> dict[str, str]:
    # A submodule of a remote repository must not refer to files of this machine.
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
    """Variables that make git insert the user info: other users can read arguments, but not variables."""
    if address == shown:
        return {}
    key = f"url.{address}.insteadOf"
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": key, "GIT_CONFIG_VALUE_0": shown}


def public_address(url: str) -> str:
    """`url` without user info, which other users of this machine may see."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _without_secrets(line: str) -> str:
    """A line of git's output without the user info of addresses."""
    return re.sub(r"(://)[^/\s@]*@", r"\1", line)


def refused(what: str, why: str) -> LocksetError:
    """The error for an address, revision or commit id that cannot be used."""
    return LocksetError(
        "vcs-refused",
        f"{what} cannot be fetched: {why}",
        hint="Run `lockset lock`, or correct the URL in the lock file",
    )
