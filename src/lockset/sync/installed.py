"""A distribution found in a target: what it says of itself, where it came from, and which files are its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SOURCE_FILE", "InstalledDistribution", "InstalledFile"]

# What lockset remembers of a source tree, in dist-info.
SOURCE_FILE = "lockset.json"


class InstalledFile(NamedTuple):
    """One file of RECORD: absolute path, hash as RECORD has it ("" where it has none), size or None."""

    path: str
    hash: str
    size: int | None


class InstalledDistribution(NamedTuple):
    """One dist-info folder (or something older) of a target.

    Attributes:
        name: Normalised.
        version: As it says; "" where it says none.
        info: Absolute path of its dist-info folder or egg-info.
        installer: Content of INSTALLER, "" without.
        origin: Hashes of the archive it was installed from, by algorithm; empty when unknown.
        direct_url: Parsed direct_url.json, None without.
        files: All files of RECORD that lie in the target, dist-info included; empty when there is no RECORD.
        stray: Rows of RECORD that name no place in the target; they are never touched.
        problems: Why it is not whole, in words; empty when it is.
        removable: Whether lockset knows how to remove it.
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
    removable: bool = True

    @property
    def is_ours(self) -> bool:
        """Whether lockset installed it."""
        return self.installer == "lockset"

    @property
    def is_editable(self) -> bool:
        """Whether it stands for a source tree elsewhere."""
        return bool(self.direct_url and self.direct_url.get("dir_info", {}).get("editable"))

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()
