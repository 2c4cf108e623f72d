"""Core metadata of a wheel, out of a seekable file."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, cast

from packaging.utils import canonicalize_name

from lockset.errors import LocksetError
from lockset.index.filenames import parse_version
from lockset.metadata.bounded_reads import BoundedReads, archive_errors
from lockset.metadata.core import parse_metadata

if TYPE_CHECKING:
    from lockset.index.pages.project_page import DistributionFile
    from lockset.metadata.core import CoreMetadata

__all__ = ["METADATA_LIMIT", "check_identity", "read_any_metadata", "read_metadata_member", "wheel_metadata"]

# Bytes of a METADATA file once inflated.
METADATA_LIMIT = 8 * 1024 * 1024


def wheel_metadata(file: BinaryIO, of: DistributionFile) -> CoreMetadata:
    """The metadata of wheel `of`, whose bytes `file` gives.

    Raises:
        LocksetError: `metadata-invalid`: the archive is damaged, has not exactly one dist-info folder of this name
            and version, or its metadata tell another name or version.
    """
    data = read_metadata_member(file, of)
    found = parse_metadata(data, origin="wheel", what=of.filename)
    check_identity(found, of)
    return found


def read_metadata_member(file: BinaryIO, of: DistributionFile) -> bytes:
    """The bytes of the wheel's METADATA; errors as of `wheel_metadata`."""
    folder, data = _read_member(file, of.filename)
    name, _, version = folder.removesuffix(".dist-info").rpartition("-")
    if canonicalize_name(name) != of.project or parse_version(version) != of.version:
        raise _invalid(of.filename, f"its dist-info folder is `{folder}`")
    return data


def read_any_metadata(file: BinaryIO, *, what: str) -> bytes:
    """The METADATA of a wheel just built, whatever its name and version."""
    return _read_member(file, what)[1]


def _read_member(file: BinaryIO, what: str) -> tuple[str, bytes]:
    """The one dist-info folder and its METADATA."""
    import zipfile  # slow to import, and needed where no `.metadata` file tells

    try:
        with zipfile.ZipFile(cast("BinaryIO", BoundedReads(file))) as archive:
            names = archive.namelist()
            folder = _dist_info(names, what)
            if names.count(f"{folder}/METADATA") > 1:
                raise _invalid(what, "it has more than one METADATA")
            member = archive.getinfo(f"{folder}/METADATA")
            # Compressed bytes count as well: there can be any number of them for nothing.
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
    """The one dist-info folder."""
    folders = {top for name in names if (top := name.partition("/")[0]).endswith(".dist-info")}
    if len(folders) != 1:
        raise _invalid(what, f"it has {len(folders)} dist-info folders")
    return folders.pop()


def check_identity(found: CoreMetadata, of: DistributionFile) -> None:
    """LocksetError `metadata-invalid` where the metadata are of another project or version than the file name says."""
    if found.name != of.project or found.version != of.version:
        raise _invalid(of.filename, f"its metadata are of {found.name} {found.version}")


def _invalid(what: str, why: str) -> LocksetError:
    return LocksetError(
        "metadata-invalid",
        f"The metadata of `{what}` cannot be used: {why}",
        hint="Use another release of the project",
    )
