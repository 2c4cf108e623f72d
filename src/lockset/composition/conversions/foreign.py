"""Convert a lock file of another tool: read, complete from an index and files, assemble, write, read again, verify."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from lockset._dataclass import dataclass, field, replace
from lockset.composition.connections import SourceFetcher, connected
from lockset.composition.indexes import resolve_indexes, unread_index_variable
from lockset.conversion.model.formats import Format, decode_lock_text, recognise, refuse_conflicts, refuse_undecoded
from lockset.conversion.model.imported_lock import Loss, refuse_losses
from lockset.conversion.model.options import FileSelection, ReaderOptions
from lockset.conversion.pipeline.assemble_lock import assemble_imported
from lockset.conversion.pipeline.complete import complete
from lockset.conversion.pipeline.file_details import with_sizes
from lockset.conversion.pipeline.verify import Proof, missing_dependencies, verify_conversion
from lockset.conversion.readers.pyproject import Pyproject, load_pyproject
from lockset.conversion.readers.requirements import read_pins
from lockset.errors import LocksetError, UsageError
from lockset.files.output_file import write_result
from lockset.files.read_file import decode_utf8, read_file
from lockset.index.credentials import redact
from lockset.index.options import IndexSource, same_index
from lockset.lockfile.read import read_document
from lockset.lockfile.validate.report import validate_document
from lockset.lockfile.write import refuse_secrets, write
from lockset.metadata.retrieve import Retriever
from lockset.option_values import check_options
from lockset.progress import NullListener
from lockset.resolve.problem.python_range import python_range
from lockset.sources.discover import LocalFiles, path_of_file_url
from lockset.sources.requirements.lines import decode_requirements
from lockset.sources.requirements.reader import read_requirements
from lockset.sources.requirements.requirement_line import is_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lockset.composition.connections import Connection
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.conversion.model.imported_lock import ImportedLock
    from lockset.conversion.model.ports import Remote
    from lockset.index.options import IndexOptions
    from lockset.index.pages.project_page import DistributionFile
    from lockset.index.ports import Index
    from lockset.lockfile.model import Pylock
    from lockset.progress import ProgressListener
    from lockset.sources.discover import Fetch
    from lockset.sources.project import RootProject

__all__ = [
    "Conversion",
    "ConvertOptions",
    "LiveRemote",
    "connected_remote",
    "convert_foreign",
    "convert_imported",
    "is_pylock",
    "read_input",
    "refuse_pylock_options",
    "with_own_indexes",
]

FormatName: TypeAlias = Literal["requirements", "poetry", "uv", "pdm", "pipfile", "conda-lock", "pylock"]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertOptions:
    """Options of a conversion; the same as those of `lockset convert`.

    Attributes:
        format: The input's format, or its name as in `--from`; None to detect it.
        python: Pythons that the lock file supports if the input does not say, such as `>=3.10`.
        files: Files of pins without hashes: `all`, or only `wheels`; `as-hashed` takes all if no pin has a hash.
        pyproject: The pyproject.toml that the input was made from; None for the one in the input's folder.
        members: Workspace members whose requirements count as the project's.
        all_members: Take all workspace members.
        with_project: Add an entry for the project itself, if the input has one.
        allow_conda: Allow packages installed by pip to depend on packages installed by conda.
        sizes: Request unknown sizes from the servers that have the files.
        own_indexes: Use the indexes that the input names for its packages.
        strict: Refuse a conversion that loses anything.
        platforms: For pylock files: platforms to keep; empty for all.
        extras: For pylock files: extras to settle on.
        groups: For pylock files: groups to settle on, in addition to the default groups.
        only_groups: For pylock files: groups to settle on, instead of the default groups.
        settle: For pylock files: settle on extras and groups, even if none is named.
        fill: For pylock files: add sizes and upload times from the index.
    """

    format: Format | FormatName | None = None
    python: str | None = None
    files: Literal["as-hashed", "all", "wheels"] = "as-hashed"
    pyproject: Path | None = None
    members: tuple[str, ...] = ()
    all_members: bool = False
    with_project: bool = True
    allow_conda: bool = False
    own_indexes: bool = True
    sizes: bool = False
    strict: bool = False
    platforms: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    only_groups: tuple[str, ...] = ()
    settle: bool = False
    fill: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.format, str) and self.format in {one.value for one in Format}:
            object.__setattr__(self, "format", Format(self.format))
        elif isinstance(self.format, str):
            known = ", ".join(f"`{one.value}`" for one in Format)
            message = f"`ConvertOptions.format` must be one of {known} or None, not {self.format!r}"
            raise UsageError("option-value", message)
        check_options(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """A verified conversion.

    Attributes:
        format: The input's format.
        lock: The lock file.
        text: Its canonical text.
        losses: Properties of the input that the lock file does not have; those with `note` are for information.
        proof: What was compared.
        path: The absolute path of the lock file; None if it has no file.
    """

    format: str
    lock: Pylock
    text: str
    losses: tuple[Loss, ...]
    proof: Proof
    path: Path | None = None

    def write(self, path: str | os.PathLike[str] | None = None) -> None:
        """Write the lock file atomically to `path`, or to the output that it was made for.

        Raises:
            LocksetError: `output-not-writable`; the file is unchanged.
        """
        write_result(path, self.text, made_for=self.path)

    def for_file(self, path: Path | None) -> Conversion:
        """The same conversion with another output path."""
        return replace(self, path=path)


def refuse_pylock_options(options: ConvertOptions) -> None:
    """Refuse options that only apply to pylock files.

    Raises:
        UsageError: `pylock-only` if one is set.
    """
    names = {"fill": "fill", "platform": "platforms", "extra": "extras", "group": "groups", "settle": "settle"}
    names["only-group"] = "only_groups"
    for option, name in names.items():
        if getattr(options, name):
            raise UsageError(
                "pylock-only",
                f"`--{option}` is only for pylock files",
                hint="Convert the file first, then run `lockset convert` on the result with this option",
            )


@contextmanager
def connected_remote(
    options: IndexOptions, cache: Path | None, listener: ProgressListener
) -> Iterator[tuple[Index, Remote]]:
    """The index and the files of one conversion."""
    with connected(options, cache, listener) as connection:
        yield connection.index, LiveRemote(connection, offline=options.offline)


def convert_foreign(
    path: str,
    options: ConvertOptions,
    *,
    output: Path,
    content: bytes | None,
    indexes: IndexOptions | IndexOverrides | None,
    context: RunContext,
) -> Conversion:
    """Convert the file at `path` (or its `content`) to a lock file that installs the same; nothing is written.

    Raises:
        LocksetError: If the input is not valid, files are not available, or (with `strict`) something would be lost.
    """
    fetch = SourceFetcher(lambda: resolve_indexes(indexes, None, context))
    imported, project = read_input(
        path, options, output=output, content=content, environ=context.variables, fetch=fetch
    )
    index_options = resolve_indexes(indexes, project, context)
    hint = unread_index_variable(index_options, context) if project is not None else None
    if hint is not None:
        context.heard.hint(hint)
    if options.own_indexes:
        index_options = with_own_indexes(index_options, imported)
    listener = context.heard
    with connected_remote(index_options, context.cache_folder, listener) as (index, remote):
        return convert_imported(
            imported, index, remote, output=output, strict=options.strict, sizes=options.sizes, listener=listener
        )


def convert_imported(
    imported: ImportedLock,
    index: Index,
    remote: Remote,
    *,
    output: str | os.PathLike[str] = "pylock.toml",
    strict: bool = False,
    sizes: bool = False,
    listener: ProgressListener | None = None,
    find_missing: bool = True,
) -> Conversion:
    """Complete, assemble, write, read again and verify the lock file of an `ImportedLock`.

    Without `find_missing`, metadata is not read to find dependencies that a requirements file does not pin.

    Raises:
        LocksetError: As `convert_foreign`.
    """
    folder = absolute(output).parent
    filled = complete(imported, index, remote, folder=folder, listener=listener or NullListener())
    lock, lost = assemble_imported(filled)
    if sizes:
        lock = with_sizes(lock, remote)
    missing = missing_dependencies(filled, index, remote) if find_missing else ()
    losses = (*filled.losses, *lost, *missing)
    refuse_secrets(lock, location=imported.location)
    text = write(lock)
    _validate(text, imported.location)
    again = read_document(text, path="pylock.toml").lock
    proof = verify_conversion(filled, again, losses)
    refuse_losses(losses, strict=strict, location=imported.location)
    return Conversion(format=imported.format, lock=again, text=text, losses=losses, proof=proof)


def absolute(path: str | os.PathLike[str]) -> Path:
    """The absolute path, without `..`; symbolic links are not resolved."""
    return Path(os.path.abspath(path))


def read_input(
    path: str | os.PathLike[str],
    options: ConvertOptions,
    *,
    output: str | os.PathLike[str] = "pylock.toml",
    content: bytes | None = None,
    environ: Mapping[str, str],
    fetch: Fetch | None = None,
    location: str | None = None,
) -> tuple[ImportedLock, RootProject | None]:
    """Read the input; with it the requirements, if it is a requirements file. `location` is its name in messages.

    Raises:
        LocksetError: If the input cannot be read or is not valid.
    """
    input_path = absolute(path)
    location = location or os.fspath(path)
    data = content if content is not None else read_file(input_path, location=location, hint="Name the file to convert")
    format_ = _recognised(data, location) if options.format is None else Format(options.format)
    reader_options = _options(options, input_path, output)
    if format_ is Format.PYLOCK:
        raise LocksetError("is-pylock", "The file is already a pylock file", location=location)
    if format_ is Format.REQUIREMENTS:
        return _read_requirements(data, input_path, location, reader_options, environ, fetch=fetch)
    from lockset.conversion.readers.dispatch import read_foreign  # with the readers of all formats

    text = decode_lock_text(data, location=location)
    return read_foreign(
        text, format_, location=location, options=reader_options, pyproject=_neighbouring_pyproject(options, input_path)
    ), None


def is_pylock(path: str | os.PathLike[str], content: bytes | None, format_: Format | str | None) -> bool:
    """Whether the file is a pylock file; false if it cannot be read."""
    if format_ is not None:
        return Format(format_) is Format.PYLOCK
    location = os.fspath(path)
    try:
        data = content if content is not None else read_file(absolute(location), location=location)
        return _recognised(data, location) is Format.PYLOCK
    except LocksetError:
        return False


def _recognised(data: bytes, location: str) -> Format:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Format.REQUIREMENTS
    text = data.decode("utf-8-sig", "replace")
    if not text.strip():
        raise LocksetError("unknown-format", "The file is empty", location=location)
    return recognise(text, name=location, location=location)


def _options(options: ConvertOptions, input_path: Path, output: str | os.PathLike[str]) -> ReaderOptions:
    return ReaderOptions(
        requires_python=None if options.python is None else python_range(options.python),
        files=FileSelection(wheels_only=options.files == "wheels", unhashed=options.files == "all"),
        members=options.members,
        all_members=options.all_members,
        with_project=options.with_project,
        allow_conda=options.allow_conda,
        source_folder=input_path.parent,
        folder=absolute(output).parent,
    )


def _neighbouring_pyproject(options: ConvertOptions, input_path: Path) -> Pyproject | None:
    path = options.pyproject
    if path is None:
        path = input_path.parent / "pyproject.toml"
        if not path.is_file():
            return None
    location = os.path.relpath(path)
    return load_pyproject(decode_utf8(read_file(path, location=location), location=location), location=location)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorded(LocalFiles):
    """Reads files within `roots` and by URL, and keeps their names, and their texts for the comments."""

    roots: tuple[Path, ...]
    names: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def read(self, input_path: str) -> bytes:
        self._refuse_climbing(input_path)
        data = LocalFiles.read(self, input_path)
        text = decode_requirements(data, location=input_path)
        refuse_undecoded(text, location=input_path)
        refuse_conflicts(text, location=input_path)
        self.names.append(input_path)
        self.texts.append(text)
        return data

    def _refuse_climbing(self, input_path: str) -> None:
        path = path_of_file_url(input_path) if input_path.lower().startswith("file:") else input_path
        if not is_url(path) and not any(Path(path).is_relative_to(root) for root in self.roots):
            raise LocksetError(
                "include-climbs",
                f"`{input_path}` is outside the project and the working folder",
                hint="Use `--directory` with a folder that contains both files",
            )


def _project_root(folder: Path) -> Path:
    """The nearest folder, from `folder` upwards, that is the root of a repository or project; else `folder` itself."""
    for candidate in (folder, *folder.parents):
        if any((candidate / name).exists() for name in (".git", ".hg", "pyproject.toml", "setup.py")):
            return candidate
    return folder


def _read_requirements(
    data: bytes,
    input_path: Path,
    location: str,
    options: ReaderOptions,
    environ: Mapping[str, str],
    *,
    fetch: Fetch | None,
) -> tuple[ImportedLock, RootProject]:
    text = decode_requirements(data, location=location)
    refuse_undecoded(text, location=location)
    refuse_conflicts(text, location=location)
    here = Path.cwd()
    roots = (here, input_path.parent, _project_root(input_path.parent))
    files = _Recorded(folder=here, fetch=fetch, roots=roots)
    project = read_requirements(
        text,
        path_or_url=str(input_path),
        location=location,
        base=input_path.parent,
        environ=environ,
        surroundings=files,
    )
    imported = read_pins(
        project,
        [text, *files.texts],
        location=location,
        folder=options.folder,
        files=options.files,
        requires_python=options.requires_python,
    )
    return imported, replace(project, sources=(str(input_path), *files.names))


def with_own_indexes(options: IndexOptions, imported: ImportedLock) -> IndexOptions:
    """The options with the input's indexes: packages for which it names an index are looked up only there."""
    gaps = [package for package in imported.packages if not package.is_complete]
    named = {package.name: package.index for package in gaps if package.index is not None}
    urls = dict.fromkeys(url for url in named.values() if not same_index(url, options.index_url))
    by_url = {url: f"input-{number}" for number, url in enumerate(urls)}
    added = tuple(IndexSource(url=url, name=name, explicit=True) for url, name in by_url.items())
    pins = {name: by_url[url] for name, url in named.items() if url in by_url}
    return replace(options, indexes=(*options.indexes, *added), pins={**pins, **options.pins})


def _validate(text: str, location: str) -> None:
    errors = validate_document(text).errors
    if errors:
        raise LocksetError(
            "input-invalid",
            f"The input cannot be written as a valid lock file: {errors[0].message}",
            location=location,
            hint="Restore the file, or lock again with its tool; if it is as the tool wrote it, report it",
        )


class LiveRemote:
    """`lockset.conversion.model.ports.Remote` with a run's connection, the disk and git."""

    def __init__(self, connection: Connection, *, offline: bool) -> None:
        self._connection = connection
        self._offline = offline

    def fingerprint(self, path_or_url: str) -> tuple[str, int]:
        """sha256 and size of the bytes: see the port."""
        sink = self._read(path_or_url, ())
        return sink.hexdigests()["sha256"], sink.seen

    def digests_at(self, path_or_url: str, algorithms: Iterable[str]) -> Mapping[str, str]:
        """Hashes of the bytes: see the port."""
        return self._read(path_or_url, algorithms).hexdigests()

    def _read(self, path_or_url: str, algorithms: Iterable[str]) -> _Hashing:
        sink = _Hashing(dict.fromkeys(("sha256", *algorithms)))
        if "://" in path_or_url:
            self._connection.downloads.fetch(path_or_url, sink)
        else:
            _read(Path(path_or_url), sink)
        return sink

    def digests(self, file: DistributionFile, algorithms: Iterable[str]) -> Mapping[str, str]:
        """Hashes of the file: see the port."""
        sink = _Hashing(dict.fromkeys(("sha256", *algorithms)))
        with self._connection.files.download(file) as held:
            while chunk := held.read(_CHUNK):
                sink.write(chunk)
        return sink.hexdigests()

    def sizes(self, files: Sequence[DistributionFile]) -> Mapping[str, int]:
        """Sizes by URL: see the port."""
        if self._offline:
            return {}
        return self._connection.files.sizes(files)

    def hint(self, files: Sequence[DistributionFile]) -> None:
        """Start to fetch the metadata of a release: see the port."""
        if not self._offline:
            self._metadata.hint(files)

    def requires(self, files: Sequence[DistributionFile]) -> Sequence[str] | None:
        """The dependencies of the release: see the port. Nothing is built for them."""
        if self._offline:
            return None
        try:
            return self._metadata.metadata(files).requires_dist
        except LocksetError:
            return None

    @cached_property
    def _metadata(self) -> Retriever:
        connection = self._connection
        return Retriever(connection.files, store=connection.cache, tasks=connection.workers)

    def commit(self, url: str, revision: str | None) -> str:
        """The commit of the revision: see the port."""
        from lockset.build.revision import commit_of  # slow to import, and most lock files record commits

        environ = dict(os.environ)
        return commit_of(url, revision, what=redact(url), environ=environ, offline=self._offline)


class _Hashing:
    """A sink that computes hashes and keeps nothing else."""

    def __init__(self, algorithms: Iterable[str]) -> None:
        self._algorithms = tuple(algorithms)
        self.restart()

    def restart(self) -> None:
        """Discard all bytes so far."""
        import hashlib  # OpenSSL takes milliseconds to load

        self._hashers = {name: hashlib.new(name, usedforsecurity=False) for name in self._algorithms}
        self.seen = 0

    def write(self, chunk: bytes) -> None:
        """Hash the next bytes."""
        self.seen += len(chunk)
        for hasher in self._hashers.values():
            hasher.update(chunk)

    def hexdigests(self) -> dict[str, str]:
        """The hashes by algorithm."""
        return {name: hasher.hexdigest() for name, hasher in self._hashers.items()}


def _read(path: Path, sink: _Hashing) -> None:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                sink.write(chunk)
    except OSError as error:
        raise LocksetError("path-missing", f"`{path}` cannot be read: {error.strerror}", location=str(path)) from error
