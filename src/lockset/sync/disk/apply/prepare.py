"""Fetch, verify, build and unpack everything that a plan installs, before the target is touched."""

from __future__ import annotations

from _thread import allocate_lock  # `threading` is not needed for it
from functools import cached_property, partial
from pathlib import Path

from lockset.errors import BuildNeededError, LocksetError, StoppedError
from lockset.files.atomic import remove_tree
from lockset.files.system import keep_freed_memory, processors
from lockset.hashes import Digest
from lockset.progress import NullListener, expect_bytes
from lockset.sync.desired import WheelIdentity
from lockset.sync.disk.store.cache import StoredWheel, WheelStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import BinaryIO

    from lockset.index.ports import Downloads
    from lockset.progress import ProgressListener
    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.disk.store.archives import Archives
    from lockset.sync.disk.store.built_wheels import BuiltWheels
    from lockset.sync.disk.store.cache import Cache
    from lockset.sync.disk.workers import InstallWorkers
    from lockset.sync.ports import WheelBuilds

__all__ = ["Preparer"]

# Limit for parallel transfers; more were not faster on any network measured.
_THREADS = 8
# The least number of wheels, and of their bytes, that are worth a further process; and the most processes.
_MANY, _MUCH, _PROCESSES = 4, 8 << 20, 4


class Preparer:
    """Provides unpacked wheels for the desired distributions.

    Args:
        cache: Where archives and unpacked wheels are stored.
        downloads: Called before the first download.
        builds: Called before the first build; None if nothing may be built.
        fits: Whether a wheel with that file name is compatible with the target.
        listener: Receives progress.
        folders: Folders with files to use instead of downloads.
        verify: Unpack every wheel again from its verified archive, instead of trusting the store, and keep archives.
        rebuild: The names of sources that are built again, though the store has what an earlier build made of them;
            None for all.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        downloads: Callable[[], Downloads],
        builds: Callable[[], WheelBuilds] | None,
        fits: Callable[[str], bool],
        listener: ProgressListener,
        folders: Sequence[str] = (),
        verify: bool = False,
        rebuild: Collection[str] | None = (),
    ) -> None:
        self._cache = cache
        self._rebuild = rebuild
        self._verify = verify
        self._store = WheelStore(cache)
        self._downloads = downloads
        self._folders = folders
        self._builds = builds
        self._backend: WheelBuilds | None = None
        self._lock = allocate_lock()
        self._unpacking = allocate_lock()
        self._fits = fits
        self._listener = listener
        self._is_first = True

    # Most syncs find everything in the store, and import neither.
    @cached_property
    def _workers(self) -> InstallWorkers:
        from lockset.sync.disk.workers import InstallWorkers

        return InstallWorkers(_THREADS)

    @cached_property
    def _archives(self) -> Archives:
        from lockset.sync.disk.store.archives import Archives

        return Archives(self._cache, self._downloads, stopped=self._workers.stopped, folders=self._folders)

    def prepare(self, distributions: Sequence[DesiredDistribution]) -> Mapping[str, StoredWheel]:
        """The unpacked wheel of every one of `distributions`, by name.

        Raises:
            LocksetError: The first error; the target is untouched.
        """
        wheels = {one.name: stored for one in distributions if (stored := self._stored(one)) is not None}
        # The largest first: it decides when everything is done.
        missing = sorted((one for one in distributions if one.name not in wheels), key=lambda one: -(one.size or 0))
        for one in missing:
            self._refuse_build(one)
        if not missing:
            return wheels
        assert self._archives is not None  # created here, before there are threads
        keep_freed_memory()
        self._listener.phase("Downloading", total=len(missing))
        if all(one.size is not None or one.path is not None for one in missing):
            expect_bytes(self._listener, sum(one.size or 0 for one in missing if one.path is None))
        # Later there may be open connections, which no copy of this process may use, too.
        processes = self._processes(missing) if self._is_first else 1
        self._is_first = False
        if processes > 1:
            wheels |= self._prepare_assisted(missing, processes)
            missing = [one for one in missing if one.name not in wheels]
        results = self._workers.run([partial(self._prepare_one, one) for one in missing])
        return wheels | {one.name: stored for one, stored in zip(missing, results, strict=True)}

    def _prepare_assisted(self, missing: Sequence[DesiredDistribution], processes: int) -> dict[str, StoredWheel]:
        """Prepare `missing`, the largest first, while assistant processes fill the store, too.

        What an assistant could not do is not in the result: this process does it again, and reports what is wrong.
        """
        from lockset.sync.disk.workers import assisted

        ready: dict[str, StoredWheel] = {}

        def prepare(take: Callable[[int], bool], number: int) -> None:
            if take(number):
                ready[missing[number].name] = self._prepare_one(missing[number])

        orders = _orders(len(missing), processes)
        threads = max(2, _THREADS // processes)

        def assist(process: int, take: Callable[[int], bool]) -> None:
            self._assist([(number, missing[number]) for number in orders[process]], take, threads)

        if any(one.path is None for one in missing):
            self._archives.connect()  # once, before there are several processes
        with assisted(len(missing), assist, copies=processes - 1) as take:
            self._workers.run([partial(prepare, take, number) for number in orders[0]], threads=threads)
        for one in missing:
            if one.name not in ready and (stored := self._stored(one)) is not None:
                ready[one.name] = stored
                self._listener.step(str(one))
        return ready

    def _assist(
        self, missing: Sequence[tuple[int, DesiredDistribution]], take: Callable[[int], bool], threads: int
    ) -> None:
        self._listener = _NotingNothing()

        def prepare(number: int, one: DesiredDistribution) -> None:
            if _is_wheel(one) and take(number):
                self._attempt(one)

        self._workers.run([partial(prepare, number, one) for number, one in missing], threads=threads)

    def _processes(self, missing: Sequence[DesiredDistribution]) -> int:
        """How many processes shorten the work: unpacking takes most of the time, and threads share a processor."""
        sizes = [one.size or 0 for one in missing if _is_wheel(one)]
        processes = min(processors(), _PROCESSES, len(sizes) // (_MANY // 2), sum(sizes) // _MUCH)
        if self._verify or processes <= 1:
            return 1
        self._cache.writable()
        return 1 if self._cache.is_gone_without else processes

    @property
    def lasts(self) -> bool:
        """Whether the unpacked wheels stay after this sync."""
        return not self._cache.is_gone_without

    def drop(self, stored: StoredWheel) -> None:
        """Remove a damaged wheel from the store; the next `prepare` unpacks it again."""
        self._store.drop(stored)

    def _stored(self, distribution: DesiredDistribution) -> StoredWheel | None:
        usable = _is_wheel(distribution) and not self._verify
        return self._store.find(distribution.digests, distribution.identity) if usable else None

    def _refuse_build(self, distribution: DesiredDistribution) -> None:
        if self._builds is None and not _is_wheel(distribution):
            raise BuildNeededError(
                f"{distribution} is locked as a source ({distribution.filename or distribution.source}), "
                "but builds are off",
                hint="Allow building, or lock a version that has a wheel for this target",
            )

    def _prepare_one(self, distribution: DesiredDistribution) -> StoredWheel:
        # Read before the attempt: another thread may notice meanwhile that the cache cannot be written.
        without = self._cache.is_gone_without
        try:
            stored = self._attempt(distribution)
        except OSError as error:
            if without:
                raise _disk(distribution, error) from error
            self._cache.go_without(error)
            try:
                stored = self._attempt(distribution)
            except OSError as again:
                raise _disk(distribution, again) from again
        self._listener.step(str(distribution))
        return stored

    def _attempt(self, distribution: DesiredDistribution) -> StoredWheel:
        if not _is_wheel(distribution):
            built = self._built(distribution)
            if built is not None:
                return built
        if distribution.kind == "directory":
            return self._build(distribution, lambda out: self._build_directory(distribution, out))
        if distribution.kind == "vcs":
            return self._build(distribution, lambda out: self._build_commit(distribution, out))
        # Other targets may need another build of a source; `--verify-files` compares with the archive.
        keep = self._verify or not _is_wheel(distribution)
        with self._archives.open(distribution, keep=keep) as archive:
            if _is_wheel(distribution):
                try:
                    # One thread unpacks while the others download. Several would wait for one another at every file,
                    # for the interpreter and for folders, which takes twice the processor time and longer.
                    with self._unpacking:
                        return self._store.add(
                            archive, distribution.digests, distribution.identity, warn=self._listener.note
                        )
                except LocksetError as error:
                    _close(archive, error)
                    self._archives.forget(distribution)
                    raise
            return self._build(
                distribution,
                lambda out: self._builder().of_archive(
                    archive,
                    out,
                    name=distribution.name,
                    filename=distribution.filename or "",
                    subdirectory=distribution.subdirectory,
                    what=str(distribution),
                ),
            )

    def _built(self, distribution: DesiredDistribution) -> StoredWheel | None:
        """What an earlier build of the same source made in the same circumstances, if the store still has it."""
        identity = self._build_identity(distribution)
        is_needed = self._verify or self._rebuild is None or distribution.name in self._rebuild
        earlier = None if identity is None or is_needed else self._builds_before.find(distribution, identity)
        return earlier[1] if earlier is not None and self._fits(earlier[0]) else None

    def _build_identity(self, distribution: DesiredDistribution) -> bytes | None:
        from lockset.sync.disk.store.built_wheels import build_identity

        return build_identity(distribution, self._builder().build_key(distribution.name))

    @cached_property
    def _builds_before(self) -> BuiltWheels:
        from lockset.sync.disk.store.built_wheels import BuiltWheels

        return BuiltWheels(self._cache.folder, self._store)

    def _build_directory(self, distribution: DesiredDistribution, out: Path) -> Path:
        directory = Path(str(distribution.path))
        if not directory.is_dir():
            raise LocksetError(
                "directory-not-found", f"The folder of {distribution} does not exist", location=str(directory)
            )
        return self._builder().of_directory(
            directory,
            out,
            name=distribution.name,
            subdirectory=distribution.subdirectory,
            editable=distribution.editable,
            what=str(distribution),
        )

    def _build_commit(self, distribution: DesiredDistribution, out: Path) -> Path:
        return self._builder().of_commit(
            name=distribution.name,
            kind=distribution.vcs or "",
            url=distribution.url or str(distribution.path),
            commit=distribution.commit or "",
            out_dir=out,
            subdirectory=distribution.subdirectory,
            what=str(distribution),
        )

    def _build(self, distribution: DesiredDistribution, build: Callable[[Path], Path]) -> StoredWheel:
        import hashlib  # here, since few wheels are built

        out = Path(self._cache.temporary(self._cache.writable(), "built"))
        out.mkdir(mode=0o700)
        try:
            path = build(out)
            if not self._fits(path.name):
                raise LocksetError(
                    "build-unfit", f"Building {distribution} produced `{path.name}`, which the target cannot use"
                )
            identity = WheelIdentity(name=distribution.name, version_text=distribution.version_text, filename=path.name)
            with path.open("rb") as wheel:
                digest = hashlib.sha256()
                while chunk := wheel.read(1 << 20):
                    digest.update(chunk)
                wheel.seek(0)
                stored = self._store.add(
                    wheel, (Digest(algorithm="sha256", value=digest.hexdigest()),), identity, warn=self._listener.note
                )
            source = self._build_identity(distribution)
            if source is not None:
                self._builds_before.put(source, filename=path.name, digest=digest.hexdigest())
            return stored
        finally:
            remove_tree(str(out))

    def _builder(self) -> WheelBuilds:
        with self._lock:
            if self._backend is None:
                assert self._builds is not None
                self._backend = self._builds()
            return self._backend


class _NotingNothing(NullListener):
    """Leaves a wheel that the user hears of to the process that can say it."""

    def note(self, text: str) -> None:
        raise StoppedError(text)


def _orders(count: int, processes: int) -> Sequence[Sequence[int]]:
    """The order in which each process takes the numbers below `count`: its own share, then those of the others.

    The sums of the shares are close: they are dealt forth and back, to two processes 0, 3, 4, 7, ... and 1, 2, 5, ...
    """
    shares: list[list[int]] = [[] for _ in range(processes)]
    for number in range(count):
        turn, place = divmod(number, processes)
        shares[place if turn % 2 == 0 else -1 - place].append(number)
    return [[number for share in (*shares[own:], *shares[:own]) for number in share] for own in range(processes)]


def _is_wheel(distribution: DesiredDistribution) -> bool:
    return distribution.kind not in {"directory", "vcs"} and (distribution.filename or "").endswith(".whl")


def _disk(distribution: DesiredDistribution, error: OSError) -> LocksetError:
    return LocksetError(
        "cache-not-writable",
        f"{distribution} could not be stored: {error.strerror or error}",
        location=str(error.filename) if error.filename else None,
        hint="The target is unchanged: free some space or grant access, then sync again",
    )


def _close(archive: BinaryIO, error: LocksetError) -> None:
    """Close `archive`, and drop references to it from `error`: Windows cannot remove a file that is open or mapped."""
    import traceback

    traceback.clear_frames(error.__traceback__)
    archive.close()
