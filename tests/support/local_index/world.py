"""The packages that an index serves."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import tomli

from support.builders import Artifact, PageFile, make_sdist, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from support.local_index.mode import Mode

__all__ = ["World", "WorldFile", "normalized"]

_FIRST_UPLOAD = datetime(2020, 1, 1, 12, 0, 0, 250_000, tzinfo=timezone.utc)


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldFile:
    """A file, its facts beside the bytes, and lies for the page (`shown` replaces fields of the PageFile)."""

    artifact: Artifact
    upload_time: datetime
    requires_python: str | None = None
    yanked: bool | str = False
    shown: Mapping[str, Any] = field(default_factory=dict)

    def on_page(self, url: str, mode: Mode) -> PageFile:
        """The file as a page of an index in this mode shows it."""
        artifact = self.artifact
        metadata: bool | Mapping[str, str] = False
        if mode.metadata_marked and artifact.is_wheel:
            metadata = {"sha256": artifact.metadata_sha256} if mode.metadata_hashes else True
        values: dict[str, Any] = {
            "filename": artifact.filename,
            "url": url,
            "hashes": {name: hashlib.new(name, artifact.content).hexdigest() for name in mode.hashes},
            "requires_python": self.requires_python,
            "size": artifact.size if mode.sizes else None,
            "upload_time": self.upload_time if mode.upload_times else None,
            "yanked": self.yanked,
            "metadata": metadata,
        }
        return PageFile(**(values | dict(self.shown)))


class World:
    """Projects and their files. Grows while the index runs."""

    def __init__(self) -> None:
        self.projects: dict[str, list[WorldFile]] = {}
        self.statuses: dict[str, Mapping[str, str]] = {}
        self._uploads = 0

    def add(
        self,
        name: str,
        version: str = "1.0",
        *,
        requires: Iterable[str] = (),
        requires_python: str | None = None,
        extras: Mapping[str, Sequence[str]] | None = None,
        wheels: Iterable[str] = ("py3-none-any",),
        sdist: bool | str = False,
        yanked: bool | str = False,
        upload_time: datetime | None = None,
        files: Mapping[str, str | bytes] | None = None,
        entry_points: Mapping[str, Mapping[str, str]] | None = None,
        shown: Mapping[str, Any] | None = None,
    ) -> World:
        """Add one release; the world, so that calls chain.

        `wheels` are tag sets; `sdist` is True (static metadata), "dynamic" (its requirements show in a build
        only) or "old" (metadata 1.2, which promises nothing). Each release is uploaded a day after the last.
        """
        requires = tuple(requires)
        facts: dict[str, Any] = {"requires_dist": requires, "requires_python": requires_python, "extras": extras}
        moment = upload_time or _FIRST_UPLOAD + timedelta(days=self._uploads)
        self._uploads += 1
        made = [
            make_wheel(name, version, tags=tags, files=files, entry_points=entry_points, **facts) for tags in wheels
        ]
        if sdist:
            dynamic = ("Requires-Dist",) if sdist == "dynamic" else ()
            metadata_version = "1.2" if sdist == "old" else "2.2"
            made.append(make_sdist(name, version, dynamic=dynamic, metadata_version=metadata_version, **facts))
        for artifact in made:
            self.add_file(
                name, artifact, requires_python=requires_python, yanked=yanked, upload_time=moment, shown=shown or {}
            )
        return self

    def add_file(self, name: str, artifact: Artifact, **facts: Any) -> World:
        """Add one file as it is; `facts` are fields of WorldFile."""
        facts.setdefault("upload_time", _FIRST_UPLOAD)
        self.projects.setdefault(normalized(name), []).append(WorldFile(artifact=artifact, **facts))
        return self

    def mark(self, name: str, status: str, reason: str | None = None) -> World:
        """Give a project a status (PEP 792)."""
        self.statuses[normalized(name)] = {"status": status} | ({} if reason is None else {"reason": reason})
        return self

    def file(self, name: str, filename: str) -> WorldFile | None:
        return next((f for f in self.projects.get(name, ()) if f.artifact.filename == filename), None)

    def write_files(self, directory: Path) -> Path:
        """Write every file into `directory`, as for `--find-links`."""
        for files in self.projects.values():
            for file in files:
                file.artifact.write(directory)
        return directory

    @classmethod
    def from_toml(cls, text: str) -> World:
        """A world described as `[packages.NAME]` with one key per version.

        The value of a version is a table of the keyword arguments of `add`, with dashes:
        `"1.0" = { requires = ["b>=2"], requires-python = ">=3.9", sdist = true }`.
        """
        world = cls()
        for name, releases in tomli.loads(text).get("packages", {}).items():
            for version, facts in releases.items():
                world.add(name, version, **{key.replace("-", "_"): value for key, value in facts.items()})
        return world
