"""Rules on the sources of a package: vcs, directory, archive, sdist, wheels; their file names, locations and hashes."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from functools import lru_cache
from posixpath import normpath
from urllib.parse import urlsplit

from packaging.version import InvalidVersion, Version

from lockset import dependency_specifiers
from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import excess, read_sdist_name, read_version, read_wheel_name
from lockset.hashes import STRONG_ALGORITHMS, WEAK_ALGORITHMS
from lockset.lockfile.file_name import last_component
from lockset.lockfile.read import MAX_WHEEL_TAGS, tag_count
from lockset.lockfile.validate.lock_table import LockTable, toml_type_name
from lockset.package_names import canonicalize_name
from lockset.url_secrets import has_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings

__all__ = [
    "SHA256",
    "NamedFile",
    "check_hashes",
    "check_location",
    "check_name",
    "check_sources",
    "check_url",
    "version_in_name",
]

_VCS_KEYS = frozenset({"type", "url", "path", "requested-revision", "commit-id", "subdirectory"})
_DIRECTORY_KEYS = frozenset({"path", "editable", "subdirectory"})
_ARCHIVE_KEYS = frozenset({"url", "path", "size", "upload-time", "hashes", "subdirectory"})
_FILE_KEYS = frozenset({"name", "upload-time", "url", "path", "size", "hashes"})

# Full commit ids by version control system; git repositories may use sha256.
_COMMITS = {
    "git": lazy_pattern(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}", re.ASCII),
    "hg": lazy_pattern(r"[0-9a-fA-F]{40}", re.ASCII),
    "svn": lazy_pattern(r"[0-9]+", re.ASCII),
}
_REGISTERED = frozenset({"git", "hg", "bzr", "svn"})
_PREFIXED = lazy_pattern(r"(git|hg|bzr|svn)\+", re.ASCII | re.IGNORECASE)
_LARGEST = 2**63 - 1
# Nearly all URLs of lock files match this, and are valid. The last part is most of them: with `\s` in the place of the
# blanks, it would take nearly twice as long.
_ORDINARY = lazy_pattern(
    r"(?:https://[A-Za-z0-9][A-Za-z0-9.-]*|http://127\.0\.0\.1)(?::[0-9]{1,4})?/[^ \t-\r?#@\\]*", re.ASCII
)
_SCHEME = lazy_pattern(r"[A-Za-z][A-Za-z0-9+.-]+:", re.ASCII)
_INSECURE = frozenset({"http", "git", "ftp", "svn", "git+http", "svn+http", "hg+http", "bzr+http", "bzr+ftp"})
_WITH_HOST = frozenset({"http", "https", "ftp", "git", "ssh", "svn"})
# Schemes of files and of repositories; `data:`, `javascript:` and `s3:` are never fetched, `ftp:` by no installer.
_OF_FILES = frozenset({"http", "https", "file"})
_OF_REPOSITORIES = frozenset({*_OF_FILES, "ftp", "ssh", "git", "svn", "bzr", "sftp", "lp", "rsync"})
# git's scp-like form of an address, which is not a URL.
_SCP = lazy_pattern(r"(?P<user>[\w.-]+)@(?P<host>[\w.-]+):(?P<path>[^\s:@]+)", re.ASCII)
_DRIVE = lazy_pattern(r"[A-Za-z]:")
# A sha256 as it should be written.
SHA256 = lazy_pattern(r"[0-9a-f]{64}", re.ASCII)
_HEX = lazy_pattern(r"[0-9A-Fa-f]*", re.ASCII)
_HINT = "Lock again with a tool that records sha256"

_TAG = r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*"
# Nearly all names match these. The others are parsed by packaging.
_NAME_IN_WHEEL = r"[A-Za-z0-9]+(?:[_.][A-Za-z0-9]+)*"
_TAGS_IN_WHEEL = rf"(?:\d[^-]*-)?{_TAG}-{_TAG}-{_TAG}\.whl"
_WHEEL = lazy_pattern(rf"({_NAME_IN_WHEEL})-([^-]+)-{_TAGS_IN_WHEEL}", re.ASCII)
_PROJECT = lazy_pattern(_NAME_IN_WHEEL, re.ASCII)
_TAGS = lazy_pattern(_TAGS_IN_WHEEL, re.ASCII)
_SDIST = lazy_pattern(r"([A-Za-z0-9]+(?:[_.-][A-Za-z0-9]+)*)-([0-9][A-Za-z0-9.+!]*)\.tar\.gz", re.ASCII)
# A wheel name with so few dots never expands to too many tags.
_FEW_DOTS = 12
# Dashes in a wheel name with a variant label, which packaging refuses.
_VARIANT_DASHES = 6


class NamedFile(NamedTuple):
    """A named file of a package: the sdist or one of the wheels."""

    path: KeyPath
    name: str
    file: Mapping[str, Any]


def check_sources(package: LockTable, name: str) -> list[NamedFile]:
    """Check the sources of `package`, called `name` in messages, and return its named files."""
    _combination(package, name)
    vcs = package.table("vcs", "vcs-table-type")
    if vcs is not None:
        _vcs(vcs, name)
    directory = package.table("directory", "directory-table-type")
    if directory is not None:
        _directory(directory, name)
    archive = package.table("archive", "archive-table-type")
    if archive is not None:
        _archive(archive, name)
    files: list[NamedFile | None] = []
    sdist = package.table("sdist", "sdist-table-type")
    if sdist is not None:
        files.append(_distribution(sdist, "sdist", package.data))
    for index, wheel in package.plain_tables("wheels"):
        path = (*package.path, "wheels", index)
        if _is_ordinary(wheel, package.data):
            files.append(NamedFile(path, wheel["name"], wheel))
        else:
            files.append(_distribution(LockTable(wheel, path, package.findings), "wheel", package.data))
    return [file for file in files if file is not None]


def _combination(package: LockTable, name: str) -> None:
    """Check that there is a source and no conflict; an empty array of wheels counts as missing."""
    trees = [key for key in ("vcs", "directory", "archive") if key in package.data]
    files = [key for key in ("sdist", "wheels") if package.data.get(key) not in (None, [])]
    if not trees and not files:
        message = f"`{name}` has no source: none of vcs, directory, archive, sdist and wheels"
        package.add("package-source-required", (), message, "Lock again; without a source it cannot be installed")
    elif len(trees) > 1 or (trees and files):
        message = f"`{name}` has more than one source: {', '.join(trees + files)}"
        package.add("package-source-conflict", (), message, "Keep one; only sdist and wheels go together")


def _vcs(vcs: LockTable, name: str) -> None:
    what = f"The vcs source of `{name}`"
    vcs.require("type", "vcs-type-required", where=what)
    kind = vcs.string("type", "vcs-type-type")
    url = vcs.data.get("url")
    if isinstance(url, str) and _PREFIXED.match(url):
        vcs.string("path", "vcs-path-type")
        hint = f"Write `{_PREFIXED.sub('', url, count=1)}`" if "@" not in url else None
        vcs.add("vcs-url-prefix", ("url",), "`url` has a prefix that version control systems do not accept", hint)
    else:
        check_location(vcs, "vcs", what=what)
    vcs.string("requested-revision", "vcs-requested-revision-type")
    vcs.require("commit-id", "vcs-commit-id-required", where=what)
    commit = vcs.string("commit-id", "vcs-commit-id-type")
    if kind is not None and kind not in _REGISTERED:
        message = f"`{kind}` is not a registered version control system"
        vcs.add("vcs-type-unregistered", ("type",), message, "Registered are git, hg, bzr and svn")
    pattern = _COMMITS.get(kind or "")
    if commit is not None and pattern is not None and not pattern.fullmatch(commit):
        message = f"`{commit}` is not a full {kind} commit id, so its meaning may change"
        vcs.add("vcs-commit-id-immutable", ("commit-id",), message, "Write the full commit hash")
    _check_subdirectory(vcs, "vcs")
    vcs.close(_VCS_KEYS, where="`vcs`")


def _directory(directory: LockTable, name: str) -> None:
    directory.require("path", "directory-path-required", where=f"The directory source of `{name}`")
    local = directory.string("path", "directory-path-type")
    if local:
        check_path(local, (*directory.path, "path"), directory.findings)
    directory.boolean("editable", "directory-editable-type")
    _check_subdirectory(directory, "directory")
    directory.close(_DIRECTORY_KEYS, where="`directory`")


def _archive(archive: LockTable, name: str) -> None:
    what = f"The archive of `{name}`"
    check_location(archive, "archive", what=what)
    _size_and_time(archive, "archive")
    check_hashes(archive, "archive", what=what)
    _check_subdirectory(archive, "archive")
    archive.close(_ARCHIVE_KEYS, where="`archive`")


def _distribution(file: LockTable, kind: str, package: Mapping[str, Any]) -> NamedFile | None:
    file_name = check_name(file, kind, package)
    what = f"`{file_name}`" if file_name else f"A {kind} of `{package.get('name', '?')}`"
    check_location(file, kind, what=what)
    _size_and_time(file, kind)
    check_hashes(file, kind, what=what)
    if not file.data.keys() <= _FILE_KEYS:
        file.close(_FILE_KEYS, where=f"A {kind}")
    return NamedFile(file.path, file_name, file.data) if file_name else None


def _is_ordinary(wheel: Mapping[str, Any], package: Mapping[str, Any]) -> bool:
    """Whether a wheel is certainly valid by all rules, as nearly all are; only false negatives are possible."""
    name, url, hashes = wheel.get("name"), wheel.get("url"), wheel.get("hashes")
    if not (isinstance(name, str) and isinstance(url, str) and isinstance(hashes, dict)) or len(hashes) != 1:
        return False
    if not (url.endswith(f"/{name}") and _ORDINARY.fullmatch(url) and _is_ordinary_name(name, package)):
        return False
    digest = hashes.get("sha256")
    known = 3
    if "size" in wheel:
        size, known = wheel["size"], known + 1
        if type(size) is not int or not 0 < size <= _LARGEST:
            return False
    if "upload-time" in wheel:
        time, known = wheel["upload-time"], known + 1
        if not isinstance(time, datetime) or time.tzinfo is not timezone.utc:
            return False
    return known == len(wheel) and isinstance(digest, str) and SHA256.fullmatch(digest) is not None


def _size_and_time(file: LockTable, kind: str) -> None:
    size = file.integer("size", f"{kind}-size-type")
    if size is not None and not 0 < size <= _LARGEST:
        file.add("size-range", ("size",), "`size` is out of range", "Omit it if it is not known")
    time = file.moment("upload-time", f"{kind}-upload-time-type")
    if time is None:
        return
    offset = time.utcoffset()
    if offset is None:
        message = "`upload-time` has no time zone, so UTC is only a guess"
        file.add("upload-time-naive", ("upload-time",), message, "Write `Z` at its end")
    elif offset:
        message = f"`upload-time` is not in UTC but at offset {time.strftime('%z')}"
        file.add(f"{kind}-upload-time-utc", ("upload-time",), message, "Write it in UTC, with `Z` at its end")


def check_location(source: LockTable, kind: str, *, what: str) -> None:
    """Check `url` and `path` of one source of `kind` (archive, sdist, wheel or vcs)."""
    url = source.string("url", f"{kind}-url-type")
    local = source.string("path", f"{kind}-path-type")
    if not source.data.get("url") and not source.data.get("path"):
        source.add(f"{kind}-url-or-path", (), f"{what} has neither `url` nor `path`")
    if url:
        check_url(url, f"{kind}-url-valid", (*source.path, "url"), source.findings)
    if local:
        check_path(local, (*source.path, "path"), source.findings)
    if url and local and not url.endswith(f"/{local}"):
        names = (last_component(path=local, url=None), last_component(path=None, url=url))
        if names[0] != names[1] and all(names) and kind != "vcs":
            message = f"`path` ends in `{names[0]}`, `url` in `{names[1]}`"
            source.add("path-and-url-differ", (), message, "Installers use `path`; remove one of them")


def check_url(url: str, code: str, path: KeyPath, findings: Findings) -> None:
    """Check that `url` is absolute, secure, and contains no secret. Messages never show secrets."""
    if _ORDINARY.fullmatch(url):
        return
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        findings.add(code, path, f"`{path[-1]}` is not a valid URL")
        return
    scheme = parts.scheme.lower()
    if not _SCHEME.match(url) or (scheme.split("+")[-1] in _WITH_HOST and not host) or url != url.strip():
        shown = url.rsplit("@", 1)[-1]  # a secret may precede it
        if code == "vcs-url-valid" and (scp := _SCP.fullmatch(url)):
            hint = f"Write `ssh://{scp['user']}@{scp['host']}/{scp['path'].lstrip('/')}`"
        else:
            hint = "Use `path` for local files"
        findings.add(code, path, f"`{shown}` is not an absolute URL", hint)
        return
    if (host and not any(map(str.isalnum, host))) or not url.isprintable() or " " in (host or ""):
        findings.add(code, path, f"`{path[-1]}` has characters that are not allowed in a URL, or no valid host")
        return
    if code == "vcs-url-valid" and scheme.rpartition("+")[2] not in _OF_REPOSITORIES:
        findings.add(code, path, f"Repositories cannot be fetched by `{scheme}:`", "Write an https or ssh URL")
        return
    if code != "vcs-url-valid" and scheme not in _OF_FILES:
        hint = "A repository belongs under `vcs`" if "+" in scheme or scheme in {"git", "ssh"} else "Write an https URL"
        findings.add(code, path, f"Files cannot be fetched by `{scheme}:`", hint)
        return
    if scheme in _INSECURE and not _is_loopback(host):
        findings.add("url-insecure", path, f"`{path[-1]}` uses {scheme}, which is not secure")
    if has_secret(url):
        message = f"`{path[-1]}` contains credentials for {host}"
        findings.add("url-credentials", path, message, "Remove them, and configure them in the installer")


@lru_cache(maxsize=1_024)
def _is_loopback(host: str | None) -> bool:
    if host in {None, "localhost", "127.0.0.1", "::1"} or host.endswith(".localhost"):
        return True
    from ipaddress import ip_address  # few addresses come here

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_path(local: str, path: KeyPath, findings: Findings) -> None:
    """Check that `local` works on other machines."""
    if _is_absolute(local):
        findings.add("path-absolute", path, f"The path `{local}` is absolute, so it only works on one machine")
        return
    if "\\" in local:
        message = f"The path `{local}` has backslashes, which are not separators on other systems"
        findings.add("path-not-posix", path, message, f"Write `{local.replace(chr(92), '/')}`")
    if _leaves(local):
        findings.add("path-escapes", path, f"The path `{local}` leaves the folder of the lock file")


def _check_subdirectory(source: LockTable, kind: str) -> None:
    """Check the `subdirectory` of a source tree."""
    subdirectory = source.string("subdirectory", f"{kind}-subdirectory-type")
    if not subdirectory:
        return
    where = ("subdirectory",)
    if _is_absolute(subdirectory):
        message = f"The subdirectory `{subdirectory}` is not relative to the source tree"
        source.add("subdirectory-relative", where, message)
    elif _leaves(subdirectory):
        source.add("subdirectory-escapes", where, f"The subdirectory `{subdirectory}` leaves the source tree")


def _is_absolute(local: str) -> bool:
    return local.startswith(("/", "\\")) or _DRIVE.match(local) is not None


def _leaves(local: str) -> bool:
    normal = normpath(local.replace("\\", "/"))
    return normal == ".." or normal.startswith("../")


def check_hashes(source: LockTable, kind: str, *, what: str) -> None:
    """Check the `hashes` of one file of `kind` (archive, sdist or wheel)."""
    hashes = source.table("hashes", f"{kind}-hashes-type")
    if hashes is None:
        if "hashes" not in source.data:
            source.add(f"{kind}-hashes-required", ("hashes",), f"{what} has no `hashes`", _HINT)
        return
    if len(hashes.data) == 1:
        value = hashes.data.get("sha256")
        if isinstance(value, str) and SHA256.fullmatch(value):
            return  # the usual case
    if not hashes.data:
        hashes.add(f"{kind}-hashes-empty", (), f"{what} has an empty `hashes`", _HINT)
        return
    for algorithm, value in hashes.data.items():
        _check_one(hashes, algorithm, value, kind)
    _check_strength(hashes, what)


def _check_one(hashes: LockTable, algorithm: str, value: Any, kind: str) -> None:
    at, folded = (algorithm,), algorithm.lower()
    if folded != algorithm:
        message = f"The hash algorithm `{algorithm}` is not in lower case"
        hashes.add("hash-algorithm-case", at, message, f"Write `{folded}`")
    if not isinstance(value, str):
        message = f"The {algorithm} hash must be a string, not {toml_type_name(value)}"
        hashes.add(f"{kind}-hash-value-type", at, message)
        return
    length = STRONG_ALGORITHMS.get(folded) or WEAK_ALGORITHMS.get(folded)
    if not _HEX.fullmatch(value):
        hint = "Leave out the name of the algorithm" if ":" in value or "=" in value else None
        hashes.add("hash-value-hex", at, f"The {algorithm} hash `{value}` is not hexadecimal", hint)
    elif length is not None and len(value) != 2 * length:
        message = f"The {algorithm} hash has {len(value)} digits, but must have {2 * length}"
        hashes.add("hash-value-length", at, message)


def _check_strength(hashes: LockTable, what: str) -> None:
    folded = {algorithm.lower() for algorithm in hashes.data}
    names = ", ".join(sorted(hashes.data))
    if not folded & {*STRONG_ALGORITHMS, *WEAK_ALGORITHMS}:
        hashes.add("hash-algorithm-unknown", (), f"{what} has no hash that can be checked (only {names})", _HINT)
    elif not folded & STRONG_ALGORITHMS.keys():
        hashes.add("hash-weak", (), f"{what} has only weak hashes ({names})", _HINT)


class _FileName(NamedTuple):
    """A file name and the project and version in it, as written."""

    text: str
    project: str
    version: str


# Limits the cache of versions; beyond it the oldest are parsed again.
@lru_cache(maxsize=4096)
def version_in_name(text: str) -> Version | None:
    """`text` as a version, or None if it is not valid."""
    try:
        return read_version(text)
    except (InvalidVersion, ValueError):  # ValueError: more digits than Python converts
        return None


def check_name(source: LockTable, kind: str, package: Mapping[str, Any]) -> str | None:
    """Check the file name of a wheel or an sdist of `package`, and return it."""
    name = source.string("name", f"{kind}-name-type")
    if "name" in source.data and name is None:
        return None
    key, file_name = _file_name_of(source.data, name)
    if not file_name:
        if key != "name":
            message = f"The {kind} has no `name`, and its `{key}` does not end in a file name"
            source.add(f"{kind}-name-required", ("name",), message)
        return None
    if name:
        _agree_with_location(name, source)
    parsed = _parse(file_name, kind, source, (key,))
    if parsed is not None:
        _compare(parsed, kind, package, source, (key,))
    return file_name


def _is_ordinary_name(name: str, package: Mapping[str, Any]) -> bool:
    """Whether `name` is certainly a valid wheel name of `package`; only false negatives are possible."""
    project, _, rest = name.partition("-")
    version, _, tags = rest.partition("-")
    if version != package.get("version") or excess(name) is not None or not _are_ordinary_tags(tags):
        return False
    normalized = _ordinary_project(project, version)
    return normalized is not None and normalized == package.get("name")


# The wheels of a release have one project and version, and those of most releases the same tags.
@lru_cache(maxsize=4096)
def _ordinary_project(project: str, version: str) -> str | None:
    """The normalized name of the project at the start of a wheel name; None if it or the version may not be valid."""
    if _PROJECT.fullmatch(project) is None or version_in_name(version) is None:
        return None
    return project.replace("_", "-").replace(".", "-").lower()


@lru_cache(maxsize=4096)
def _are_ordinary_tags(text: str) -> bool:
    """Whether `text` is certainly valid after the version in a wheel name."""
    return _TAGS.fullmatch(text) is not None and text.count(".") <= _FEW_DOTS


def _file_name_of(source: Mapping[str, Any], name: str | None) -> tuple[str, str | None]:
    """The key with the file name, and the name: `name`, or the end of `path` or `url`."""
    if name:
        return "name", name
    for key in ("path", "url"):
        location = source.get(key)
        if location and isinstance(location, str):
            return key, last_component(**{"path": None, "url": None, key: location})
    return "name", None


def _agree_with_location(name: str, source: LockTable) -> None:
    """Check that `path` and `url` end in `name`, if they end in the name of a wheel or sdist."""
    for key in ("path", "url"):
        location = source.data.get(key)
        if not isinstance(location, str) or location.endswith(f"/{name}") or location == name:
            continue
        ending = last_component(**{"path": None, "url": None, key: location})
        if ending is None or not ending.endswith((".whl", ".tar.gz")):
            continue
        # Tools may write the project name with another case or other separators, and the version with dashes.
        if canonicalize_name(ending) != canonicalize_name(name) and not _is_same_sdist(ending, name):
            source.add("file-name-mismatch", ("name",), f"`name` is `{name}`, but `{key}` ends in `{ending}`")


def _is_same_sdist(ending: str, name: str) -> bool:
    """Whether the first is an old spelling of the second: name-1.0-1.tar.gz of name-1.0.post1.tar.gz."""
    matched = _SDIST.fullmatch(name)
    spelled = canonicalize_name(ending.removesuffix(".tar.gz"))
    start = "" if matched is None else f"{canonicalize_name(matched[1])}-"
    version = None if matched is None else version_in_name(matched[2])
    rest = ending.removesuffix(".tar.gz")[len(start) :]
    return version is not None and spelled.startswith(start) and version_in_name(rest) == version


def _parse(file_name: str, kind: str, source: LockTable, at: KeyPath) -> _FileName | None:
    """The parts of a file name; None, with a finding, if it is not valid."""
    if kind == "sdist":
        return _parse_sdist(file_name, source, at)
    matched = _WHEEL.fullmatch(file_name) if excess(file_name) is None else None
    if matched is not None and tag_count(file_name) <= MAX_WHEEL_TAGS and version_in_name(matched[2]) is not None:
        return _FileName(file_name, matched[1], matched[2])
    reason = _wheel_problem(file_name)
    if reason is None:
        project, version = file_name.split("-", 2)[:2]
        return _FileName(file_name, project, version)
    source.add("wheel-file-name", at, f"`{file_name}` is not a valid wheel file name: {reason}")
    return None


def _wheel_problem(file_name: str) -> str | None:
    if not file_name.endswith(".whl"):
        return "it does not end in `.whl`"
    if file_name.count("-") == _VARIANT_DASHES:
        return "it has seven parts, which only the draft of wheel variants allows"
    if tag_count(file_name) > MAX_WHEEL_TAGS:
        return f"it expands to more than {MAX_WHEEL_TAGS} tags"
    try:
        read_wheel_name(file_name)
    except dependency_specifiers.InvalidWheelFilename as error:
        return str(error).split(": ")[0].lower()
    except ValueError as error:
        return str(error).splitlines()[0]
    return None


def _parse_sdist(file_name: str, source: LockTable, at: KeyPath) -> _FileName | None:
    matched = _SDIST.fullmatch(file_name) if excess(file_name) is None else None
    if matched is not None and version_in_name(matched[2]) is not None:
        return _FileName(file_name, matched[1], matched[2])
    try:
        read_sdist_name(file_name)
    except (dependency_specifiers.InvalidSdistFilename, ValueError):
        message = f"`{file_name}` is not a valid sdist file name"
        source.add("sdist-file-name", at, message, "Write NAME-VERSION.tar.gz")
        return None
    if not file_name.endswith(".tar.gz"):
        source.add("sdist-legacy-format", at, f"The sdist `{file_name}` is not a `.tar.gz`")
    project, version = file_name.removesuffix(".tar.gz").removesuffix(".zip").rsplit("-", 1)
    return _FileName(file_name, project, version)


def _compare(parsed: _FileName, kind: str, package: Mapping[str, Any], source: LockTable, at: KeyPath) -> None:
    """Check that the file name has the name and version of the package."""
    file_name, project, version = parsed
    name, locked = package.get("name"), package.get("version")
    if isinstance(name, str) and project != name and canonicalize_name(project) != canonicalize_name(name):
        source.add(f"{kind}-name-matches-package", at, f"`{file_name}` is not a file of `{name}`")
    if isinstance(locked, str) and version != locked:
        expected = version_in_name(locked)
        if expected is not None and version_in_name(version) != expected:
            message = f"`{file_name}` is not version {locked} of `{name}`"
            source.add(f"{kind}-version-matches-package", at, message)
