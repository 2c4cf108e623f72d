"""An environment as it is, in which sources are built without isolation."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.dependency_specifiers import read_dependency
from lockset.errors import BuildEnvironmentError, BuildFailedError, LocksetError
from lockset.package_names import canonicalize_name
from lockset.sync.disk.inspect.interpreter import ask_interpreter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lockset.progress import ProgressListener

__all__ = ["PresentEnvironmentMaker"]

# Prints the installed distributions of an interpreter.
_LIST = (
    "import json; from importlib.metadata import distributions; "
    "print(json.dumps([[d.metadata['Name'], d.version] for d in distributions()]))"
)
_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentEnvironmentMaker:
    """`lockset.build.environment.EnvironmentMaker` whose environment is that of `python`; nothing is installed into it.

    Requirements that are missing, or have another version, are noted, as a build may not need them; a build that fails
    names them.
    """

    python: str
    listener: ProgressListener

    @contextmanager
    def make(
        self, requirements: Sequence[str], *, what: str, package: str | None = None
    ) -> Iterator[_PresentEnvironment]:
        """See `EnvironmentMaker`."""
        del package
        made = _PresentEnvironment(
            python=Path(self.python), what=what, listener=self.listener, installed=_installed(self.python), missing={}
        )
        made.install(requirements)
        try:
            yield made
        except BuildFailedError as error:
            raise made.explained(error) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _PresentEnvironment:
    python: Path
    what: str
    listener: ProgressListener
    installed: Mapping[str, str]
    missing: dict[str, str]

    def install(self, requirements: Sequence[str]) -> None:
        """Note which of `requirements` the environment does not have: see `BuildEnvironment`."""
        if not requirements:
            return
        markers = ask_interpreter(str(self.python), memory=None).markers
        new = {text: lack for text in requirements if (lack := self._lack(text, markers)) and text not in self.missing}
        self.missing.update(new)
        if new:
            self.listener.note(f"{self.python} does not have all that {self.what} is built with: {_listed(new)}")

    def _lack(self, text: str, markers: Mapping[str, str]) -> str | None:
        """`not installed`, or the version that does not fit; None if the requirement is met, or does not apply."""
        requirement = read_dependency(text)
        if requirement.marker is not None and not requirement.marker.evaluate({**markers, "extra": ""}):
            return None
        version = self.installed.get(canonicalize_name(requirement.name))
        if version is None:
            return "not installed"
        return None if requirement.specifier.contains(version, prereleases=True) else f"{version} is installed"

    def explained(self, error: BuildFailedError) -> LocksetError:
        """The error of a failed build, with the requirements that are missing and the command that installs them."""
        if not self.missing:
            hint = "It is built without isolation: what it imports must be installed in that environment"
            return error.replaced(hint=hint)
        line = f"{self.python} does not have: {_listed(self.missing)}"
        return error.replaced(context=(*error.diagnostic.context, line), hint=f"Install them first: {self._command()}")

    def _command(self) -> str:
        names = [shlex.quote(text) for text in self.missing]
        python = shlex.quote(str(self.python))
        if "pip" in self.installed:
            return f"`{python} -m pip install {' '.join(names)}`"
        lines = shlex.quote("\\n".join(self.missing) + "\\n")
        lock = "pylock.tools.toml"
        return f"`printf {lines} | lockset lock - -o {lock} && lockset install {lock} --python {python}`"


def _listed(missing: Mapping[str, str]) -> str:
    return ", ".join(f"{text} ({lack})" for text, lack in missing.items())


def _installed(python: str) -> dict[str, str]:
    """Normalised names of the distributions that `python` imports from, with their versions."""
    try:
        done = subprocess.run(
            [python, "-c", _LIST],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=_SECONDS,
            cwd=os.path.dirname(os.path.abspath(python)),
        )
        pairs = json.loads(done.stdout)
        return {canonicalize_name(str(name)): str(version) for name, version in pairs if name}
    except (OSError, subprocess.SubprocessError, ValueError, TypeError) as error:
        raise BuildEnvironmentError(
            f"{python} could not list what is installed",
            hint="Use another interpreter, or build with isolation",
        ) from error
