"""Everything a plan installs, fetched, verified and unpacked before the target is touched."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lockset.errors import LocksetError
from lockset.files.atomic import remove_tree
from lockset.hashes import Digest
from lockset.sync.desired import WheelIdentity
from lockset.sync.disk.store.archives import Archives
from lockset.sync.disk.store.wheel_store import StoredWheel, WheelStore
from lockset.sync.disk.workers import InstallWorkers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lockset.index.ports import Downloads
    from lockset.progress import ProgressListener
    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.disk.store.cache import Cache
    from lockset.sync.ports import WheelBuilds

__all__ = ["Preparer"]

# Bounds the transfers under way; more gain nothing on any line measured.
_THREADS = 8


class Preparer:
    """Gets unpacked wheels for what is wanted.

    Args:
        cache: Where archives and unpacked wheels are kept.
        downloads: Called when the first byte is needed from a network.
        builds: Called when the first wheel has to be built; None where none may be.
        fits: Whether a wheel with that file name can be used in the target.
        listener: Hears of progress.
        folders: Folders of files that may be used in place of a download.
        verify: What the store says of a wheel is compared with the verified archive before it is used.
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
    ) -> None:
        self._cache = cache
        self._verify = verify
        self._store = WheelStore(cache)
        self._workers: InstallWorkers[StoredWheel] = InstallWorkers(_THREADS)
        self._archives = Archives(cache, downloads, listener=listener, stopped=self._workers.stopped, folders=folders)
        self._builds = builds
        self._built_with: WheelBuilds | None = None
        self._lock = threading.Lock()
        self._fits = fits
        self._listener = listener

    def acquire(self, wanted: Sequence[DesiredDistribution]) -> Mapping[str, StoredWheel]:
        """The unpacked wheel of every one of `wanted`, by name.

        Raises:
            LocksetError: The first refusal; nothing has touched the target then.
        """
        found = {one.name: stored for one in wanted if (stored := self._stored(one)) is not None}
        # The slowest first: the largest file decides when all are there.
        missing = sorted((one for one in wanted if one.name not in found), key=lambda one: -(one.size or 0))
        for one in missing:
            self._refuse_build(one)
        if not missing:
            return found
        self._listener.phase("Downloading", total=len(missing))
        results = self._workers.run([partial(self._one, one) for one in missing])
        return found | {one.name: stored for one, stored in zip(missing, results, strict=True)}

    def drop(self, stored: StoredWheel) -> None:
        """Forget a stored wheel that turned out damaged; the next `acquire` gets it anew."""
        self._store.drop(stored)

    def _stored(self, wanted: DesiredDistribution) -> StoredWheel | None:
        usable = _is_wheel(wanted) and not self._verify
        return self._store.find(wanted.digests, _identity(wanted)) if usable else None

    def _refuse_build(self, wanted: DesiredDistribution) -> None:
        if self._builds is None and not _is_wheel(wanted):
            raise LocksetError(
                "build-needed",
                f"{wanted} is locked as a source ({wanted.filename or wanted.source}), and building is off",
                hint="Allow building, or lock a version that has a wheel for this target",
            )

    def _one(self, wanted: DesiredDistribution) -> StoredWheel:
        # As it is now: another thread may find out meanwhile that the cache cannot be written.
        without = self._cache.is_gone_without
        try:
            stored = self._attempt(wanted)
        except OSError as error:
            if without:
                raise _disk(wanted, error) from error
            self._cache.go_without(error)
            try:
                stored = self._attempt(wanted)
            except OSError as again:
                raise _disk(wanted, again) from again
        self._listener.step(str(wanted))
        return stored

    def _attempt(self, wanted: DesiredDistribution) -> StoredWheel:
        if wanted.kind == "directory":
            return self._built(wanted, lambda out: self._build_directory(wanted, out))
        if wanted.kind == "vcs":
            return self._built(wanted, lambda out: self._build_commit(wanted, out))
        with self._archives.open(wanted) as archive:
            if _is_wheel(wanted):
                try:
                    return self._store.add(archive, wanted.digests, _identity(wanted), warn=self._listener.note)
                except LocksetError as error:
                    _let_go(archive, error)
                    self._archives.forget(wanted)
                    raise
            return self._built(
                wanted,
                lambda out: self._builder().of_archive(
                    archive,
                    out,
                    filename=wanted.filename or "",
                    subdirectory=wanted.subdirectory,
                    what=str(wanted),
                ),
            )

    def _build_directory(self, wanted: DesiredDistribution, out: Path) -> Path:
        directory = Path(str(wanted.path))
        if not directory.is_dir():
            raise LocksetError("directory-not-found", f"The folder of {wanted} is not there", location=str(directory))
        return self._builder().of_directory(
            directory, out, subdirectory=wanted.subdirectory, editable=wanted.editable, what=str(wanted)
        )

    def _build_commit(self, wanted: DesiredDistribution, out: Path) -> Path:
        return self._builder().of_commit(
            kind=wanted.vcs or "",
            url=wanted.url or str(wanted.path),
            commit=wanted.commit or "",
            out_dir=out,
            subdirectory=wanted.subdirectory,
            what=str(wanted),
        )

    def _built(self, wanted: DesiredDistribution, build: Callable[[Path], Path]) -> StoredWheel:
        import hashlib  # here, since few wheels are built

        out = Path(self._cache.temporary(self._cache.writable(), "built"))
        out.mkdir(mode=0o700)
        try:
            path = build(out)
            if not self._fits(path.name):
                raise LocksetError("build-unfit", f"Building {wanted} gave `{path.name}`, which the target cannot use")
            identity = WheelIdentity(name=wanted.name, version=wanted.version, filename=path.name)
            with path.open("rb") as wheel:
                digest = hashlib.sha256()
                while chunk := wheel.read(1 << 20):
                    digest.update(chunk)
                wheel.seek(0)
                return self._store.add(
                    wheel, (Digest(algorithm="sha256", value=digest.hexdigest()),), identity, warn=self._listener.note
                )
        finally:
            remove_tree(str(out))

    def _builder(self) -> WheelBuilds:
        with self._lock:
            if self._built_with is None:
                assert self._builds is not None
                self._built_with = self._builds()
            return self._built_with


def _is_wheel(wanted: DesiredDistribution) -> bool:
    return wanted.kind not in {"directory", "vcs"} and (wanted.filename or "").endswith(".whl")


def _identity(wanted: DesiredDistribution) -> WheelIdentity:
    return WheelIdentity(name=wanted.name, version=wanted.version, filename=wanted.filename)


def _disk(wanted: DesiredDistribution, error: OSError) -> LocksetError:
    return LocksetError(
        "disk",
        f"{wanted} could not be stored: {error.strerror or error}",
        location=str(error.filename) if error.filename else None,
        hint="The target is as it was; make room or give access, then sync again",
    )


def _let_go(archive: BinaryIO, error: LocksetError) -> None:
    """Close `archive`, also what `error` keeps of it: Windows removes no file that is open or mapped."""
    import traceback

    traceback.clear_frames(error.__traceback__)
    archive.close()
