"""Isolated environments for build backends."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lockset._dataclass import dataclass
from lockset.errors import BuildEnvironmentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

__all__ = ["BuildEnvironment", "EnvironmentMaker", "PipEnvironmentMaker"]

# Lines of a failed command shown to the user.
_SHOWN_LINES = 20


class BuildEnvironment(Protocol):
    """An environment that exists until its context ends."""

    @property
    def python(self) -> Path:
        """Its interpreter."""

    def install(self, requirements: Sequence[str]) -> None:
        """Install further requirements (PEP 508); LocksetError if that fails."""


class EnvironmentMaker(Protocol):
    """Creates an isolated environment with requirements installed.

    The interface between building, and resolving and installing; `lockset.composition.builds.environments` provides it.
    Implementations: `PipEnvironmentMaker`; in tests `fakes.fake_environment.BareEnvironmentMaker`.
    """

    def make(
        self, requirements: Sequence[str], *, what: str, package: str | None = None
    ) -> AbstractContextManager[BuildEnvironment]:
        """An environment with this interpreter's version, removed at the end of the context; `what` names the release.

        `package` is the normalized name of what is built, for which requirements may be locked; None if not known.

        Raises:
            LocksetError: `build-environment`: the requirements cannot be resolved or installed.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class PipEnvironmentMaker:
    """Creates environments with `venv` and pip, independent of lockset's own resolver; this takes seconds.

    Without an `index_url`, pip's configuration decides where requirements come from. The URL is passed in a private
    file, since other users can read the arguments of processes.
    """

    index_url: str | None = None
    find_links: tuple[str, ...] = ()
    no_index: bool = False

    @contextmanager
    def make(self, requirements: Sequence[str], *, what: str, package: str | None = None) -> Iterator[BuildEnvironment]:
        """See `EnvironmentMaker`; nothing is locked."""
        del package
        with tempfile.TemporaryDirectory(prefix="lockset-build-") as folder:
            location = Path(folder)
            _run([sys.executable, "-I", "-m", "venv", str(location / "env")], what=what)
            python = location / "env" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
            environment = _PipEnvironment(python=python, options=self._options(), folder=location, what=what)
            environment.install(requirements)
            yield environment

    def _options(self) -> tuple[str, ...]:
        chosen = [f"--find-links {location}" for location in self.find_links]
        if self.no_index:
            chosen.append("--no-index")
        elif self.index_url is not None:
            chosen.append(f"--index-url {self.index_url}")
        return tuple(chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class _PipEnvironment:
    python: Path
    options: tuple[str, ...]
    folder: Path
    what: str

    def install(self, requirements: Sequence[str]) -> None:
        if not requirements:
            return
        listed = self.folder / "requirements.txt"
        listed.touch(mode=0o600)
        listed.write_text("".join(f"{line}\n" for line in (*self.options, *requirements)), encoding="utf-8")
        command = [str(self.python), "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*command, "--no-input", "-r", str(listed)], what=self.what)


def _run(command: list[str], *, what: str) -> None:
    done = subprocess.run(  # our own interpreter and arguments
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode != 0:
        lines = done.stdout.decode("utf-8", "replace").splitlines()
        raise BuildEnvironmentError(
            f"The environment for building {what} could not be created",
            context=tuple(lines[-_SHOWN_LINES:]),
            hint="Use a release that has a wheel, or make its build requirements available",
        )
