"""convert(): a foreign lock file to pylock.toml, proved; nothing is written to disk."""

from __future__ import annotations

import os.path
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from lockset._dataclass import dataclass
from lockset.composition.conversion_files import LiveRemote
from lockset.composition.remote_sources import SourceFetcher
from lockset.composition.repositories import connected
from lockset.conversion.model.checked_table import decode_lock_text, refuse_conflicts, refuse_undecoded
from lockset.conversion.model.formats import Format, recognise
from lockset.conversion.model.imported_lock import Loss
from lockset.conversion.model.options import FileSelection, ReaderOptions
from lockset.conversion.pipeline.assemble_lock import assemble_imported
from lockset.conversion.pipeline.complete import complete
from lockset.conversion.pipeline.file_details import with_sizes
from lockset.conversion.pipeline.missing_dependencies import missing_dependencies
from lockset.conversion.pipeline.verify import Proof, verify_conversion
from lockset.conversion.readers.dispatch import read_foreign
from lockset.conversion.readers.pyproject import Pyproject, load_pyproject
from lockset.conversion.readers.requirements import read_pins
from lockset.errors import LocksetError, UsageError
from lockset.files.read_file import decode_utf8, read_file
from lockset.index.options import IndexOptions, IndexSource, location_url, same_index
from lockset.lockfile.read import read
from lockset.lockfile.secrets import refuse_secrets
from lockset.lockfile.validate.report import validate_document
from lockset.lockfile.write import write
from lockset.option_values import check_argument, check_options
from lockset.progress import NullListener
from lockset.resolve.problem.build_problem import python_range
from lockset.sources.direct_reference import is_url
from lockset.sources.discover import LocalFiles, path_of_file_url
from lockset.sources.requirements.logical_lines import decode_requirements
from lockset.sources.requirements.reader import read_requirements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from lockset.conversion.model.imported_lock import ImportedLock
    from lockset.conversion.model.ports import Remote
    from lockset.index.ports import Index
    from lockset.lockfile.model import Pylock
    from lockset.progress import ProgressListener
    from lockset.sources.discover import Fetch
    from lockset.sources.project import RootProject, SourceOptions

FormatName: TypeAlias = Literal["requirements", "poetry", "uv", "pdm", "pipfile", "conda-lock", "pylock"]

__all__ = ["Conversion", "ReaderOptions", "convert", "convert_draft", "is_pylock", "read_draft"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertOptions:
    """What the user wants of a conversion.

    Attributes:
        format: What the input is, or its name as `--from` takes it; None: as its content says.
        python: Pythons the lock serves, where the input says nothing, such as `>=3.10`.
        files: Files of pins without hashes: `all`, or `wheels` only; `as-hashed` takes all where no pin has a hash.
        pyproject: The pyproject.toml the input was made from; None: the one beside it.
        members: Workspace members whose requirements are the project's.
        all_members: All of them.
        with_project: Whether the project itself gets an entry, where the input has one.
        allow_conda: Whether what pip installs may need what conda installs.
        offline: Nothing goes over the network.
        sizes: Whether sizes that nobody tells are asked of the servers that have the files.
        own_indexes: Whether indexes that a foreign lock names are asked for what it says comes from them.
    """

    format: Format | FormatName | None = None
    python: str | None = None
    files: Literal["as-hashed", "all", "wheels"] = "as-hashed"
    pyproject: Path | None = None
    members: tuple[str, ...] = ()
    all_members: bool = False
    with_project: bool = True
    allow_conda: bool = False
    offline: bool = False
    own_indexes: bool = True
    sizes: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.format, str) and self.format in {one.value for one in Format}:
            object.__setattr__(self, "format", Format(self.format))
        elif isinstance(self.format, str):
            known = ", ".join(f"`{one.value}`" for one in Format)
            message = f"`ConvertOptions.format` is {self.format!r}, and has to be one of {known}, or None"
            raise UsageError("option-value", message)
        check_options(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """A conversion that was proved.

    Attributes:
        format: What the input was.
        lock: The lock file.
        text: Its canonical text.
        losses: What the lock file does not say although the input did; those with `note` are for information.
        proof: What was compared.
    """

    format: str
    lock: Pylock
    text: str
    losses: tuple[Loss, ...]
    proof: Proof


@contextmanager
def _live(options: IndexOptions, cache: Path | None, listener: ProgressListener) -> Iterator[tuple[Index, Remote]]:
    with connected(options, cache, listener) as connection:
        yield connection.index, LiveRemote(connection, offline=options.offline)


def convert(
    path: str | os.PathLike[str],
    options: ConvertOptions | None = None,
    *,
    output: str | os.PathLike[str] = "pylock.toml",
    strict: bool = False,
    content: bytes | None = None,
    environ: Mapping[str, str] | None = None,
    index_options: Callable[[RootProject | None], IndexOptions] | None = None,
    cache: Path | None = None,
    listener: ProgressListener | None = None,
) -> Conversion:
    """The lock file that installs exactly what the file at `path` does; nothing is written.

    Args:
        path: A requirements file of pins, or a lock file of uv, Poetry, PDM, Pipenv or conda-lock.
        options: What is wanted.
        output: Where the lock file will be, since paths in it are relative to that.
        strict: Refuse where anything is lost.
        content: What is in the file, where it is not to be read.
        environ: Values for `${NAME}` in requirements files.
        index_options: Where packages come from, given the requirements file; None: as the input says.
        cache: Folder to remember answers of indexes in; None: remember nothing.
        listener: Hears of progress.

    Raises:
        LocksetError: what is wrong with the input, what cannot be had, or (`strict`) what would be lost.
    """
    check_argument("path", path, "str | PathLike")
    check_argument("options", options, "ConvertOptions | None")
    check_argument("output", output, "str | PathLike")
    check_argument("cache", cache, "PathLike | None")
    wanted = options or ConvertOptions()
    options_of = index_options or _default_options
    fetch = SourceFetcher(lambda: replace(options_of(None), offline=options_of(None).offline or wanted.offline))
    draft, project = read_draft(path, wanted, output=output, content=content, environ=environ or {}, fetch=fetch)
    indexes = options_of(project)
    if wanted.own_indexes:
        indexes = with_own_indexes(indexes, draft)
    indexes = replace(indexes, offline=indexes.offline or wanted.offline)
    heard = listener or NullListener()
    with _live(indexes, cache, heard) as (index, remote):
        return convert_draft(draft, index, remote, output=output, strict=strict, sizes=wanted.sizes, listener=heard)


def convert_draft(
    draft: ImportedLock,
    index: Index,
    remote: Remote,
    *,
    output: str | os.PathLike[str] = "pylock.toml",
    strict: bool = False,
    sizes: bool = False,
    listener: ProgressListener | None = None,
) -> Conversion:
    """The lock file of a Draft: completed, assembled, written, read again and proved.

    Raises:
        LocksetError: see `convert`.
    """
    folder = absolute(output).parent
    filled = complete(draft, index, remote, folder=folder, listener=listener or NullListener())
    lock, lost = assemble_imported(filled)
    if sizes:
        lock = with_sizes(lock, remote)
    losses = (*filled.losses, *lost, *missing_dependencies(filled, index, remote))
    refuse_secrets(lock, location=draft.location)
    text = write(lock)
    _validate(text, draft.location)
    again = read(text, path="pylock.toml").lock
    proof = verify_conversion(filled, again, losses)
    refuse_losses(losses, strict=strict, location=draft.location)
    return Conversion(format=draft.format, lock=again, text=text, losses=losses, proof=proof)


def absolute(path: str | os.PathLike[str]) -> Path:
    """The path from the root, without `..`; links stay as they are."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links


def refuse_losses(losses: Sequence[Loss], *, strict: bool, location: str) -> None:
    """Refuse where something is lost and nothing may be.

    Raises:
        LocksetError: `lossy` with every loss.
    """
    real = [loss for loss in losses if not loss.note]
    if strict and real:
        raise LocksetError(
            "lossy",
            f"{len(real)} {'thing' if len(real) == 1 else 'things'} would be lost, and `--strict` allows none",
            location=location,
            context=tuple(loss.message for loss in real),
            hint="Nothing was written; leave out `--strict` to accept this",
        )


def dropped_credentials(names: Iterable[str]) -> tuple[Loss, ...]:
    """What is to be said where user info was taken out of the addresses of these packages."""
    listed = ", ".join(names)
    message = f"The credentials in the addresses of {listed} are not written: installers take them from netrc or git"
    return (Loss(kind="credentials-dropped", message=message, note=True),) if listed else ()


def read_draft(
    path: str | os.PathLike[str],
    options: ConvertOptions,
    *,
    output: str | os.PathLike[str] = "pylock.toml",
    content: bytes | None = None,
    environ: Mapping[str, str],
    fetch: Fetch | None = None,
) -> tuple[ImportedLock, RootProject | None]:
    """The input as it was read, and the requirements behind it where it is a requirements file.

    Raises:
        LocksetError: what is wrong with the input.
    """
    location = os.fspath(path)
    input_path = absolute(location)
    data = content if content is not None else read_file(input_path, location=location, hint="Name the file to convert")
    format_ = _recognised(data, location) if options.format is None else Format(options.format)
    reader_options = _options(options, input_path, output)
    if format_ is Format.PYLOCK:
        raise LocksetError("is-pylock", "The file is a pylock file already", location=location)
    if format_ is Format.REQUIREMENTS:
        return _read_requirements(data, input_path, location, reader_options, environ, fetch=fetch)
    text = decode_lock_text(data, location=location)
    return read_foreign(
        text, format_, location=location, options=reader_options, pyproject=_beside(options, input_path)
    ), None


def is_pylock(path: str | os.PathLike[str], content: bytes | None = None, format_: str | None = None) -> bool:
    """Whether the file is a pylock file already; a file that cannot be read is none."""
    if format_ is not None:
        return format_ == Format.PYLOCK.value
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
        raise LocksetError("format-unknown", "The file is empty", location=location)
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


def _beside(options: ConvertOptions, input_path: Path) -> Pyproject | None:
    path = options.pyproject
    if path is None:
        path = input_path.parent / "pyproject.toml"
        if not path.is_file():
            return None
    location = os.path.relpath(path)
    return load_pyproject(decode_utf8(read_file(path, location=location), location=location), location=location)


class _Recorded(LocalFiles):
    """Files within `roots`, and by URL, that remember what was read, for the comments in it."""

    def __init__(self, folder: Path, roots: Sequence[Path], fetch: Callable[[str], bytes] | None) -> None:
        super().__init__(folder, fetch)
        self._roots = tuple(roots)
        self.texts: list[str] = []

    def read(self, input_path: str) -> bytes:
        self._refuse_climbing(input_path)
        data = super().read(input_path)
        text = decode_requirements(data, location=input_path)
        refuse_undecoded(text, location=input_path)
        refuse_conflicts(text, location=input_path)
        self.texts.append(text)
        return data

    def _refuse_climbing(self, input_path: str) -> None:
        path = path_of_file_url(input_path) if input_path.lower().startswith("file:") else input_path
        if not is_url(path) and not any(Path(path).is_relative_to(root) for root in self._roots):
            raise LocksetError(
                "include-climbs",
                f"`{input_path}` lies outside the project and the folder worked in",
                hint="Work in a folder that holds both files: `--directory`",
            )


def _project_root(folder: Path) -> Path:
    """The nearest folder upwards that is a repository's or a project's top; else the folder itself."""
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
    files = _Recorded(here, (here, input_path.parent, _project_root(input_path.parent)), fetch)
    project = read_requirements(
        text,
        path_or_url=str(input_path),
        location=location,
        base=input_path.parent,
        environ=environ,
        surroundings=files,
    )
    draft = read_pins(
        project,
        [text, *files.texts],
        location=location,
        folder=options.folder,
        files=options.files,
        requires_python=options.requires_python,
    )
    return draft, project


def _default_options(project: RootProject | None) -> IndexOptions:
    """As the requirements file says, else the public index."""
    if project is None:
        return IndexOptions()
    return options_of_file(project.options, project.base)


def options_of_file(options: SourceOptions, base: Path) -> IndexOptions:
    """What a requirements file itself says about indexes."""
    plain = IndexOptions()
    return IndexOptions(
        index_url=location_url(options.index_url, base=base) if options.index_url else plain.index_url,
        indexes=tuple(IndexSource(url=location_url(url, base=base)) for url in options.extra_index_urls),
        find_links=tuple(location_url(link, base=base) for link in options.find_links),
        no_index=options.no_index,
        insecure_hosts=frozenset(options.trusted_hosts),
    )


def with_own_indexes(options: IndexOptions, draft: ImportedLock) -> IndexOptions:
    """The same, where packages for which the input names an index are asked there and nowhere else."""
    gaps = [package for package in draft.packages if not package.is_complete]
    named = {package.name: package.index for package in gaps if package.index is not None}
    urls = dict.fromkeys(url for url in named.values() if not same_index(url, options.index_url))
    by_url = {url: f"input-{number}" for number, url in enumerate(urls)}
    added = tuple(IndexSource(url=url, name=name, explicit=True) for url, name in by_url.items())
    pins = {name: by_url[url] for name, url in named.items() if url in by_url}
    return replace(options, indexes=(*options.indexes, *added), pins={**pins, **options.pins})


def _validate(text: str, location: str) -> None:
    report = validate_document(text, path="pylock.toml")
    errors = [issue for issue in report.issues if issue.severity == "error"]
    if errors:
        raise LocksetError(
            "input-invalid",
            f"The input holds what no lock file may: {errors[0].message}",
            location=location,
            hint="Restore the file, or lock again with its tool; if it is as the tool wrote it, report it",
        )
