"""Parse the names of distribution files, only as far as needed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from lockset.dependency_specifiers import read_version
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from packaging.tags import Tag
    from packaging.version import Version

__all__ = [
    "LONGEST",
    "SDIST",
    "SDIST_SUFFIXES",
    "WHEEL",
    "FileNames",
    "build_number",
    "parse_version",
    "standard_sdist_name",
    "tags_of_triple",
    "wheel_triple",
]

SDIST_SUFFIXES = (".tar.gz", ".zip")
# Kinds of files, as flags.
WHEEL, SDIST = 1, 2
# Longest file name that common file systems support.
LONGEST = 255
# Limit for the tags that a compressed tag set expands to; a longer one yields no tags.
_TAG_LIMIT = 2_000

_versions: dict[str, Version] = {}


def parse_version(text: str) -> Version | None:
    """`text` as a version, the same object for the same text; None if it is not valid."""
    version = _versions.get(text)
    if version is None:
        try:
            version = _versions[text] = read_version(text)
        except ValueError:  # InvalidVersion, or more digits than Python converts to a number
            return None
    return version


class FileNames:
    """Parses the names of one project's files, and caches the spellings of the project's name."""

    __slots__ = ("_project", "_same")

    def __init__(self, project: str) -> None:
        self._project = project
        self._same: dict[str, bool] = {project: True}

    def version(self, filename: str) -> tuple[str, int] | None:
        """Text of the version in `filename` and the kind of file: WHEEL or SDIST.

        None if the name is neither a wheel's nor an sdist's, or belongs to another project: the part before the version
        must be the name of this project. The text of the version may be invalid. In an sdist it may have dashes, as in
        `name-1.0-1.tar.gz`, which installers read as the post-release 1.0.post1. Names with spaces, control characters,
        path separators or non-ASCII characters, and names that are too long, are not accepted.
        """
        if not filename.isascii() or len(filename) > LONGEST or not filename.isprintable():
            return None
        if " " in filename or "\\" in filename or "/" in filename:
            return None
        if filename.endswith(".whl"):
            parts = filename.split("-")
            # Five components, or six with a build number, which starts with a digit.
            if len(parts) != 5 and (len(parts) != 6 or not parts[2][:1].isdecimal()):
                return None
            same = self._same.get(parts[0])
            return (parts[1], WHEEL) if (self.belongs(parts[0]) if same is None else same) else None
        for suffix in SDIST_SUFFIXES:
            if filename.endswith(suffix):
                version = self._version_of(filename[: -len(suffix)])
                return None if version is None else (version, SDIST)
        return None

    def _version_of(self, stem: str) -> str | None:
        """What follows the name of the project and a dash; None if the text begins with another name."""
        name, _, version = stem.rpartition("-")
        if self.belongs(name):
            return version
        # Few sdists have several dashes: those of other projects, and very old ones.
        dash = stem.find("-")
        while dash != -1 and not self.belongs(stem[:dash]):
            dash = stem.find("-", dash + 1)
        version = "" if dash == -1 else stem[dash + 1 :]
        return version if version[:1].isdecimal() else None

    def belongs(self, spelled: str) -> bool:
        """Whether this spelling, from a file name, is the project's name."""
        same = self._same.get(spelled)
        if same is None:
            same = self._same[spelled] = canonicalize_name(spelled) == self._project
        return same


def standard_sdist_name(filename: str, project: str, version: Version) -> str:
    """The file name of an sdist, in the standard form if it is an old one whose version has dashes.

    Lock files need it: their readers split the name at the last dash.
    """
    suffix = next((suffix for suffix in SDIST_SUFFIXES if filename.endswith(suffix)), "")
    spelled = filename.removesuffix(suffix).rpartition("-")[0]
    if spelled.count("-") == 0 or canonicalize_name(spelled) == project:
        return filename
    return f"{project.replace('-', '_')}-{version}{suffix}"


def wheel_triple(filename: str) -> str:
    """The tags of a wheel's file name, such as `py3-none-any`."""
    return "-".join(filename[:-4].rsplit("-", 3)[-3:])


def build_number(filename: str) -> tuple[int, str] | tuple[()]:
    """The build number of a wheel's file name, as packaging orders it; () if there is none."""
    parts = filename[:-4].split("-")
    if len(parts) != 6:
        return ()
    text = parts[2]
    digits = len(text) - len(text.lstrip("0123456789"))
    return int(text[:digits]), text[digits:]


@lru_cache(maxsize=16_384)
def tags_of_triple(triple: str) -> frozenset[Tag]:
    """The compatibility tags that a compressed tag set expands to; empty if it is malformed."""
    from packaging.tags import InvalidTag, parse_tag

    try:
        return parse_tag(triple, limit=_TAG_LIMIT)
    except (InvalidTag, ValueError):
        return frozenset()
