"""Core metadata of an sdist, where its PKG-INFO promises that a build would give the same (PEP 643)."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO

from packaging.version import InvalidVersion, Version

from lockset.errors import LocksetError
from lockset.metadata.core import parse_metadata, scan_fields
from lockset.metadata.wheel import METADATA_LIMIT, check_identity

if TYPE_CHECKING:
    from lockset.index.page import DistributionFile
    from lockset.metadata.core import CoreMetadata

__all__ = ["pkg_info", "sdist_metadata", "static_metadata"]

# The first version of the metadata whose fields are promises, unless named in `Dynamic`.
_STATIC_SINCE = Version("2.2")
_NEEDED = frozenset({"requires-dist", "requires-python", "provides-extra"})
# Members looked at and bytes inflated before PKG-INFO must have come.
_MEMBERS = 100_000
_INFLATED = 2 * 1024**3


def sdist_metadata(file: BinaryIO, of: DistributionFile) -> CoreMetadata | None:
    """The metadata of sdist `of`, whose bytes `file` gives; None where only a build would tell.

    Raises:
        LocksetError: `metadata-invalid`: the archive is damaged, or its PKG-INFO tells another name or version.
    """
    data = pkg_info(file, of)
    return None if data is None else static_metadata(data, of)


def static_metadata(data: bytes, of: DistributionFile) -> CoreMetadata | None:
    """What a PKG-INFO promises; None where it is too old to promise, or leaves a needed field to the build."""
    fields = scan_fields(data)
    try:
        old = Version(fields.metadata_version[0] if fields.metadata_version else "1.0") < _STATIC_SINCE
    except InvalidVersion:
        old = True
    dynamic = {field.lower() for field in fields.dynamic}
    if old or not dynamic.isdisjoint(_NEEDED):
        return None
    found = parse_metadata(data, origin="sdist", what=of.filename)
    check_identity(found, of)
    return found


def pkg_info(file: BinaryIO, of: DistributionFile) -> bytes | None:
    """The PKG-INFO in the one top folder of the archive; None where there is none."""
    try:
        return _of_zip(file) if of.filename.endswith(".zip") else _of_tar(file)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        raise LocksetError(
            "metadata-invalid",
            f"The metadata of `{of.filename}` cannot be used: the archive cannot be read: {error}",
            hint="Use another release of the project",
        ) from error


def _is_pkg_info(name: str) -> bool:
    parts = name.removeprefix("./").split("/")
    return len(parts) == 2 and parts[1] == "PKG-INFO"  # noqa: PLR2004 (top folder and file)


def _of_tar(file: BinaryIO) -> bytes | None:
    with tarfile.open(fileobj=file, mode="r:gz") as archive:
        for count, member in enumerate(archive):
            if count > _MEMBERS or member.offset > _INFLATED:
                return None
            if _is_pkg_info(member.name) and member.isreg() and member.size <= METADATA_LIMIT:
                stream = archive.extractfile(member)
                return None if stream is None else stream.read(METADATA_LIMIT)
    return None


def _of_zip(file: BinaryIO) -> bytes | None:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if _is_pkg_info(member.filename) and member.file_size <= METADATA_LIMIT:
                with archive.open(member) as stream:
                    return stream.read(METADATA_LIMIT)
    return None
