"""Wheels, whole and valid unless the test says otherwise."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from support.builders.archives import Artifact, as_bytes, zip_file
from support.builders.core_metadata import core_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["make_wheel", "record_text"]


def make_wheel(
    name: str = "sample",
    version: str = "1.0",
    *,
    requires_dist: Iterable[str] = (),
    requires_python: str | None = None,
    extras: Mapping[str, Sequence[str]] | None = None,
    tags: str = "py3-none-any",
    build: str | None = None,
    files: Mapping[str, str | bytes] | None = None,
    entry_points: Mapping[str, Mapping[str, str]] | None = None,
    scripts: Mapping[str, str | bytes] | None = None,
    metadata: str | None = None,
    wheel_version: str = "1.0",
    record: str | None = None,
) -> Artifact:
    """A wheel with one module per default.

    `files` are paths inside the wheel; `entry_points` maps group to name to value; `scripts` go to
    `.data/scripts`; `tags` is the compressed tag set of the file name; `metadata` and `record` replace
    the generated texts.
    """
    escaped = name.replace("-", "_").replace(".", "_")
    stem = f"{escaped}-{version}"
    metadata = metadata or core_metadata(
        name, version, requires_dist=requires_dist, requires_python=requires_python, extras=extras
    )
    info = f"{stem}.dist-info"
    members: dict[str, str | bytes] = dict(
        files if files is not None else {f"{escaped}/__init__.py": f"version = {version!r}\n"}
    )
    members |= {f"{stem}.data/scripts/{script}": content for script, content in (scripts or {}).items()}
    members[f"{info}/METADATA"] = metadata
    members[f"{info}/WHEEL"] = _wheel_text(tags, build, wheel_version)
    if entry_points:
        members[f"{info}/entry_points.txt"] = _entry_points_text(entry_points)
    members[f"{info}/RECORD"] = record if record is not None else record_text(members, f"{info}/RECORD")
    filename = "-".join([escaped, version, *([build] if build else []), tags]) + ".whl"
    return Artifact(filename=filename, content=zip_file(members), metadata=metadata.encode())


def record_text(members: Mapping[str, str | bytes], own_path: str) -> str:
    """RECORD of `members`, with a row for itself."""
    rows = []
    for path, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(as_bytes(content)).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(as_bytes(content))}")
    return "\n".join([*rows, f"{own_path},,"]) + "\n"


def _wheel_text(tags: str, build: str | None, wheel_version: str) -> str:
    pythons, abis, platforms = (part.split(".") for part in tags.split("-"))
    lines = [f"Wheel-Version: {wheel_version}", "Generator: lockset-tests", "Root-Is-Purelib: true"]
    lines += [f"Tag: {python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms]
    lines += [f"Build: {build}"] if build else []
    return "\n".join(lines) + "\n"


def _entry_points_text(groups: Mapping[str, Mapping[str, str]]) -> str:
    blocks = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in entries.items()) for group, entries in groups.items()]
    return "\n".join(blocks)
