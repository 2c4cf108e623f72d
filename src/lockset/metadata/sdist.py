"""Core metadata of an sdist without a build, from its PKG-INFO (PEP 643) or its pyproject.toml (PEP 621)."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, BinaryIO, cast

from packaging.version import InvalidVersion, Version

from lockset._dataclass import replace
from lockset.dependency_specifiers import read_version
from lockset.errors import LocksetError, MetadataInvalidError
from lockset.metadata.bounded_reads import BoundedReads, archive_errors, open_compressed
from lockset.metadata.core import check_identity, parse_metadata, scan_fields
from lockset.metadata.pyproject import tree_metadata
from lockset.metadata.tar_archive import open_tar, tar_members
from lockset.metadata.wheel import METADATA_LIMIT

if TYPE_CHECKING:
    from lockset.index.pages.project_page import DistributionFile
    from lockset.metadata.core import CoreMetadata, MetadataFields

__all__ = ["pkg_info", "sdist_metadata", "static_metadata"]

# The first metadata version whose fields are static unless listed in `Dynamic` (PEP 643).
_STATIC_SINCE = Version("2.2")
_NEEDED = frozenset({"requires-dist", "requires-python", "provides-extra"})
# Limit for the bytes that are inflated to find a member.
_INFLATED = 2 * 1024**3


def sdist_metadata(file: BinaryIO, of: DistributionFile) -> CoreMetadata | None:
    """The static metadata of the sdist `of` in `file`; None if a build is required.

    Raises:
        LocksetError: `metadata-invalid`: the archive is damaged, or its PKG-INFO has another name or version.
    """
    data = pkg_info(file, of)
    if data is not None and not _is_old(scan_fields(data)):
        return static_metadata(data, of)
    file.seek(0)
    project = _member(file, of, "pyproject.toml")
    return None if project is None else _project_metadata(project, of)


def _project_metadata(data: bytes, of: DistributionFile) -> CoreMetadata | None:
    """The metadata of the [project] table; None if a field is dynamic, or the version differs."""
    try:
        metadata = tree_metadata(data.decode("utf-8"), what=of.filename)
    except (LocksetError, UnicodeDecodeError):
        return None  # a build backend may still accept it
    if metadata is None or (metadata.name, metadata.version) != (of.project, of.version):
        return None
    return replace(metadata, origin="sdist")


def static_metadata(data: bytes, of: DistributionFile) -> CoreMetadata | None:
    """The metadata of a PKG-INFO; None if its metadata version is too old, or a needed field is dynamic."""
    fields = scan_fields(data)
    if _is_old(fields) or not {field.lower() for field in fields.dynamic}.isdisjoint(_NEEDED):
        return None
    metadata = parse_metadata(data, origin="sdist", what=of.filename)
    check_identity(metadata, of)
    return metadata


def _is_old(fields: MetadataFields) -> bool:
    """Whether the metadata version is older than PEP 643."""
    try:
        return read_version(fields.metadata_version[0] if fields.metadata_version else "1.0") < _STATIC_SINCE
    except InvalidVersion:
        return True


def pkg_info(file: BinaryIO, of: DistributionFile) -> bytes | None:
    """The PKG-INFO in the top folder of the archive, or None."""
    return _member(file, of, "PKG-INFO")


def _member(file: BinaryIO, of: DistributionFile, name: str) -> bytes | None:
    try:
        return _of_zip(file, name) if of.filename.endswith(".zip") else _of_tar(file, name)
    except archive_errors() as error:
        raise MetadataInvalidError(
            f"The metadata of `{of.filename}` cannot be used: the archive cannot be read: {error}",
            hint="Use another release of the project",
        ) from error


def _is_at_top(name: str, filename: str) -> bool:
    parts = name.removeprefix("./").split("/")
    return len(parts) == 2 and parts[1] == filename


def _of_tar(file: BinaryIO, name: str) -> bytes | None:
    with open_tar(open_compressed(file)) as archive:
        for member in tar_members(archive):
            if max(archive.offset, member.offset_data + member.size) > _INFLATED:
                return None
            if _is_at_top(member.name, name) and member.isreg() and member.size <= METADATA_LIMIT:
                stream = archive.extractfile(member)
                return None if stream is None else stream.read(METADATA_LIMIT)
    return None


def _of_zip(file: BinaryIO, name: str) -> bytes | None:
    with zipfile.ZipFile(cast("BinaryIO", BoundedReads(file))) as archive:
        for member in archive.infolist():
            if _is_at_top(member.filename, name) and member.file_size <= METADATA_LIMIT:
                with archive.open(member) as stream:
                    return stream.read(METADATA_LIMIT)
    return None
