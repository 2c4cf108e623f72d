"""Read a requirements file or a lock file of another tool, with the files that it includes, as an imported lock."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, field, replace
from lockset.conversion.model.formats import Format, decode_lock_text, recognize, refuse_conflicts, refuse_undecoded
from lockset.conversion.model.options import FileSelection, ReaderOptions
from lockset.conversion.readers.pyproject import Pyproject, load_pyproject
from lockset.conversion.readers.requirements import read_pins
from lockset.errors import LocksetError
from lockset.files.read_file import decode_utf8, read_file
from lockset.resolve.problem.python_range import python_range
from lockset.sources.discover import LocalFiles, path_of_file_url
from lockset.sources.requirements.lines import decode_requirements
from lockset.sources.requirements.reader import read_requirements
from lockset.sources.requirements.requirement_line import is_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lockset.composition.conversions.conversion import ConvertOptions
    from lockset.conversion.model.imported_lock import ImportedLock
    from lockset.sources.discover import Fetch
    from lockset.sources.project import RootProject

__all__ = ["absolute", "is_pylock", "read_input"]


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
    named: Callable[[RootProject], RootProject] | None = None,
) -> tuple[ImportedLock, RootProject | None]:
    """Read the input; with it the requirements, if it is a requirements file. `location` is its name in messages.

    `named` returns the project with the names of requirements whose sources have to be read for them; without it, such
    requirements are refused.

    Raises:
        LocksetError: If the input cannot be read or is not valid.
    """
    input_path = absolute(path)
    location = location or os.fspath(path)
    data = content if content is not None else read_file(input_path, location=location, hint="Name the file to convert")
    format_ = _recognized(data, location) if options.format is None else Format(options.format)
    reader_options = _options(options, input_path, output)
    if format_ is Format.PYLOCK:
        raise LocksetError("is-pylock", "The file is already a pylock file", location=location)
    if format_ is Format.REQUIREMENTS:
        return _read_requirements(data, input_path, location, reader_options, environ, fetch=fetch, named=named)
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
        return _recognized(data, location) is Format.PYLOCK
    except LocksetError:
        return False


def _recognized(data: bytes, location: str) -> Format:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        if recognize(data.decode("utf-16", "replace"), name=location, location=location) is not Format.REQUIREMENTS:
            hint = "Save it as UTF-8; PowerShell's `>` writes UTF-16"
            raise LocksetError("encoding", "The file is UTF-16, and lock files are UTF-8", location=location, hint=hint)
        return Format.REQUIREMENTS
    text = data.decode("utf-8-sig", "replace")
    if not text.strip():
        what = "The standard input" if location == "-" else "The file"
        raise LocksetError("unknown-format", f"{what} is empty", location=None if location == "-" else location)
    return recognize(text, name=location, location=location)


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
    named: Callable[[RootProject], RootProject] | None,
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
        nameless=named is not None,
    )
    if named is not None and not all(line.is_named for line in project.dependencies):
        project = named(project)
    imported = read_pins(
        project,
        [text, *files.texts],
        location=location,
        folder=options.folder,
        files=options.files,
        requires_python=options.requires_python,
    )
    return imported, replace(project, sources=(str(input_path), *files.names))
