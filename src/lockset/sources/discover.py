"""Find and read the sources of a project, each by the kind that its name and content show."""

from __future__ import annotations

import os.path
from contextlib import contextmanager
from enum import Enum
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from lockset._dataclass import dataclass, replace
from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError
from lockset.files.read_file import decode_utf8, read_file
from lockset.lockfile.file_name import is_lock_file_name
from lockset.lockfile.read import read_document
from lockset.sources.direct_url import path_of
from lockset.sources.project import RootProject, merge_sources
from lockset.sources.pyproject import (
    SETUP_CFG,
    SETUP_PY,
    read_pyproject,
    read_pyproject_name,
    read_pyproject_settings,
)
from lockset.sources.requirements.requirement_line import is_remote, is_url, shown_url
from lockset.sources.settings import Settings
from lockset.sources.toml_table import with_key_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lockset.sources.other_tools.facts import OtherTools
    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = [
    "STDIN",
    "Fetch",
    "LocalFiles",
    "find_project",
    "find_settings",
    "find_upwards",
    "path_of_file_url",
    "read_constraints",
    "read_settings_of",
    "read_sources",
    "with_lines_of",
]

# Returns the content of a file by URL; LocksetError if it cannot be read.
Fetch: TypeAlias = "Callable[[str], bytes]"
# Returns the content that stands for that of a local file, by its absolute path; None for the file as it is on disk.
Replaced: TypeAlias = "Callable[[Path], bytes | None]"
STDIN = "-"
_PYPROJECT = "pyproject.toml"
_NO_SOURCE = "Name a pyproject.toml, a requirements file or a script, or change to the folder of a project"
# The usual names of requirements files, that of unpinned ones first.
_REQUIREMENTS = ("requirements.in", "requirements.txt")
_FOREIGN_LOCKS = frozenset({"poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "conda-lock.yml"})
_SETUP_FILES = frozenset({SETUP_PY, SETUP_CFG})
_TABLE = lazy_pattern(
    rb"(?m)^[ \t]*\[{1,2}[ \t]*(?:project|dependency-groups|build-system|tool)\b[^\n\]]*\]{1,2}[ \t]*(?:#|\r?$)"
)
_LOCK = lazy_pattern(rb"(?m)^[ \t]*lock-version[ \t]*=")


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """The files on this computer, as `ReferencedFiles`. Messages name files relative to `folder`.

    `fetch` reads files by URL. Without it they are refused. `replaced` returns other content for local files.
    """

    folder: Path
    fetch: Fetch | None = None
    replaced: Replaced | None = None

    def read(self, path_or_url: str) -> bytes:
        """The content of the file, by path or URL."""
        if is_remote(path_or_url) and self.fetch is not None:
            return self.fetch(path_or_url)
        if path_or_url.lower().startswith("file:"):
            path_or_url = path_of_file_url(path_or_url)
        elif is_url(path_or_url):
            raise _not_fetched(path_or_url)
        if self.replaced is not None and (content := self.replaced(Path(path_or_url))) is not None:
            return content
        return read_file(Path(path_or_url), location=_relative(Path(path_or_url), self.folder))

    def exists(self, path: str) -> bool:
        """Whether a file or folder exists."""
        try:
            return Path(path).exists()
        except (OSError, ValueError):  # a name too long, a NUL
            return False

    def project_name(self, path: str) -> str | None:
        """The project name in the files of a source tree; None if they do not state it."""
        from lockset.sources.static_name import NAMING_FILES, tree_name  # slow to import, and rarely needed

        texts = {}
        for name in NAMING_FILES:
            file = Path(path) / name
            if self.exists(str(file)) and file.is_file():
                location = _relative(file, self.folder)
                texts[name] = decode_utf8(read_file(file, location=location), location=location)
                if name == _PYPROJECT and (stated := read_pyproject_name(texts[name], location=location)) is not None:
                    return stated
        return tree_name(texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LocalFile:
    """How to read sources: the working folder (absolute), variables, stdin, and what fetches and replaces files.

    `nameless`: whether projects may lack a name that a build or their source shows.
    """

    folder: Path
    environ: Mapping[str, str]
    stdin: str | None
    fetch: Fetch | None = None
    replaced: Replaced | None = None
    nameless: bool = False


class _Content(NamedTuple):
    """A source: its name in messages, its path or URL, and its bytes."""

    shown: str
    path_or_url: str
    data: bytes

    @property
    def name(self) -> str:
        """The name of the file."""
        return path_of(self.path_or_url).rpartition("/")[2] if is_url(self.path_or_url) else Path(self.path_or_url).name


def find_upwards(name: str, start: Path) -> Path | None:
    """The nearest file called `name` in `start` (absolute) or a parent folder."""
    for folder in (start, *start.parents):
        candidate = folder / name
        if candidate.is_file():
            return candidate
    return None


def find_project(start: Path) -> Path | None:
    """The nearest pyproject.toml in `start` (absolute) or a parent folder; without any, the nearest setup.py."""
    return find_upwards(_PYPROJECT, start) or find_upwards(SETUP_PY, start)


@contextmanager
def with_lines_of(folder: Path) -> Iterator[None]:
    """Add line and column to a LocksetError about a key of a TOML file, which it names relative to `folder`.

    The error is about several tables or files, which `lockset validate` does not compare.
    """
    try:
        yield
    except LocksetError as error:
        name = (error.diagnostic.location or "").partition(": ")[0]
        if not name.endswith(".toml"):
            raise
        try:
            text = decode_utf8(read_file(folder / name, location=name), location=name)
        except LocksetError:
            raise error from None
        with with_key_lines(text, name, validated=False):
            raise


def find_settings(start: Path) -> Settings:
    """`[tool.lockset]` of the nearest pyproject.toml in `start` (absolute) or a parent folder, or the defaults."""
    path = find_upwards(_PYPROJECT, start)
    if path is None:
        return Settings()
    location = _relative(path, start)
    text = decode_utf8(read_file(path, location=location), location=location)
    with with_key_lines(text, location):
        return read_pyproject_settings(text, location=location)


def read_settings_of(config: Path, *, folder: Path) -> Settings:
    """`[tool.lockset]` of the file `config`, a path relative to `folder` (absolute).

    Raises:
        LocksetError: as `find_settings`, and `settings-missing` if it has no such table.
    """
    location = str(config)
    text = decode_utf8(
        read_file(folder / config, location=location, hint="Name a file with a table [tool.lockset]"), location=location
    )
    with with_key_lines(text, location):
        return read_pyproject_settings(text, location=location, required=True)


def read_sources(
    named: Sequence[str],
    *,
    folder: Path,
    environ: Mapping[str, str],
    stdin: str | None = None,
    use_settings: bool = True,
    config: Path | None = None,
    fetch: Fetch | None = None,
    replaced: Replaced | None = None,
    nameless: bool = False,
) -> RootProject:
    """Read the named sources as one project; without names, the nearest pyproject.toml, or else setup.py.

    A source is a path (of a file, or a folder with a pyproject.toml or setup.py) relative to `folder`, or `-` for a
    requirements file, script or pyproject.toml on `stdin`. If no source is a pyproject.toml or a script, the settings
    are those of the nearest pyproject.toml in `folder` or a parent folder.

    Args:
        named: Paths or `-`.
        folder: The working folder, absolute.
        environ: Values for `${NAME}` in requirements files.
        stdin: Text for `-`.
        use_settings: Whether to apply `[tool.lockset]`. It is checked in any case if its file is a source.
        config: A file whose `[tool.lockset]` replaces that of the sources.
        fetch: Reads requirements files by URL. Without it they are refused.
        replaced: Returns other content for local files, such as that of a merge that is under way.
        nameless: Whether requirements and the project may lack a name that only fetching or building them shows: see
            `RequirementLine.is_named` and `DynamicFields.name`.

    Raises:
        LocksetError: with the file and the line or key of the error.
    """
    location = _LocalFile(
        folder=folder, environ=environ, stdin=stdin, fetch=fetch, replaced=replaced, nameless=nameless
    )
    if not named:
        path = find_project(folder)
        if path is None:
            message = f"There is no pyproject.toml in {folder} or above it"
            raise LocksetError("source-missing", message, hint=_other_sources(folder) or _NO_SOURCE)
        named = [_relative(path, folder)]
    sources = [_read_source(name, location) for name in dict.fromkeys(named)]
    projects = [project for _, project in sources]
    project = projects[0] if len(projects) == 1 else merge_sources(projects)
    if not use_settings or config is not None:
        settings = Settings() if config is None else read_settings_of(config, folder=folder)
        dropped = set(project.settings.constraints)
        kept = tuple(line for line in project.constraints if line not in dropped)
        return replace(project, settings=settings, constraints=kept + settings.constraints)
    if any(kind is not SourceKind.REQUIREMENTS for kind, _ in sources):
        return project
    settings = find_settings(folder)
    return replace(project, settings=settings, constraints=project.constraints + settings.constraints)


def _other_sources(folder: Path) -> str | None:
    """A hint for a folder without pyproject.toml that has requirements files or the lock file of another tool."""
    options = (
        (_REQUIREMENTS, "`lockset lock {}` locks what it requires"),
        ((*sorted(_FOREIGN_LOCKS), _REQUIREMENTS[-1]), "`lockset convert {}` keeps the versions in it"),
    )
    existing = ((next((name for name in names if (folder / name).is_file()), None), text) for names, text in options)
    return "; ".join(text.format(name) for name, text in existing if name is not None) or None


def read_constraints(
    named: Sequence[str],
    *,
    folder: Path,
    environ: Mapping[str, str],
    fetch: Fetch | None = None,
) -> tuple[RequirementLine, ...]:
    """Read constraints from requirements files and lock files, in order.

    A lock file limits each of its packages to the locked versions.

    Raises:
        LocksetError: with the file and the line or key of the error.
    """
    location = _LocalFile(folder=folder, environ=environ, stdin=None, fetch=fetch)
    lines: list[RequirementLine] = []
    for name in named:
        source = _content(name, location)
        if is_lock_file_name(source.name):
            # Imported here: it imports the markers, which most projects do without at this point.
            from lockset.sources.lock_constraints import constraints_of_lock

            lines.extend(constraints_of_lock(read_document(source.data, path=source.shown).lock, location=source.shown))
            continue
        project = _requirements(source, location, constraint=True)
        lines.extend(project.constraints)
    return tuple(dict.fromkeys(lines))


def _read_source(name: str, location: _LocalFile) -> tuple[SourceKind, RootProject]:
    source = _content(name, location)
    shown = source.shown
    kind = _source_kind_of(source.name if name != STDIN else None, source.data, location=shown)
    if kind is SourceKind.REQUIREMENTS:
        return kind, _requirements(source, location)
    if is_url(source.path_or_url):
        raise LocksetError(
            "source-remote", "Only requirements files can be fetched", location=shown, hint="Download the project first"
        )
    base = Path(source.path_or_url).parent
    # What setup.py says is only known when it runs; the folder is read like one with an empty pyproject.toml.
    text = "" if source.name in _SETUP_FILES else decode_utf8(source.data, location=shown)
    if kind is not SourceKind.PYPROJECT:
        from lockset.sources.script import read_script

        return kind, read_script(text, base=base, location=shown)
    with with_key_lines(text, shown):
        files = LocalFiles(location.folder)
        project = read_pyproject(text, base=base, location=shown, files=files, nameless=location.nameless)
    if name == STDIN:
        return kind, project
    return kind, replace(project, others=_other_files(project, location.folder))


def _other_files(project: RootProject, folder: Path) -> OtherTools:
    from lockset.sources.other_tools.files import other_files

    return other_files(project.base, project.others, folder=folder)


def _content(name: str, location: _LocalFile) -> _Content:
    if name == STDIN:
        # Keep the bytes that could not be decoded.
        return _Content(
            "<stdin>", str(location.folder / STDIN), (location.stdin or "").encode("utf-8", "surrogateescape")
        )
    if is_url(name):
        return _Content(shown_url(name), name, LocalFiles(location.folder, location.fetch).read(name))
    path_or_url = Path(os.path.normpath(location.folder / name))
    shown = name
    files = LocalFiles(location.folder)
    if path_or_url.name in _SETUP_FILES and files.exists(str(path_or_url.with_name(_PYPROJECT))):
        path_or_url, shown = path_or_url.with_name(_PYPROJECT), str(Path(name).with_name(_PYPROJECT))
    elif files.exists(str(path_or_url)) and path_or_url.is_dir():
        is_old = files.exists(str(path_or_url / SETUP_PY)) and not files.exists(str(path_or_url / _PYPROJECT))
        inside = SETUP_PY if is_old else _PYPROJECT
        path_or_url, shown = path_or_url / inside, os.path.normpath(str(Path(name) / inside))
    if (
        path_or_url.name == SETUP_CFG
        and files.exists(str(path_or_url))
        and not files.exists(str(path_or_url.with_name(SETUP_PY)))
    ):
        raise LocksetError(
            "source-kind",
            "A folder with a setup.cfg alone cannot be built",
            location=shown,
            hint='Add a pyproject.toml with `[build-system]` and `requires = ["setuptools"]` next to it',
        )
    content = None if location.replaced is None else location.replaced(path_or_url)
    if content is None:
        content = read_file(path_or_url, location=shown, hint=_missing_hint(shown))
    return _Content(shown, str(path_or_url), content)


def _missing_hint(shown: str) -> str:
    from lockset.similar_names import named_package  # for messages

    package = named_package(shown)
    if package is None:
        return _NO_SOURCE
    return (
        f"If `{package}` is a package: `lockset lock --upgrade-package {package}` upgrades it; to add it, edit "
        "pyproject.toml and run `lockset lock`"
    )


def _requirements(source: _Content, location: _LocalFile, *, constraint: bool = False) -> RootProject:
    from lockset.sources.requirements.reader import read_requirements  # most projects have a pyproject.toml alone

    return read_requirements(
        source.data,
        path_or_url=source.path_or_url,
        location=source.shown,
        base=location.folder,
        environ=location.environ,
        surroundings=LocalFiles(location.folder, location.fetch, location.replaced),
        constraint=constraint,
        nameless=location.nameless,
    )


def _not_fetched(url: str) -> LocksetError:
    return LocksetError(
        "source-remote",
        "Requirements files are only read from this computer, or over http and https",
        location=shown_url(url),
        hint="Download the file, and name its path",
    )


def path_of_file_url(url: str) -> str:
    """The absolute path of a `file:` URL; LocksetError `source-remote` if it names another computer."""
    from urllib.request import url2pathname  # slow to import, and rarely needed

    parts = urlsplit(url)
    if parts.netloc not in {"", "localhost"}:
        raise _not_fetched(url)
    return os.path.abspath(url2pathname(parts.path))


def _relative(path: Path, folder: Path) -> str:
    """The path relative to `folder`."""
    try:
        return os.path.relpath(path, folder)
    except ValueError:  # another drive
        return str(path)


class SourceKind(Enum):
    """The kind of a source."""

    PYPROJECT = "pyproject.toml"
    REQUIREMENTS = "requirements file"
    SCRIPT = "script"


def _source_kind_of(name: str | None, data: bytes, *, location: str) -> SourceKind:
    """The kind of a source by its name (None for stdin), or by its content if the name is not enough.

    Raises:
        LocksetError: `source-kind` if it is a lock file, or a project file that lockset does not read.
    """
    if name is not None and name != _PYPROJECT:
        _refuse(name, location)
        if name in _SETUP_FILES:
            return SourceKind.PYPROJECT
        suffix = PurePath(name).suffix
        if suffix in {".py", ".pyw"}:
            return SourceKind.SCRIPT
        if suffix in {".in", ".txt"}:
            return SourceKind.REQUIREMENTS
    if _LOCK.search(data) and b"[[packages]]" in data:
        raise _is_lock(location)
    if (name is not None and PurePath(name).suffix == ".toml") or _TABLE.search(data):
        return SourceKind.PYPROJECT
    from lockset.sources.script import has_script_metadata

    # A script with any name. Bytes that are not UTF-8 cannot be part of its block.
    if has_script_metadata(data.decode("utf-8", "replace")):
        return SourceKind.SCRIPT
    return SourceKind.REQUIREMENTS


def _refuse(name: str, location: str) -> None:
    if is_lock_file_name(name):
        raise _is_lock(location)
    if name in _FOREIGN_LOCKS:
        from shlex import quote

        raise LocksetError(
            "source-kind",
            f"`{location}` is a lock file of another tool, not a source",
            location=location,
            hint=f"Run `lockset convert {quote(location)} -o pylock.toml` to keep its versions",
        )
    if name == "Pipfile":
        raise LocksetError(
            "source-kind",
            f"`{name}` is not supported as a source",
            location=location,
            hint="Move the requirements to pyproject.toml or a requirements file",
        )


def _is_lock(location: str) -> LocksetError:
    return LocksetError(
        "source-kind",
        f"`{location}` is a lock file, not a source",
        location=location,
        hint="Name the pyproject.toml, requirements file or script it was made from, or install it with `lockset sync`",
    )
