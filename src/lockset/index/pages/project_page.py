"""A project's page on an index, whose files are decoded on first use."""

from __future__ import annotations

import json
import marshal
import zlib
from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from packaging.version import Version

from lockset._named_tuple import NamedTuple
from lockset.dependency_specifiers import read_version
from lockset.index.filenames import SDIST, WHEEL, build_number, parse_version, tags_of_triple, wheel_triple
from lockset.index.pages.file_rows import file_values
from lockset.index.pages.links import LinkBase
from lockset.index.pages.page_table import ALL_YANKED, MARSHAL_VERSION, PRERELEASE, PageTable, join_spans
from lockset.index.pages.project_status import STATUSES, ProjectStatus, one_line
from lockset.index.pages.stored_parts import DamagedPartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from packaging.tags import Tag

    from lockset.index.pages.file_rows import FileValues
    from lockset.index.pages.stored_parts import StoredBytes

__all__ = [
    "DistributionFile",
    "ProjectDetail",
    "Rows",
    "VersionList",
    "file_of_values",
    "unlisted_file",
    "with_likely_rows",
]

# Limit for a requires-python; longer ones may have numbers with too many digits.
_LONGEST_PYTHONS = 1_000
# For each value of a version's flags the digit 1 where a flag is, or is not, set.
_IS_YANKED = bytes(b"01"[bool(flags & ALL_YANKED)] for flags in range(256))
_IS_FINAL = bytes(b"10"[bool(flags & PRERELEASE)] for flags in range(256))
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class DistributionFile(NamedTuple):
    """One file of a project, as listed by an index: the values of its row, which properties decode on demand.

    A release has dozens of files, and a run looks at most of them by name alone.

    Attributes:
        filename: File name; a valid wheel or sdist name of `project`.
        url: Absolute, without fragment and without credentials.
        stated_hashes: See `hashes`.
        size: In bytes, or None.
        stated_python: See `requires_python`.
        stated_time: See `upload_time`.
        stated_yank: See `yanked`.
        stated_metadata: See `metadata`.
        provenance: URL of the file's provenance object (PEP 740), or None.
        project: Normalised name of the project.
        version: Version in the file name.
    """

    filename: str
    url: str
    stated_hashes: Any
    size: int | None
    stated_python: str | None
    stated_time: str | None
    stated_yank: str | None
    stated_metadata: Any
    provenance: str | None
    project: str
    version: Version

    def __hash__(self) -> int:
        return hash((self.filename, self.url))

    @property
    def hashes(self) -> Mapping[str, str]:
        """Algorithm in lower case to hexadecimal digest; may be empty."""
        return _hashes(self.stated_hashes)

    @property
    def requires_python(self) -> str | None:
        """Unparsed text, or None."""
        return _limit_length(self.stated_python)

    @property
    def upload_time(self) -> datetime | None:
        """In UTC, or None."""
        return None if self.stated_time is None else _time(self.stated_time)

    @property
    def yanked(self) -> bool:
        """Whether the file is yanked (PEP 592)."""
        return self.stated_yank is not None

    @property
    def yanked_reason(self) -> str | None:
        """The reason, or None."""
        return self.stated_yank or None

    @property
    def metadata(self) -> bool:
        """Whether the index promises a `.metadata` file (PEP 658)."""
        return self.stated_metadata is not None

    @property
    def metadata_hashes(self) -> Mapping[str, str]:
        """Hashes of that file; may be empty."""
        return _hashes(self.stated_metadata)

    @property
    def is_wheel(self) -> bool:
        """Whether the file is a wheel; otherwise it is an sdist."""
        return self.filename.endswith(".whl")

    @property
    def tags(self) -> frozenset[Tag]:
        """Compatibility tags of a wheel; empty for an sdist and for malformed tags."""
        return tags_of_triple(wheel_triple(self.filename)) if self.is_wheel else frozenset()

    @property
    def build(self) -> tuple[int, str] | tuple[()]:
        """Build number of a wheel, as packaging orders it; () if there is none."""
        return build_number(self.filename) if self.is_wheel else ()

    def values(self) -> tuple[Any, ...]:
        """The file as plain values: see `file_of_values`."""
        return (*self[:-1], str(self.version))


def file_of_values(values: tuple[Any, ...]) -> DistributionFile:
    """A file of its `values`."""
    return DistributionFile._make((*values[:-1], read_version(values[-1])))


def unlisted_file(
    *, filename: str, project: str, version: Version, url: str, hashes: Mapping[str, str], size: int | None = None
) -> DistributionFile:
    """A file of a lock or of a direct source, of which no index says more."""
    stated = tuple(hashes.items()) or None
    return DistributionFile(filename, url, stated, size, None, None, None, None, None, project, version)


class Rows:
    """Decodes the files of single versions from a table; a compressed page is decompressed once, on first use.

    `packed` returns the packed page of a table without it. It may raise DamagedPartError, as the parts of a table do.
    """

    __slots__ = ("_base", "_packed", "_page", "_table")

    def __init__(self, table: PageTable, packed: Callable[[], bytes | memoryview | StoredBytes] | None = None) -> None:
        self._table = table
        self._packed = packed or (lambda: table.packed)
        self._base = LinkBase(table.page_url)
        self._page: bytes | None = None

    def of(self, at: int) -> list[FileValues]:
        """The files of the version with this index, in the order of the page, without duplicate names."""
        table = self._table
        blob = table.blobs[at] if at < len(table.blobs) else self._unpack(at)
        if blob[:1] == b"{":
            return self._of_json(blob)
        if blob[:1] == b"<":
            from lockset.index.pages.simple_html import links_of  # its patterns are not needed for JSON pages

            return _first_of_each_name(links_of(blob.decode(), table.page_url))
        texts = table.requires_pythons
        return [
            (filename or url.rpartition("/")[2], url, hashes, size, texts[python], *more)
            for url, filename, hashes, size, python, *more in marshal.loads(blob)  # noqa: S302 (bytes of our own table, whose sum was checked)
        ]

    def _unpack(self, at: int) -> bytes:
        if self._page is None:
            self._page = zlib.decompress(bytes(self._packed()), _GZIP_OR_ZLIB)
        return join_spans(self._page, self._table.spans[at - len(self._table.blobs)])

    def _of_json(self, blob: bytes) -> list[FileValues]:
        files = [file_values(file, self._base) for file in json.loads(b"[%b]" % blob)]
        return _first_of_each_name(values for values in files if values is not None)


def _first_of_each_name(files: Iterable[FileValues]) -> list[FileValues]:
    by_name: dict[str, FileValues] = {}
    for values in files:
        by_name.setdefault(values[0], values)
    return list(by_name.values())


def with_likely_rows(table: PageTable) -> PageTable:
    """The same table, with the files of the newest final version as rows: mostly, a run needs those alone.

    Parsed and checked once, when the page arrives, instead of by every run that reads it from the cache.
    """
    unlikely = PRERELEASE | ALL_YANKED
    at = next((at for at in range(len(table.blobs)) if not table.flags[at] & unlikely), None)
    if at is None or table.blobs[at][:1] not in {b"{", b"<"}:
        return table
    files = Rows(table).of(at)
    ids = {text: number for number, text in enumerate(table.requires_pythons)}
    if any(values[4] not in ids for values in files):
        return table
    rows = [(url, filename, hashes, size, ids[python], *more) for filename, url, hashes, size, python, *more in files]
    blob = marshal.dumps(tuple(rows), MARSHAL_VERSION)
    return table._replace(blobs=(*table.blobs[:at], blob, *table.blobs[at + 1 :]))


class VersionList(Sequence[Version]):
    """Versions, newest first, each once and parsed on first use: a search looks at few of the many that a page lists.

    Attributes:
        texts: The versions as text, all of them valid.
    """

    __slots__ = ("_parsed", "_positions", "texts")

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self._parsed: list[Version | None] = [None] * len(texts)
        self._positions: dict[Version, int] = {}

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, at: SupportsIndex) -> Version: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Version, ...]: ...
    def __getitem__(self, at: SupportsIndex | slice) -> Version | tuple[Version, ...]:
        """The version at a position, or those of a slice."""
        if isinstance(at, slice):
            return tuple([self[position] for position in range(*at.indices(len(self.texts)))])
        version = self._parsed[at]
        return self._parse(range(len(self.texts))[at]) if version is None else version

    def number(self, at: int) -> tuple[int, tuple[int, ...]]:
        """Epoch and release number of the version at a position; most versions are nothing else, and are not parsed."""
        text = self.texts[at]
        if text.replace(".", "").isdecimal():
            return 0, tuple(map(int, text.split(".")))
        version = self[at]
        return version.epoch, version.release

    def _parse(self, position: int) -> Version:
        version = parse_version(self.texts[position])
        assert version is not None, self.texts[position]  # pages are sorted by version when they are read
        self._parsed[position] = version
        self._positions[version] = position
        return version

    def position(self, version: Version) -> int | None:
        """The position of `version`; None if it is not in the list."""
        known = self._positions.get(version)
        if known is None and len(self._positions) < len(self.texts):
            at = bisect_left(range(len(self.texts)), 1, key=lambda position: self[position] <= version)
            return at if at < len(self.texts) and self[at] == version else None
        return known

    def index(self, value: Version, start: int = 0, stop: int | None = None) -> int:
        """The position of `value`.

        Raises:
            ValueError: it is not in the list, or not between `start` and `stop`.
        """
        position = self.position(value)
        if position is None or position not in range(len(self.texts))[start:stop]:
            raise ValueError(f"{value} is not in the list")
        return position

    def __contains__(self, value: object) -> bool:
        return isinstance(value, Version) and self.position(value) is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self.texts))


class ProjectDetail:
    """The page of one project on an index; cheap to create from a stored table of any size.

    `packed` returns the packed page of a table without it, on first use.

    Attributes:
        name: Normalised name.
        index_url: Address of the index without credentials.
        status: `archived`, `deprecated` or `quarantined` (PEP 792); None for active projects and unknown statuses.
        status_reason: The reason that the index gives for the status, as one line of at most 300 characters, or None.
        fingerprint: Changes with any change of the page; "" if it was not computed.
        index_numbers: For each version the number of the index that it comes from, if all versions of an index are
            tried before those of the next one; else empty.
        renew: Fetches the page again, for a stored one that turns out to be damaged.
        versions: Versions with at least one file, newest first.
    """

    def __init__(
        self,
        table: PageTable,
        *,
        packed: Callable[[], bytes | memoryview | StoredBytes] | None = None,
        fingerprint: str = "",
        index_urls: Mapping[Version, str] | None = None,
        index_numbers: Mapping[Version, int] | None = None,
        renew: Callable[[], PageTable] | None = None,
    ) -> None:
        self.name = table.name
        self.index_url = table.index_url
        self.status = table.status if table.status in STATUSES else None
        self.status_reason = None if self.status is None else one_line(table.status_reason)
        self.fingerprint = fingerprint
        self.index_numbers = index_numbers or {}
        self._index_urls = index_urls or {}
        self._renew = renew
        self._renewed: tuple[Sequence[str], Rows] | None = None
        self._table = table
        self._rows = Rows(table, packed)
        self.versions = VersionList(table.versions)
        self._files: dict[Version, tuple[DistributionFile, ...]] = {}

    @property
    def table(self) -> PageTable:
        """The compact form, for stores."""
        return self._table

    @property
    def is_quarantined(self) -> bool:
        """Whether the index has found the project unsafe: none of its files is offered for installation (PEP 792)."""
        return self.status == "quarantined"

    @property
    def project_status(self) -> ProjectStatus | None:
        """The status with its reason; None where `status` is."""
        if self.status is None:
            return None
        return ProjectStatus(project=self.name, status=self.status, reason=self.status_reason, index_url=self.index_url)

    @property
    def refused(self) -> int:
        """Number of links that are not allowed, such as one from a remote page to a local file."""
        return self._table.refused

    @property
    def versions_by_index(self) -> Sequence[Version]:
        """The versions, newest first; those of the first index before those of others, if `index_numbers` are given."""
        if not self.index_numbers:
            return self.versions
        return tuple(sorted(self.versions, key=lambda version: self.index_numbers.get(version, 0)))

    def index_of(self, version: Version) -> str:
        """Address of the first index that has `version`, without credentials."""
        return self._index_urls.get(version, self.index_url)

    def _position(self, version: Version) -> int:
        position = self.versions.position(version)
        if position is None:
            raise KeyError(version)
        return position

    def __contains__(self, version: object) -> bool:
        return version in self.versions

    def files(self, version: Version) -> tuple[DistributionFile, ...]:
        """Files of `version`, in the order of the page; KeyError if the project has no such version."""
        files = self._files.get(version)
        if files is None:
            rows = self._rows_of(self._position(version))
            files = self._files[version] = tuple([self._decode(row, version) for row in rows])
        return files

    def _rows_of(self, at: int) -> list[FileValues]:
        """The rows of the version at a position; from the page fetched again if the stored one is damaged there."""
        try:
            return self._rows.of(at)
        except DamagedPartError:
            if self._renewed is None:
                if self._renew is None:
                    raise
                table = self._renew()
                self._renewed = table.versions, Rows(table)
            versions, rows = self._renewed
            text = self._table.versions[at]
            return rows.of(versions.index(text)) if text in versions else []

    def each_file(self, version: Version) -> Iterator[DistributionFile]:
        """The same files, decoded one by one as they are needed."""
        files = self._files.get(version)
        if files is not None:
            yield from files
        else:
            yield from (self._decode(row, version) for row in self._rows_of(self._position(version)))

    def requires_pythons(self, version: Version) -> frozenset[str | None]:
        """The distinct requires-python texts of the version's files, without decoding the files."""
        texts, ids = self._table.requires_pythons, self._table.python_ids[self._position(version)]
        return frozenset([_limit_length(texts[at]) for at in ((ids,) if isinstance(ids, int) else ids)])

    def yanked(self, version: Version) -> bool:
        """Whether all files of the version are yanked."""
        return bool(self._table.flags[self._position(version)] & ALL_YANKED)

    @property
    def final_bits(self) -> int:
        """Bit i is set where `versions[i]` is not a pre-release."""
        return _bits(self._table.flags, _IS_FINAL)

    @property
    def yanked_bits(self) -> int:
        """Bit i is set where all files of `versions[i]` are yanked."""
        return _bits(self._table.flags, _IS_YANKED)

    @property
    def yanked_versions(self) -> frozenset[Version]:
        """The versions all of whose files are yanked."""
        flags = self._table.flags
        return frozenset(self.versions[at] for at in range(len(flags)) if flags[at] & ALL_YANKED)

    def has_wheel(self, version: Version) -> bool:
        """Whether the version has a wheel."""
        return bool(self._table.flags[self._position(version)] & WHEEL)

    def has_sdist(self, version: Version) -> bool:
        """Whether the version has an sdist."""
        return bool(self._table.flags[self._position(version)] & SDIST)

    def _decode(self, values: FileValues, version: Version) -> DistributionFile:
        return DistributionFile(*values, self.name, version)


def _bits(flags: bytes, digits: bytes) -> int:
    """The digits for `flags` as the bits of a number, the first one the lowest."""
    return int(flags.translate(digits)[::-1] or b"0", 2)


def _hashes(stored: Any) -> dict[str, str]:
    """The hashes of a row as a mapping."""
    if isinstance(stored, str):
        return {"sha256": stored.lower()}
    return {name: value.lower() for name, value in stored} if isinstance(stored, tuple) else {}


def _limit_length(requires_python: str | None) -> str | None:
    """The text; None if it is too long, which is ignored like one that cannot be parsed."""
    return None if requires_python is not None and len(requires_python) > _LONGEST_PYTHONS else requires_python


def _with_long_fraction(text: str) -> str:
    """A time in the form that Python 3.10 accepts: with an offset, and with six digits of a fraction."""
    if text[-1:] in {"Z", "z"}:
        text = text[:-1] + "+00:00"
    if "." in text:
        head, _, rest = text.partition(".")
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        text = f"{head}.{digits[:6].ljust(6, '0')}{rest[len(digits) :]}"
    return text


def _time(text: str) -> datetime | None:
    """An ISO 8601 time in UTC; None if it is not valid. Times without a zone are assumed to be UTC."""
    is_usual = len(text) == 27 and text[19] == "." and text[26] == "Z" and text[20:26].isdecimal()
    try:
        time = datetime.fromisoformat(text[:26] if is_usual else _with_long_fraction(text))
        return time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time.astimezone(timezone.utc)
    except (ValueError, OverflowError):  # not a time, or out of range in UTC
        return None
