"""The world around a requirements file, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.sources.requirements.reader import read_requirements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.sources.project import RootProject

BASE = Path("/project")


@dataclass
class FakeSurroundings:
    """Files by location, and the names of source trees by folder."""

    files: Mapping[str, str | bytes] = field(default_factory=dict)
    trees: Mapping[str, str | None] = field(default_factory=dict)

    def read(self, path_or_url: str) -> bytes:
        if path_or_url not in self.files:
            raise LocksetError("source-missing", f"There is no file `{path_or_url}`", location=path_or_url)
        content = self.files[path_or_url]
        return content.encode() if isinstance(content, str) else content

    def exists(self, path: str) -> bool:
        return path in self.files or path in self.trees

    def project_name(self, path: str) -> str | None:
        return self.trees.get(path)


def requirements(
    content: str | bytes,
    *,
    files: Mapping[str, str | bytes] | None = None,
    trees: Mapping[str, str | None] | None = None,
    environ: Mapping[str, str] | None = None,
    path_or_url: str = "/project/r.txt",
    constraint: bool = False,
) -> RootProject:
    """What the file `r.txt` in /project with this content asks for."""
    return read_requirements(
        content,
        path_or_url=path_or_url,
        location="r.txt",
        base=BASE,
        environ=environ or {},
        surroundings=FakeSurroundings(files or {}, trees or {}),
        constraint=constraint,
    )
