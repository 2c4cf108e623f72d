"""The requirements file format, as installers accept it: text to RootProject.

Nothing is read from disk here: other files are asked for through `ReferencedFiles`, variables are given by the caller.
"""

from __future__ import annotations

import os.path
import re
from contextlib import contextmanager
from dataclasses import field, replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from lockset._dataclass import dataclass
from lockset.errors import Diagnostic, LocksetError
from lockset.lockfile.secrets import secret_in_address
from lockset.sources.direct_reference import is_remote, is_url, read_requirement, shown_url
from lockset.sources.direct_url import parse_digest, without_weak_hashes
from lockset.sources.project import RootProject
from lockset.sources.requirements.logical_lines import decode_requirements, logical_lines, with_names
from lockset.sources.requirements.options import OptionSum, split_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lockset.hashes import Digest
    from lockset.sources.direct_reference import ReferencedFiles
    from lockset.sources.requirements.logical_lines import LogicalLine
    from lockset.sources.requirements.options import GivenOption
    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = ["read_requirements"]

# Files within files; beyond this the files are not meant for people.
_DEEPEST = 100
# An address of a line, and what stands behind its host.
_ADDRESS = re.compile(r"[a-z+]{1,20}://[^/\s]*(?P<path>/\S*)", re.IGNORECASE)
# Variables that hold secrets. Others are the usual way to name hosts, folders and versions.
_SECRET_VARIABLE = re.compile("TOKEN|PASSW|PASSPHRASE|SECRET|KEY(?![A-Z])|CREDENTIAL|AUTH(?!OR)|PAT(?![A-Z])")
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
) -> RootProject:
    """What the file and those it names ask for.

    Args:
        content: The file, decoded or not.
        path_or_url: Absolute path or URL of the file; `-r`, `-c` and `-f` are relative to it.
        location: Name of the file in messages and origins (`requirements.in`, giving `requirements.in:3`).
        base: Folder that paths of requirements are relative to: the one the command works in.
        environ: Values for `${NAME}`.
        surroundings: Where other files are asked for.
        constraint: Whether the lines are constraints.

    Raises:
        LocksetError: with file and line of what is wrong.
    """
    reading = _RequirementsReader(
        base=base,
        environ=environ,
        surroundings=surroundings,
        options=OptionSum(base=str(base), surroundings=surroundings),
    )
    reading.file(content, _File(path_or_url=path_or_url, location=location, constraint=constraint), ())
    if not constraint:
        reading.warn_of_missing_hashes(location)
    return RootProject(
        base=base,
        dependencies=tuple(dict.fromkeys(reading.dependencies)),
        constraints=tuple(dict.fromkeys(reading.constraints)),
        options=reading.options.options(),
        sources=(location,),
        warnings=tuple(reading.warnings),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    path_or_url: str
    location: str
    constraint: bool


@dataclass(slots=True, kw_only=True)
class _RequirementsReader:
    """One run over a file and all it includes."""

    base: Path
    environ: Mapping[str, str]
    surroundings: ReferencedFiles
    options: OptionSum
    dependencies: list[RequirementLine] = field(default_factory=list)
    constraints: list[RequirementLine] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)
    done: set[tuple[str, bool]] = field(default_factory=set)

    def file(self, content: str | bytes, file: _File, path: tuple[str, ...]) -> None:
        """Reads one file; `path` holds the locations on the way here."""
        text = decode_requirements(content, location=file.location) if isinstance(content, bytes) else content
        # What is on a server is not told what variables hold: it could ask for any of them, in an address of its own.
        environ = {} if is_remote(file.path_or_url) else self.environ
        for line in logical_lines(text, environ=environ, location=file.location):
            with _named(line.values):
                self._line(line, file, (*path, file.path_or_url))
        self.done.add((file.path_or_url, file.constraint))

    def warn_of_missing_hashes(self, location: str) -> None:
        """Some lines with and some without hashes: an installer refuses such a file."""
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
            asked = self._requirement(requirement or editables[0], options, file, location, editable=not requirement)
            self._take(replace(asked, text=with_names(asked.text, line.values)), file)
            return
        include = next((option for option in options if option.name in {"requirement", "constraint"}), None)
        if include is None:
            self._options(options, file, location)
            return
        if len(options) > 1:
            self._warn("include-not-alone", "Of this line only the first file is read", location=location)
        # Installers look for requirement files first.
        first = next((option for option in options if option.name == "requirement"), include)
        self._include(first, file, location, path)

    def _requirement(
        self, text: str, options: tuple[GivenOption, ...], file: _File, location: str, *, editable: bool
    ) -> RequirementLine:
        surroundings = _NoFiles(location) if is_remote(file.path_or_url) else self.surroundings
        if any(option.name == "hash" for option in options):
            text = without_weak_hashes(text)
        line = read_requirement(text, origin=location, folder=self.base, surroundings=surroundings, editable=editable)
        if is_remote(file.path_or_url) and (line.requirement.url or "").lower().startswith("file:"):
            raise _local_from_remote(text, location)
        own = [option for option in options if option.name in _OF_REQUIREMENTS]
        for option in options:
            if option.name not in _OF_REQUIREMENTS and not (editable and option.name == "editable"):
                self._warn(
                    "option-ignored",
                    f"`--{option.name}` has no effect behind a requirement",
                    location=location,
                    hint="Put it on a line of its own",
                )
        hashes = tuple(_file_digest(option.value, location) for option in own if option.name == "hash")
        if editable and hashes:
            raise LocksetError("hash-of-editable", f"`{text}` is editable and has no hash to check", location=location)
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
                    hint="Join it to the requirement's line with a backslash",
                )
        general = [option for option in options if option.name not in _OF_REQUIREMENTS]
        self.options.add_line(general, path_or_url=file.path_or_url, location=location)

    def _include(self, option: GivenOption, file: _File, location: str, path: tuple[str, ...]) -> None:
        path_or_url, shown = _joined(file, option.value)
        if is_remote(file.path_or_url) and not is_remote(path_or_url):
            raise _local_from_remote(option.value, location)
        inner = _File(path_or_url=path_or_url, location=shown, constraint=option.name == "constraint")
        if path_or_url in path:
            raise LocksetError(
                "requirements-cycle",
                f"`{option.value}` includes itself",
                location=location,
                context=(
                    *(f"{_shown(before)} includes" for before in path[path.index(path_or_url) :]),
                    _shown(path_or_url),
                ),
            )
        if len(path) > _DEEPEST:
            raise LocksetError("requirements-depth", f"Files include files {_DEEPEST} levels deep", location=location)
        if (path_or_url, inner.constraint) in self.done:
            return
        try:
            content = self.surroundings.read(path_or_url)
        except LocksetError as error:
            told = error.diagnostic
            raise LocksetError(
                told.code,
                told.message,
                location=shown,
                context=(*told.context, f"included at {location}"),
                hint=told.hint,
            ) from error
        self.file(content, inner, path)

    def _warn(
        self, code: str, message: str, *, location: str, context: tuple[str, ...] = (), hint: str | None = None
    ) -> None:
        self.warnings.append(Diagnostic(code=code, message=message, location=location, context=context, hint=hint))


class _NoFiles:
    """What a file on a server may see of this computer."""

    def __init__(self, location: str) -> None:
        self._location = location

    def read(self, path_or_url: str) -> bytes:
        """Refused."""
        raise _local_from_remote(path_or_url, self._location)

    def exists(self, path: str) -> bool:
        """Refused."""
        raise _local_from_remote(path, self._location)

    def project_name(self, path: str) -> str | None:
        """Refused."""
        raise _local_from_remote(path, self._location)


def _local_from_remote(named: str, location: str) -> LocksetError:
    return LocksetError(
        "include-local",
        f"`{named}` is on this computer, and a file from the network may not name it",
        location=location,
        hint="Download the requirements file and name it by its path",
    )


def _shown(path_or_url: str) -> str:
    return shown_url(path_or_url) if is_url(path_or_url) else path_or_url


def _joined(file: _File, named: str) -> tuple[str, str]:
    """Location and shown name of a file that `file` names."""
    if is_url(named):
        return named, shown_url(named)
    if is_url(file.path_or_url):
        try:
            url = urljoin(file.path_or_url, named)
        except ValueError:  # such as an unclosed bracket
            url = named
        return url, _shown(url)
    folder, shown = os.path.dirname(file.path_or_url), os.path.dirname(file.location)  # noqa: PTH120 - text only
    path_or_url = os.path.normpath(os.path.join(folder, named))  # noqa: PTH118 - text only
    return path_or_url, os.path.normpath(os.path.join(shown, named))  # noqa: PTH118 - text only


@contextmanager
def _named(values: tuple[tuple[str, str], ...]) -> Iterator[None]:
    """Errors have the names of variables in place of their values, which may be secrets."""
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
    """Refuse a variable where an address holds secrets: its value would be written into the lock file."""
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
            f"`--hash={text}` is not a hash that requirements files know",
            location=location,
            hint="Write `--hash=sha256:` (or sha384, sha512) and the hexadecimal digits",
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
            f"The constraint `{line.text}` {reason}: a constraint only limits versions",
            location=line.origin,
            hint="Name the plain project and its versions",
        )
