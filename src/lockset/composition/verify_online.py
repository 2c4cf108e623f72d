"""Check that an index still has the locked files, with the same sizes and hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.errors import DownloadTooLargeError, LocksetError
from lockset.hashes import Verifier, strong_digests
from lockset.index.filenames import standard_sdist_name
from lockset.index.pages.project_status import QUARANTINED, one_line
from lockset.index.ports import ProjectNotFound
from lockset.lockfile.model import PackageSdist, PackageWheel, file_name
from lockset.lockfile.validate.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lockset.index.pages.project_page import DistributionFile, ProjectDetail
    from lockset.index.ports import Downloads, Index
    from lockset.lockfile.model import File, Package, Pylock
    from lockset.lockfile.positions import KeyPath
    from lockset.progress import ProgressListener

__all__ = ["check_downloads", "check_online"]

# The most bytes of a download whose size is not locked.
MOST_BYTES = 8 << 30


def check_online(
    listener: ProgressListener, packages: Iterable[tuple[int, Package]], index: Index
) -> Iterator[Finding]:
    """Differences of locked packages from `index`: missing files, other sizes or hashes, yanked files, project status.

    Files that are yanked (PEP 592), and projects that are archived or deprecated (PEP 792), are warnings.
    A package that the index does not have, or whose page cannot be read, is one finding, and the others are still
    checked.
    """
    wanted = [(number, package) for number, package in packages if package.wheels or package.sdist]
    index.hint(package.name for _, package in wanted)
    listener.phase("Checking the index", total=len(wanted))
    for location, package in wanted:
        path: KeyPath = ("packages", location)
        try:
            detail = index.project(package.name)
            if _lacks_file(detail, package) and index.renew([package.name]):
                detail = index.project(package.name)  # uploaded since the cache got the page
        except ProjectNotFound:
            yield Finding("online-missing", path, f"The index has no project `{package.name}`")
            continue
        except LocksetError as error:
            message = f"The index page of `{package.name}` could not be read: {error.diagnostic.message}"
            yield Finding("online-unknown", path, message, error.diagnostic.hint)
            continue
        yield from _status(detail, path)
        if not detail.is_quarantined:  # else it has no files
            known = _known(detail, package)
            yield from _yanked(package, known, path)
            for below, file in _files(package, path):
                yield from _compared(file, known, below)
        listener.step(package.name)


def _status(detail: ProjectDetail, path: KeyPath) -> Iterator[Finding]:
    status = detail.project_status
    if status is not None:
        hint = QUARANTINED if detail.is_quarantined else None
        yield Finding(f"online-{status.status}", path, status.text, hint)


def _yanked(package: Package, known: dict[str, DistributionFile], path: KeyPath) -> Iterator[Finding]:
    """The locked files that are yanked, which installers may still use where a version is pinned (PEP 592)."""
    names = [file_name(file) or "?" for _, file in _files(package, path)]
    yanked = [known[name] for name in names if name in known and known[name].yanked]
    if not yanked:
        return
    release = package.name if package.version is None else f"{package.name} {package.version}"
    what = release if len(yanked) == len(names) else f"{yanked[0].filename} of {release}"
    reason = one_line(next((file.yanked_reason for file in yanked if file.yanked_reason), None))
    message = f"{what} is yanked{f' ({reason})' if reason else ''}"
    yield Finding("online-yanked", path, message, f"Upgrade it: `lockset lock -P {package.name}`")


def _known(detail: ProjectDetail, package: Package) -> dict[str, DistributionFile]:
    versions = [package.version] if package.version is not None else list(detail.versions)
    files = [file for version in versions if version in detail for file in detail.files(version)]
    standard = {standard_sdist_name(f.filename, f.project, f.version): f for f in files if not f.is_wheel}
    return {**standard, **{file.filename: file for file in files}}


def _lacks_file(detail: ProjectDetail, package: Package) -> bool:
    known = _known(detail, package)
    return any(file_name(file) not in known for _, file in _files(package, ()))


def _files(package: Package, path: KeyPath) -> Iterator[tuple[KeyPath, PackageSdist | PackageWheel]]:
    if package.sdist is not None:
        yield (*path, "sdist"), package.sdist
    for location, wheel in enumerate(package.wheels or ()):
        yield (*path, "wheels", location), wheel


def _compared(
    file: PackageSdist | PackageWheel, known: dict[str, DistributionFile], path: KeyPath
) -> Iterator[Finding]:
    name = file_name(file) or "?"
    current = known.get(name)
    if file.url is None:
        return  # a file of the project's own
    if current is None:
        yield Finding("online-missing", path, f"The index has no file `{name}`", "It was removed: run `lockset lock`")
        return
    if file.size is not None and current.size is not None and file.size != current.size:
        message = f"`{name}` is locked with {file.size} bytes, but the index has {current.size}"
        yield Finding("online-size", (*path, "size"), message)
    for algorithm, value in file.hashes.items():
        expected = current.hashes.get(algorithm.lower())
        if expected is not None and expected.lower() != value.lower():
            message = f"The {algorithm} hash of `{name}` differs from that of the index ({expected})"
            yield Finding("online-hash", (*path, "hashes", algorithm), message, "Find out why before you install it")


def check_downloads(lock: Pylock, downloads: Downloads, listener: ProgressListener) -> Iterator[Finding]:
    """Files with a URL that cannot be downloaded, or that do not match their locked size and hashes."""
    wanted = [
        (path, file)
        for location, package in enumerate(lock.packages)
        for path, file in (
            *_files(package, ("packages", location)),
            *((((("packages", location, "archive")), package.archive),) if package.archive is not None else ()),
        )
        if file.url is not None
    ]
    listener.phase("Downloading", total=len(wanted))
    for path, file in wanted:
        yield from _fetched(path, file, downloads)
        listener.step(file_name(file) or "?")


def _fetched(path: KeyPath, file: File, downloads: Downloads) -> Iterator[Finding]:
    name = file_name(file) or "the archive"
    assert file.url is not None
    try:
        sink = _Sink(Verifier(strong_digests(file.hashes, what=name), size=file.size))
        downloads.fetch(file.url, sink, limit=file.size if file.size is not None else MOST_BYTES)
    except LocksetError as error:
        code = "online-size" if isinstance(error, DownloadTooLargeError) else "online-missing"
        yield Finding(code, path, f"`{name}` cannot be verified: {error.diagnostic.message}", error.diagnostic.hint)
        return
    wrong = sink.verifier.mismatch()
    if wrong is not None:
        code = "online-size" if wrong.startswith("size") else "online-hash"
        yield Finding(code, path, f"`{name}` does not match the lock: {wrong}", "Find out why before you install it")


class _Sink:
    def __init__(self, verifier: Verifier) -> None:
        self.verifier = verifier

    def write(self, chunk: bytes, /) -> object:
        """Hash it."""
        self.verifier.update(chunk)
        return None

    def restart(self) -> None:
        """Discard all bytes so far."""
        self.verifier.restart()
