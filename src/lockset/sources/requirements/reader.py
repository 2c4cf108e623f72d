"""Read requirements files, as installers accept them, as a RootProject.

This module does not read from disk: it reads other files through `ReferencedFiles`, and callers pass variables.
"""

from __future__ import annotations

import os.path
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from lockset._dataclass import dataclass, field, replace
from lockset._pattern import lazy_pattern
from lockset.errors import Diagnostic, LocksetError
from lockset.lockfile.secrets import secret_in_address
from lockset.sources.direct_url import parse_digest, without_weak_hashes
from lockset.sources.project import RootProject
from lockset.sources.requirements.lines import OptionSum, decode_requirements, logical_lines, split_line, with_names
from lockset.sources.requirements.requirement_line import is_remote, is_url, read_requirement, shown_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lockset.hashes import Digest
    from lockset.sources.requirements.lines import GivenOption, LogicalLine
    from lockset.sources.requirements.requirement_line import ReferencedFiles, RequirementLine

__all__ = ["read_requirements"]

# The deepest nesting of included files.
_DEEPEST = 100
# A URL in a line, and the part after its host.
_ADDRESS = lazy_pattern(r"[a-z+]{1,20}://[^/\s]*(?P<path>/\S*)", re.IGNORECASE)
# Names of variables that contain secrets. Other variables usually name hosts, folders and versions.
_SECRET_VARIABLE = lazy_pattern("TOKEN|PASSW|PASSPHRASE|SECRET|KEY(?![A-Z])|CREDENTIAL|AUTH(?!OR)|PAT(?![A-Z])")
_FILE_HASHES = frozenset({"sha256", "sha384", "sha512"})
_OF_REQUIREMENTS = frozenset({"hash", "config-settings"})


def read_requirements(
    content: str | bytes,
    *,
    path_or_url: str,
    location: str,
    base: Path,
    environ: Mapping[str, str],
    surroundings: ReferencedFiles,
    constraint: bool = False,
    nameless: bool = False,
) -> RootProject:
    """Read a requirements file and the files that it includes.

    Args:
        content: The file, as text or bytes.
        path_or_url: Absolute path or URL of the file, to which `-r`, `-c` and `-f` are relative.
        location: Name of the file in messages and origins (`requirements.in` for `requirements.in:3`).
        base: Folder to which paths in requirements are relative: the working folder.
        environ: Values for `${NAME}`.
        surroundings: Reads other files.
        constraint: Whether the lines are constraints.
        nameless: Whether requirements may lack a name that their source shows: see `read_requirement`.

    Raises:
        LocksetError: with the file and line of the error.
    """
    reader = _RequirementsReader(
        base=base,
        environ=environ,
        surroundings=surroundings,
        nameless=nameless,
        options=OptionSum(base=str(base), surroundings=surroundings),
    )
    reader.file(content, _File(path_or_url=path_or_url, location=location, constraint=constraint), ())
    if not constraint:
        reader.warn_of_missing_hashes(location)
    return RootProject(
        base=base,
        dependencies=tuple(dict.fromkeys(reader.dependencies)),
        constraints=tuple(dict.fromkeys(reader.constraints)),
        options=reader.options.options(),
        sources=(location,),
        warnings=tuple(reader.warnings),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    path_or_url: str
    location: str
    constraint: bool


@dataclass(slots=True, kw_only=True)
class _RequirementsReader:
    """Reads one file and the files that it includes."""

    base: Path
    environ: Mapping[str, str]
    surroundings: ReferencedFiles
    nameless: bool
    options: OptionSum
    dependencies: list[RequirementLine] = field(default_factory=list)
    constraints: list[RequirementLine] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)
    done: set[tuple[str, bool]] = field(default_factory=set)

    def file(self, content: str | bytes, file: _File, path: tuple[str, ...]) -> None:
        """Read one file. `path`: the files that include it."""
        text = decode_requirements(content, location=file.location) if isinstance(content, bytes) else content
        # A file from a server gets no variables: it could send any of them to a URL of its choice.
        environ = {} if is_remote(file.path_or_url) else self.environ
        for line in logical_lines(text, environ=environ, location=file.location):
            with _with_variable_names(line.values):
                self._line(line, file, (*path, file.path_or_url))
        self.done.add((file.path_or_url, file.constraint))

    def warn_of_missing_hashes(self, location: str) -> None:
        """Warn if only some requirements have hashes, since installers refuse such a file."""
        bare = [line for line in self.dependencies if not line.hashes]
        if bare and len(bare) < len(self.dependencies):
            message = f"{len(self.dependencies) - len(bare)} requirements have hashes and {len(bare)} have none"
            self._warn("hashes-mixed", message, location=location, context=(f"{bare[0].origin}: {bare[0].text}",))

    def _line(self, line: LogicalLine, file: _File, path: tuple[str, ...]) -> None:
        location = f"{file.location}:{line.number}"
        requirement, options = split_line(line.text, location=location)
        editables = [option.value for option in options if option.name == "editable"]
        if requirement or editables:
            _refuse_secret_variables(line, location)
            parsed = self._requirement(requirement or editables[0], options, file, location, editable=not requirement)
            self._take(replace(parsed, text=with_names(parsed.text, line.values)), file)
            return
        include = next((option for option in options if option.name in {"requirement", "constraint"}), None)
        if include is None:
            self._options(options, file, location)
            return
        if len(options) > 1:
            self._warn("include-not-alone", "Only the first file of this line is read", location=location)
        # Installers read `-r` before `-c`.
        first = next((option for option in options if option.name == "requirement"), include)
        self._include(first, file, location, path)

    def _requirement(
        self, text: str, options: tuple[GivenOption, ...], file: _File, location: str, *, editable: bool
    ) -> RequirementLine:
        surroundings = _NoFiles(location) if is_remote(file.path_or_url) else self.surroundings
        if any(option.name == "hash" for option in options):
            text = without_weak_hashes(text)
        line = read_requirement(
            text,
            origin=location,
            folder=self.base,
            surroundings=surroundings,
            editable=editable,
            nameless=self.nameless and not file.constraint,
        )
        if is_remote(file.path_or_url) and (line.requirement.url or "").lower().startswith("file:"):
            raise _local_from_remote(text, location)
        own = [option for option in options if option.name in _OF_REQUIREMENTS]
        for option in options:
            if option.name not in _OF_REQUIREMENTS and not (editable and option.name == "editable"):
                self._warn(
                    "option-ignored",
                    f"`--{option.name}` has no effect after a requirement",
                    location=location,
                    hint="Move it to its own line",
                )
        hashes = tuple(_file_digest(option.value, location) for option in own if option.name == "hash")
        if editable and hashes:
            raise LocksetError("hash-of-editable", f"`{text}` is editable, and cannot have a hash", location=location)
        pairs = tuple(_pair(option.value, location) for option in own if option.name == "config-settings")
        return replace(line, hashes=tuple(dict.fromkeys(line.hashes + hashes)), config_settings=pairs)

    def _take(self, line: RequirementLine, file: _File) -> None:
        if not file.constraint:
            self.dependencies.append(line)
            return
        _check_constraint(line)
        self.constraints.append(line)

    def _options(self, options: tuple[GivenOption, ...], file: _File, location: str) -> None:
        for option in options:
            if option.name in _OF_REQUIREMENTS:
                self._warn(
                    "option-ignored",
                    f"`--{option.name}` without a requirement has no effect",
                    location=location,
                    hint="Join it to the line of its requirement with a backslash",
                )
        general = [option for option in options if option.name not in _OF_REQUIREMENTS]
        self.options.add_line(general, path_or_url=file.path_or_url, location=location)

    def _include(self, option: GivenOption, file: _File, location: str, path: tuple[str, ...]) -> None:
        path_or_url, shown = _resolve_include(file, option.value)
        if is_remote(file.path_or_url) and not is_remote(path_or_url):
            raise _local_from_remote(option.value, location)
        inner = _File(path_or_url=path_or_url, location=shown, constraint=option.name == "constraint")
        if path_or_url in path:
            raise LocksetError(
                "requirements-cycle",
                f"`{option.value}` includes itself",
                location=location,
                context=(
                    *(f"{_shown_location(before)} includes" for before in path[path.index(path_or_url) :]),
                    _shown_location(path_or_url),
                ),
            )
        if len(path) > _DEEPEST:
            raise LocksetError("requirements-depth", f"Files include files {_DEEPEST} levels deep", location=location)
        if (path_or_url, inner.constraint) in self.done:
            return
        try:
            content = self.surroundings.read(path_or_url)
        except LocksetError as error:
            diagnostic = error.diagnostic
            raise LocksetError(
                diagnostic.code,
                diagnostic.message,
                location=shown,
                context=(*diagnostic.context, f"included at {location}"),
                hint=diagnostic.hint,
            ) from error
        self.file(content, inner, path)

    def _warn(
        self, code: str, message: str, *, location: str, context: tuple[str, ...] = (), hint: str | None = None
    ) -> None:
        self.warnings.append(Diagnostic(code=code, message=message, location=location, context=context, hint=hint))


class _NoFiles:
    """`ReferencedFiles` for a file from a server, which may not refer to files on this computer."""

    def __init__(self, location: str) -> None:
        self._location = location

    def read(self, path_or_url: str) -> bytes:
        """Always refused."""
        raise _local_from_remote(path_or_url, self._location)

    def exists(self, path: str) -> bool:
        """Always refused."""
        raise _local_from_remote(path, self._location)

    def project_name(self, path: str) -> str | None:
        """Always refused."""
        raise _local_from_remote(path, self._location)


def _local_from_remote(named: str, location: str) -> LocksetError:
    return LocksetError(
        "include-local",
        f"`{named}` is on this computer, and a file from the network may not refer to it",
        location=location,
        hint="Download the requirements file, and name its path",
    )


def _shown_location(path_or_url: str) -> str:
    return shown_url(path_or_url) if is_url(path_or_url) else path_or_url


def _resolve_include(file: _File, named: str) -> tuple[str, str]:
    """The location of a file that `file` includes, and its name in messages."""
    if is_url(named):
        return named, shown_url(named)
    if is_url(file.path_or_url):
        try:
            url = urljoin(file.path_or_url, named)
        except ValueError:  # such as an unclosed bracket
            url = named
        return url, _shown_location(url)
    folder, shown = os.path.dirname(file.path_or_url), os.path.dirname(file.location)
    path_or_url = os.path.normpath(os.path.join(folder, named))
    return path_or_url, os.path.normpath(os.path.join(shown, named))


@contextmanager
def _with_variable_names(values: tuple[tuple[str, str], ...]) -> Iterator[None]:
    """Replace the values of variables in errors by their names, since they may be secrets."""
    try:
        yield
    except LocksetError as error:
        known = error.diagnostic
        raise LocksetError(
            known.code,
            with_names(known.message, values),
            location=None if known.location is None else with_names(known.location, values),
            context=tuple(with_names(fact, values) for fact in known.context),
            hint=None if known.hint is None else with_names(known.hint, values),
        ) from error


def _refuse_secret_variables(line: LogicalLine, location: str) -> None:
    """Refuse a variable in the part of a URL that may contain secrets: the lock file would contain its value."""
    if not line.values:
        return
    for address in _ADDRESS.finditer(line.written):
        path, _, query = address["path"].partition("?")
        for name, _ in line.values:
            if name in query or (name in path and _SECRET_VARIABLE.search(name)):
                raise secret_in_address(f"the value of `{name}`", address[0], location=location)


def _file_digest(text: str, location: str) -> Digest:
    algorithm, colon, value = text.partition(":")
    if not colon or algorithm not in _FILE_HASHES:
        raise LocksetError(
            "hash-malformed",
            f"`--hash={text}` is not a valid hash",
            location=location,
            hint="Write `--hash=sha256:` (or sha384, sha512) followed by the hexadecimal digits",
        )
    return parse_digest(algorithm, value, location=location)


def _pair(text: str, location: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise LocksetError(
            "option-syntax", f"`--config-settings {text}` is not of the form KEY=VALUE", location=location
        )
    return key, value


def _check_constraint(line: RequirementLine) -> None:
    reason = None
    if line.editable:
        reason = "is editable"
    elif line.requirement.extras:
        reason = "has extras"
    if reason is not None:
        raise LocksetError(
            "constraint-form",
            f"The constraint `{line.text}` {reason}, but a constraint only limits versions",
            location=line.origin,
            hint="Write the plain project name and its versions",
        )
