"""Call build backends (PEP 517, PEP 660) in a child process with the interpreter of an isolated environment."""

from __future__ import annotations

import os
import subprocess
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, BinaryIO

import pyproject_hooks
import tomli
from packaging.requirements import InvalidRequirement
from packaging.utils import InvalidSdistFilename
from pyproject_hooks import BackendUnavailable, BuildBackendHookCaller, HookMissing

from lockset._dataclass import dataclass
from lockset._pattern import lazy_pattern
from lockset.build.policy import BuildPolicy
from lockset.build.unpack import unpack_sdist
from lockset.dependency_specifiers import read_dependency, read_sdist_name
from lockset.errors import BuildEnvironmentError, BuildFailedError, LocksetError
from lockset.metadata.wheel import METADATA_LIMIT, read_any_metadata
from lockset.progress import NullListener

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lockset.build.environment import EnvironmentMaker
    from lockset.progress import ProgressListener

__all__ = ["BuildSystem", "HookBuilder", "read_build_system"]

# Lines of a failed build shown to the user.
_SHOWN_LINES = 25
# Bytes at the end of its output that are searched for these lines.
_READ_BYTES = 64 * 1024
_TRACEBACK = lazy_pattern(r"\s*Traceback \(most recent call last\):")
# Variables that a build must not see: module paths, and credentials for indexes.
_HIDDEN = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__")
_HIDDEN_PREFIX = "LOCKSET_"
# Exit codes of a process that was interrupted or ended from outside: by SIGINT, SIGKILL, SIGTERM, or Ctrl+C on Windows.
_INTERRUPTED = frozenset({-2, -9, -15, 0xC000013A})


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSystem:
    """The `[build-system]` table with defaults (PEP 518)."""

    requires: tuple[str, ...] = ("setuptools >= 40.8.0",)
    backend: str = "setuptools.build_meta:__legacy__"
    backend_path: tuple[str, ...] | None = None


def read_build_system(text: str | None, *, what: str) -> BuildSystem:
    """Read the build system of a `pyproject.toml`; the legacy default if it has none, or for None.

    Raises:
        LocksetError: `build-system`: it is not TOML, or violates PEP 518.
    """
    try:
        data: dict[str, Any] = {} if text is None else tomli.loads(text)
    except (tomli.TOMLDecodeError, RecursionError) as error:
        raise _bad_system(what, f"pyproject.toml is not valid TOML: {error}") from error
    table = data.get("build-system")
    # "If the pyproject.toml file is absent, or the build-backend key is missing, the source tree is not using this
    # specification, and tools should revert to the legacy behaviour of running setup.py (either directly, or by
    # implicitly invoking the setuptools.build_meta:__legacy__ backend)."
    if table is None:
        return BuildSystem()
    if not isinstance(table, dict):
        raise _bad_system(what, "`build-system` is not a table")
    # "The table MUST have a `requires` key" (PEP 518).
    requires = _texts(table.get("requires"), "build-system.requires", what)
    _check_requirements(requires, what)
    backend = table.get("build-backend")
    if backend is None:
        return BuildSystem(requires=requires)
    if not isinstance(backend, str) or not backend:
        raise _bad_system(what, "`build-system.build-backend` is not a name")
    path = table.get("backend-path")
    listed = None if path is None else _texts(path, "build-system.backend-path", what)
    return BuildSystem(requires=requires, backend=backend, backend_path=listed)


def _texts(value: object, key: str, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _bad_system(what, f"`{key}` is not a list of strings")
    return tuple(value)


def _check_requirements(requirements: tuple[str, ...], what: str) -> None:
    """Check that every string is exactly one requirement: no option, no path, no second line."""
    try:
        for requirement in requirements:
            read_dependency(requirement)
    except (InvalidRequirement, RecursionError) as error:  # RecursionError: deeply nested parentheses
        raise _bad_system(what, f"a build requirement is not valid: {error}") from error


class HookBuilder:
    """`lockset.metadata.ports.Builder`. Every call runs code of the package, and notifies the listener first.

    `policy` has the config settings of packages, and those that are built in environments of `present` instead of
    `environments`. `fingerprint` identifies the build environment, or is "" if that is not known.

    Each method takes the normalized name of the `package`; None for that of the settings for all packages.
    """

    def __init__(
        self,
        environments: EnvironmentMaker,
        *,
        listener: ProgressListener | None = None,
        policy: BuildPolicy | None = None,
        present: EnvironmentMaker | None = None,
        fingerprint: str = "",
    ) -> None:
        self._environments = environments
        self._policy = policy or BuildPolicy()
        self._present = present or environments
        self.fingerprint = fingerprint
        self._listener: ProgressListener = listener or NullListener()
        self._processes = _Processes()

    def end(self) -> None:
        """End the builds that run in other threads, which are no longer needed, and start no further ones."""
        self._processes.end()

    def metadata(self, source_tree: Path, *, what: str, package: str | None = None) -> bytes:
        """The METADATA that a wheel of this tree would have; see `Builder`."""
        self._listener.note(f"Building {what} to obtain its metadata: this runs code from the package")
        with self._backend(source_tree, what, package) as backend, _scratch() as scratch:
            try:
                folder = backend.call(
                    "prepare_metadata_for_build_wheel",
                    str(scratch),
                    config_settings=backend.settings,
                    _allow_fallback=False,
                )
            except HookMissing:
                wheel = backend.wheel(scratch)
                with wheel.open("rb") as file:
                    return read_any_metadata(file, what=wheel.name)
            path = _inside(scratch, folder, what) / "METADATA"
            if not path.is_file() or path.stat().st_size > METADATA_LIMIT:
                raise _failed(what, "its build backend did not create METADATA")
            return path.read_bytes()

    def wheel(self, source_tree: Path, out_dir: Path, *, what: str, package: str | None = None) -> Path:
        """Build a wheel of this tree in `out_dir`; see `Builder`."""
        self._listener.note(f"Building a wheel of {what}: this runs code from the package")
        with self._backend(source_tree, what, package) as backend:
            return backend.wheel(out_dir)

    def editable(self, source_tree: Path, out_dir: Path, *, what: str, package: str | None = None) -> Path:
        """Build an editable wheel of this tree in `out_dir` (PEP 660).

        Raises:
            LocksetError: `build-failed`, also if the backend does not support editable installs.
        """
        self._listener.note(f"Building an editable wheel of {what}: this runs code from the package")
        with self._backend(source_tree, what, package, kind="editable") as backend:
            try:
                return backend.wheel(out_dir, "build_editable")
            except HookMissing as error:
                raise _failed(what, "its build backend does not support editable installs") from error

    def requirements(
        self, source_tree: Path, *, what: str, package: str | None = None, editable: bool = False
    ) -> tuple[str, ...]:
        """What a build of this tree requires: what its pyproject.toml says, and what its backend adds."""
        self._listener.note(f"Asking the build backend of {what} for its requirements: this runs code of the package")
        kind = "editable" if editable else "wheel"
        with self._backend(source_tree, what, package, kind=kind) as backend:
            return backend.requires

    def archive_metadata(self, archive: BinaryIO, filename: str, *, package: str | None = None) -> bytes:
        """The METADATA of an sdist archive; see `Builder`."""
        with _scratch() as scratch:
            tree = unpack_sdist(archive, filename, scratch)
            return self.metadata(tree, what=filename, package=package or _package_of(filename))

    def archive_wheel(self, archive: BinaryIO, filename: str, out_dir: Path) -> Path:
        """Build a wheel of an sdist archive; see `Builder`."""
        with _scratch() as scratch:
            tree = unpack_sdist(archive, filename, scratch)
            return self.wheel(tree, out_dir, what=filename, package=_package_of(filename))

    @contextmanager
    def _backend(self, source_tree: Path, what: str, package: str | None, *, kind: str = "wheel") -> Iterator[_Backend]:
        """The tree's backend, in an environment with its requirements."""
        system = read_build_system(_read_pyproject(source_tree), what=what)
        isolated = self._policy.is_isolated(package or "")
        environments = self._environments if isolated else self._present
        with environments.make(system.requires, what=what, package=package) as environment, _scratch() as scratch:
            backend = _Backend(
                source_tree,
                system,
                environment.python,
                what,
                output=scratch / "output",
                processes=self._processes,
                settings=self._policy.settings_of(package or ""),
                isolated=isolated,
            )
            hook = f"get_requires_for_build_{kind}"
            further = _texts(backend.call(hook, config_settings=backend.settings), hook, what)
            _check_requirements(further, what)
            environment.install(further)
            backend.requires = (*system.requires, *further)
            yield backend


class _Processes:
    """The processes in which hooks run, which another thread can end."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ended = Event()

    def run(self, command: Sequence[str], *, what: str, **options: Any) -> None:
        """Run the command.

        Raises:
            subprocess.CalledProcessError: It failed.
            LocksetError: `build-environment`: it was ended by a signal, so that its failure says nothing about `what`.
        """
        with self._lock:
            if self._ended.is_set():
                raise _interrupted(what)
            process = subprocess.Popen(command, **options)  # the environment's interpreter and the hook script
            self._running.add(process)
        try:
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            with self._lock:
                self._running.discard(process)
        if self._ended.is_set() or code in _INTERRUPTED:
            raise _interrupted(what)
        if code:
            raise subprocess.CalledProcessError(code, command)

    def end(self) -> None:
        """Kill all processes; no further one is started."""
        with self._lock:
            self._ended.set()
            for process in self._running:
                process.kill()


def _interrupted(what: str) -> LocksetError:
    return BuildEnvironmentError(f"The build of {what} was interrupted")


class _Backend:
    """One build backend, whose hooks run in the interpreter of its environment."""

    def __init__(
        self,
        tree: Path,
        system: BuildSystem,
        python: Path,
        what: str,
        *,
        output: Path,
        processes: _Processes,
        settings: Mapping[str, Any],
        isolated: bool,
    ) -> None:
        self._processes = processes
        self.settings = dict(settings) or None
        self.requires: tuple[str, ...] = ()
        self._isolated = isolated
        self._what = what
        self._python = python
        self._output = output
        try:
            self._caller = BuildBackendHookCaller(
                str(tree), system.backend, system.backend_path, runner=self._run, python_executable=str(python)
            )
        except ValueError as error:  # a backend path that leaves the tree
            raise _bad_system(what, str(error)) from error

    def call(self, hook: str, *args: str, **options: Any) -> Any:
        """The result of a hook; HookMissing if it is optional and absent."""
        try:
            _ignore_backend_warnings()
            return getattr(self._caller, hook)(*args, **options)
        except BackendUnavailable as error:
            raise _failed(self._what, "its build backend cannot be imported", self._tail()) from error
        except subprocess.CalledProcessError as error:
            raise _failed(self._what, f"its build backend failed in {hook}", self._tail()) from error
        except OSError as error:
            raise _failed(self._what, f"its build interpreter cannot be run: {error}") from error
        except (ValueError, KeyError, TypeError) as error:  # its result file is malformed
            raise _failed(
                self._what, f"its build backend returned no valid result from {hook}", self._tail()
            ) from error

    def wheel(self, out_dir: Path, hook: str = "build_wheel") -> Path:
        """Build a wheel in `out_dir`."""
        path = _inside(out_dir, self.call(hook, str(out_dir), config_settings=self.settings), self._what)
        if path.suffix != ".whl" or not path.is_file():
            raise _failed(self._what, "its build backend did not create a wheel")
        return path

    def _run(self, cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None) -> None:
        with self._output.open("wb") as output:
            self._processes.run(
                list(cmd),
                what=self._what,
                cwd=cwd,
                env=_environ(self._python, extra_environ or {}, isolated=self._isolated),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def _tail(self) -> tuple[str, ...]:
        try:
            with self._output.open("rb") as output:
                output.seek(max(0, output.seek(0, os.SEEK_END) - _READ_BYTES))
                return _last_lines(output.read(_READ_BYTES).decode("utf-8", "replace").splitlines())
        except OSError:
            return ()


def _ignore_backend_warnings() -> None:
    """Ignore warnings that pyproject-hooks repeats in this process; they are in the output of a failed build.

    The filter stays, since several builds may run at the same time, and Python has one list of filters for all threads.
    """
    category = getattr(pyproject_hooks, "BuildBackendWarning", None)  # old versions repeat no warnings
    if category is not None and ("ignore", None, category, None, 0) not in warnings.filters:
        warnings.simplefilter("ignore", category)


def _last_lines(lines: Sequence[str]) -> tuple[str, ...]:
    """The last lines of a backend's output; of tracebacks only the exception."""
    shown: list[str] = []
    within = False
    for line in lines:
        if _TRACEBACK.match(line):
            within = True
        elif not within or not line[:1].isspace():
            within = within and not line.strip()
            shown.append(line)
    return tuple(shown[-_SHOWN_LINES:])


def _environ(python: Path, extra: Mapping[str, str], *, isolated: bool) -> dict[str, str]:
    """The environment variables for a build: those of this process that it may see.

    Without isolation, Python finds all modules that it finds elsewhere.
    """
    inherited = dict(os.environ)
    hidden = _HIDDEN if isolated else ()
    kept = {k: v for k, v in inherited.items() if k not in hidden and not k.startswith(_HIDDEN_PREFIX)}
    path = os.pathsep.join(part for part in (str(python.parent), kept.get("PATH", "")) if part)
    return {**kept, "PATH": path, **({"PYTHONNOUSERSITE": "1"} if isolated else {}), **extra}


def _package_of(filename: str) -> str | None:
    try:
        return str(read_sdist_name(filename)[0])
    except InvalidSdistFilename:
        return None


def _read_pyproject(source_tree: Path) -> str | None:
    path = source_tree / "pyproject.toml"
    try:
        if path.exists() and not path.is_file():
            # A backend that opens a pipe waits without end.
            raise _bad_system(source_tree.name, "pyproject.toml is not a regular file")
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise _bad_system(source_tree.name, f"pyproject.toml cannot be read: {error}") from error


def _inside(folder: Path, name: object, what: str) -> Path:
    """The path of a file that the backend created in `folder`; its name must not be a path."""
    if not isinstance(name, str) or not name or Path(name).name != name:
        raise _failed(what, "its build backend returned a path outside its output folder")
    return folder / name


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lockset-build-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _bad_system(what: str, why: str) -> LocksetError:
    return LocksetError("build-system", f"The build system of {what} cannot be used: {why}")


def _failed(what: str, why: str, context: tuple[str, ...] = ()) -> LocksetError:
    return BuildFailedError(
        f"{what} could not be built: {why}",
        context=context,
        hint="Use a release that has a wheel, or install what the build requires",
    )
