"""Isolated build environments (PEP 517), locked and synced by lockset itself, so that all code in them is verified."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass, field, replace
from lockset._version import __version__
from lockset.build.hooks import HookBuilder
from lockset.build.policy import BuildPolicy
from lockset.composition.builds.build_lock import is_met, not_locked
from lockset.composition.builds.present_environment import PresentEnvironmentMaker
from lockset.composition.builds.wheels import HookWheelBuilds
from lockset.composition.connections import connected
from lockset.composition.sync_pipeline import LockSource, RemovalPolicy, SyncRequest, sync
from lockset.errors import BuildEnvironmentError, BuildNotLockedError, LocksetError
from lockset.files.tree_stamp import build_variables
from lockset.hashes import quick_sha256
from lockset.index.credentials import redact
from lockset.resolve.problem.options import LockOptions
from lockset.sources.project import RootProject
from lockset.sources.requirements.requirement_line import parse_requirement
from lockset.sync.disk.inspect.interpreter import ask_interpreter
from lockset.sync.disk.request import TargetSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from lockset.composition.builds.build_lock import BuildLock
    from lockset.index.options import IndexOptions
    from lockset.lockfile.model import Pylock
    from lockset.progress import ProgressListener
    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = ["SyncedEnvironmentMaker", "builder"]

# The deepest nesting of builds, as of a backend that must itself be built. Deeper ones are most likely a cycle.
_DEEPEST = 6
# Environment variables that locate compilers and libraries.
_DECIDING = (
    "PATH",
    "CC",
    "CXX",
    "CFLAGS",
    "CXXFLAGS",
    "CPPFLAGS",
    "LDFLAGS",
    "CPATH",
    "LIBRARY_PATH",
    "PKG_CONFIG_PATH",
)
# Beginnings of variables that describe a run of a CI service, and differ in every run.
_OF_RUNS = (b"GITHUB_", b"RUNNER_", b"ACTIONS_", b"CI_", b"GITLAB_", b"CIRCLE_", b"BUILDKITE_")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedEnvironmentMaker:
    """`lockset.build.environment.EnvironmentMaker` that locks and syncs each environment.

    Attributes:
        options: The indexes for build requirements.
        cache: The cache folder; None for no cache.
        python: The interpreter to build for.
        now: The current time, for `exclude-newer` and maintained Pythons.
        listener: Receives notes.
        lock: Locks requirements for one environment; the maker is that of the builds that they need
            (`lockset.composition.lock_pipeline.lock_environment`).
        constraints: Constraints on build requirements.
        policy: Config settings, and which packages are built without isolation.
        build_locks: Lock files with the requirements of builds, which are installed exactly.
        require_locked: Refuse a build whose requirements are not locked.
        folders: Folders with files to use instead of downloads.
        present: The interpreter in whose environment those are built; None for `python`.
        inside: The builds that need this one.
        locks: What build requirements were locked to, by their texts: many builds of a run have the same ones.
        markers: The markers of the interpreter, once it was asked.
        locking: Held while build requirements are locked, since several builds may run at the same time.
    """

    options: IndexOptions
    cache: Path | None
    python: str
    now: datetime
    listener: ProgressListener
    lock: Callable[[RootProject, LockOptions, SyncedEnvironmentMaker], Pylock]
    constraints: tuple[RequirementLine, ...] = ()
    policy: BuildPolicy = BuildPolicy()
    build_locks: tuple[BuildLock, ...] = ()
    require_locked: bool = False
    folders: tuple[str, ...] = ()
    present: str | None = None
    inside: tuple[str, ...] = ()
    locks: dict[tuple[str, ...], Pylock] = field(default_factory=dict, compare=False, repr=False)
    markers: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    locking: Any = field(default_factory=RLock, compare=False, repr=False)

    def builder(self, listener: ProgressListener) -> HookBuilder:
        """A builder that uses environments of this maker."""
        present = PresentEnvironmentMaker(python=self.present or self.python, listener=listener)
        return HookBuilder(
            self, listener=listener, policy=self.policy, present=present, fingerprint=self._fingerprint()
        )

    def wheel_builds(self, listener: ProgressListener, *, environ: Mapping[str, str] | None = None) -> HookWheelBuilds:
        """Builds of wheels for a sync that uses environments of this maker; `environ` is for version control."""
        return HookWheelBuilds(
            self.builder(listener),
            environ=dict(os.environ if environ is None else environ),
            offline=self.options.offline,
            listener=listener,
            build_key=self._key_of_wheels,
        )

    def _key_of_wheels(self, name: str) -> str | None:
        """See `lockset.sync.ports.WheelBuilds.build_key`."""
        settings = self.policy.cache_key(name)
        if settings is None:
            return None
        lock = self.build_lock(name)
        locked = b"" if lock is None else lock.source.data
        if locked is None:
            return None
        variables = [line for line in build_variables(_general_variables(os.environ)) if not line.startswith(_OF_RUNS)]
        parts = (self._fingerprint().encode(), settings.encode(), locked, *variables)
        return quick_sha256(b"\0".join(map(quick_sha256, parts))).hex()

    def build_lock(self, name: str) -> BuildLock | None:
        """The first lock file that has the requirements of builds of the package."""
        return next((one for one in self.build_locks if one.has(name)), None)

    def _fingerprint(self) -> str:
        """A hash of what a build depends on besides its source tree: interpreter, settings, variables."""
        python = Path(self.python).resolve()
        locations = (self.options.index_url, *(source.url for source in self.options.indexes), *self.options.find_links)
        variables = _general_variables(os.environ)
        facts = [
            [str(python), python.stat().st_mtime_ns if python.exists() else 0, sys.version, __version__],
            [str(line.requirement) for line in self.constraints],
            {key: str(value) for key, value in self.policy.settings.items()},
            {name: dict(settings) for name, settings in self.policy.package_settings.items()},
            list(map(redact, locations)),
            {name: variables.get(name, "") for name in _DECIDING},
        ]
        return quick_sha256(json.dumps(facts).encode()).hex()

    @contextmanager
    def make(
        self, requirements: Sequence[str], *, what: str, package: str | None = None
    ) -> Iterator[_SyncedEnvironment]:
        """See `EnvironmentMaker`."""
        if len(self.inside) >= _DEEPEST:
            raise BuildEnvironmentError(
                f"Building {what} needs too many nested builds: {' for '.join(self.inside)}",
                hint="Use a release that has a wheel",
            )
        with tempfile.TemporaryDirectory(prefix="lockset-build-") as folder:
            location = Path(folder) / "env"
            _make_venv(self.python, location, what)
            made = _SyncedEnvironment(
                python=location / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"),
                maker=self,
                folder=Path(folder),
                what=what,
                package=package,
                locked={},
                installed=[],
            )
            made.install_locked()
            made.install(requirements)
            yield made


@dataclass(frozen=True, slots=True, kw_only=True)
class _SyncedEnvironment:
    python: Path
    maker: SyncedEnvironmentMaker
    folder: Path
    what: str
    package: str | None
    locked: dict[str, str]
    installed: list[str]

    def install_locked(self) -> None:
        """Install exactly what a lock file has for the build of this package, if there is one."""
        group = self.package or ""
        lock = self.maker.build_lock(group)
        if lock is not None:
            self.locked.update(self._sync(lock.source, groups=frozenset({group})))

    def install(self, requirements: Sequence[str]) -> None:
        """See `BuildEnvironment`."""
        lacking = self._not_locked(requirements)
        if lacking and self.maker.require_locked:
            raise not_locked(self.what, lacking, self.maker.build_locks)
        is_resolved = bool(lacking and self.locked)
        if is_resolved:
            names = ", ".join(lacking)
            self.maker.listener.note(f"The build requirements of {self.what} are resolved again: not locked: {names}")
            self.locked.clear()
        further = [r for r in dict.fromkeys(requirements) if r not in self.installed]
        self.installed.extend(further)
        if self.installed and not self.locked and (further or is_resolved):
            self._resolve()

    def _not_locked(self, requirements: Sequence[str]) -> list[str]:
        """The requirements that apply and that the locked versions do not meet."""
        return [text for text in requirements if not is_met(text, self.locked, self._markers())]

    def _markers(self) -> Mapping[str, str]:
        """The markers of the environment; the same for all environments of a maker."""
        markers = self.maker.markers
        with self.maker.locking:
            if not markers:
                markers.update(ask_interpreter(str(self.python), memory=None).markers)
        return markers

    def _resolve(self) -> None:
        maker = self.maker
        try:
            with maker.locking:
                lock = maker.locks.get(tuple(self.installed))
                if lock is None:
                    lock = maker.locks[tuple(self.installed)] = self._lock()
            self._sync(LockSource(lock=lock, folder=str(self.folder)))
        except (BuildEnvironmentError, BuildNotLockedError):
            raise
        except LocksetError as error:
            raise self._not_created(error) from error

    def _lock(self) -> Pylock:
        """What is to be installed, locked for the interpreter of the environment."""
        maker = self.maker
        values = self._markers()
        origin = f"the build requirements of {self.what}"
        project = RootProject(
            base=self.folder,
            dependencies=tuple(parse_requirement(text, origin=origin) for text in self.installed),
        )
        platform = ("sys_platform", "platform_machine", "implementation_name")
        options = LockOptions(
            python=values["python_full_version"],
            environments=(" and ".join(f"{name} == '{values[name]}'" for name in platform),),
            constraints=maker.constraints,
        )
        return maker.lock(project, options, self._nested())

    def _nested(self) -> SyncedEnvironmentMaker:
        """The maker for builds of build requirements."""
        maker = self.maker
        return replace(maker, policy=maker.policy.for_requirements(), inside=(*maker.inside, self.what))

    def _sync(self, source: LockSource, *, groups: frozenset[str] = frozenset()) -> dict[str, str]:
        """Install what is locked, with `groups` instead of the default ones; the versions by name."""
        maker = self.maker
        request = SyncRequest(
            sources=(source,),
            location=TargetSpec(python=str(self.python)),
            groups=groups,
            default_groups=not groups,
            find_links=maker.folders,
            policy=RemovalPolicy(exact=False),
        )
        try:
            with connected(maker.options, maker.cache, maker.listener) as connection:
                done = sync(
                    request,
                    cache=maker.cache,
                    downloads=lambda: connection.downloads,
                    builds=lambda: self._nested().wheel_builds(maker.listener),
                )
        except (BuildEnvironmentError, BuildNotLockedError):
            raise
        except LocksetError as error:
            raise self._not_created(error) from error
        return {step.name: step.new_version or "" for step in done.plan.steps}

    def _not_created(self, error: LocksetError) -> LocksetError:
        diagnostic = error.diagnostic
        return BuildEnvironmentError(
            f"The environment to build {self.what} could not be created: {diagnostic.message}",
            location=diagnostic.location,
            context=diagnostic.context,
            hint=diagnostic.hint and diagnostic.hint.replace("`lockset lock ", "`lockset lock --build "),
        )


def _general_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables without those that activating an environment sets: builds do not depend on which one is active."""
    variables = {name: value for name, value in environ.items() if name not in {"VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT"}}
    active = environ.get("VIRTUAL_ENV")
    if active and "PATH" in variables:
        own = {os.path.join(active, "bin"), os.path.join(active, "Scripts")}
        variables["PATH"] = os.pathsep.join(part for part in variables["PATH"].split(os.pathsep) if part not in own)
    return variables


def _make_venv(python: str, location: Path, what: str) -> None:
    command = [python, "-I", "-m", "venv", "--without-pip", str(location)]
    done = subprocess.run(  # an interpreter the user chose, our own arguments
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode:
        raise BuildEnvironmentError(
            f"{python} could not create an environment to build {what}",
            context=tuple(done.stdout.decode("utf-8", "replace").splitlines()[-5:]),
            hint="Install the `venv` module of that Python, or use `--no-build`",
        )


def builder(
    options: IndexOptions,
    cache: Path | None,
    *,
    python: str,
    now: datetime,
    listener: ProgressListener,
    lock: Callable[[RootProject, LockOptions, SyncedEnvironmentMaker], Pylock],
    constraints: tuple[RequirementLine, ...] = (),
    **more: Any,
) -> HookBuilder:
    """A builder whose environments lockset creates within `constraints`; `more` as for `SyncedEnvironmentMaker`."""
    maker = SyncedEnvironmentMaker(
        options=options,
        cache=cache,
        python=python,
        now=now,
        listener=listener,
        lock=lock,
        constraints=constraints,
        **more,
    )
    return maker.builder(listener)
