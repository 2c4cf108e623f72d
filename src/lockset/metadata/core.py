"""Read the core metadata (METADATA, PKG-INFO) that resolution needs, from the header fields alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from lockset._dataclass import dataclass
from lockset.dependency_specifiers import excess, read_version
from lockset.errors import MetadataInvalidError
from lockset.package_names import InvalidName, canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lockset.index.pages.project_page import DistributionFile

__all__ = ["CoreMetadata", "MetadataFields", "check_identity", "parse_metadata", "scan_fields"]

# Limit for the header in bytes; the largest real ones have about 100 KB.
HEADER_LIMIT = 4 * 1024 * 1024

_FIELDS = {
    "metadata-version": "metadata_version",
    "name": "name",
    "version": "version",
    "requires-dist": "requires_dist",
    "requires-python": "requires_python",
    "provides-extra": "provides_extra",
    "dynamic": "dynamic",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreMetadata:
    """The metadata of one release that resolution needs.

    Attributes:
        name: Normalized name.
        version: Version in the metadata.
        requires_dist: Unparsed requirements.
        requires_python: Unparsed specifier, or None.
        provides_extra: Normalized names.
        dynamic: Fields (in lower case) of an sdist that the build determines (PEP 643).
        origin: Where it comes from: "wheel", "metadata-file", "sdist", "tree" or "built".
    """

    name: str
    version: Version
    requires_dist: tuple[str, ...] = ()
    requires_python: str | None = None
    provides_extra: frozenset[str] = frozenset()
    dynamic: frozenset[str] = frozenset()
    origin: str

    def record(self) -> dict[str, Any]:
        """The metadata as values of JSON, for caches."""
        return {
            "name": self.name,
            "version": str(self.version),
            "requires_dist": list(self.requires_dist),
            "requires_python": self.requires_python,
            "provides_extra": sorted(self.provides_extra),
            "dynamic": sorted(self.dynamic),
            "origin": self.origin,
        }

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> CoreMetadata:
        """The metadata of a record. ValueError, KeyError or TypeError if it is not one."""
        return cls(
            name=record["name"],
            version=read_version(record["version"]),
            requires_dist=tuple(record["requires_dist"]),
            requires_python=record["requires_python"],
            provides_extra=frozenset(record["provides_extra"]),
            dynamic=frozenset(record["dynamic"]),
            origin=record["origin"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataFields:
    """Unparsed header fields, with all their values."""

    metadata_version: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    version: tuple[str, ...] = ()
    requires_dist: tuple[str, ...] = ()
    requires_python: tuple[str, ...] = ()
    provides_extra: tuple[str, ...] = ()
    dynamic: tuple[str, ...] = ()


def scan_fields(data: bytes) -> MetadataFields:
    """The needed header fields of a METADATA or PKG-INFO file, with folded lines joined; the body is not read."""
    head = _header(data)
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        text = head.decode("latin-1")  # old tools used the encoding of their locale; the needed fields are ASCII
    fields: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.split("\n"):
        if line[:1] in {" ", "\t"}:
            if current is not None:
                current[-1] = f"{current[-1]} {line.strip()}".strip()
            continue
        name, colon, value = line.partition(":")
        field = _FIELDS.get(name.lower()) if colon else None
        if field is None:
            current = None
        else:
            current = fields.setdefault(field, [])
            current.append(value.strip())
    return MetadataFields(**{field: tuple(values) for field, values in fields.items()})


def _header(data: bytes) -> bytes:
    """The text before the first empty line, with Unix line ends, without a byte order mark."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    if data.startswith((b"\n", b"\r\n")):
        return b""
    ends = [at for at in (data.find(b"\n\n"), data.find(b"\n\r\n")) if at != -1]
    head = data[: min(ends)] if ends else data
    if len(head) > HEADER_LIMIT:
        raise MetadataInvalidError(f"The header of the metadata is longer than {HEADER_LIMIT} bytes")
    return head.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in head else head


def parse_metadata(data: bytes, *, origin: str, what: str) -> CoreMetadata:
    """Parse the metadata in `data`; `what` names the file in errors.

    Requirements and requires-python stay unparsed: the resolver decides about invalid ones for each release.

    Raises:
        LocksetError: `metadata-invalid`: name or version is missing, duplicate or malformed.
    """
    fields = scan_fields(data)
    name = _single(fields.name, "Name", what)
    version = _single(fields.version, "Version", what)
    _check_bounds((version, *fields.requires_dist, *fields.requires_python), what)
    try:
        normalized = canonicalize_name(name, validate=True)
        parsed = read_version(version)
    except (InvalidName, InvalidVersion) as error:
        raise MetadataInvalidError(f"The metadata of {what} is malformed: {error}") from error
    return CoreMetadata(
        name=normalized,
        version=parsed,
        requires_dist=tuple(text for text in fields.requires_dist if text),
        requires_python=_optional(fields.requires_python),
        provides_extra=frozenset(canonicalize_name(extra) for extra in fields.provides_extra if extra),
        dynamic=frozenset(field.lower() for field in fields.dynamic),
        origin=origin,
    )


def check_identity(metadata: CoreMetadata, of: DistributionFile) -> None:
    """Raise LocksetError `metadata-invalid` if the metadata does not have the name and version of the file name."""
    if metadata.name != of.project or metadata.version != of.version:
        raise MetadataInvalidError(
            f"The metadata of `{of.filename}` cannot be used:"
            f" its metadata is that of {metadata.name} {metadata.version}",
            hint="Use another release of the project",
        )


def _single(values: tuple[str, ...], field: str, what: str) -> str:
    if len(set(values)) != 1 or not values[0]:
        problem = "has no" if not any(values) else "has more than one"
        raise MetadataInvalidError(f"The metadata of {what} {problem} {field}")
    return values[0]


def _check_bounds(texts: Iterable[str], what: str) -> None:
    """Raise LocksetError `metadata-invalid` for texts that exceed the limits of the parsers."""
    for text in texts:
        reason = excess(text)
        if reason is not None:
            message = f"The metadata of {what} cannot be used: `{text[:40]}...` is not valid: {reason}"
            raise MetadataInvalidError(message)


def _optional(values: tuple[str, ...]) -> str | None:
    """The first value; old tools wrote `UNKNOWN` for none."""
    for value in values:
        if value and value != "UNKNOWN":
            return value
    return None
