"""Core metadata of an sdist, where its PKG-INFO (PEP 643) or its pyproject.toml promises what a build would give."""

from __future__ import annotations

import tarfile
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, cast

from packaging.version import InvalidVersion, Version

from lockset.dependency_specifiers import read_version
from lockset.errors import LocksetError
from lockset.metadata.bounded_reads import BoundedReads, archive_errors, inflated, tar_members
from lockset.metadata.core import parse_metadata, scan_fields
from lockset.metadata.pyproject import tree_metadata
from lockset.metadata.wheel import METADATA_LIMIT, check_identity

if TYPE_CHECKING:
    from lockset.index.pages.project_page import DistributionFile
    from lockset.metadata.core import CoreMetadata, MetadataFields

__all__ = ["pkg_info", "sdist_metadata", "static_metadata"]

# The first version of the metadata whose fields are promises, unless named in `Dynamic`.
_STATIC_SINCE = Version("2.2")
_NEEDED = frozenset({"requires-dist", "requires-python", "provides-extra"})
# Bytes inflated before PKG-INFO must have come.
_INFLATED = 2 * 1024**3


def sdist_metadata(file: BinaryIO, of: DistributionFile) -> CoreMetadata | None:
    """The metadata of sdist `of`, whose bytes `file` gives; None where only a build would tell.

    Raises:
        LocksetError: `metadata-invalid`: the archive is damaged, or its PKG-INFO tells another name or version.
    """
    data = pkg_info(file, of)
    if data is not None and not _is_old(scan_fields(data)):
        return static_metadata(data, of)
    file.seek(0)
    project = _member(file, of, "pyproject.toml")
    return None if project is None else _project_metadata(project, of)


def _project_metadata(data: bytes, of: DistributionFile) -> CoreMetadata | None:
    """What the [project] table promises; None where it leaves something to the build, or is of another version."""
    try:
        found = tree_metadata(data.decode("utf-8"), what=of.filename)
    except (LocksetError, UnicodeDecodeError):
        return None  # a build backend may still understand it
    if found is None or (found.name, found.version) != (of.project, of.version):
        return None
    return replace(found, origin="sdist")


def static_metadata(data: bytes, of: DistributionFile) -> CoreMetadata | None:
    """What a PKG-INFO promises; None where it is too old to promise, or leaves a needed field to the build."""
    fields = scan_fields(data)
    if _is_old(fields) or not {field.lower() for field in fields.dynamic}.isdisjoint(_NEEDED):
        return None
    found = parse_metadata(data, origin="sdist", what=of.filename)
    check_identity(found, of)
    return found


def _is_old(fields: MetadataFields) -> bool:
    """Whether the metadata is of a version in which nothing was promised yet."""
    try:
        return read_version(fields.metadata_version[0] if fields.metadata_version else "1.0") < _STATIC_SINCE
    except InvalidVersion:
        return True


def pkg_info(file: BinaryIO, of: DistributionFile) -> bytes | None:
    """The PKG-INFO in the one top folder of the archive; None where there is none."""
    return _member(file, of, "PKG-INFO")


def _member(file: BinaryIO, of: DistributionFile, name: str) -> bytes | None:
    try:
        return _of_zip(file, name) if of.filename.endswith(".zip") else _of_tar(file, name)
    except archive_errors() as error:
        raise LocksetError(
            "metadata-invalid",
            f"The metadata of `{of.filename}` cannot be used: the archive cannot be read: {error}",
            hint="Use another release of the project",
        ) from error


def _is_at_top(name: str, wanted: str) -> bool:
    parts = name.removeprefix("./").split("/")
    return len(parts) == 2 and parts[1] == wanted  # noqa: PLR2004 (top folder and file)


def _of_tar(file: BinaryIO, name: str) -> bytes | None:
    with tarfile.open(fileobj=inflated(file), mode="r:") as archive:
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
