"""Source distributions and source trees that build themselves without a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from support.builders.archives import Artifact, tar_gz
from support.builders.core_metadata import core_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["make_sdist", "source_files", "write_source_tree"]

_BACKEND = Path(__file__).with_name("tiny_backend.py")


def make_sdist(
    name: str = "sample",
    version: str = "1.0",
    *,
    requires_dist: Iterable[str] = (),
    requires_python: str | None = None,
    extras: Mapping[str, Sequence[str]] | None = None,
    dynamic: Iterable[str] = (),
    metadata_version: str = "2.2",
    files: Mapping[str, str] | None = None,
    build_requires: Iterable[str] = (),
    fails: Mapping[str, str] | None = None,
    more: Mapping[str, str | bytes] | None = None,
) -> Artifact:
    """An sdist with a backend of its own.

    Metadata is static unless `dynamic` names fields ("Requires-Dist"): those are left out of PKG-INFO and
    come to light only in a build. An older `metadata_version` promises nothing either. `fails` maps hooks to
    the message they fail with; `more` adds or replaces members, relative to the tree's root.
    """
    hidden = {field.lower() for field in dynamic}
    requires_dist = tuple(requires_dist)
    pkg_info = core_metadata(
        name,
        version,
        requires_dist=() if "requires-dist" in hidden else requires_dist,
        requires_python=None if "requires-python" in hidden else requires_python,
        extras=None if hidden & {"provides-extra", "requires-dist"} else extras,
        dynamic=dynamic,
        metadata_version=metadata_version,
    )
    tree: dict[str, str | bytes] = {"PKG-INFO": pkg_info}
    tree |= source_files(
        name,
        version,
        requires_dist=requires_dist,
        requires_python=requires_python,
        extras=extras,
        files=files,
        build_requires=build_requires,
        fails=fails,
    )
    tree |= more or {}
    stem = f"{name.replace('-', '_').replace('.', '_')}-{version}"
    content = tar_gz({f"{stem}/{path}": text for path, text in tree.items()})
    return Artifact(filename=f"{stem}.tar.gz", content=content, metadata=pkg_info.encode())


def source_files(
    name: str = "sample",
    version: str = "1.0",
    *,
    requires_dist: Iterable[str] = (),
    requires_python: str | None = None,
    extras: Mapping[str, Sequence[str]] | None = None,
    files: Mapping[str, str] | None = None,
    entry_points: str = "",
    build_requires: Iterable[str] = (),
    fails: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The files of a source tree: pyproject.toml, the backend, and what the backend builds."""
    module = name.replace("-", "_").replace(".", "_")
    plan = {
        "name": name,
        "version": version,
        "metadata": core_metadata(
            name, version, requires_dist=requires_dist, requires_python=requires_python, extras=extras
        ),
        "files": files if files is not None else {f"{module}/__init__.py": f"version = {version!r}\n"},
        "entry_points": entry_points,
        "build_requires": list(build_requires),
        "fails": dict(fails or {}),
    }
    pyproject = '[build-system]\nrequires = []\nbuild-backend = "tiny_backend"\nbackend-path = ["."]\n'
    return {
        "pyproject.toml": pyproject,
        "tiny_backend.py": _BACKEND.read_text(),
        "tiny.json": json.dumps(plan),
        f"{module}/__init__.py": f"version = {version!r}\n",
    }


def write_source_tree(directory: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write `files` below `directory`, which is made where it is not there; the directory."""
    for path, content in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            target.write_text(content)
    return directory
