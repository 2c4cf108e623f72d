"""Lock what sources are built with: the requirements of each package that a lock file has no wheel of."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from lockset._dataclass import replace
from lockset.build.checkout import checkout
from lockset.build.unpack import unpack_sdist
from lockset.composition.builds.build_lock import build_lock_path
from lockset.composition.connections import connected
from lockset.composition.lock_pipeline import lock_builder, lock_from_inputs
from lockset.errors import LocksetError, NoResolutionError
from lockset.index.pages.project_page import DistributionFile, unlisted_file
from lockset.lockfile.merge_conflict import old_lock
from lockset.lockfile.write import write
from lockset.sources.project import RootProject
from lockset.sources.requirements.requirement_line import parse_requirement
from lockset.sources.settings import ConflictItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lockset.build.hooks import HookBuilder
    from lockset.composition.connections import Connection
    from lockset.composition.lock_assembly import LockResult
    from lockset.composition.lock_inputs import LockInputs
    from lockset.lockfile.model import Package, PackageArchive, PackageSdist, Pylock

__all__ = ["lock_build_requirements"]

# How deep build requirements may be built from source themselves.
_DEEPEST = 6


def lock_build_requirements(inputs: LockInputs, lock: Pylock) -> LockResult | None:
    """The lock of what the sources in `lock` are built with; None if nothing in it is built.

    It has a dependency group for each package that has no wheel, and for such packages among the build requirements.
    The build backends are asked, which runs code of the packages.

    Raises:
        LocksetError: A source cannot be read or verified, a backend fails, or the requirements exclude each other.
    """
    target = None if inputs.target is None else build_lock_path(inputs.target)
    groups: dict[str, tuple[str, ...]] = {}
    result: LockResult | None = None
    builder = lock_builder(inputs, inputs.context.heard)
    with connected(inputs.indexes, inputs.context.cache_folder, inputs.context.heard) as connection:
        trees = _Trees(inputs, connection)
        for _ in range(_DEEPEST):
            new = [one for one in _sources(lock if result is None else result.lock) if str(one.name) not in groups]
            if not new:
                break
            for package in new:
                known = groups.get(str(package.name), ())
                groups[str(package.name)] = tuple(dict.fromkeys((*known, *_requirements(package, trees, builder))))
            result = _locked(_inputs(inputs, groups, lock, target), groups)
    return result


def _sources(lock: Pylock) -> list[Package]:
    return [package for package in lock.packages if not package.wheels and not _is_wheel_archive(package)]


def _is_wheel_archive(package: Package) -> bool:
    return package.archive is not None and _filename(package.archive).endswith(".whl")


def _filename(file: PackageSdist | PackageArchive) -> str:
    name: str | None = getattr(file, "name", None)
    return name or (file.path or file.url or "").replace("\\", "/").partition("?")[0].rpartition("/")[2]


def _requirements(package: Package, trees: _Trees, builder: HookBuilder) -> tuple[str, ...]:
    editable = package.directory is not None and bool(package.directory.editable)
    what = f"{package.name} {package.version}" if package.version is not None else str(package.name)
    with trees.tree(package, what) as tree:
        return builder.requirements(tree, what=what, package=str(package.name), editable=editable)


class _Trees:
    """Source trees of locked packages."""

    def __init__(self, inputs: LockInputs, connection: Connection) -> None:
        self._inputs = inputs
        self._connection = connection

    @contextmanager
    def tree(self, package: Package, what: str) -> Iterator[Path]:
        """The folder with the sources of `package`, whose hashes are verified."""
        folder = self._inputs.folder
        if package.directory is not None:
            yield _below(folder / package.directory.path, package.directory.subdirectory)
            return
        with tempfile.TemporaryDirectory(prefix="lockset-source-", ignore_cleanup_errors=True) as scratch:
            into = Path(scratch) / "tree"
            if package.vcs is not None:
                vcs, indexes = package.vcs, self._inputs.indexes
                url = vcs.url or str(folder / (vcs.path or ""))
                environ = self._inputs.context.process_variables
                tree = checkout(vcs.type, url, vcs.commit_id, into, what=what, environ=environ, offline=indexes.offline)
                yield _below(tree, vcs.subdirectory)
                return
            file = package.archive or package.sdist
            assert file is not None, package.name
            into.mkdir()
            with self._connection.files.download(self._file(package, file)) as archive:
                name = "archive.zip" if _filename(file).lower().endswith(".zip") else "archive.tar.gz"
                tree = unpack_sdist(archive, name, into)
            yield _below(tree, package.archive.subdirectory if package.archive is not None else None)

    def _file(self, package: Package, file: PackageSdist | PackageArchive) -> DistributionFile:
        url = file.url if file.path is None else (self._inputs.folder / file.path).resolve().as_uri()
        return unlisted_file(
            filename=_filename(file),
            project=str(package.name),
            version=package.version or Version("0"),
            url=url or "",
            hashes=dict(file.hashes),
            size=file.size,
        )


def _below(tree: Path, subdirectory: str | None) -> Path:
    inside = tree / subdirectory if subdirectory else tree
    if not inside.resolve().is_relative_to(tree.resolve()):
        raise LocksetError("unsafe-path", f"The subdirectory `{subdirectory}` is outside its source tree")
    return inside


def _inputs(inputs: LockInputs, groups: Mapping[str, tuple[str, ...]], lock: Pylock, target: Path | None) -> LockInputs:
    """The inputs of a lock with `groups`, for the Pythons and platforms of `lock`."""
    project, options = inputs.project, inputs.options
    lines = {
        name: tuple(parse_requirement(text, origin=f"the build requirements of {name}") for text in texts)
        for name, texts in groups.items()
    }
    settings = replace(
        project.settings,
        conflicts=(),
        default_groups=None,
        extras=None,
        groups=None,
        no_groups=(),
        constraints=project.settings.build_constraints,
        overrides=(),
        excludes=(),
        no_build=(),
        no_binary=(),
        require_wheels_for=(),
        with_project=None,
    )
    return replace(
        inputs,
        project=RootProject(
            base=inputs.folder,
            requires_python=lock.requires_python or project.requires_python,
            groups=lines,
            constraints=inputs.build_constraints,
            options=replace(project.options, require_hashes=None, no_binary=(), only_binary=()),
            settings=settings,
        ),
        options=replace(
            options,
            requirements=(),
            extras=None,
            all_extras=False,
            groups=tuple(groups),
            all_groups=False,
            no_groups=(),
            only_groups=True,
            upgrade_groups=(),
            constraints=(),
            overrides=(),
            editables=(),
            excludes=(),
            no_build=(),
            no_binary=(),
            require_wheels_for=(),
            with_project=None,
            attestations=False,
            refuse_new_publisher=False,
            build_requirements=False,
        ),
        target=target,
        old=None if target is None or not target.is_file() else old_lock(target),
        before=target.read_bytes() if target is not None and target.is_file() else None,
        warnings=(),
        hint=None,
    )


def _locked(inputs: LockInputs, groups: Iterable[str]) -> LockResult:
    """The lock of `inputs`: one version of each package for all groups where that is possible."""
    try:
        return _lock(inputs)
    except NoResolutionError:
        members = tuple(ConflictItem(kind="group", name=name) for name in sorted(groups))
        if len(members) < 2:
            raise
    settings = replace(inputs.project.settings, conflicts=(members,))
    return _lock(replace(inputs, project=replace(inputs.project, settings=settings)))


def _lock(inputs: LockInputs) -> LockResult:
    result = lock_from_inputs(inputs)
    # No requirement is outside of the groups.
    lock = replace(result.lock, default_groups=None)
    return replace(result, lock=lock, text=write(lock), inputs=inputs)
