"""A distribution found in a target: what it says of itself, where it came from, and which files are its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "EASY_INSTALL",
    "METADATA_ENDINGS",
    "SOURCE_FILE",
    "InstalledDistribution",
    "InstalledFile",
    "PathLine",
]

# What lockset remembers of a source tree, in dist-info.
SOURCE_FILE = "lockset.json"
# Where setuptools lists the folders and eggs that it has put on the path.
EASY_INSTALL = "easy-install.pth"
# Endings of what describes a distribution in a folder of modules.
METADATA_ENDINGS = (".dist-info", ".egg-info", ".egg-link", ".egg")


class InstalledFile(NamedTuple):
    """One file of RECORD: absolute path, hash as RECORD has it ("" where it has none), size or None."""

    path: str
    hash: str
    size: int | None


class PathLine(NamedTuple):
    """One line, stripped, of the .pth file at the absolute path `file`."""

    file: str
    line: str


class InstalledDistribution(NamedTuple):
    """One dist-info folder (or something older) of a target.

    Attributes:
        name: Normalised.
        version: As it says; "" where it says none.
        info: Absolute path of its dist-info folder, egg-info, egg-link or egg; "" where a line of a .pth file is all.
        installer: Content of INSTALLER, "" without.
        origin: Hashes of the archive it was installed from, by algorithm; empty when unknown.
        direct_url: Parsed direct_url.json, None without.
        files: All files of RECORD that lie in the target, dist-info included; empty when there is no RECORD.
        stray: Rows of RECORD that name no place in the target; they are never touched.
        problems: Why it is not whole, in words; empty when it is.
        unlisted: In words, why `files` may not be all of its files; "" where they are.
        suspects: Where they may not be: paths that nobody owns and that may be its own.
        lines: Lines of .pth files by which it is imported.
        overlapped: Paths of RECORD whose file is another distribution's (see `sync.overlaps`), with the name of that.
        tree: Of `setup.py develop`: the source tree elsewhere, "" for all else.
    """

    name: str
    version: str
    info: str
    installer: str = ""
    origin: Mapping[str, str] = {}
    direct_url: Mapping[str, Any] | None = None
    files: tuple[InstalledFile, ...] = ()
    stray: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    unlisted: str = ""
    suspects: tuple[str, ...] = ()
    lines: tuple[PathLine, ...] = ()
    tree: str = ""
    overlapped: Mapping[str, str] = {}

    @property
    def is_ours(self) -> bool:
        """Whether lockset installed it."""
        return self.installer == "lockset"

    @property
    def is_editable(self) -> bool:
        """Whether it stands for a source tree elsewhere."""
        return bool(self.tree or (self.direct_url and self.direct_url.get("dir_info", {}).get("editable")))

    @property
    def location(self) -> str:
        """Where it shows."""
        return self.info or next((line.file for line in self.lines), "")

    @property
    def is_dist_info(self) -> bool:
        """Whether it has a dist-info folder, as all that is newer than eggs."""
        return self.info.lower().endswith(".dist-info")

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()
