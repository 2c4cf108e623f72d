"""Names of distribution files: which version of a project one holds, read only as far as that needs."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.tags import InvalidTag, Tag, parse_tag
from packaging.utils import canonicalize_name

from lockset.dependency_specifiers import read_version

if TYPE_CHECKING:
    from packaging.version import Version

__all__ = [
    "LONGEST",
    "SDIST",
    "SDIST_SUFFIXES",
    "WHEEL",
    "FileNames",
    "build_number",
    "parse_version",
    "tags_of_triple",
    "wheel_triple",
]

SDIST_SUFFIXES = (".tar.gz", ".zip")
# Kinds of files, as flags.
WHEEL, SDIST = 1, 2
# Longest name of a file; no usual file system takes a longer one.
LONGEST = 255
# Tags one compressed triple may stand for; a longer one is no honest file name and yields no tag.
_TAG_LIMIT = 2_000

_versions: dict[str, Version] = {}


def parse_version(text: str) -> Version | None:
    """The version `text` says, the same object for the same text; None where it says none."""
    found = _versions.get(text)
    if found is None:
        try:
            found = _versions[text] = read_version(text)
        except ValueError:  # InvalidVersion is one; more digits than Python turns into a number are another
            return None
    return found


class FileNames:
    """Reads the names of one project's files; remembers how the project is spelled in them."""

    __slots__ = ("_project", "_same")

    def __init__(self, project: str) -> None:
        self._project = project
        self._same: dict[str, bool] = {project: True}

    def version(self, filename: str) -> tuple[str, int] | None:
        """Text of the version in `filename` and the kind of file: WHEEL or SDIST.

        None where the name is no wheel's and no sdist's, or belongs to another project: the whole part before the
        version has to be this project's name, never only begin with it. The version's text may still be invalid.
        What no file name of a distribution holds (spaces, control characters, separators of paths, anything but
        ASCII) makes it none, and so does a length that no file system takes.
        """
        if not filename.isascii() or len(filename) > LONGEST or not filename.isprintable():
            return None
        if " " in filename or "\\" in filename or "/" in filename:
            return None
        if filename.endswith(".whl"):
            parts = filename.split("-")
            # Five components, or six with a build number, which starts with a digit.
            if len(parts) != 5 and (len(parts) != 6 or not parts[2][:1].isdecimal()):  # noqa: PLR2004 (said above)
                return None
            same = self._same.get(parts[0])
            return (parts[1], WHEEL) if (self.belongs(parts[0]) if same is None else same) else None
        for suffix in SDIST_SUFFIXES:
            if filename.endswith(suffix):
                name, _, version = filename[: -len(suffix)].rpartition("-")
                return (version, SDIST) if self.belongs(name) else None
        return None

    def belongs(self, spelled: str) -> bool:
        """Whether this spelling, as file names hold it, is the project's."""
        same = self._same.get(spelled)
        if same is None:
            same = self._same[spelled] = canonicalize_name(spelled) == self._project
        return same


def wheel_triple(filename: str) -> str:
    """The tag part `py3-none-any` of a wheel's file name."""
    return "-".join(filename[:-4].split("-")[-3:])


def build_number(filename: str) -> tuple[int, str] | tuple[()]:
    """The build number of a wheel's file name, as packaging orders it; () where there is none."""
    parts = filename[:-4].split("-")
    if len(parts) != 6:  # noqa: PLR2004 (five components and a build number)
        return ()
    text = parts[2]
    digits = len(text) - len(text.lstrip("0123456789"))
    return int(text[:digits]), text[digits:]


@lru_cache(maxsize=16_384)
def tags_of_triple(triple: str) -> frozenset[Tag]:
    """The compatibility tags a triple stands for; none where it is malformed."""
    try:
        return parse_tag(triple, limit=_TAG_LIMIT)
    except (InvalidTag, ValueError):
        return frozenset()
