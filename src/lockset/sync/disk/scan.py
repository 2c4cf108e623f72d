"""Which distributions a target has, and whether those that count are whole."""

# Paths are strings here: there are thousands of them a run.
# ruff: noqa: PTH114, PTH117, PTH119, PTH120, PTH123
from __future__ import annotations

import json
import os
import re
import stat
from typing import TYPE_CHECKING, Any

from lockset.hashes import STRONG_ALGORITHMS, WEAK_ALGORITHMS
from lockset.sync.installed import SOURCE_FILE, InstalledDistribution, InstalledFile
from lockset.sync.record import hash_text, parse_record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from lockset.sync.disk.snapshot import Snapshot, Stamp
    from lockset.sync.layout import Layout

__all__ = ["has_hash", "scan", "stamp_of"]

_HEADER = re.compile(r"^(Name|Version):[ \t]*(.*?)[ \t\r]*$", re.MULTILINE | re.IGNORECASE)
_EGG = re.compile(r"(?P<name>.+?)(?:-(?P<version>[^-]+)(?:-py[\d.]+.*)?)?\.(?:egg-info|egg-link|egg)", re.IGNORECASE)
_SEPARATORS = re.compile(r"[-_.]+")
# Bounds how much of METADATA is read for its name and version, which stand in its first lines.
_HEAD = 1 << 16
# Bound what is read of the files that installers write; the largest RECORDs have some megabytes.
_MOST_RECORD, _MOST_FACTS = 64 << 20, 1 << 20
_CHUNK = 1 << 20


def scan(
    layout: Layout, *, snapshot: Snapshot, examine: Collection[str], verify_files: bool = False
) -> tuple[InstalledDistribution, ...]:
    """The distributions of a target; those named in `examine` have their problems told.

    `snapshot` is what was seen before, and is brought up to date. With `verify_files` every file is hashed.
    """
    found: list[InstalledDistribution] = []
    known: dict[str, tuple[Stamp, InstalledDistribution]] = {}
    for library in layout.libraries:
        for entry in _entries(library):
            if not entry.name.lower().endswith(".dist-info"):
                egg = _egg(entry, layout)
                if egg is not None:
                    found.append(egg)
                continue
            stamp = stamp_of(entry.path)
            one = snapshot.find(entry.path, stamp)
            if one is None or stamp is None:
                one = _read(entry.path, library, layout)
                snapshot.changed = True
            if stamp is not None:
                known[entry.path] = (stamp, one)
            if one.name in examine and not one.problems:
                one = _examined(one, snapshot, verify_files=verify_files)
            found.append(one)
    snapshot.replace(known)
    return tuple(found)


def _normalised(name: str) -> str:
    """As `packaging.utils.canonicalize_name` has it, whose import costs more than a scan."""
    return _SEPARATORS.sub("-", name).lower()


def _entries(library: str) -> list[os.DirEntry[str]]:
    """What tells of distributions, in whatever case: so does `importlib.metadata` look for it."""
    try:
        with os.scandir(library) as entries:
            return sorted(
                (e for e in entries if e.name.lower().endswith((".dist-info", ".egg-info", ".egg-link", ".egg"))),
                key=lambda entry: entry.name,
            )
    except (FileNotFoundError, NotADirectoryError):
        return []


def _egg(entry: os.DirEntry[str], layout: Layout) -> InstalledDistribution | None:
    """Something of before RECORD: removed only where it lists its files."""
    match = _EGG.fullmatch(entry.name)
    if match is None:
        return None
    name, version, listed = match["name"], match["version"] or "", None
    if entry.is_dir(follow_symlinks=False):
        listed = _text(entry.path, "installed-files.txt", _MOST_RECORD)
        metadata = _text(entry.path, "METADATA", _HEAD) or _text(entry.path, "PKG-INFO", _HEAD)
        name, version = _told(metadata, name, version)
    if listed is None or "\0" in listed:
        return InstalledDistribution(name=_normalised(name), version=version, info=entry.path, removable=False)
    # One path a line, from within its own folder.
    places = {
        os.path.normpath(f"{entry.path}{os.sep}{line}") for line in listed.splitlines() if not os.path.isabs(line)
    }
    files = tuple(InstalledFile(place, "", None) for place in sorted(places) if layout.holds(place))
    return InstalledDistribution(name=_normalised(name), version=version, info=entry.path, files=files)


def stamp_of(info: str) -> Stamp | None:
    """What changes when the dist-info folder `info` is another one, or its RECORD is written anew."""
    try:
        record = os.lstat(f"{info}{os.sep}RECORD")
        return record.st_mtime_ns, record.st_size, record.st_ino, os.lstat(info).st_mtime_ns
    except OSError:
        return None


def _read(info: str, library: str, layout: Layout) -> InstalledDistribution:
    name, version = _named(info)
    direct_url = _direct_url(info)
    problems: list[str] = []
    if _text(info, "METADATA", _HEAD) is None:
        problems.append("its METADATA is missing")
    record = _text(info, "RECORD", _MOST_RECORD)
    files: tuple[InstalledFile, ...] = ()
    stray: tuple[str, ...] = ()
    if record is None:
        problems.append("its RECORD is missing")
    else:
        try:
            files, stray = _files(record, library, layout)
        except ValueError as error:
            problems.append(f"its RECORD cannot be read: {error}")
        else:
            own = f"{info}{os.sep}RECORD"
            # Its own row is the last one that lockset writes.
            if not any(file.path == own for file in reversed(files)):
                problems.append("its RECORD is cut short")
    return InstalledDistribution(
        name=name,
        version=version,
        info=info,
        installer=(_text(info, "INSTALLER") or "").strip(),
        origin={**_origin(_json(info, "provenance_url.json") or direct_url), **_tree(_json(info, SOURCE_FILE))},
        direct_url=direct_url,
        files=files,
        stray=stray,
        problems=tuple(problems),
    )


def _named(info: str) -> tuple[str, str]:
    """Name and version, from METADATA, as everybody reads them; from the folder's name where there is none."""
    name, _, version = os.path.basename(info)[: -len(".dist-info")].partition("-")
    return _told(_text(info, "METADATA", _HEAD), name, version)


def _told(metadata: str | None, name: str, version: str) -> tuple[str, str]:
    """Name and version as `metadata` tells them; the given ones where it does not."""
    head = (metadata or "").replace("\r\n", "\n").split("\n\n", 1)[0]
    headers = {key.lower(): value for key, value in reversed(_HEADER.findall(head))}
    return _normalised(headers.get("name") or name), headers.get("version") or version


def _text(info: str, name: str, limit: int = _MOST_FACTS) -> str | None:
    """The beginning of a regular file of dist-info; None for anything else, which is not waited for."""
    try:
        descriptor = os.open(f"{info}{os.sep}{name}", os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return os.read(descriptor, limit).decode("utf-8", "replace")
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _json(info: str, name: str) -> dict[str, Any] | None:
    text = _text(info, name)
    try:
        found = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _direct_url(info: str) -> dict[str, Any] | None:
    """What direct_url.json says, where it says it as the standard has it."""
    found = _json(info, "direct_url.json")
    if found is None or not isinstance(found.get("url"), str):
        return None
    tables = (found.get(key, {}) for key in ("archive_info", "dir_info", "vcs_info"))
    return found if all(isinstance(table, dict) for table in tables) else None


def _tree(source: Mapping[str, Any] | None) -> Mapping[str, str]:
    digest = (source or {}).get("tree")
    return {"tree": digest} if isinstance(digest, str) else {}


def _origin(url: Mapping[str, Any] | None) -> Mapping[str, str]:
    archive = (url or {}).get("archive_info")
    hashes = archive.get("hashes") if isinstance(archive, dict) else None
    if not isinstance(hashes, dict):
        return {}
    known = {*STRONG_ALGORITHMS, *WEAK_ALGORITHMS}
    return {k.lower(): v.lower() for k, v in hashes.items() if isinstance(v, str) and k.lower() in known}


def _files(record: str, library: str, layout: Layout) -> tuple[tuple[InstalledFile, ...], tuple[str, ...]]:
    """The files of RECORD, and the rows that name no place in the target."""
    files: list[InstalledFile] = []
    stray: list[str] = []
    prefix = library + os.sep
    if "\0" in record:
        raise ValueError("it has a NUL character")
    for row in parse_record(record):
        path = row.path
        if os.sep != "/":
            path = path.replace("/", os.sep)
        if "." in path[:1] or f".{os.sep}" in path or f"{os.sep}{os.sep}" in path or os.path.isabs(path):
            place = os.path.normpath(prefix + path)
            # Where the target is elsewhere now, an absolute row means what it meant then: nobody's to remove.
            if not path or os.path.isabs(path) or not layout.holds(place):
                stray.append(row.path)
                continue
        else:
            place = prefix + path
        files.append(InstalledFile(place, row.hash, row.size))
    return tuple(files), tuple(stray)


def _examined(one: InstalledDistribution, snapshot: Snapshot, *, verify_files: bool) -> InstalledDistribution:
    for problem in _problems(one, snapshot, verify_files=verify_files):
        return one._replace(problems=(problem,))
    return one


def _problems(one: InstalledDistribution, snapshot: Snapshot, *, verify_files: bool) -> Iterator[str]:
    yield from (f"`{_shown(folder, one)}` is a link" for folder in _links(one))
    times = snapshot.times
    lstat = os.lstat
    for path, digest, size in one.files:
        if not digest and path.endswith((".pyc", f"{os.sep}RECORD")):
            continue
        try:
            found = lstat(path)
        except OSError:
            yield f"`{_shown(path, one)}` is missing"
            continue
        if size is not None and found.st_size != size:
            yield f"`{_shown(path, one)}` was changed"
        elif not stat.S_ISREG(found.st_mode):
            yield f"`{_shown(path, one)}` is no regular file"
        elif verify_files or times.get(path) != found.st_mtime_ns:
            if not has_hash(path, digest):
                yield f"`{_shown(path, one)}` was changed"
            else:
                times[path] = found.st_mtime_ns
                snapshot.changed = True


def _links(one: InstalledDistribution) -> Iterator[str]:
    """Folders of its modules that are links: what is in them is another place's, whatever it is."""
    library = os.path.dirname(one.info)
    start = len(library) + 1
    seen = {library}
    for folder in {path.rpartition(os.sep)[0] for path, _, _ in one.files}:
        if folder[:start] == library + os.sep:
            while folder not in seen:
                seen.add(folder)
                if os.path.islink(folder):
                    yield folder
                folder = folder.rpartition(os.sep)[0]  # noqa: PLW2901 (and all above it)


def _shown(path: str, one: InstalledDistribution) -> str:
    return os.path.relpath(path, os.path.dirname(one.info)).replace(os.sep, "/")


def has_hash(path: str, digest: str) -> bool:
    """Whether the file has the hash of its RECORD row; rows without a strong one say nothing."""
    algorithm, _, value = digest.partition("=")
    if algorithm not in STRONG_ALGORITHMS or not value:
        return True
    import hashlib  # here, since what was seen before is not hashed

    hasher = hashlib.new(algorithm, usedforsecurity=False)
    try:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                hasher.update(chunk)
    except OSError:
        return False
    return hash_text(algorithm, hasher.digest()) == f"{algorithm}={value.rstrip('=')}"
