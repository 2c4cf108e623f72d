"""Plan and apply the changes of a target: everything is prepared first, then changed in one transaction."""

from __future__ import annotations

import contextlib
import os
import stat
import zlib
from contextlib import contextmanager
from functools import partial

from lockset._named_tuple import NamedTuple
from lockset.errors import LocksetError, OfflineError
from lockset.files.atomic import LockFile
from lockset.files.system import long_paths, processors, rmdir, unlink
from lockset.sync.disk.apply.remove import refuse_blocked, refuse_left_over, rewrite_path_file
from lockset.sync.disk.apply.stage import DamagedWheel, Stage, fill, naming_damaged, staged_distribution
from lockset.sync.disk.apply.transaction import commit, discard, finish, is_interrupted, journal_of, recover
from lockset.sync.disk.inspect.installed_scan import scan
from lockset.sync.disk.inspect.metadata_text import requires_dist
from lockset.sync.disk.inspect.snapshot import FileColumns, Snapshot
from lockset.sync.disk.store.link import Linker
from lockset.sync.installed import InstalledDistribution
from lockset.sync.placement import check_locations, overlapped_of, overlaps_of, refuse_clashes, settle_clashes
from lockset.sync.plan import Plan, plan, plan_of
from lockset.sync.target import LOCK_FILE, STATE_FOLDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from lockset.progress import ProgressListener
    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.disk.apply.prepare import Preparer
    from lockset.sync.disk.apply.transaction import JournalStep
    from lockset.sync.disk.inspect.snapshot import FileStamps
    from lockset.sync.disk.store.cache import StoredWheel
    from lockset.sync.placement import Clash, Locations, Overlap, PlacedDistribution
    from lockset.sync.plan import RemovalPolicy, Step
    from lockset.sync.target import Layout, Target

__all__ = ["InstallOptions", "Installer", "locked"]

# Number of files from which a thread removes the private folders while the result is remembered.
_MANY = 1000
# Limit for preparing one wheel again: another process may keep emptying the cache.
_HEALED = 5
# Limit for parallel compilers, and the number of modules that makes starting another one worthwhile.
_COMPILERS, _WORTHWHILE = 8, 100
# Timeout for another sync; one that takes longer has hung.
_SECONDS = 600.0


class InstallOptions(NamedTuple):
    """How distributions are installed.

    Attributes:
        link_mode: One of `link.LINK_MODES`.
        compile_bytecode: Compile modules after they are installed.
        verify_files: Hash installed files instead of comparing size and time only.
        overlap: Returns the names of packages that may own the same path with different content; the last one wins.
        on_step: Called before every step of the transaction.
    """

    link_mode: str = "auto"
    compile_bytecode: bool = False
    verify_files: bool = False
    overlap: Callable[[], tuple[str, ...]] = tuple
    on_step: Callable[[JournalStep], None] | None = None


class Installer:
    """Plans the changes of one target, and applies a plan.

    Args:
        target: The environment or folder to change.
        desired: The distributions that it should have.
        policy: Which other distributions may be removed.
        options: How to install.
        memory: Folder for snapshots of targets, or None.
        store: Folder of the unpacked wheels of the cache, or None.
        listener: Receives progress.
    """

    def __init__(
        self,
        target: Target,
        desired: Sequence[DesiredDistribution],
        *,
        policy: RemovalPolicy,
        options: InstallOptions,
        memory: str | None,
        store: str | None,
        listener: ProgressListener,
    ) -> None:
        self._target = target
        self._desired = desired
        self._policy = policy
        self._options = options
        self._listener = listener
        self._roots = target.layout.roots
        number = zlib.crc32("\0".join(self._roots).encode(errors="surrogateescape"))
        self._memory = f"{memory}{os.sep}{number:08x}" if memory is not None else None
        self._store = store
        self._seen: Snapshot  # since the last plan
        # Paths with several owners, as of the last plan or its application.
        self.overlaps: tuple[Overlap, ...] = ()

    def plan(self) -> Plan:
        """Compute the plan for the target's current state, after recovering from an interrupted sync."""
        if is_interrupted(self._target.layout):
            with locked(self._target.layout, self._listener):
                self._recover()
        snapshot = self._seen = Snapshot(self._memory, self._roots)
        planned = self._plan(snapshot)
        self.overlaps = overlaps_of(planned.steps)
        if not planned.changes:
            snapshot.save()
        return planned

    def file_stamps(self) -> tuple[FileStamps, ...] | None:
        """Paths, sizes and times of all files that the last plan, or its application, relied on.

        None if these do not determine whether the target is in sync.
        """
        return self._seen.file_stamps(self._target.layout, examined=frozenset(one.name for one in self._desired))

    def apply(self, preparer: Preparer, first: Plan) -> Plan:
        """Prepare everything that `first` installs, change the target, and return the plan that was applied.

        Raises:
            LocksetError: The target is unchanged.
            OSError: The target is unchanged.
        """
        _refuse_not_writable(self._target.layout)
        stored = dict(preparer.prepare([step.desired for step in first.placed if step.desired is not None]))
        with locked(self._target.layout, self._listener):
            self._recover()
            snapshot = self._seen
            # Another sync may have changed the target meanwhile.
            now = self._plan(snapshot)
            if not now.changes:
                snapshot.save()
                return now
            if now.blocked:
                refuse_blocked(now)
            while True:
                missing = [step.desired for step in now.placed if step.desired is not None and step.name not in stored]
                if missing:
                    stored |= preparer.prepare(missing)
                try:
                    self._change(now, stored, preparer, snapshot)
                except _MoreToRepair as together:
                    now = together.plan
                else:
                    return now

    def _recover(self) -> None:
        if recover(self._target.layout):
            self._listener.note("An interrupted sync of this target was undone")

    def _plan(self, snapshot: Snapshot) -> Plan:
        installed = scan(
            self._target.layout,
            snapshot=snapshot,
            examine=frozenset(one.name for one in self._desired),
            verify_files=self._options.verify_files,
            store=self._store,
            own_python=self._target.kind == "venv" and self._target.interpreter.launcher == "posix",
        )
        planned = plan(self._desired, installed, policy=self._policy, overlap=self._options.overlap)
        if self._policy.owned_only and any(step.action == "remove" for step in planned.changes):
            from lockset.sync.unmet_requirements import keep_required  # most syncs remove nothing

            planned = keep_required(planned, self._target.environment, lambda one: requires_dist(one.info))
        return planned

    def _change(self, now: Plan, stored: dict[str, StoredWheel], preparer: Preparer, snapshot: Snapshot) -> None:
        kept = [one for step in now.steps if step.action == "keep" for one in step.installed]
        removed = [one for step in now.changes for one in step.installed]
        owned = frozenset(file.path for one in kept for file in one.files)
        stage = Stage(self._target.layout, present=owned)
        try:
            placing = self._staged(stage, now, stored, preparer, kept)
            if removed:
                paths = frozenset(path for one in placing for path in one.paths())
                refuse_left_over(now.changes, placed=paths, owned=owned)
            changed = rewrite_path_file(removed, kept) if removed else {}
            for path, content in changed.items():
                if content is not None:
                    stage.write(path, content.encode())
            journal = journal_of(stage, removed, owned=owned, layout=self._target.layout, replaced=changed)
        except BaseException:
            discard(stage.areas)
            raise
        self.overlaps = overlaps_of(now.steps, placing)
        commit(journal, base=self._target.layout.base, on_step=self._options.on_step)
        if len(stage.times) < _MANY:
            finish(journal)
            self._remember(placing, removed, now, stage, snapshot)
        else:
            # Imported here and below: small syncs have no threads.
            from lockset.sync.disk.workers import meanwhile

            # `finish` mostly waits for the disk, so do the rest meanwhile.
            with meanwhile(partial(finish, journal)):
                self._remember(placing, removed, now, stage, snapshot)
        if self._options.compile_bytecode:
            _compile(self._target, placing)

    def _staged(
        self,
        stage: Stage,
        now: Plan,
        stored: dict[str, StoredWheel],
        preparer: Preparer,
        kept: Sequence[InstalledDistribution],
    ) -> Sequence[PlacedDistribution]:
        """Stage everything. A stored wheel that turns out to be damaged is prepared again, a few times."""
        healed: list[str] = []
        while True:
            try:
                linker = Linker(self._link_mode(preparer), self._listener, hashing=self._options.verify_files)
                stage.open()
                placing: dict[str, PlacedDistribution] = {}
                for step in now.placed:
                    assert step.desired is not None
                    with naming_damaged(step.name):
                        placing[step.name] = staged_distribution(stored[step.name], step.desired, self._target)
                if os.name == "nt":
                    from lockset.sync.windows_paths import refuse_windows_paths

                    refuse_windows_paths(
                        tuple(placing.values()), kept, layout=self._target.layout, long_paths=long_paths()
                    )
                check = partial(_check_shared, placing.values(), kept, self._target.layout)
                try:
                    fill(stage, placing, stored, linker, self._listener, check=check)
                except _SharedPaths as error:
                    stage.open()
                    stage.shared = error.locations.shared
                    if error.locations.clashes:
                        placing = self._settle(placing, error.locations.clashes, now)
                    fill(stage, placing, stored, linker, self._listener, check=lambda: None)
                return tuple(placing.values())
            except DamagedWheel as damaged:
                name = damaged.name
                if healed.count(name) >= _HEALED:
                    raise damaged.error from None
                healed.append(name)
                preparer.drop(stored[name])
                distributions = [step.desired for step in now.placed if step.name == name and step.desired is not None]
                try:
                    stored |= preparer.prepare(distributions)
                except OfflineError as error:
                    changed = f"The files of {name} in the cache were changed since they were unpacked"
                    raise error.replaced(context=(changed,)) from None

    def _link_mode(self, preparer: Preparer) -> str:
        mode = self._options.link_mode
        if mode == "symlink" and not preparer.lasts:
            self._listener.note("The cache is temporary: copying instead of linking to it")
            return "copy"
        return mode

    def _settle(
        self, placing: Mapping[str, PlacedDistribution], clashes: Sequence[Clash], now: Plan
    ) -> dict[str, PlacedDistribution]:
        """`placing` with one file for each path. Owners that would be kept are installed again with the rest.

        Raises:
            LocksetError: `path-conflict`.
        """
        order = self._options.overlap()
        refuse_clashes(clashes, order, (step.name for step in now.steps if step.desired is not None))
        together = {owner for clash in clashes for owner in clash.owners if owner not in placing}
        if together:
            reason = "shares a path with another package"
            steps = (s._replace(action="repair", reason=reason) if s.name in together else s for s in now.steps)
            raise _MoreToRepair(plan_of(steps))
        return settle_clashes(placing, clashes, order)

    def _remember(
        self,
        placed: Sequence[PlacedDistribution],
        removed: Sequence[InstalledDistribution],
        now: Plan,
        stage: Stage,
        snapshot: Snapshot,
    ) -> None:
        for one in removed:
            snapshot.known.pop(one.info, None)
        by_name = {step.name: step for step in now.placed}
        for new in placed:
            snapshot.add(_installed(new, by_name[new.name]), _columns(new, stage))
        snapshot.save()


class _MoreToRepair(Exception):
    """Further packages have to be installed again: `plan` includes them."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan


class _SharedPaths(Exception):
    """Several distributions own a path."""

    def __init__(self, locations: Locations) -> None:
        super().__init__()
        self.locations = locations


def _check_shared(
    placing: Collection[PlacedDistribution], kept: Sequence[InstalledDistribution], layout: Layout
) -> None:
    locations = check_locations(tuple(placing), kept, layout=layout)
    if locations.shared:
        raise _SharedPaths(locations)


def _installed(new: PlacedDistribution, step: Step) -> InstalledDistribution:
    """`new` as a scan would report it, without its files."""
    assert step.desired is not None
    distribution = step.desired
    return InstalledDistribution(
        name=new.name,
        version=new.version,
        info=new.info,
        installer="lockset",
        origin={**distribution.hashes, **({"tree": distribution.tree} if distribution.tree is not None else {})},
        direct_url=distribution.direct_url,
        overlapped=overlapped_of(new),
    )


def _columns(new: PlacedDistribution, stage: Stage) -> list[FileColumns]:
    """The files of `new` with the times that they have now."""
    columns = []
    for group in new.groups:
        times: Sequence[int | None] = group.stored.times
        if stage.shared:
            times = [stage.times.get(path, time) for path, time in zip(group.paths(), times, strict=True)]
        columns.append(FileColumns(group.above, group.names, group.stored.hashes, group.stored.sizes, times))
    if new.others:
        paths, hashes, sizes = zip(*[file[:3] for file in new.others], strict=True)
        times = tuple(map(stage.times.get, paths))
        columns.append(FileColumns("", "\0".join(paths), "\0".join(hashes), sizes, times))
    return columns


def _compile(target: Target, placing: Sequence[PlacedDistribution]) -> None:
    """Compile the new modules with the target's interpreter; modules that do not compile are skipped."""
    import subprocess

    from lockset.sync.disk.workers import InstallWorkers

    modules = [path for one in placing for path in one.paths() if path.endswith(".py")]
    command = [target.interpreter.executable, "-I", "-m", "compileall", "-q", "-i", "-"]
    several = min(processors(), _COMPILERS, len(modules) // _WORTHWHILE + 1)
    shares = ("\n".join(modules[number::several]).encode(errors="surrogateescape") for number in range(several))
    workers = InstallWorkers(several)
    workers.run([partial(subprocess.run, command, input=share, capture_output=True, check=False) for share in shares])


def _refuse_not_writable(layout: Layout) -> None:
    """Refuse a target that this user cannot change, before anything is downloaded for it.

    Raises:
        LocksetError: `target-not-writable`.
    """
    for folder in dict.fromkeys((layout.base, *layout.libraries)):
        existing = folder
        while not os.path.lexists(existing):
            existing = os.path.dirname(existing)
        if os.path.isdir(existing) and not os.access(existing, os.W_OK | os.X_OK):
            try:
                os.mkdir(probe := f"{existing}{os.sep}{STATE_FOLDER}.{os.urandom(8).hex()}")
            except OSError as error:
                raise _not_writable(folder, "changed" if existing == folder else "created", error.strerror) from error
            rmdir(probe)


def _not_writable(path: str, what: str, reason: str | None) -> LocksetError:
    return LocksetError(
        "target-not-writable",
        f"The target cannot be {what}: {reason}",
        location=path,
        hint="Sync as a user who can write to it, or into a virtual environment or a `--target` folder of your own",
    )


@contextmanager
def locked(layout: Layout, listener: ProgressListener) -> Iterator[None]:
    """Hold the target's lock, which ends with the process. The target's folder is created if it is missing.

    Raises:
        LocksetError: `target-busy`, `target-not-writable`.
    """
    path = f"{layout.base}{os.sep}{LOCK_FILE}"
    made = _make_folder(layout.base)
    _clear(path)
    lock = LockFile(path)
    try:
        if not lock.take(seconds=0):
            listener.note(f"Waiting for another sync of {layout.base} to finish")
            if not lock.take(seconds=_SECONDS):
                raise LocksetError("target-busy", "Another sync of the target does not finish", location=layout.base)
    except OSError as error:
        raise _not_writable(layout.base, "changed", error.strerror) from error
    try:
        yield
    finally:
        _release(lock, path)
        for folder in made:
            with contextlib.suppress(OSError):
                rmdir(folder)


def _release(lock: LockFile, path: str) -> None:
    """Remove the lock file at `path` and release the lock. If this fails, the lock still ends with the process."""
    if os.name == "nt":
        # Windows does not remove an open file, so release first.
        with contextlib.suppress(OSError):
            lock.release()
    # Elsewhere remove it while it is held: a waiting process notices that the file is gone, and creates a new one.
    # Try twice, since a failure may be temporary.
    for _ in range(2):
        with contextlib.suppress(OSError):
            unlink(path)
    with contextlib.suppress(OSError):
        lock.release()


def _clear(path: str) -> None:
    """Remove anything at `path` that cannot be a lock file: a symbolic link or a folder."""
    with contextlib.suppress(OSError):
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            unlink(path)
        elif stat.S_ISDIR(mode):
            rmdir(path)


def _make_folder(base: str) -> list[str]:
    """Create the folder `base`, and return the folders that were missing, deepest first."""
    missing: list[str] = []
    folder = base
    while not os.path.isdir(folder):
        if os.path.lexists(folder):
            raise LocksetError("target-not-folder", "The target is not a folder", location=folder)
        missing.append(folder)
        folder = os.path.dirname(folder)
    try:
        os.makedirs(base, exist_ok=True)
    except OSError as error:
        raise _not_writable(base, "created", error.strerror) from error
    return missing
