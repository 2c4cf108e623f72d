"""Read a lock file: its bytes, as TOML, then as packaging's model.

From disk, only regular files are read, with a size limit, without blocking on pipes. Errors are one sentence, and name
the format of another file.
"""

from __future__ import annotations

import os
import re
import stat
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

import tomli

from lockset._dataclass import dataclass
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import SHORT, read_marker, read_specifiers, read_version
from lockset.errors import LocksetError
from lockset.files.system import READ
from lockset.spans import LineIndex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lockset.lockfile.model import Pylock
    from lockset.lockfile.positions import Positions

__all__ = [
    "MAX_BYTES",
    "MAX_WHEEL_TAGS",
    "Document",
    "TomlError",
    "decode",
    "kind_of_table",
    "kind_of_text",
    "load",
    "load_bytes",
    "open_conflict",
    "read_document",
    "read_with_rest",
    "syntax_problem",
]

# How much of a text is examined; the first lines show the format.
_LOOKED_AT = 4096

_REQUIREMENT = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[^\]\n]*\])?\s*(===|[=~!<>]=|[<>]|@\s)[^\n]*")
# Start and end markers of a merge conflict; `=======` alone does not prove one.
_CONFLICT = lazy_pattern(r"^(?:<{7,}|>{7,})(?:[ \t][^\n]*)?\r?$", re.MULTILINE)
_OPTION = lazy_pattern(r"(-[rcefi]|--[a-z][a-z-]+)[ =]")

_CONVERT = "`lockset convert {name} -o pylock.toml` converts it to a lock file"

_FOLDER = "it is a folder"


def kind_of_text(text: str) -> str | None:
    """A sentence about the format of `text`, which is not TOML; None if it is not recognized."""
    head = text[:_LOOKED_AT].lstrip("\ufeff \t\r\n")
    lines = [line for line in (raw.strip() for raw in head.splitlines()) if line and not line.startswith("#")]
    first = lines[0] if lines else ""
    signs = (
        (head.startswith("{") and '"_meta"' in head, "a Pipfile.lock; " + _CONVERT.format(name="Pipfile.lock")),
        (head.startswith("{"), "JSON"),
        (head.lower().startswith(("<!doctype", "<html")), "a web page, perhaps an error page"),
        (
            _REQUIREMENT.fullmatch(first) or _OPTION.match(first),
            "a requirements file; " + _CONVERT.format(name="requirements.txt"),
        ),
        (first in {"version: 1", "metadata:", "---"}, "YAML, perhaps of conda-lock"),
    )
    return next((f"This looks like {kind}" for applies, kind in signs if applies), None)


def open_conflict(text: str) -> int | None:
    """Offset of the first marker of an unresolved merge conflict, or None."""
    marker = _CONFLICT.search(text)
    return None if marker is None else marker.start()


def kind_of_table(data: Mapping[str, Any]) -> str | None:
    """A sentence about the format of `data`, TOML without the keys of a lock file; None if it is not recognized."""
    metadata = data.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    if "package" in data and "content-hash" in metadata:
        return "This looks like a poetry.lock; " + _CONVERT.format(name="poetry.lock")
    if "package" in data and "content_hash" in metadata:
        return "This looks like a pdm.lock; " + _CONVERT.format(name="pdm.lock")
    if "package" in data and isinstance(data.get("version"), int):
        return "This looks like a uv.lock; " + _CONVERT.format(name="uv.lock")
    if "project" in data or "build-system" in data:
        return "This looks like a pyproject.toml; `lockset lock` creates a lock file for it"
    if "source" in data and ("packages" in data or "dev-packages" in data):
        return "This looks like a Pipfile; lock it first, then convert Pipfile.lock"
    return None


# Limit for a lock file; the largest real ones have a few megabytes.
MAX_BYTES = 64 * 1024 * 1024
# Limit for the tags of one wheel file name (`py2.py3-none-any` has two). A name of a few hundred characters can expand
# to millions; real ones stay below a hundred.
MAX_WHEEL_TAGS = 2_000
# A name with so few dots, three times eleven parts, is below that limit.
_FEW_DOTS = 30

# Characters from which on it takes longer to parse a text than to prepare for a quicker way.
_LONG = 8_192

# Python's limit is 4,300 digits by default, and cannot be set below 640.
# tomli's message for a key that is set twice, with the position after the second value.
_SET_TWICE = "Cannot overwrite a value"
_DECLARED_TWICE = lazy_pattern(r"Cannot declare \((.*)\) twice", re.DOTALL)
_QUOTED = lazy_pattern(r"'([^']*)'")
_KEY = lazy_pattern(r"[ \t]*([^=\n]*[^=\s])[ \t]*=")
_CUT_OFF = "The file ends in the middle: restore it from version control, or run `lockset lock`"
_MANY_DIGITS = lazy_pattern(r"[0-9_]{640,}", re.ASCII)


class TomlError(LocksetError):
    """The text is not TOML; `line` and `column` (from 1) and `offset` (from 0) are the position of the error."""

    def __init__(
        self, message: str, *, path: str | None, before: str = "", hint: str | None = None, is_conflict: bool = False
    ) -> None:
        """`before` is the text before the error; `is_conflict` is set for an unresolved merge conflict."""
        self.is_conflict = is_conflict
        self.offset = len(before)
        self.line, self.column = LineIndex(before).position(self.offset)
        super().__init__("toml-syntax", message, location=f"{path or '<text>'}:{self.line}:{self.column}", hint=hint)


# Values of the file and of each package that are checked before packaging parses them.
_BOUNDED = {
    "lock-version": read_version,
    "version": read_version,
    "requires-python": read_specifiers,
    "marker": read_marker,
    "environments": read_marker,
}


@dataclass(frozen=True, kw_only=True)
class Document:
    """A lock file's text as TOML. Positions and the model are computed on first use."""

    text: str
    data: Mapping[str, Any]
    path: str | None

    @cached_property
    def spans(self) -> Positions:
        """The position of every key path of `data` in `text`."""
        from lockset.lockfile.positions import positions  # for messages

        return positions(self.text)

    @cached_property
    def lines(self) -> LineIndex:
        """Converts offsets in `text` to lines and columns."""
        return LineIndex(self.text)

    @cached_property
    def lock(self) -> Pylock:
        """The lock file, valid as far as packaging checks it.

        Raises:
            LocksetError: `lock-unsupported` for another major version of the format, otherwise `lock-invalid`.
        """
        # A third of the start of `validate`, which does without it.
        from lockset.lockfile.model import PylockUnsupportedVersionError, PylockValidationError, lock_of

        _refuse_tag_bombs(self.data, self.path)
        try:
            _check_bounds(self.data)
            return lock_of(self.data)
        except PylockUnsupportedVersionError as error:
            raise LocksetError(
                "lock-unsupported",
                f"This lock file has a version that lockset does not support: {error.message}",
                location=self.path,
                hint="Lock again with a tool that writes lock-version 1.0, or use a newer lockset",
            ) from error
        except PylockValidationError as error:
            from lockset.lockfile.invalid_lock import invalid_lock_error  # for messages

            kind = None if "lock-version" in self.data else kind_of_table(self.data)
            raise invalid_lock_error(error, text=self.text, data=self.data, path=self.path, kind=kind) from error
        except (ValueError, RecursionError) as error:
            reason = next(iter(str(error).splitlines()), "unknown reason")
            raise LocksetError(
                "lock-invalid", f"This lock file cannot be read: {reason}", location=self.path
            ) from error


def read_document(text: str | bytes, *, path: str | None = None) -> Document:
    """Read `text` as TOML; `path` is only for messages.

    Raises:
        TomlError: The text is not TOML in UTF-8, or exceeds the limits of the parser.
    """
    return read_with_rest(text, path=path)[0]


def read_with_rest(text: str | bytes, *, path: str | None = None) -> tuple[Document, str]:
    """As `read_document`, with the part of the text that has everything in it that TOML 1.0 lacks.

    Raises:
        TomlError: As `read_document`.
    """
    decoded = text if isinstance(text, str) else decode(text, path=path)
    if decoded.startswith("\ufeff"):
        message = "The file starts with a byte order mark, which TOML does not allow"
        raise TomlError(message, path=path, hint="Save it as UTF-8 without a byte order mark")
    data, rest = _parse(decoded, path)
    return Document(text=decoded, data=data, path=path), rest


def decode(data: bytes, *, path: str | None = None) -> str:
    """`data` as UTF-8, with its byte order mark if there is one; `path` is only for messages.

    Raises:
        TomlError: where it is not UTF-8, or larger than MAX_BYTES.
    """
    if len(data) > MAX_BYTES:
        raise TomlError(f"The file is larger than {MAX_BYTES // 1024 // 1024} MiB", path=path)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        hint = "Save it as UTF-8; PowerShell's `>` writes UTF-16"
        raise TomlError("The file is UTF-16, and TOML is UTF-8", path=path, hint=hint)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        message = f"The byte 0x{data[error.start]:02x} is not UTF-8"
        raise TomlError(message, path=path, before=before, hint="Save the file as UTF-8") from error


def _parse(text: str, path: str | None) -> tuple[dict[str, Any], str]:
    try:
        if len(text) < _LONG:
            return tomli.loads(text), text
        from lockset.lockfile.file_lines import read_toml  # for a text with many files

        return read_toml(text)
    except tomli.TOMLDecodeError as error:
        conflict = open_conflict(text)
        if conflict is not None:
            raise TomlError(
                "The file has an unresolved merge conflict",
                path=path,
                before=text[:conflict],
                hint="Run `lockset lock`: it prefers the pins of both sides, and writes a file without conflicts",
                is_conflict=True,
            ) from error
        # The parser counts every line end as one character.
        lines = text.split("\n", error.lineno)
        before = "".join(f"{line}\n" for line in lines[: error.lineno - 1]) + lines[error.lineno - 1][: error.colno - 1]
        before, problem, hint = syntax_problem(text, before, error.msg)
        message = f"This is not valid TOML: {problem}"
        raise TomlError(message, path=path, before=before, hint=kind_of_text(text) or hint) from error
    except RecursionError as error:
        raise TomlError("Tables or arrays are nested too deeply", path=path) from error
    except ValueError as error:  # Python limits the digits of a number
        digits = _MANY_DIGITS.search(text)
        before = text[: digits.start()] if digits is not None else ""
        raise TomlError("A number has too many digits", path=path, before=before) from error


def syntax_problem(text: str, before: str, message: str) -> tuple[str, str, str | None]:
    """The text before the error, what is wrong there, and a hint."""
    start = before.rfind("\n") + 1
    key = _KEY.match(before, start)
    if message == _SET_TWICE and key is not None:
        return text[: key.start(1)], f"`{key[1]}` already has a value", "Remove one of the two"
    table = _DECLARED_TWICE.fullmatch(message)
    if table is not None:
        return before, f"`[{'.'.join(_QUOTED.findall(table[1]))}]` is declared twice", "Remove one of the two"
    hint = _CUT_OFF if before and not text[len(before) :].strip() else None
    return before, f"{message[:1].lower()}{message[1:]}", hint


def _refuse_tag_bombs(data: Mapping[str, Any], path: str | None) -> None:
    """Refuse wheel names that expand to very many tags: packaging would enumerate them."""
    packages = data.get("packages")
    for package in packages if isinstance(packages, list) else ():
        wheels = package.get("wheels") if isinstance(package, dict) else None
        for wheel in wheels if isinstance(wheels, list) else ():
            if isinstance(wheel, dict) and _is_tag_bomb(wheel):
                message = f"A wheel of `{package.get('name')}` has a file name with more than {MAX_WHEEL_TAGS} tags"
                raise LocksetError("lock-invalid", message, location=path)


def _check_bounds(data: Mapping[str, Any]) -> None:
    """Raise ValueError for markers and specifiers that exceed the limits of packaging's parsers."""
    packages = data.get("packages")
    for table in (data, *(packages if isinstance(packages, list) else ())):
        if not isinstance(table, dict):
            continue
        for key, check in _BOUNDED.items():
            value = table.get(key)
            for text in value if isinstance(value, list) else (value,):
                # A short text cannot exceed a limit.
                if isinstance(text, str) and len(text) > SHORT:
                    check(text)


def _is_tag_bomb(wheel: Mapping[str, Any]) -> bool:
    names = [name for key in ("name", "path", "url") if isinstance(name := wheel.get(key), str)]
    # A percent sign may stand for a dot.
    doubtful = [name for name in names if name.count(".") > _FEW_DOTS or "%" in name]
    return any(tag_count(name) > MAX_WHEEL_TAGS for name in doubtful)


def tag_count(name: str) -> int:
    """The largest number of tags that the wheel file name at the end of `name` can expand to."""
    product = 1
    for part in unquote(name).removesuffix(".whl").rsplit("-", 3)[1:]:
        product *= part.count(".") + 1
    return product


def load(path: str | os.PathLike[str]) -> Document:
    """Read the lock file `path`.

    Raises:
        LocksetError: `lock-not-found`, `lock-unreadable` or `toml-syntax`.
    """
    return read_document(load_bytes(path), path=os.fspath(path))


def load_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of the regular file `path`, at most MAX_BYTES of them.

    Raises:
        LocksetError: `lock-not-found` or `lock-unreadable`.
    """
    shown = os.fspath(path)
    try:
        descriptor = os.open(path, READ)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise LocksetError(
            "lock-not-found", f"There is no file `{shown}`", location=shown, hint=_missing_hint(shown)
        ) from error
    except ValueError as error:  # a NUL in the path
        raise LocksetError("lock-not-found", f"`{shown}` is not a valid path", location=shown) from error
    except OSError as error:
        reason = _FOLDER if Path(path).is_dir() else error.strerror or "unknown reason"
        raise _unreadable(shown, reason) from error
    try:
        return _read_bounded(descriptor, shown)
    except OSError as error:
        raise _unreadable(shown, error.strerror or "unknown reason") from error
    finally:
        os.close(descriptor)


def _read_bounded(descriptor: int, shown: str) -> bytes:
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        raise _unreadable(shown, _FOLDER if stat.S_ISDIR(facts.st_mode) else "it is not a regular file")
    with open(descriptor, "rb", closefd=False) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _unreadable(shown, f"it is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return data


def _unreadable(shown: str, reason: str) -> LocksetError:
    hint = "Name the file in it, or run in it with `--directory`" if reason == _FOLDER else None
    return LocksetError("lock-unreadable", f"`{shown}` cannot be read: {reason}", location=shown, hint=hint)


def _missing_hint(path: str) -> str:
    from lockset.similar_names import named_package, similar_file_hint  # for messages

    if "://" in path:
        return "Lock files are read from the disk: download it first"
    similar = similar_file_hint(path)
    if similar is not None:
        return similar
    package = named_package(path)
    if package is not None:
        return (
            f"The argument is the path of a lock file. If `{package}` is a package: `lockset tree --package {package}` "
            "shows it; to add it, edit pyproject.toml and run `lockset lock`"
        )
    return "Run `lockset lock` to create a lock file, or give the path of another one"
