"""Read sources that are required by URL or path: archives, folders, git repositories."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename
from packaging.version import Version

from lockset._dataclass import replace
from lockset.build.checkout import checkout
from lockset.build.revision import commit_of
from lockset.build.unpack import unpack_sdist
from lockset.composition.sources.archive_cache import ArchiveMemory
from lockset.composition.sources.tree_memory import CommitMemory, FolderMemory
from lockset.dependency_specifiers import read_sdist_name, read_wheel_name
from lockset.errors import BuildNeededError, HashMismatchError, LocksetError, SourceNotSupportedError
from lockset.index.pages.project_page import DistributionFile, unlisted_file
from lockset.metadata.core import parse_metadata
from lockset.metadata.pyproject import tree_metadata
from lockset.metadata.sdist import sdist_metadata
from lockset.metadata.wheel import wheel_metadata
from lockset.resolve.problem.direct_source import SourceFacts
from lockset.sources.discover import LocalFiles
from lockset.sources.other_tools.facts import OtherTools, is_other_tool
from lockset.sources.other_tools.files import other_files
from lockset.sources.toml_table import parse_settings_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lockset.index.http.files import HttpFiles
    from lockset.metadata.core import CoreMetadata
    from lockset.metadata.ports import Builder, BytesStore, Pending, Tasks
    from lockset.resolve.problem.direct_source import DirectSource
    from lockset.sources.other_tools.facts import NamedSource

__all__ = ["Sources"]

_CHUNK = 1024 * 1024
_NO_VERSION = Version("0")


class Sources:
    """`lockset.resolve.problem.direct_source.SourceReader`; reads each source once.

    Args:
        files: Fetches archives.
        store: Caches their metadata.
        builder: Builds trees without static metadata; None if nothing is built.
        may_build: Whether a project may be built; takes its name, "" if that is not known.
        environ: The process's variables, for git and for builds.
        build_key: What the result of a build of a project depends on besides its source, as for `CommitMemory`.
        fingerprint: A hash of what builds depend on besides that; "" if it is not known.
        now: The current time, in seconds since the epoch.
        refresh: Whether to ignore what builds and commits had in earlier runs.
        known: Sources that were read before.
        tasks: Threads in which several sources are read at the same time; None for none.
    """

    def __init__(
        self,
        files: HttpFiles,
        *,
        store: BytesStore,
        builder: Builder | None,
        may_build: Callable[[str], bool],
        environ: Mapping[str, str],
        build_key: Callable[[str], str | None],
        fingerprint: Callable[[], str],
        now: float,
        refresh: bool = False,
        known: Mapping[DirectSource, SourceFacts] | None = None,
        tasks: Tasks | None = None,
    ) -> None:
        self._files = files
        self._memory = ArchiveMemory(files, store, build_key)
        self._commits = CommitMemory(store, build_key, refresh=refresh)
        self._folders = FolderMemory(
            store, environ=environ, fingerprint=fingerprint, build_key=build_key, now=now, refresh=refresh
        )
        self._builder = builder
        self._may_build = may_build
        self._environ = environ
        self._known: dict[DirectSource, SourceFacts] = dict(known or {})
        self._tasks = tasks
        self._begun: dict[DirectSource, Pending[SourceFacts]] = {}

    def read(self, source: DirectSource, *, commit: str | None = None) -> SourceFacts:
        """See `SourceReader`."""
        known = self._known.get(source)
        if known is None:
            begun = self._begun.get(source)
            known = self._known[source] = self._read(source, commit) if begun is None else begun.result()
        return known

    def begin(self, sources: Iterable[tuple[DirectSource, str | None]]) -> None:
        """See `SourceReader`."""
        if self._tasks is None:
            return
        for source, commit in sources:
            if source not in self._known and source not in self._begun:
                self._begun[source] = self._tasks.start(partial(self._read, source, commit))

    def _read(self, source: DirectSource, commit: str | None) -> SourceFacts:
        if source.kind == "vcs":
            facts = self._repository(source, commit)
        elif source.kind == "directory":
            tree = Path(source.path or "")
            facts = SourceFacts(metadata=self._folder(source, tree), named=_named(source, tree, up=source.path or "."))
        else:
            facts = self._archive(source)
        if source.name and facts.metadata.name != source.name:
            raise LocksetError(
                "source-name",
                f"{source.name} is required, but {source.shown} is {facts.metadata.name}",
                location=source.location,
                hint=f"Require it by its own name: `{facts.metadata.name} @ ...`",
            )
        return facts

    def _folder(self, source: DirectSource, tree: Path) -> CoreMetadata:
        if not tree.is_dir():
            raise _missing(source, "folder")
        return self._tree(source, tree, memory=self._folders)

    def static_name(self, source: DirectSource) -> str | None:
        """The name of the project in a repository or an archive, as its files state it; nothing is built.

        None if they do not state it.

        Raises:
            LocksetError: The source cannot be fetched or read.
        """
        if source.kind == "vcs":
            with self._checked_out(source, self._commit(source)) as tree:
                return _static_name(_below(source, tree))
        with self._opened(source, _file_of(source)) as archive, self._unpacked(source, archive) as tree:
            return _static_name(_below(source, tree))

    def _repository(self, source: DirectSource, commit: str | None) -> SourceFacts:
        wanted = commit or self._commit(source)
        known = self._commits.get(source, wanted)
        if known is not None and self._may_use(known):
            return known
        with self._checked_out(source, wanted) as tree:
            facts = SourceFacts(metadata=self._tree(source, tree), commit=wanted, named=_named(source, tree, up="."))
        self._commits.put(source, facts)
        return facts

    def _commit(self, source: DirectSource) -> str:
        offline = self._files.is_offline
        return commit_of(source.fetched, source.revision, what=source.label, environ=self._environ, offline=offline)

    @contextmanager
    def _checked_out(self, source: DirectSource, commit: str) -> Iterator[Path]:
        what, offline = source.label, self._files.is_offline
        with tempfile.TemporaryDirectory(prefix="lockset-git-", ignore_cleanup_errors=True) as folder:
            into = Path(folder) / "tree"
            yield checkout("git", source.fetched, commit, into, what=what, environ=self._environ, offline=offline)

    def _archive(self, source: DirectSource) -> SourceFacts:
        file = _file_of(source)
        known = self._memory.get(source, file) if source.path is None else None
        if known is not None and self._may_use(known):
            return known
        with self._opened(source, file) as archive:
            size, hashes = _measured(archive, source)
            archive.seek(0)
            metadata = self._of_archive(source, file, archive)
        facts = SourceFacts(metadata=metadata, hashes=hashes, size=size)
        if source.path is None:
            self._memory.put(source, facts)
        return facts

    @contextmanager
    def _opened(self, source: DirectSource, file: DistributionFile) -> Iterator[BinaryIO]:
        if source.path is not None and not Path(source.path).is_file():
            raise _missing(source, "file")
        with self._files.download(file) as archive:
            yield archive

    def _of_archive(self, source: DirectSource, file: DistributionFile, archive: BinaryIO) -> CoreMetadata:
        if source.is_wheel:
            return wheel_metadata(archive, file)
        static = None
        if file.version is not _NO_VERSION and not source.subdirectory:
            static = sdist_metadata(archive, file)
        if static is not None:
            return static
        archive.seek(0)
        with self._unpacked(source, archive) as tree:
            return self._tree(source, tree)

    @contextmanager
    def _unpacked(self, source: DirectSource, archive: BinaryIO) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="lockset-source-", ignore_cleanup_errors=True) as folder:
            name = "archive.zip" if source.filename.lower().endswith(".zip") else "archive.tar.gz"
            yield unpack_sdist(archive, name, Path(folder))

    def _tree(self, source: DirectSource, tree: Path, *, memory: FolderMemory | None = None) -> CoreMetadata:
        """The static metadata of the tree's pyproject.toml (PEP 621); the metadata of a build if a field is dynamic."""
        inside = _below(source, tree)
        static = tree_metadata(_text(inside / "pyproject.toml", source), what=source.label)
        if static is not None:
            return static
        name = source.name or _static_name(inside) or ""
        if self._builder is None or not self._may_build(name):
            raise _build_refused(source)
        stamp = None if memory is None else memory.stamp(inside, name)
        known = None if memory is None else memory.get(inside, stamp)
        if known is not None:
            return known
        data = self._builder.metadata(inside, what=source.label, package=name or None)
        built = parse_metadata(data, origin="built", what=source.label)
        if not name and not self._may_build(built.name):
            raise _build_refused(source)
        if memory is not None:
            memory.put(inside, stamp, built)
        return built

    def _may_use(self, stored: SourceFacts) -> bool:
        """Whether stored facts may be used: those of a build only where that build would be allowed."""
        metadata = stored.metadata
        return metadata.origin != "built" or (self._builder is not None and self._may_build(metadata.name))


def _build_refused(source: DirectSource) -> LocksetError:
    return BuildNeededError(
        f"The dependencies of {source.label} need a build, but builds are off",
        location=source.location,
        hint="Allow builds for it, or declare its version and dependencies in the [project] table of its"
        " pyproject.toml",
    )


def _static_name(tree: Path) -> str | None:
    """The name that the files of the tree state."""
    return LocalFiles(tree).project_name(str(tree))


def _below(source: DirectSource, tree: Path) -> Path:
    inside = tree / source.subdirectory if source.subdirectory else tree
    if not inside.resolve().is_relative_to(tree.resolve()):
        raise LocksetError("unsafe-path", f"The subdirectory `{source.subdirectory}` is outside {source.shown}")
    if not (inside / "pyproject.toml").is_file() and not (inside / "setup.py").is_file():
        what = f"the folder {source.subdirectory} of {source.shown}" if source.subdirectory else source.shown
        raise LocksetError(
            "source-empty",
            f"{source.name or 'A project'} is required from {what}, which has neither a pyproject.toml nor a setup.py",
            location=source.location,
            hint="Name the folder that has one with `#subdirectory=FOLDER`",
        )
    return inside


def _named(source: DirectSource, tree: Path, *, up: str) -> tuple[NamedSource, ...]:
    """Sources that are named in tables of other tools in the tree's pyproject.toml, and in files next to it."""
    inside = _below(source, tree)
    table = parse_settings_file(
        _text(inside / "pyproject.toml", source) or "", location=f"pyproject.toml of {source.shown}"
    )
    folder = f"{up}/{source.subdirectory}" if source.subdirectory else up
    others = OtherTools()
    if is_other_tool(table.data.get("tool")):
        from lockset.sources.other_tools.tables import read_other_tables  # few trees have such tables

        others = read_other_tables(table.data.get("tool"), location=table.location, up=folder)
    if source.kind == "directory":
        others = other_files(inside, others, folder=inside, up=folder)
    # Paths inside a checkout do not exist for the user.
    is_lost = "@ file:" if source.kind != "directory" else "\0"
    return tuple(replace(s, requirement=None) if is_lost in (s.requirement or "") else s for s in others.sources)


def _text(path: Path, source: DirectSource) -> str | None:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise LocksetError(
            "source-unreadable",
            f"The pyproject.toml of {source.shown} cannot be read: {error}",
            location=source.location,
        ) from error


def _file_of(source: DirectSource) -> DistributionFile:
    """The archive as a file of an index; version 0 if its name has none."""
    version = _NO_VERSION
    try:
        if source.is_wheel:
            name, version = read_wheel_name(source.filename)[:2]
        else:
            name, version = read_sdist_name(source.filename)
        if source.name and name != source.name and not source.is_wheel:
            version = _NO_VERSION
    except InvalidWheelFilename as error:
        raise SourceNotSupportedError(
            f"{source.requirement}, which is not a valid wheel name",
            location=source.location,
            hint="Use the file name of the wheel as it was built, with name, version and tags",
        ) from error
    except InvalidSdistFilename:
        name = source.name  # type: ignore[assignment]
    url = Path(source.path).as_uri() if source.path is not None else source.fetched
    single = {d.algorithm: d.value for d in source.hashes} if len(source.hashes) == 1 else {}
    return unlisted_file(filename=source.filename, project=str(name), version=version, url=url, hashes=single)


def _measured(archive: BinaryIO, source: DirectSource) -> tuple[int, dict[str, str]]:
    """Size and hashes of the bytes; one of the required hashes must match."""
    import hashlib  # OpenSSL takes milliseconds to load

    computed = {name: hashlib.new(name) for name in {"sha256", *(d.algorithm for d in source.hashes)}}
    size = 0
    while chunk := archive.read(_CHUNK):
        size += len(chunk)
        for digest in computed.values():
            digest.update(chunk)
    hashes = {name: digest.hexdigest() for name, digest in computed.items()}
    if source.hashes and not any(hashes[d.algorithm] == d.value for d in source.hashes):
        raise HashMismatchError(
            f"{source.shown} does not match its required hash: its sha256 is {hashes['sha256']}",
            location=source.location,
            hint="The file was changed. If that is expected, update the hash",
        )
    return size, hashes


def _missing(source: DirectSource, what: str) -> LocksetError:
    return LocksetError(
        "path-missing",
        f"{source.requirement}, but there is no such {what}",
        location=source.location,
        hint=f"Its path is {os.fspath(source.path or '')}",
    )
