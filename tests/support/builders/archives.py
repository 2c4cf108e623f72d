"""Archives with fixed times and order: the same input gives the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Artifact", "as_bytes", "tar_gz", "zip_file"]

_ZIP_TIME = (2020, 1, 1, 0, 0, 0)
_TAR_TIME = 1_577_836_800


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A built file: its name, its bytes, and the METADATA or PKG-INFO inside."""

    filename: str
    content: bytes
    metadata: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def metadata_sha256(self) -> str:
        return hashlib.sha256(self.metadata).hexdigest()

    @property
    def size(self) -> int:
        return len(self.content)

    @property
    def is_wheel(self) -> bool:
        return self.filename.endswith(".whl")

    def write(self, directory: Path) -> Path:
        """Write the file into `directory`; its path."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / self.filename
        path.write_bytes(self.content)
        return path


def as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def zip_file(files: Mapping[str, str | bytes], *, executable: frozenset[str] = frozenset()) -> bytes:
    """A zip archive of `files`, in their order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = (0o100755 if name in executable else 0o100644) << 16
            archive.writestr(entry, as_bytes(content))
    return buffer.getvalue()


def tar_gz(files: Mapping[str, str | bytes]) -> bytes:
    """A gzipped tar archive of `files`, in their order."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(as_bytes(content))
            entry.mtime = _TAR_TIME
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(as_bytes(content)))
    return gzip.compress(plain.getvalue(), mtime=0)
