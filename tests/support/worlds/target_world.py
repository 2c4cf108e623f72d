"""A small world to sync in: wheels, a lock file of them, downloads that count, and a target."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockset.composition.sync_pipeline import InstallOptions, LockSource, RemovalPolicy, SyncRequest, SyncResult, sync
from lockset.lockfile.read import read_document
from lockset.sync.disk.request import TargetSpec
from support.builders.locks import locked_package, make_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lockset.index.ports import Sink
    from lockset.sync.ports import WheelBuilds
    from support.builders.archives import Artifact

__all__ = ["FakeDownloads", "World", "entry", "judge", "tree"]

FILES = "https://files.example.org"


@dataclass(kw_only=True)
class FakeDownloads:
    """Files by URL; `asked` tells what was fetched. `pieces` bytes at a time, the first time broken off if `breaks`."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    pieces: int = 1000
    breaks: bool = False

    def fetch(self, url: str, sink: Sink, *, limit: int | None = None) -> None:
        self.asked.append(url)
        content = self.files[url]
        if self.breaks:
            sink.write(b"\0" + content[: len(content) // 2])
            sink.restart()
        for location in range(0, len(content), self.pieces):
            sink.write(content[location : location + self.pieces])


def entry(*wheels: Artifact, sdist: Artifact | None = None, **more: Any) -> dict[str, Any]:
    """The lock entry of wheels of one release."""
    artifact = [*wheels, *([sdist] if sdist is not None else [])][0]
    name, version = artifact.filename.removesuffix(".tar.gz").split("-")[:2]
    defaults = {"wheels": list(wheels), "sdist": sdist, "url": FILES}
    return locked_package(name.lower().replace("_", "-"), version, **(defaults | more))


class FakeBuilds:
    """Gives the same wheel for every source, and counts them; `key` is the key of all builds."""

    def __init__(self, wheel: Artifact, *, key: str | None = "same") -> None:
        self.wheel = wheel
        self.key = key
        self.count = 0

    def build_key(self, name: str) -> str | None:
        return self.key

    def of_archive(self, archive: Any, out_dir: Path, **more: Any) -> Path:
        assert archive.read(2) == b"\x1f\x8b"
        return self._wheel(out_dir)

    def of_directory(self, directory: Path, out_dir: Path, **more: Any) -> Path:
        return self._wheel(out_dir)

    def of_commit(self, *, out_dir: Path, **more: Any) -> Path:
        return self._wheel(out_dir)

    def _wheel(self, out_dir: Path) -> Path:
        self.count += 1
        path = out_dir / self.wheel.filename
        path.write_bytes(self.wheel.content)
        return path


@dataclass(kw_only=True)
class World:
    """One target and one cache."""

    folder: Path
    python: str | None = sys.executable
    directory: str | None = None
    downloads: FakeDownloads = field(default_factory=FakeDownloads)
    builds: WheelBuilds | None = None
    notes: list[str] = field(default_factory=list)
    cache: Path | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.cache is None:
            self.cache = self.folder / "cache"
            self.cache.mkdir(exist_ok=True)
            # Interpreters are asked once a session, not once a test.
            shared = self.folder.parent.parent / "interpreters"
            shared.mkdir(exist_ok=True)
            location = self.cache / "interpreters-v1"
            if not location.is_symlink():
                location.symlink_to(shared, target_is_directory=True)

    def offer(self, *artifacts: Artifact) -> None:
        for artifact in artifacts:
            self.downloads.files[f"{FILES}/{artifact.filename}"] = artifact.content

    def sync(
        self,
        *wheels: Artifact,
        packages: Sequence[Mapping[str, Any]] = (),
        lock: str | None = None,
        policy: RemovalPolicy | None = None,
        install_options: InstallOptions | None = None,
        location: TargetSpec | None = None,
        **request: Any,
    ) -> SyncResult:
        """Sync to a lock of `wheels` and `packages`; to another `location` than usual, if there is one."""
        self.offer(*wheels)
        text = lock if lock is not None else make_lock([*(entry(wheel) for wheel in wheels), *packages])
        requests = SyncRequest(
            sources=(LockSource(lock=read_document(text, path="pylock.toml").lock, folder=str(self.folder)),),
            location=location or TargetSpec(python=self.python, directory=self.directory),
            policy=policy or RemovalPolicy(),
            install_options=install_options or InstallOptions(),
            **request,
        )
        builds = self.builds
        make: Callable[[], WheelBuilds] | None = (lambda: builds) if builds is not None else None
        return sync(requests, cache=self.cache, downloads=lambda: self.downloads, builds=make, listener=self)

    def phase(self, name: str, *, total: int | None = None) -> None:
        pass

    def step(self, what: str, *, done: int = 1) -> None:
        pass

    def transferred(self, amount: int) -> None:
        pass

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warning(self, text: str) -> None:
        self.notes.append(text)

    def hint(self, text: str) -> None:
        self.notes.append(text)


def tree(folder: Path) -> dict[str, bytes | str]:
    """Everything below `folder`: files with content and executable bit, links with goal, folders."""
    results: dict[str, bytes | str] = {}
    for above, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(above, name)
            key = str(path.relative_to(folder))
            if path.is_symlink():
                results[key] = f"link to {path.readlink()}"
            elif path.is_dir():
                results[key] = "folder"
            else:
                results[key] = bytes([path.stat().st_mode >> 6 & 1]) + path.read_bytes()
    return results


def judge(library: Path) -> dict[str, str]:
    """Name to version of what RECORD proves to be installed whole in `library`, by standard tools alone."""
    from importlib.metadata import distributions

    results: dict[str, str] = {}
    for distribution in distributions(path=[str(library)]):
        name = distribution.metadata["Name"]
        assert name not in results, f"{name} is there twice"
        results[name] = distribution.version
        assert distribution.read_text("INSTALLER") is not None
        assert distribution.files, f"{name} has no RECORD"
        listed = {Path(str(file.locate())).resolve() for file in distribution.files}
        for file in distribution.files:
            path = Path(str(file.locate()))
            assert path.is_file(), f"{path} is missing"
            if file.hash is not None:
                digest = hashlib.new(file.hash.mode, path.read_bytes()).digest()
                assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value, path
                assert file.size == path.stat().st_size
        info = Path(str(distribution.locate_file(""))) / _info(library, name)
        assert {path.resolve() for path in info.rglob("*") if path.is_file()} <= listed
    return results


def _info(library: Path, name: str) -> str:
    wanted = name.lower().replace("-", "_")
    return next(
        path.name for path in library.glob("*.dist-info") if path.name.lower().replace("-", "_").startswith(wanted)
    )


def provenance(library: Path, name: str) -> Any:
    return json.loads((library / _info(library, name) / "provenance_url.json").read_text())
