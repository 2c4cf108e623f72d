"""Releases that are left out because of when their files were uploaded, or of which files may be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lockset._dataclass import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from packaging.version import Version

    from lockset.index.pages.project_page import DistributionFile
    from lockset.resolve.problem.file_policy import FileRules

__all__ = ["held_back_versions", "why_left_out"]


class ListedReleases(Protocol):
    """Releases of an index with all their files, which is an `IndexRepository`."""

    @property
    def rules(self) -> FileRules:
        """Which files may be used."""

    def all_versions(self, name: str) -> Sequence[Version]:
        """All versions, the newest first."""

    def files(self, name: str, version: Version) -> Sequence[DistributionFile]:
        """The files that may be used."""

    def listed_files(self, name: str, version: Version) -> Sequence[DistributionFile]:
        """All files."""


def why_left_out(rules: FileRules, name: str, files: Sequence[DistributionFile]) -> str:
    """Why the rules admit none of these files, which are those of one release of `name`; continues "because"."""
    first = _first_upload(files)
    when = f"on {first:%Y-%m-%d}" if first is not None else "at an unknown time"
    limit, cooldown = rules.upload_limit(name), rules.cooldown_limit(name)
    if limit is not None and (first is None or first >= limit):
        return f"it was uploaded {when}, but only files from before {limit:%Y-%m-%d} are used"
    if cooldown is not None and (first is None or first >= cooldown):
        return f"it was uploaded {when}, but the cooldown excludes files since {cooldown:%Y-%m-%d}"
    if name in rules.hashes:
        return "none of its files has one of the required hashes"
    kinds = "wheels" if all(f.is_wheel for f in files) else "sources"
    return f"it only has {kinds}, which are not allowed"


def held_back_versions(repository: ListedReleases, name: str) -> Iterator[tuple[Version, datetime | None]]:
    """Versions of `name` that only the cooldown holds back, the newest first, and when each was uploaded first."""
    rules = repository.rules
    if rules.cooldown_limit(name) is None:
        return
    without = replace(rules, cooldown=None, cooldown_of={})
    for version in repository.all_versions(name):
        if repository.files(name, version):
            continue
        files = repository.listed_files(name, version)
        if any(without.admits_upload(name, f) and not f.yanked for f in files):
            yield version, _first_upload(files)


def _first_upload(files: Iterable[DistributionFile]) -> datetime | None:
    return min((f.upload_time for f in files if f.upload_time is not None), default=None)
