"""The formats that can be converted, how to recognize them by content, and what holds for the text of all of them."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import PurePath

from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError

__all__ = [
    "Format",
    "decode_lock_text",
    "expected_by_name",
    "is_foreign",
    "recognize",
    "refuse_conflicts",
    "refuse_undecoded",
]


class Format(Enum):
    """A format that can be converted to a lock file. The values are those of `--from`."""

    REQUIREMENTS = "requirements"
    POETRY = "poetry"
    UV = "uv"
    PDM = "pdm"
    PIPFILE = "pipfile"
    CONDA = "conda-lock"
    PYLOCK = "pylock"

    @property
    def shown(self) -> str:
        """The name of the format in messages."""
        return _SHOWN[self]


_SHOWN = {
    Format.REQUIREMENTS: "requirements file",
    Format.POETRY: "poetry.lock",
    Format.UV: "uv.lock",
    Format.PDM: "pdm.lock",
    Format.PIPFILE: "Pipfile.lock",
    Format.CONDA: "conda-lock file",
    Format.PYLOCK: "pylock file",
}
_TABLE_HEAD = lazy_pattern(r"^\[\[?[A-Za-z][\w.-]*\]\]?[ \t]*(?:#.*)?$", re.MULTILINE)
_YAML_PACKAGE = lazy_pattern(r"^package:[ \t]*(?:\[\])?[ \t]*$", re.MULTILINE)
_YAML_METADATA = lazy_pattern(r"^metadata:[ \t]*$", re.MULTILINE)
_TOP_VERSION = lazy_pattern(r"^version[ \t]*=[ \t]*\d+[ \t]*$", re.MULTILINE)
_REQUIREMENT = lazy_pattern(
    r"\A(?:[ \t]*(?:#[^\n]*)?\n)*[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]\n]*\])?[ \t]*"
    r"(?:===?|[~!<>]=|@[ \t])[ \t]*[A-Za-z0-9]"
)
_TOML_KEY = lazy_pattern(r"""^[A-Za-z][\w-]*[ \t]*=[ \t]*(?:["'\[{]|\d|true|false)""", re.MULTILINE)
_CONFLICT = lazy_pattern(r"(?:<{7}|>{7}|\|{7})(?: |\Z)|={7}\Z")
# How many lines a message lists.
_LINES_SHOWN = 12
_UNDECODED = lazy_pattern("[\udc80-\udcff]")
# How many characters are looked at for the beginning of the content.
_HEAD = 4096


def expected_by_name(name: str) -> Format | None:
    """The format that the file name suggests; None if it suggests none."""
    base = PurePath(name).name.lower()
    endings = (
        ("poetry.lock", Format.POETRY),
        ("uv.lock", Format.UV),
        ("pdm.lock", Format.PDM),
        ("pipfile.lock", Format.PIPFILE),
        ("conda-lock.yml", Format.CONDA),
        ("conda-lock.yaml", Format.CONDA),
    )
    for ending, format_ in endings:
        if base.endswith(ending):
            return format_
    if re.search(r"(?:\A|_)pylock\.(?:[^.]+\.)?toml\Z", base):
        return Format.PYLOCK
    return Format.REQUIREMENTS if base.endswith((".txt", ".in")) else None


def recognize(text: str, *, name: str, location: str) -> Format:
    """Recognize a format by its content, and by the file name only if the content is ambiguous or broken.

    Raises:
        LocksetError: `unknown-format` if the format is not supported, `format-misnamed` if the name suggests another.
    """
    text = text.replace("\r\n", "\n")
    format_ = _by_content(text)
    expected = expected_by_name(name)
    if format_ is None and expected is Format.PYLOCK and _REQUIREMENT.search(text):
        format_ = Format.REQUIREMENTS
    if format_ is not None:
        if expected is not None and expected is not format_:
            raise LocksetError(
                "format-misnamed",
                f"The file is named like a {expected.shown}, but contains a {format_.shown}",
                location=location,
                hint=f"Check that it is the right file, or convert it anyway with `--from {format_.value}`",
            )
        return format_
    _refuse_other_kinds(text, location)
    return expected or Format.REQUIREMENTS


def is_foreign(data: bytes, name: str) -> bool:
    """Whether this is the content of a requirements file, or of a lock file of another tool.

    TOML that is not recognized, and an empty file without a name that says more, count as lock files, whose reader
    explains what is wrong.

    Raises:
        LocksetError: `unknown-format`, `format-misnamed` if it is clearly something else.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True  # pip reads requirements files in UTF-16
    text = data.decode("utf-8-sig", "replace")
    if not text.strip():
        return expected_by_name(name) not in {None, Format.PYLOCK}
    if expected_by_name(name) is None and _by_content(text) is None and _TOML_KEY.search(text):
        return False
    return recognize(text, name=name, location=name) is not Format.PYLOCK


def decode_lock_text(data: bytes, *, location: str) -> str:
    """Decode a lock file: UTF-8, with or without a byte order mark.

    Raises:
        LocksetError: `encoding` with the line of the first byte that is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        raise LocksetError(
            "encoding",
            f"The byte 0x{data[error.start]:02x} is not UTF-8",
            location=f"{location}:{line}",
            hint="Restore the file from version control, or save it as UTF-8",
        ) from error


def refuse_undecoded(text: str, *, location: str) -> None:
    """Refuse a text with bytes that were not UTF-8, in comments too: their meaning is unknown.

    Raises:
        LocksetError: `encoding` with the line.
    """
    match = _UNDECODED.search(text)
    if match is not None:
        line = text.count("\n", 0, match.start()) + 1
        raise LocksetError(
            "encoding",
            f"The byte 0x{ord(match[0]) - 0xDC00:02x} is not UTF-8",
            location=f"{location}:{line}",
            hint="Save the file as UTF-8, or name its encoding in the first line: `# -*- coding: NAME -*-`",
        )


def refuse_conflicts(text: str, *, location: str) -> None:
    """Refuse a text that contains merge conflict markers.

    Raises:
        LocksetError: `merge-conflict` with the lines.
    """
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if _CONFLICT.match(line)]
    begun = any(line.startswith(("<<<<<<<", ">>>>>>>")) for line in text.splitlines())
    if lines and begun:
        shown = ", ".join(map(str, lines[:_LINES_SHOWN])) + (" and more" if len(lines) > _LINES_SHOWN else "")
        raise LocksetError(
            "merge-conflict",
            f"The file contains merge conflict markers (lines {shown})",
            location=f"{location}:{lines[0]}",
            hint="Take one side, or lock again with the tool that wrote it",
        )


def _by_content(text: str) -> Format | None:
    if text[:_HEAD].lstrip("\ufeff \t\r\n").startswith("{"):
        return Format.PIPFILE if '"_meta"' in text else None
    if _YAML_PACKAGE.search(text) and _YAML_METADATA.search(text):
        return Format.CONDA
    return _by_tables(text) if _TABLE_HEAD.search(text) else None


def _by_tables(text: str) -> Format | None:
    """Tell the TOML formats apart."""
    if re.search(r"^\[metadata[].]", text, re.MULTILINE):
        return Format.PDM if re.search(r"^(?:content_hash|lock_version)[ \t]*=", text, re.MULTILINE) else Format.POETRY
    if "[[packages]]" in text or re.search(r"^lock-version[ \t]*=", text[:_HEAD], re.MULTILINE):
        return Format.PYLOCK
    if _TOP_VERSION.search(text[:_HEAD]) and "[[package]]" in text:
        return Format.UV
    return None


def _refuse_other_kinds(text: str, location: str) -> None:
    """Refuse a file that is clearly of another kind."""
    head = text[:_HEAD].lstrip("\ufeff \t\r\n")
    what = None
    hint = "Name a requirements file, or a lock file of uv, Poetry, PDM, Pipenv or conda-lock"
    if re.search(r"^\[(?:project|build-system|dependency-groups|tool\.[\w.-]+)\]", text, re.MULTILINE):
        what, hint = "a pyproject.toml", "Run `lockset lock` to lock it"
    elif re.search(r"^\[\[source\]\]", text, re.MULTILINE) and re.search(r"^\[packages\]", text, re.MULTILINE):
        what, hint = "a Pipfile, not a Pipfile.lock", "Convert Pipfile.lock"
    elif head.startswith("{"):
        what = "JSON, but not a Pipfile.lock"
    elif head.lower().startswith(("<!doctype", "<html")):
        what, hint = "a web page, perhaps the error page of a server", "Fetch the file again"
    elif "\0" in head:
        what = "a binary file"
    if what is not None:
        raise LocksetError("unknown-format", f"This is {what}", location=location, hint=hint)
