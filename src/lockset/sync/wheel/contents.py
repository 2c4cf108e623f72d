"""What a wheel holds and that it is whole, told from its member names and its few metadata files."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import InvalidWheelFilename, canonicalize_name
from packaging.version import InvalidVersion, Version

from lockset._dataclass import dataclass
from lockset.dependency_specifiers import read_version, read_wheel_name
from lockset.errors import LocksetError
from lockset.hashes import STRONG_ALGORITHMS
from lockset.sync.desired import WheelIdentity
from lockset.sync.installed import SOURCE_FILE
from lockset.sync.wheel.entry_points import scripts_in
from lockset.sync.wheel.record import parse_record
from lockset.sync.wheel.safe_path import path_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lockset.sync.wheel.entry_points import Script
    from lockset.sync.wheel.record import Row
    from lockset.sync.wheel.zip_reader import ZipMember

__all__ = ["OURS", "SCHEMES", "Content", "Wheel", "WheelIdentity", "read_wheel"]

# Where `.data/<scheme>/` may point to.
SCHEMES = frozenset({"purelib", "platlib", "headers", "scripts", "data"})
# Files of dist-info that the installer writes; those of an archive are dropped.
OURS = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "provenance_url.json", SOURCE_FILE})
# Signatures over RECORD are not in RECORD; nobody reads them any more.
_SIGNATURES = frozenset({"RECORD.jws", "RECORD.p7s"})
# What decides how files are installed, so it may be read before anything is: bounded by the reader.
_NEEDED = ("METADATA", "WHEEL", "RECORD")
# Rows of RECORD beyond one for each member are a mistake; beyond so many more they are not even read.
_SPARE_ROWS = 64
# What other tools take for a distribution's own metadata, were it at the top of a library.
_METADATA_ENDINGS = (".dist-info", ".egg-info", ".egg-link", ".egg")
# Of the wheel format that is known.
_MAJOR, _MINOR = 1, 0
_BYTECODE = (".pyc", ".pyo")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*)")


class Content(NamedTuple):
    """One member to install: its scheme, its path within, and the hash that RECORD promises."""

    scheme: str
    path: str
    member: ZipMember
    algorithm: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel whose names, metadata and RECORD agree; the bytes of `contents` and `dropped` are still to be hashed.

    Attributes:
        newer_format: Its Wheel-Version, where that has a greater minor version than the known one.
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


class _Refused(ValueError):  # noqa: N818 (never leaves this module)
    pass


def read_wheel(members: Iterable[ZipMember], read: Callable[[ZipMember], bytes], *, identity: WheelIdentity) -> Wheel:
    """The wheel with these members; `read` gives the content of a small one.

    Raises:
        LocksetError: `wheel-refused` with the reason; `archive-refused` from `read`.
    """
    try:
        return _read_wheel({member.name: member for member in members}, read, identity)
    except _Refused as refusal:
        raise LocksetError(
            "wheel-refused",
            f"{str(identity)[0].upper()}{str(identity)[1:]} cannot be installed: {refusal}",
            hint="Report it to the project, or lock another version",
        ) from None


def _read_wheel(members: Mapping[str, ZipMember], read: Callable[[ZipMember], bytes], identity: WheelIdentity) -> Wheel:
    for name in members:
        problem = path_problem(name.removesuffix("/"))
        if problem is not None:
            raise _Refused(f"the path `{name}` {problem}")
    files = {name: member for name, member in members.items() if not name.endswith("/")}
    dist_info = _dist_info(members)
    texts = _texts(files, dist_info, read)
    name, version = _agreed(texts["METADATA"], dist_info, identity)
    root_scheme, newer_format = _format(texts["WHEEL"])
    data_dir = _data_dir(members, name, version)
    hashes = _hashes(texts["RECORD"], files, dist_info)
    contents, dropped = _sorted_out(files, hashes, dist_info, data_dir, root_scheme)
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
    found = {top for name in members if (top := name.split("/", 1)[0]).casefold().endswith(".dist-info")}
    if len(found) != 1:
        raise _Refused(f"it has {len(found)} dist-info folders where exactly one belongs")
    return found.pop()


def _texts(files: Mapping[str, ZipMember], dist_info: str, read: Callable[[ZipMember], bytes]) -> Mapping[str, str]:
    texts: dict[str, str] = {}
    for wanted in (*_NEEDED, "entry_points.txt"):
        member = files.get(f"{dist_info}/{wanted}")
        if member is not None:
            try:
                texts[wanted] = read(member).decode()
            except UnicodeDecodeError:
                raise _Refused(f"its {wanted} is not UTF-8") from None
        elif wanted in _NEEDED:
            raise _Refused(f"it has no {wanted}")
    return texts


def _agreed(metadata: str, dist_info: str, identity: WheelIdentity) -> tuple[str, Version]:
    """Name and version, where lock entry, file name, dist-info and METADATA all say the same."""
    told = [("its dist-info folder", *_split(dist_info.removesuffix(".dist-info")))]
    headers = _headers(metadata, "METADATA")
    told.append(("its METADATA", headers.get("name", ""), headers.get("version", "")))
    if identity.filename is not None:
        try:
            file_name, file_version, _, _ = read_wheel_name(identity.filename)
        except InvalidWheelFilename:
            raise _Refused("its file name is no wheel's") from None
        told.append(("its file name", file_name, str(file_version)))
    name, version = identity.name, identity.version
    for where, told_name, told_version in told:
        try:
            parsed = read_version(told_version)
        except InvalidVersion:
            raise _Refused(f"{where} has no valid version") from None
        version = parsed if version is None else version
        if canonicalize_name(told_name) != name or parsed != version:
            raise _Refused(f"{where} says {told_name} {told_version}, not {name} {version}")
    assert version is not None
    return name, version


def _split(stem: str) -> tuple[str, str]:
    name, _, version = stem.partition("-")
    return name, version


def _headers(text: str, what: str) -> Mapping[str, str]:
    """The headers of `text` that decide something; each may stand there once."""
    found: dict[str, str] = {}
    for line in _head(text):
        match = _HEADER.fullmatch(line)
        if match is None:
            continue
        key = match[1].lower()
        if key in {"name", "version", "wheel-version", "root-is-purelib"}:
            if key in found:
                raise _Refused(f"its {what} has `{match[1]}` twice")
            found[key] = match[2].strip()
    return found


def _head(text: str) -> Iterator[str]:
    """The lines before the first blank one, by every line end there is."""
    for piece in io.StringIO(text):
        for line in piece.splitlines():
            if not line.strip():
                return
            yield line


def _format(text: str) -> tuple[str, str | None]:
    """The root scheme, and the version of the format where an installer is to warn of it."""
    headers = _headers(text, "WHEEL")
    version = headers.get("wheel-version", "")
    match = re.fullmatch(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.[0-9]{1,9})*", version)
    # The specification has an installer fail where the major version is greater than the one it knows, and only there.
    if match is None or int(match[1]) > _MAJOR:
        raise _Refused(f"its Wheel-Version is `{version}`; versions up to {_MAJOR}.x are known")
    purelib = headers.get("root-is-purelib", "").lower()
    if purelib not in {"true", "false"}:
        raise _Refused("its WHEEL does not say whether it is pure")
    newer = (int(match[1]), int(match[2] or 0)) > (_MAJOR, _MINOR)
    return "purelib" if purelib == "true" else "platlib", version if newer else None


def _data_dir(members: Iterable[str], name: str, version: Version) -> str:
    found: set[str] = set()
    for top in {member.split("/", 1)[0] for member in members}:
        if not top.endswith(".data"):
            continue
        told_name, told_version = _split(top.removesuffix(".data"))
        try:
            told = read_version(told_version)
        except InvalidVersion:
            continue
        if canonicalize_name(told_name) != name or told != version:
            # Some installers take every such folder for the data of the wheel.
            raise _Refused(f"`{top}` is the data folder of something else")
        found.add(top)
    if len(found) > 1:
        raise _Refused("it has two data folders")
    return found.pop() if found else f"{name.replace('-', '_')}-{version}.data"


def _hashes(record: str, files: Mapping[str, ZipMember], dist_info: str) -> Mapping[str, tuple[str, str]]:
    """Algorithm and digest of every member that is not RECORD itself."""
    rows = _rows(record, most=len(files) + _SPARE_ROWS)
    found: dict[str, tuple[str, str]] = {}
    own = f"{dist_info}/RECORD"
    seen: set[str] = set()
    for row in rows:
        if row.path in seen:
            raise _Refused(f"its RECORD lists `{row.path}` twice")
        seen.add(row.path)
        member = files.get(row.path)
        if member is None:
            raise _Refused(f"its RECORD lists `{row.path}`, which is not there")
        if row.path == own:
            continue
        algorithm, _, digest = row.hash.partition("=")
        if algorithm not in STRONG_ALGORITHMS or not digest:
            raise _Refused(f"its RECORD has no strong hash for `{row.path}`")
        if row.size is not None and row.size != member.size:
            raise _Refused(f"the size of `{row.path}` is not what its RECORD says")
        found[row.path] = (algorithm, digest)
    for name in files:
        if name not in seen and name != own and not _is_signature(name, dist_info):
            raise _Refused(f"`{name}` is not in its RECORD")
    return found


def _rows(record: str, *, most: int) -> tuple[Row, ...]:
    if record.count("\n") > most:
        raise _Refused("its RECORD lists more files than it has")
    try:
        return parse_record(record)
    except ValueError as error:
        raise _Refused(f"its RECORD cannot be read: {error}") from None


def _is_signature(path: str, dist_info: str) -> bool:
    folder, _, name = path.rpartition("/")
    return folder == dist_info and name in _SIGNATURES


def _sorted_out(
    files: Mapping[str, ZipMember],
    hashes: Mapping[str, tuple[str, str]],
    dist_info: str,
    data_dir: str,
    root_scheme: str,
) -> tuple[tuple[Content, ...], tuple[Content, ...]]:
    """Members to install and members to drop, with where they go."""
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
            raise _Refused(f"two of its members become `{path}`: `{other}` and `{name}`")
        kept.append(content)
    _refuse_folders(placed)
    return tuple(kept), tuple(dropped)


def _refuse_folders(placed: Mapping[tuple[str, str], str]) -> None:
    """Refuse a file where another member needs a folder."""
    for (scheme, path), name in placed.items():
        folder = path.rpartition("/")[0]
        while folder:
            other = placed.get((scheme, folder))
            if other is not None:
                raise _Refused(f"its `{other}` is a file, where `{name}` needs a folder")
            folder = folder.rpartition("/")[0]


def _location(name: str, data_dir: str, root_scheme: str) -> tuple[str, str]:
    top, _, rest = name.partition("/")
    if top != data_dir:
        if top.casefold().endswith(_METADATA_ENDINGS[1:]):
            raise _Refused(f"`{name}` would write metadata of a distribution")
        return root_scheme, name
    scheme, _, path = rest.partition("/")
    if scheme not in SCHEMES or not path:
        raise _Refused(f"`{name}` belongs to no known scheme")
    first = path.split("/", 1)[0].casefold()
    if scheme in {"purelib", "platlib"} and first.endswith(_METADATA_ENDINGS):
        raise _Refused(f"`{name}` would write metadata of a distribution")
    if scheme == "scripts" and "/" in path:
        raise _Refused(f"the script `{path}` lies in a folder")
    return scheme, path


def _is_dropped(name: str, dist_info: str) -> bool:
    """Whether it is the installer's to write, or bytecode, which nobody can tell from what its module says."""
    folder, _, base = name.rpartition("/")
    return (folder == dist_info and base in OURS) or "__pycache__" in name.split("/") or name.endswith(_BYTECODE)


def _scripts(text: str) -> tuple[Script, ...]:
    try:
        return scripts_in(text)
    except ValueError as error:
        raise _Refused(f"its entry_points.txt {error}") from None
