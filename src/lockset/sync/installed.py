"""An installed distribution: its metadata, its origin, and the files that it owns."""

from __future__ import annotations

from lockset._named_tuple import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = [
    "EASY_INSTALL",
    "METADATA_ENDINGS",
    "SOURCE_FILE",
    "InstalledDistribution",
    "InstalledFile",
    "PathLine",
]

# File of dist-info in which lockset records facts about a source tree.
SOURCE_FILE = "lockset.json"
# File in which setuptools lists the folders and eggs that it put on the path.
EASY_INSTALL = "easy-install.pth"
# Suffixes of the files and folders in site-packages that hold the metadata of a distribution.
METADATA_ENDINGS = (".dist-info", ".egg-info", ".egg-link", ".egg")


class InstalledFile(NamedTuple):
    """One file of RECORD: absolute path, hash as written in RECORD ("" where absent), size or None."""

    path: str
    hash: str
    size: int | None


class PathLine(NamedTuple):
    """One line, stripped, of the .pth file at the absolute path `file`."""

    file: str
    line: str


class InstalledDistribution(NamedTuple):
    """One dist-info folder (or an older form of metadata) of a target.

    Attributes:
        name: Normalised.
        version: As written in its metadata; "" where missing.
        info: Absolute path of its dist-info folder, egg-info, egg-link or egg; "" if only a .pth line refers to it.
        installer: Content of INSTALLER, or "".
        origin: Hashes of the archive it was installed from, by algorithm; empty when unknown.
        direct_url: Parsed direct_url.json, or None.
        files: Files of RECORD that lie in the target, dist-info included; empty when there is no RECORD.
        stray: Rows of RECORD that point outside the target; their files are never touched.
        problems: What is missing or changed, as phrases for messages; empty when the distribution is intact.
        unlisted: Why `files` may be incomplete, as a phrase for messages; "" where it is complete.
        suspects: Paths that no distribution owns and that may belong to this one, where `files` may be incomplete.
        lines: Lines of .pth files through which it is imported.
        overlapped: Paths of RECORD whose file belongs to another distribution, with its name (see `sync.placement`).
        tree: Source tree of a `setup.py develop` install, or "".
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
        """Whether it is an editable install of a source tree elsewhere."""
        return bool(self.tree or (self.direct_url and self.direct_url.get("dir_info", {}).get("editable")))

    @property
    def location(self) -> str:
        """Path of its metadata, or of the .pth file that refers to it."""
        return self.info or next((line.file for line in self.lines), "")

    @property
    def is_dist_info(self) -> bool:
        """Whether it has a dist-info folder (PEP 376), as opposed to an egg."""
        return self.info.lower().endswith(".dist-info")

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()
