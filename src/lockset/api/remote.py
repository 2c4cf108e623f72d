"""Files and repositories read for a conversion: the acting side of `lockset.conversion.ports`."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.metadata.retrieve import Retriever

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lockset.index.http.connection import Connection
    from lockset.index.page import DistributionFile

__all__ = ["LiveRemote"]

_CHUNK = 1 << 20
# Longest time git may take to list the references of a repository.
_SECONDS = 60
# Transports that git may use; `ext::` and the like run programs.
_TRANSPORTS = "https:http:ssh:git:file"
_URL = re.compile(r"(?:https?|ssh|git|file)://[^\s-][^\s]*\Z")


class LiveRemote:
    """`lockset.conversion.ports.Remote` over a run's connection, the disk and git."""

    def __init__(self, connection: Connection, *, offline: bool) -> None:
        self._connection = connection
        self._offline = offline

    def fingerprint(self, location: str) -> tuple[str, int]:
        """sha256 and size of the bytes: see the port."""
        sink = self._read(location, ())
        return sink.hexdigests()["sha256"], sink.seen

    def digests_at(self, location: str, algorithms: Iterable[str]) -> Mapping[str, str]:
        """Hashes of the bytes: see the port."""
        return self._read(location, algorithms).hexdigests()

    def _read(self, location: str, algorithms: Iterable[str]) -> _Hashing:
        sink = _Hashing(dict.fromkeys(("sha256", *algorithms)))
        if "://" in location:
            self._connection.downloads.fetch(location, sink)
        else:
            _read(Path(location), sink)
        return sink

    def digests(self, file: DistributionFile, algorithms: Iterable[str]) -> Mapping[str, str]:
        """Hashes of the file: see the port."""
        sink = _Hashing(dict.fromkeys(("sha256", *algorithms)))
        with self._connection.files.download(file) as held:
            while chunk := held.read(_CHUNK):
                sink.write(chunk)
        return sink.hexdigests()

    def sizes(self, files: Sequence[DistributionFile]) -> Mapping[str, int]:
        """Sizes by URL: see the port."""
        if self._offline:
            return {}
        return self._connection.files.sizes(files)

    def hint(self, files: Sequence[DistributionFile]) -> None:
        """Begin to learn what a release requires: see the port."""
        if not self._offline:
            self._metadata.hint(files)

    def requires(self, files: Sequence[DistributionFile]) -> Sequence[str] | None:
        """What the release requires: see the port. Nothing is built for it."""
        if self._offline:
            return None
        try:
            return self._metadata.metadata(files).requires_dist
        except LocksetError:
            return None

    @cached_property
    def _metadata(self) -> Retriever:
        connection = self._connection
        return Retriever(connection.files, store=connection.cache, tasks=connection.workers)

    def commit(self, url: str, revision: str | None) -> str:
        """The commit that git lists for the revision: see the port."""
        if self._offline:
            raise LocksetError("offline", f"{url} may not be asked for a commit", hint="Run without `--offline`")
        wanted = revision or "HEAD"
        if not _URL.match(url) or wanted.startswith("-"):
            raise LocksetError("revision-unknown", f"`{url}` is not asked for a commit", hint="Name the full commit")
        lines = _ls_remote(url, wanted)
        found = {name: commit for commit, _, name in (line.partition("\t") for line in lines)}
        for name in (f"refs/tags/{wanted}^{{}}", f"refs/tags/{wanted}", f"refs/heads/{wanted}", wanted):
            if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", found.get(name, "")):
                return found[name]
        raise LocksetError(
            "revision-unknown", f"{url} has no branch or tag `{wanted}`", hint="Name the full commit in its place"
        )


class _Hashing:
    """A sink that keeps hashes only."""

    def __init__(self, algorithms: Iterable[str]) -> None:
        self._algorithms = tuple(algorithms)
        self.restart()

    def restart(self) -> None:
        """Forget all bytes."""
        self._hashers = {name: hashlib.new(name, usedforsecurity=False) for name in self._algorithms}
        self.seen = 0

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.seen += len(chunk)
        for hasher in self._hashers.values():
            hasher.update(chunk)

    def hexdigests(self) -> dict[str, str]:
        """All hashes."""
        return {name: hasher.hexdigest() for name, hasher in self._hashers.items()}


def _read(path: Path, sink: _Hashing) -> None:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                sink.write(chunk)
    except OSError as error:
        raise LocksetError("path-missing", f"`{path}` cannot be read: {error.strerror}", place=str(path)) from error


def _ls_remote(url: str, wanted: str) -> list[str]:
    environ = {
        **os.environ,  # noqa: TID251 - git needs the user's surroundings: home, agent, proxies
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": _TRANSPORTS,
    }
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and nothing from outside can be an option
            ["git", "ls-remote", "--", url, wanted, f"{wanted}^{{}}"],  # noqa: S607 - the git that the user would call
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env=environ,
            encoding="utf-8",
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LocksetError("revision-unknown", f"git could not be asked for {url}: {error}") from error
    if done.returncode != 0:
        told = tuple(done.stderr.strip().splitlines()[:3])
        raise LocksetError("revision-unknown", f"git could not list {url}", context=told)
    return done.stdout.splitlines()
