"""Scan a target for installed distributions, and check those that matter for missing and changed files.

Where the snapshot of the last scan is missing or differs, files are hashed and compared with RECORD.
"""

# Paths are strings here: there are thousands of them a run.

from __future__ import annotations

import os
import stat
from functools import partial

from lockset.files.system import processors
from lockset.hashes import STRONG_ALGORITHMS, WEAK_ALGORITHMS, hash_text
from lockset.sync.disk.inspect.metadata_text import HEAD, name_and_version, read_text
from lockset.sync.disk.inspect.moved_commands import moved_command
from lockset.sync.disk.inspect.snapshot import stamp_of
from lockset.sync.installed import EASY_INSTALL, METADATA_ENDINGS, SOURCE_FILE, InstalledDistribution, InstalledFile
from lockset.sync.target import is_within
from lockset.sync.wheel.file_lists import parse_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from lockset.sync.disk.inspect.snapshot import Snapshot, Stamp
    from lockset.sync.target import Layout

__all__ = ["has_hash", "scan"]

# Limit for a RECORD; the largest ones have a few megabytes.
_MOST_RECORD = 64 << 20
_CHUNK = 1 << 20
# Number of files from which a second process checks some of them.
_MANY = 5000


def scan(
    layout: Layout,
    *,
    snapshot: Snapshot,
    examine: Collection[str],
    verify_files: bool = False,
    store: str | None = None,
    own_python: bool = False,
) -> tuple[InstalledDistribution, ...]:
    """The distributions of a target; those named in `examine` are checked for problems.

    `snapshot` is the result of earlier scans, and is updated. With `verify_files` every file is hashed.
    A file may be a symbolic link to a file below the folder `store`. With `own_python`, commands have to name a Python
    in their own folder, as in a virtual environment.
    """
    distributions: list[InstalledDistribution] = []
    examined: dict[int, InstalledDistribution] = {}
    known: dict[str, tuple[Stamp, InstalledDistribution]] = {}
    for library in layout.libraries:
        infos, older = _listed(library)
        if older:
            # Imported here and below: few targets have such installs.
            from lockset.sync.disk.inspect.eggs import egg_distributions

            distributions += egg_distributions(library, older, layout)
        for name in infos:
            info = f"{library}{os.sep}{name}"
            stamp = stamp_of(info)
            # RECORD has no hash: it is read again.
            one = snapshot.find(info, stamp) if not verify_files else None
            if one is None or stamp is None:
                one = _read(info, library, layout, own_python=own_python)
                snapshot.changed = True
            if stamp is not None:
                known[info] = (stamp, one)
            if one.name in examine and not one.problems:
                examined[len(distributions)] = one
            distributions.append(one)
    for number, one in _differing(examined, snapshot, verify_files=verify_files, store=store):
        distributions[number] = one
    if distributions or snapshot.known:
        snapshot.replace(known)
    if any(one.unlisted for one in distributions):
        from lockset.sync.disk.inspect.unowned_files import with_suspects

        return tuple(with_suspects(distributions, layout))
    return tuple(distributions)


def _listed(library: str) -> tuple[list[str], list[str]]:
    """Names of dist-info folders, and of older metadata; like `importlib.metadata`, this ignores case."""
    try:
        with os.scandir(library) as entries:
            names = sorted([e.name for e in entries if e.name.lower().endswith((*METADATA_ENDINGS, EASY_INSTALL))])
    except (FileNotFoundError, NotADirectoryError):
        return [], []
    infos = [name for name in names if name.lower().endswith(".dist-info")]
    return infos, [name for name in names if not name.lower().endswith(".dist-info")] if len(names) > len(infos) else []


def _read(info: str, library: str, layout: Layout, *, own_python: bool) -> InstalledDistribution:
    name, version = _name_and_version(info)
    direct_url = _direct_url(info)
    problems: list[str] = []
    if read_text(info, "METADATA", HEAD) is None:
        problems.append("its METADATA is missing")
    files, stray, broken = _recorded_files(info, library, layout)
    facts = _json(info, SOURCE_FILE) or {}
    if broken:
        problems.append(f"its RECORD {broken}")
    installer = (read_text(info, "INSTALLER") or "").strip()
    if installer == "lockset" and os.path.islink(f"{info}{os.sep}RECORD"):
        problems.append("its RECORD is a link")  # other tools may link it
    if own_python and (command := moved_command(info, files, layout.scripts)) is not None:
        problems.append(f"its command `{command}` runs another Python")
    return InstalledDistribution(
        name=name,
        version=version,
        info=info,
        installer=installer,
        origin={**_origin(_json(info, "provenance_url.json") or direct_url), **_tree(facts)},
        direct_url=direct_url,
        files=files,
        stray=stray,
        problems=tuple(problems),
        overlapped=_overlapped(facts),
        unlisted=f"has an incomplete list of files: its RECORD {broken}" if broken else "",
    )


def _recorded_files(info: str, library: str, layout: Layout) -> tuple[tuple[InstalledFile, ...], tuple[str, ...], str]:
    """Files and stray rows of RECORD, and why RECORD is incomplete, or ""."""
    record = read_text(info, "RECORD", _MOST_RECORD)
    if record is None:
        return (), (), "is missing"
    try:
        files, stray = _files(record, library, layout)
    except ValueError as error:
        return (), (), f"cannot be read: {error}"
    own = f"{info}{os.sep}RECORD"
    # Its own row is the last one that lockset writes.
    return files, stray, "" if any(file.path == own for file in reversed(files)) else "is truncated"


def _name_and_version(info: str) -> tuple[str, str]:
    """Name and version, from METADATA if it has them, otherwise from the folder's name."""
    name, _, version = os.path.basename(info)[: -len(".dist-info")].partition("-")
    return name_and_version(read_text(info, "METADATA", HEAD), name, version)


def _json(info: str, name: str) -> dict[str, Any] | None:
    text = read_text(info, name)
    if not text:
        return None
    import json  # here, since most distributions are known from the last sync

    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _direct_url(info: str) -> dict[str, Any] | None:
    """Content of direct_url.json, if it has the form of the specification (PEP 610)."""
    value = _json(info, "direct_url.json")
    if value is None or not isinstance(value.get("url"), str):
        return None
    tables = (value.get(key, {}) for key in ("archive_info", "dir_info", "vcs_info"))
    return value if all(isinstance(table, dict) for table in tables) else None


def _tree(facts: Mapping[str, Any]) -> Mapping[str, str]:
    digest = facts.get("tree")
    return {"tree": digest} if isinstance(digest, str) else {}


def _overlapped(facts: Mapping[str, Any]) -> Mapping[str, str]:
    table = facts.get("overlapped")
    return {k: v for k, v in table.items() if isinstance(v, str)} if isinstance(table, dict) else {}


def _origin(url: Mapping[str, Any] | None) -> Mapping[str, str]:
    archive = (url or {}).get("archive_info")
    hashes = archive.get("hashes") if isinstance(archive, dict) else None
    if not isinstance(hashes, dict):
        return {}
    known = {*STRONG_ALGORITHMS, *WEAK_ALGORITHMS}
    return {k.lower(): v.lower() for k, v in hashes.items() if isinstance(v, str) and k.lower() in known}


def _files(record: str, library: str, layout: Layout) -> tuple[tuple[InstalledFile, ...], tuple[str, ...]]:
    """The files of RECORD, and the rows that point outside the target."""
    files: list[InstalledFile] = []
    stray: list[str] = []
    prefix = library + os.sep
    for row in parse_record(record):
        path = row.path
        if "\0" in path:
            stray.append(path)  # no file can have such a name
            continue
        if os.sep != "/":
            path = path.replace("/", os.sep)
        if "." in path[:1] or f".{os.sep}" in path or f"{os.sep}{os.sep}" in path or os.path.isabs(path):
            location = os.path.normpath(prefix + path)
            # An absolute row may refer to a place where the target was before: never remove it.
            if not path or os.path.isabs(path) or not layout.holds(location):
                stray.append(row.path)
                continue
        else:
            location = prefix + path
        files.append(InstalledFile(location, row.hash, row.size))
    return tuple(files), tuple(stray)


def _differing(
    examined: Mapping[int, InstalledDistribution], snapshot: Snapshot, *, verify_files: bool, store: str | None
) -> Iterator[tuple[int, InstalledDistribution]]:
    """The distributions that have problems, with these, by number."""
    if not verify_files and _are_unchanged(list(examined.values()), snapshot.times):
        return
    for number, one in examined.items():
        for problem in _problems(one, snapshot, verify_files=verify_files, store=store):
            yield number, one._replace(problems=(problem,))
            break


def _are_unchanged(distributions: Sequence[InstalledDistribution], times: Mapping[str, int | None]) -> bool:
    """Whether all files have their sizes and `times`, and no folder is a link, as two processes see together.

    False if there are few files, or no second process; then nothing is known.
    """
    if sum(len(one.files) for one in distributions) < _MANY or processors() < 2:
        return False
    from lockset.sync.disk.workers import in_turn, with_copy  # imported here: most targets are smaller

    same: list[bool] = []

    def check(ones: Iterable[InstalledDistribution]) -> None:
        same.append(all(_is_unchanged(one, times) for one in ones))

    def assist(ones: Iterable[InstalledDistribution]) -> None:
        if not all(_is_unchanged(one, times) for one in ones):
            raise _DiffersError

    # The largest first, so that both end at about the same time.
    with in_turn(sorted(distributions, key=lambda one: -len(one.files))) as ones:
        return with_copy(partial(check, ones), partial(assist, ones)) and all(same)


class _DiffersError(Exception):
    """A file was changed, or is not known."""


def _is_unchanged(one: InstalledDistribution, times: Mapping[str, int | None]) -> bool:
    lstat = os.lstat
    try:
        for path, digest, size in one.files:
            if not digest and path.endswith((".pyc", f"{os.sep}RECORD")):
                continue
            status = lstat(path)
            if status.st_mtime_ns != times.get(path) or not stat.S_ISREG(status.st_mode):
                return False
            if size is not None and status.st_size != size:
                return False
    except OSError:
        return False
    return not any(_links(one))


def _problems(
    one: InstalledDistribution, snapshot: Snapshot, *, verify_files: bool, store: str | None
) -> Iterator[str]:
    yield from (f"`{_shown(folder, one)}` is a link" for folder in _links(one))
    times = snapshot.times
    lstat = os.lstat
    for path, digest, size in one.files:
        if not digest and path.endswith((".pyc", f"{os.sep}RECORD")):
            continue
        try:
            status = lstat(path)
            if stat.S_ISLNK(status.st_mode) and _leads_to(path, store):
                status = os.stat(path)
        except OSError:
            yield f"`{_shown(path, one)}` is missing"
            continue
        if size is not None and status.st_size != size:
            yield f"`{_shown(path, one)}` was changed"
        elif not stat.S_ISREG(status.st_mode):
            yield f"`{_shown(path, one)}` is not a regular file"
        elif verify_files or times.get(path) != status.st_mtime_ns:
            if not has_hash(path, digest):
                yield f"`{_shown(path, one)}` was changed"
            else:
                times[path] = status.st_mtime_ns
                snapshot.changed = True


def _leads_to(link: str, store: str | None) -> bool:
    """Whether `link` leads to a file of the store, as those of `--link-mode symlink` do."""
    if store is None:
        return False
    goal, folder = os.path.normcase(os.readlink(link)), os.path.normcase(os.path.abspath(store))
    return goal == os.path.normpath(goal) and is_within(goal, folder, separator=os.sep)


def _links(one: InstalledDistribution) -> Iterator[str]:
    """Folders of its modules that are symbolic links: their content lies elsewhere."""
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
    """Whether the file has the hash `digest` of its RECORD row; True if the row has no strong hash."""
    algorithm, _, value = digest.partition("=")
    if algorithm not in STRONG_ALGORITHMS or not value:
        return True
    import hashlib  # here, since unchanged files are not hashed again

    hasher = hashlib.new(algorithm, usedforsecurity=False)
    try:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                hasher.update(chunk)
    except OSError:
        return False
    return hash_text(algorithm, hasher.digest()) == f"{algorithm}={value.rstrip('=')}"
