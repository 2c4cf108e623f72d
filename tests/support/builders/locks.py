"""Lock files as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tomli_w

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from support.builders.archives import Artifact

__all__ = ["locked_file", "locked_package", "make_lock", "write_lock"]

_FILES = "https://files.example.org"


def make_lock(packages: Iterable[Mapping[str, Any]] = (), **top: Any) -> str:
    """Text of a lock file with `packages`; `top` holds further keys, underscores for dashes, None drops a key."""
    data: dict[str, Any] = {"lock_version": "1.0", "created_by": "lockset-tests"} | top
    data["packages"] = [dict(package) for package in packages]
    return tomli_w.dumps({key.replace("_", "-"): value for key, value in data.items() if value is not None})


def locked_package(
    name: str = "sample",
    version: str | None = "1.0",
    *,
    wheels: Sequence[Artifact] = (),
    sdist: Artifact | None = None,
    url: str = _FILES,
    **more: Any,
) -> dict[str, Any]:
    """One entry of `packages`; `more` holds further keys, underscores for dashes."""
    entry: dict[str, Any] = {"name": name}
    if version is not None:
        entry["version"] = version
    entry |= {key.replace("_", "-"): value for key, value in more.items()}
    if sdist is not None:
        entry["sdist"] = locked_file(sdist, url)
    if wheels:
        entry["wheels"] = [locked_file(wheel, url) for wheel in wheels]
    return entry


def locked_file(artifact: Artifact, url: str = _FILES) -> dict[str, Any]:
    """The table of one file, below `url`."""
    return {
        "name": artifact.filename,
        "url": f"{url.rstrip('/')}/{artifact.filename}",
        "size": artifact.size,
        "hashes": {"sha256": artifact.sha256},
    }


def write_lock(path: Path, wheels: Sequence[Artifact]) -> None:
    """A lock file at `path` of wheels without dependencies, and the wheels next to it."""
    packages = []
    for wheel in wheels:
        (path.parent / wheel.filename).write_bytes(wheel.content)
        locked: dict[str, Any] = locked_file(wheel)
        del locked["url"]
        name, version = wheel.filename.split("-")[:2]
        packages.append({"name": name, "version": version, "wheels": [locked | {"path": wheel.filename}]})
    path.write_text(make_lock(packages))
