"""Read and check a wheel by its member names and metadata (binary distribution format)."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename
from packaging.version import InvalidVersion, Version

from lockset._dataclass import dataclass
from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import read_version, read_wheel_name
from lockset.errors import LocksetError
from lockset.hashes import STRONG_ALGORITHMS
from lockset.package_names import canonicalize_name
from lockset.sync.desired import WheelIdentity
from lockset.sync.installed import SOURCE_FILE
from lockset.sync.wheel.entry_points import scripts_in
from lockset.sync.wheel.file_lists import parse_record
from lockset.sync.wheel.safe_path import path_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lockset.sync.wheel.entry_points import Script
    from lockset.sync.wheel.file_lists import Row
    from lockset.sync.wheel.zip_reader import ZipMember

__all__ = ["OURS", "SCHEMES", "Content", "Wheel", "WheelIdentity", "read_wheel"]

# Schemes that `.data/<scheme>/` may name.
SCHEMES = frozenset({"purelib", "platlib", "headers", "scripts", "data"})
# Files of dist-info that the installer writes; those of an archive are dropped.
OURS = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "provenance_url.json", SOURCE_FILE})
# Signatures of RECORD, which are not listed in it; they are obsolete.
_SIGNATURES = frozenset({"RECORD.jws", "RECORD.p7s"})
# Metadata files that must be present; the reader limits their size.
_NEEDED = ("METADATA", "WHEEL", "RECORD")
# A RECORD with more rows than members is invalid; one with this many more is not even parsed.
_SPARE_ROWS = 64
# Suffixes that other tools recognize as metadata at the top of site-packages.
_METADATA_ENDINGS = (".dist-info", ".egg-info", ".egg-link", ".egg")
# The supported version of the wheel format.
_MAJOR, _MINOR = 1, 0
_BYTECODE = (".pyc", ".pyo")
_HEADER = lazy_pattern(r"([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*)")


class Content(NamedTuple):
    """One member to install: its scheme, its path within, and the hash that RECORD promises."""

    scheme: str
    path: str
    member: ZipMember
    algorithm: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel whose names, metadata and RECORD agree. The bytes of `contents` and `dropped` are not yet hashed.

    Attributes:
        newer_format: Its Wheel-Version, if the minor version is greater than the supported one.
    """

    name: str
    version: Version
    dist_info: str
    data_dir: str
    root_scheme: str
    contents: tuple[Content, ...]
    dropped: tuple[Content, ...]
    scripts: tuple[Script, ...]
    texts: Mapping[str, str]
    newer_format: str | None = None


class _RefusedWheel(ValueError):
    pass


def read_wheel(members: Iterable[ZipMember], read: Callable[[ZipMember], bytes], *, identity: WheelIdentity) -> Wheel:
    """Read the wheel with these members; `read` returns the content of a small one.

    Raises:
        LocksetError: `wheel-refused`; `archive-refused` from `read`.
    """
    try:
        return _read_wheel({member.name: member for member in members}, read, identity)
    except _RefusedWheel as refusal:
        raise LocksetError(
            "wheel-refused",
            f"{str(identity)[0].upper()}{str(identity)[1:]} cannot be installed: {refusal}",
            hint="Report it to the project, or lock another version",
        ) from None


def _read_wheel(members: Mapping[str, ZipMember], read: Callable[[ZipMember], bytes], identity: WheelIdentity) -> Wheel:
    for name in members:
        problem = path_problem(name.removesuffix("/"))
        if problem is not None:
            raise _RefusedWheel(f"the path `{name}` {problem}")
    files = {name: member for name, member in members.items() if not name.endswith("/")}
    dist_info = _dist_info(members)
    texts = _texts(files, dist_info, read)
    name, version = _name_and_version(texts["METADATA"], dist_info, identity)
    root_scheme, newer_format = _format(texts["WHEEL"])
    data_dir = _data_dir(members, name, version)
    hashes = _hashes(texts["RECORD"], files, dist_info)
    contents, dropped = _partition(files, hashes, dist_info, data_dir, root_scheme)
    return Wheel(
        name=name,
        version=version,
        dist_info=dist_info,
        data_dir=data_dir,
        root_scheme=root_scheme,
        contents=contents,
        dropped=dropped,
        scripts=_scripts(texts.get("entry_points.txt", "")),
        texts=texts,
        newer_format=newer_format,
    )


def _dist_info(members: Iterable[str]) -> str:
    tops = {name.partition("/")[0] for name in members}
    folders = {top for top in tops if top.casefold().endswith(".dist-info")}
    if len(folders) != 1:
        raise _RefusedWheel(f"it has {len(folders)} dist-info folders instead of one")
    return folders.pop()


def _texts(files: Mapping[str, ZipMember], dist_info: str, read: Callable[[ZipMember], bytes]) -> Mapping[str, str]:
    texts: dict[str, str] = {}
    for filename in (*_NEEDED, "entry_points.txt"):
        member = files.get(f"{dist_info}/{filename}")
        if member is not None:
            try:
                texts[filename] = read(member).decode()
            except UnicodeDecodeError:
                raise _RefusedWheel(f"its {filename} is not UTF-8") from None
        elif filename in _NEEDED:
            raise _RefusedWheel(f"it has no {filename}")
    return texts


def _name_and_version(metadata: str, dist_info: str, identity: WheelIdentity) -> tuple[str, Version]:
    """Name and version; the lock file, the file name, dist-info and METADATA must agree."""
    stated = [("its dist-info folder", *_split(dist_info.removesuffix(".dist-info")))]
    headers = _headers(metadata, "METADATA")
    stated.append(("its METADATA", headers.get("name", ""), headers.get("version", "")))
    if identity.filename is not None:
        try:
            file_name, file_version, _, _ = read_wheel_name(identity.filename)
        except InvalidWheelFilename:
            raise _RefusedWheel("its file name is not a valid wheel file name") from None
        stated.append(("its file name", file_name, str(file_version)))
    name, version = identity.name, identity.version
    for source, stated_name, stated_version in stated:
        try:
            parsed = read_version(stated_version)
        except InvalidVersion:
            raise _RefusedWheel(f"{source} has no valid version") from None
        version = parsed if version is None else version
        if canonicalize_name(stated_name) != name or parsed != version:
            raise _RefusedWheel(f"{source} says {stated_name} {stated_version}, not {name} {version}")
    assert version is not None
    return name, version


def _split(stem: str) -> tuple[str, str]:
    name, _, version = stem.partition("-")
    return name, version


def _headers(text: str, what: str) -> Mapping[str, str]:
    """The headers of `text` that matter here; each may occur once."""
    headers: dict[str, str] = {}
    for line in _head(text):
        match = _HEADER.fullmatch(line)
        if match is None:
            continue
        key = match[1].lower()
        if key in {"name", "version", "wheel-version", "root-is-purelib"}:
            if key in headers:
                raise _RefusedWheel(f"its {what} has `{match[1]}` twice")
            headers[key] = match[2].strip()
    return headers


def _head(text: str) -> Iterator[str]:
    """The lines before the first blank one, split at every kind of line end."""
    for piece in io.StringIO(text):
        for line in piece.splitlines():
            if not line.strip():
                return
            yield line


def _format(text: str) -> tuple[str, str | None]:
    """The root scheme, and the version of the format if an installer should warn about it."""
    headers = _headers(text, "WHEEL")
    version = headers.get("wheel-version", "")
    match = re.fullmatch(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.[0-9]{1,9})*", version)
    # The specification: fail if the major version is greater than the supported one, and only then.
    if match is None or int(match[1]) > _MAJOR:
        raise _RefusedWheel(f"its Wheel-Version is `{version}`; versions up to {_MAJOR}.x are supported")
    purelib = headers.get("root-is-purelib", "").lower()
    if purelib not in {"true", "false"}:
        raise _RefusedWheel("its WHEEL has no valid Root-Is-Purelib")
    newer = (int(match[1]), int(match[2] or 0)) > (_MAJOR, _MINOR)
    return "purelib" if purelib == "true" else "platlib", version if newer else None


def _data_dir(members: Iterable[str], name: str, version: Version) -> str:
    folders: set[str] = set()
    for top in {member.partition("/")[0] for member in members}:
        if not top.endswith(".data"):
            continue
        folder_name, folder_version = _split(top.removesuffix(".data"))
        try:
            parsed = read_version(folder_version)
        except InvalidVersion:
            continue
        if canonicalize_name(folder_name) != name or parsed != version:
            # Some installers treat every such folder as the data of the wheel.
            raise _RefusedWheel(f"`{top}` is the data folder of another distribution")
        folders.add(top)
    if len(folders) > 1:
        raise _RefusedWheel("it has two data folders")
    return folders.pop() if folders else f"{name.replace('-', '_')}-{version}.data"


def _hashes(record: str, files: Mapping[str, ZipMember], dist_info: str) -> Mapping[str, tuple[str, str]]:
    """Algorithm and digest of every member except RECORD."""
    rows = _rows(record, most=len(files) + _SPARE_ROWS)
    hashes: dict[str, tuple[str, str]] = {}
    own = f"{dist_info}/RECORD"
    seen: set[str] = set()
    for path, text, size in rows:
        if path in seen:
            raise _RefusedWheel(f"its RECORD lists `{path}` twice")
        seen.add(path)
        member = files.get(path)
        if member is None:
            raise _RefusedWheel(f"its RECORD lists `{path}`, which does not exist")
        if path == own:
            continue
        algorithm, _, digest = text.partition("=")
        if algorithm not in STRONG_ALGORITHMS or not digest:
            raise _RefusedWheel(f"its RECORD has no strong hash for `{path}`")
        if size is not None and size != member.size:
            raise _RefusedWheel(f"the size of `{path}` does not match its RECORD")
        hashes[path] = (algorithm, digest)
    for name in files:
        if name not in seen and name != own and not _is_signature(name, dist_info):
            raise _RefusedWheel(f"`{name}` is not in its RECORD")
    return hashes


def _rows(record: str, *, most: int) -> tuple[Row, ...]:
    if record.count("\n") > most:
        raise _RefusedWheel("its RECORD lists more files than it has")
    try:
        return parse_record(record)
    except ValueError as error:
        raise _RefusedWheel(f"its RECORD cannot be read: {error}") from None


def _is_signature(path: str, dist_info: str) -> bool:
    folder, _, name = path.rpartition("/")
    return folder == dist_info and name in _SIGNATURES


def _partition(
    files: Mapping[str, ZipMember],
    hashes: Mapping[str, tuple[str, str]],
    dist_info: str,
    data_dir: str,
    root_scheme: str,
) -> tuple[tuple[Content, ...], tuple[Content, ...]]:
    """The members to install and those to drop, each with its scheme and path."""
    kept: list[Content] = []
    dropped: list[Content] = []
    placed: dict[tuple[str, str], str] = {}
    for name, member in files.items():
        if name not in hashes:
            continue  # RECORD and its signatures
        scheme, path = _location(name, data_dir, root_scheme)
        content = Content(scheme, path, member, *hashes[name])
        if _is_dropped(name, dist_info):
            dropped.append(content)
            continue
        # purelib and platlib are one folder on most systems.
        key = ("purelib" if scheme == "platlib" else scheme, path)
        other = placed.setdefault(key, name)
        if other != name:
            raise _RefusedWheel(f"two of its members become `{path}`: `{other}` and `{name}`")
        kept.append(content)
    _refuse_folders(placed)
    return tuple(kept), tuple(dropped)


def _refuse_folders(placed: Mapping[tuple[str, str], str]) -> None:
    """Refuse a file at a path where another member needs a folder."""
    checked: set[tuple[str, str]] = set()
    for (scheme, path), name in placed.items():
        key = (scheme, path.rpartition("/")[0])
        while key[1] and key not in checked:
            if key in placed:
                raise _RefusedWheel(f"its `{placed[key]}` is a file, where `{name}` needs a folder")
            checked.add(key)
            key = (scheme, key[1].rpartition("/")[0])


def _location(name: str, data_dir: str, root_scheme: str) -> tuple[str, str]:
    top, _, rest = name.partition("/")
    if top != data_dir:
        if top.casefold().endswith(_METADATA_ENDINGS[1:]):
            raise _RefusedWheel(f"`{name}` would write metadata of another distribution")
        return root_scheme, name
    scheme, _, path = rest.partition("/")
    if scheme not in SCHEMES or not path:
        raise _RefusedWheel(f"the scheme of `{name}` is unknown")
    first = path.split("/", 1)[0].casefold()
    if scheme in {"purelib", "platlib"} and first.endswith(_METADATA_ENDINGS):
        raise _RefusedWheel(f"`{name}` would write metadata of another distribution")
    if scheme == "scripts" and "/" in path:
        raise _RefusedWheel(f"the script `{path}` lies in a folder")
    return scheme, path


def _is_dropped(name: str, dist_info: str) -> bool:
    """Whether lockset writes the file itself, or it is bytecode, which may differ from its module."""
    folder, _, base = name.rpartition("/")
    is_bytecode = name.endswith(_BYTECODE) or ("__pycache__" in name and "__pycache__" in name.split("/"))
    return is_bytecode or (folder == dist_info and base in OURS)


def _scripts(text: str) -> tuple[Script, ...]:
    try:
        return scripts_in(text)
    except ValueError as error:
        raise _RefusedWheel(f"its entry_points.txt {error}") from None
