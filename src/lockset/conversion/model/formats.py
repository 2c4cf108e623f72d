"""The formats: how each is recognised by its content, whatever the file is called."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import PurePath

from lockset.errors import LocksetError

__all__ = ["Format", "expected_by_name", "recognise"]


class Format(Enum):
    """What can be converted to a lock file; values are what `--from` takes."""

    REQUIREMENTS = "requirements"
    POETRY = "poetry"
    UV = "uv"
    PDM = "pdm"
    PIPFILE = "pipfile"
    CONDA = "conda-lock"
    PYLOCK = "pylock"

    @property
    def shown(self) -> str:
        """How messages call a file of the format."""
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
_TABLE_HEAD = re.compile(r"^\[\[?[A-Za-z][\w.-]*\]\]?[ \t]*(?:#.*)?$", re.MULTILINE)
_YAML_PACKAGE = re.compile(r"^package:[ \t]*(?:\[\])?[ \t]*$", re.MULTILINE)
_YAML_METADATA = re.compile(r"^metadata:[ \t]*$", re.MULTILINE)
_TOP_VERSION = re.compile(r"^version[ \t]*=[ \t]*\d+[ \t]*$", re.MULTILINE)
_REQUIREMENT = re.compile(
    r"\A(?:[ \t]*(?:#[^\n]*)?\n)*[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]\n]*\])?[ \t]*"
    r"(?:===?|[~!<>]=|@[ \t])[ \t]*[A-Za-z0-9]"
)
# Bounds how far a byte order mark or a blank beginning may reach.
_HEAD = 4096


def expected_by_name(name: str) -> Format | None:
    """The format that the file's name promises, None where it promises nothing."""
    base = PurePath(name).name.lower()
    endings = (
        ("poetry.lock", Format.POETRY),
        ("uv.lock", Format.UV),
        ("pdm.lock", Format.PDM),
        ("pipfile.lock", Format.PIPFILE),
        ("conda-lock.yml", Format.CONDA),
        ("conda-lock.yaml", Format.CONDA),
    )
    for ending, found in endings:
        if base.endswith(ending):
            return found
    if re.search(r"(?:\A|_)pylock\.(?:[^.]+\.)?toml\Z", base):
        return Format.PYLOCK
    return Format.REQUIREMENTS if base.endswith((".txt", ".in")) else None


def recognise(text: str, *, name: str, place: str) -> Format:
    """What the text is, by its content; by its name only where the content fits several or is broken.

    Raises:
        LocksetError: `format-unknown` where it is none that is read, `format-misnamed` where its name promises another.
    """
    text = text.replace("\r\n", "\n")
    found = _by_content(text)
    expected = expected_by_name(name)
    if found is None and expected is Format.PYLOCK and _REQUIREMENT.search(text):
        found = Format.REQUIREMENTS
    if found is not None:
        if expected is not None and expected is not found:
            raise LocksetError(
                "format-misnamed",
                f"The file is named like a {expected.shown} and holds a {found.shown}",
                place=place,
                hint=f"Check that it is the right file; `--from {found.value}` converts it all the same",
            )
        return found
    _refuse_other_kinds(text, place)
    return expected or Format.REQUIREMENTS


def _by_content(text: str) -> Format | None:
    if text[:_HEAD].lstrip("\ufeff \t\r\n").startswith("{"):
        return Format.PIPFILE if '"_meta"' in text else None
    if _YAML_PACKAGE.search(text) and _YAML_METADATA.search(text):
        return Format.CONDA
    return _by_tables(text) if _TABLE_HEAD.search(text) else None


def _by_tables(text: str) -> Format | None:
    """Which of the formats written in TOML it is."""
    if re.search(r"^\[metadata[].]", text, re.MULTILINE):
        return Format.PDM if re.search(r"^(?:content_hash|lock_version)[ \t]*=", text, re.MULTILINE) else Format.POETRY
    if "[[packages]]" in text or re.search(r"^lock-version[ \t]*=", text[:_HEAD], re.MULTILINE):
        return Format.PYLOCK
    if _TOP_VERSION.search(text[:_HEAD]) and "[[package]]" in text:
        return Format.UV
    return None


def _refuse_other_kinds(text: str, place: str) -> None:
    """Refuse what is clearly another kind of file."""
    head = text[:_HEAD].lstrip("\ufeff \t\r\n")
    what = None
    hint = "Name a requirements file or a lock file of uv, Poetry, PDM, Pipenv or conda-lock"
    if re.search(r"^\[(?:project|build-system|dependency-groups|tool\.[\w.-]+)\]", text, re.MULTILINE):
        what, hint = "a pyproject.toml", "`lockset lock` makes a lock file of it"
    elif re.search(r"^\[\[source\]\]", text, re.MULTILINE) and re.search(r"^\[packages\]", text, re.MULTILINE):
        what, hint = "a Pipfile, not its lock", "Convert Pipfile.lock"
    elif head.startswith("{"):
        what = "JSON, and no Pipfile.lock"
    elif head.lower().startswith(("<!doctype", "<html")):
        what, hint = "a web page, perhaps the error page of a server", "Fetch the file again"
    elif "\0" in head:
        what = "no text"
    if what is not None:
        raise LocksetError("format-unknown", f"This is {what}", place=place, hint=hint)
