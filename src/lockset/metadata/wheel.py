"""Read the core metadata of a wheel from a seekable file."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, cast

from lockset.errors import LocksetError, MetadataInvalidError
from lockset.index.filenames import parse_version
from lockset.metadata.bounded_reads import BoundedReads, archive_errors
from lockset.metadata.core import check_identity, parse_metadata
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from lockset.index.pages.project_page import DistributionFile
    from lockset.metadata.core import CoreMetadata

__all__ = ["METADATA_LIMIT", "read_any_metadata", "read_metadata_member", "wheel_metadata"]

# Limit for an inflated METADATA file in bytes.
METADATA_LIMIT = 8 * 1024 * 1024


def wheel_metadata(file: BinaryIO, of: DistributionFile) -> CoreMetadata:
    """The metadata of the wheel `of` in `file`.

    Raises:
        LocksetError: `metadata-invalid`: the archive is damaged, does not have exactly one dist-info folder with this
            name and version, or its metadata has another name or version.
    """
    data = read_metadata_member(file, of)
    metadata = parse_metadata(data, origin="wheel", what=of.filename)
    check_identity(metadata, of)
    return metadata


def read_metadata_member(file: BinaryIO, of: DistributionFile) -> bytes:
    """The bytes of the wheel's METADATA; raises the errors of `wheel_metadata`."""
    folder, data = _read_member(file, of.filename)
    name, _, version = folder.removesuffix(".dist-info").rpartition("-")
    if canonicalize_name(name) != of.project or parse_version(version) != of.version:
        raise _invalid(of.filename, f"its dist-info folder is `{folder}`")
    return data


def read_any_metadata(file: BinaryIO, *, what: str) -> bytes:
    """The METADATA of a newly built wheel, whatever its name and version."""
    return _read_member(file, what)[1]


def _read_member(file: BinaryIO, what: str) -> tuple[str, bytes]:
    """The dist-info folder and its METADATA."""
    import zipfile  # slow to import, and not needed with a `.metadata` file

    try:
        with zipfile.ZipFile(cast("BinaryIO", BoundedReads(file))) as archive:
            names = archive.namelist()
            folder = _dist_info(names, what)
            if names.count(f"{folder}/METADATA") > 1:
                raise _invalid(what, "it has more than one METADATA")
            member = archive.getinfo(f"{folder}/METADATA")
            # Limit the compressed bytes too: a small file may have any number of them.
            if max(member.file_size, member.compress_size) > METADATA_LIMIT:
                raise _invalid(what, f"its METADATA is larger than {METADATA_LIMIT} bytes")
            with archive.open(member) as stream:
                data = stream.read(METADATA_LIMIT + 1)
    except KeyError as error:
        raise _invalid(what, "it has no METADATA") from error
    except archive_errors() as error:
        raise _invalid(what, f"the archive cannot be read: {error}") from error
    if len(data) > METADATA_LIMIT:
        raise _invalid(what, f"its METADATA is larger than {METADATA_LIMIT} bytes")
    return folder, data


def _dist_info(names: list[str], what: str) -> str:
    """The only dist-info folder."""
    folders = {top for name in names if (top := name.partition("/")[0]).endswith(".dist-info")}
    if len(folders) != 1:
        raise _invalid(what, f"it has {len(folders)} dist-info folders")
    return folders.pop()


def _invalid(what: str, why: str) -> LocksetError:
    return MetadataInvalidError(
        f"The metadata of `{what}` cannot be used: {why}",
        hint="Use another release of the project",
    )
