"""Convert pylock files to one: normalize, narrow, fill in, merge and verify."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.composition.conversions.conversion import Conversion
from lockset.composition.conversions.live_remote import connected_remote
from lockset.conversion.model.imported_lock import dropped_credentials, refuse_losses
from lockset.conversion.pipeline.file_details import fill_file_details, with_sizes
from lockset.conversion.pipeline.pylock_transform import KeptParts, merge_locks, narrow, prove_same
from lockset.lockfile.read import load_bytes, read_document
from lockset.lockfile.secrets import without_user_info
from lockset.lockfile.write import refuse_secrets, write
from lockset.progress import NullListener

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lockset.composition.conversions.conversion import ConvertOptions
    from lockset.index.options import IndexOptions
    from lockset.lockfile.model import Package, PackageWheel, Pylock
    from lockset.progress import ProgressListener

__all__ = ["convert_pylock"]


def _kept(options: ConvertOptions, lock: Pylock) -> KeptParts:
    """The parts of `lock` that the options keep."""
    return KeptParts.of(
        lock,
        python=options.python,
        platforms=options.platforms,
        extras=options.extras,
        groups=options.groups,
        only_groups=options.only_groups,
        choose=bool(options.settle or options.extras or options.groups or options.only_groups),
    )


def convert_pylock(
    paths: Sequence[str | os.PathLike[str]],
    options: ConvertOptions,
    *,
    output: Path,
    indexes: IndexOptions,
    content: bytes | None = None,
    cache: Path | None = None,
    listener: ProgressListener | None = None,
) -> Conversion:
    """Convert the pylock files to one that installs the same; nothing is written.

    `content` is the content of the one file named `-`.

    Raises:
        LocksetError: If a file is not valid, `locks-disagree`, or if an extra or group is not in the files.
    """
    plain = [without_user_info(_load(path, content, output)) for path in paths]
    locks = [lock for lock, _ in plain]
    merged = merge_locks(locks)
    narrowing = _kept(options, merged)
    converted, losses = narrow(merged, narrowing)
    if options.fill:
        with connected_remote(indexes, cache, listener or NullListener()) as (index, remote):
            index.hint(dict.fromkeys(package.name for package in converted.packages))
            converted = with_sizes(fill_file_details(converted, index), remote)
    else:
        converted = fill_file_details(converted, None)
    refuse_secrets(converted, location=os.fspath(paths[0]))
    losses = (*losses, *dropped_credentials(dict.fromkeys(name for _, names in plain for name in names)))
    text = write(converted)
    again = read_document(text, path="pylock.toml").lock
    settled = None
    if narrowing.choose:
        groups = frozenset(map(str, merged.default_groups or ())) if narrowing.groups is None else narrowing.groups
        settled = (narrowing.extras, groups)
    proof = prove_same(locks, again, losses=losses, settled=settled)
    refuse_losses(losses, strict=options.strict, location=os.fspath(paths[0]))
    return Conversion(format="pylock file", lock=again, text=text, losses=losses, proof=proof)


def _load(path: str | os.PathLike[str], content: bytes | None, output: Path) -> Pylock:
    shown = os.fspath(path)
    lock = read_document(load_bytes(path) if content is None else content, path=shown).lock
    folder = os.path.dirname(os.path.abspath(shown))
    if folder == str(output.parent):
        return lock
    return replace(lock, packages=[_moved(package, folder, str(output.parent)) for package in lock.packages])


def _moved(package: Package, folder: str, target: str) -> Package:
    """The entry with its relative paths rewritten for another folder."""

    def path_of(path: str | None) -> str | None:
        if path is None or os.path.isabs(path):
            return path
        return os.path.relpath(os.path.join(folder, path), target).replace(os.sep, "/")

    def moved_wheel(file: PackageWheel) -> PackageWheel:
        return replace(file, path=path_of(file.path))

    sdist, directory, archive = package.sdist, package.directory, package.archive
    return replace(
        package,
        wheels=None if package.wheels is None else [moved_wheel(w) for w in package.wheels],
        sdist=None if sdist is None else replace(sdist, path=path_of(sdist.path)),
        archive=None if archive is None else replace(archive, path=path_of(archive.path)),
        directory=None if directory is None else replace(directory, path=path_of(directory.path) or directory.path),
        vcs=None if package.vcs is None else replace(package.vcs, path=path_of(package.vcs.path)),
    )
