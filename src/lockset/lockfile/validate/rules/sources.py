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
from lockset.lockfile.validate.typed_get import (
    array_of,
    boolean,
    close_keys,
    integer,
    moment,
    require,
    string,
    table,
    toml_type_name,
)
from lockset.package_names import canonicalize_name, version_after_name
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
# Nearly all URLs of lock files match this, and are valid.
_ORDINARY = lazy_pattern(
    r"(?:https://[A-Za-z0-9][A-Za-z0-9.-]*|http://127\.0\.0\.1)(?::[0-9]{1,4})?/[^\s?#@\\]*", re.ASCII
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
_WHEEL = lazy_pattern(rf"([A-Za-z0-9]+(?:[_.][A-Za-z0-9]+)*)-([^-]+)(?:-\d[^-]*)?-{_TAG}-{_TAG}-{_TAG}\.whl", re.ASCII)
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


def check_sources(package: Mapping[str, Any], name: str, path: KeyPath, findings: Findings) -> list[NamedFile]:
    """Check the sources of `package`, called `name` in messages, and return its named files."""
    _combination(package, name, path, findings)
    vcs = table(findings, package, "vcs", "vcs-table-type", path)
    if vcs is not None:
        _vcs(vcs, name, (*path, "vcs"), findings)
    directory = table(findings, package, "directory", "directory-table-type", path)
    if directory is not None:
        _directory(directory, name, (*path, "directory"), findings)
    archive = table(findings, package, "archive", "archive-table-type", path)
    if archive is not None:
        _archive(archive, name, (*path, "archive"), findings)
    files: list[NamedFile | None] = []
    sdist = table(findings, package, "sdist", "sdist-table-type", path)
    if sdist is not None:
        files.append(_distribution(sdist, "sdist", (*path, "sdist"), package, findings))
    for index, wheel in array_of(findings, package, "wheels", dict, path):
        files.append(_distribution(wheel, "wheel", (*path, "wheels", index), package, findings))
    return [file for file in files if file is not None]


def _combination(package: Mapping[str, Any], name: str, path: KeyPath, findings: Findings) -> None:
    """Check that there is a source and no conflict; an empty array of wheels counts as missing."""
    trees = [key for key in ("vcs", "directory", "archive") if key in package]
    files = [key for key in ("sdist", "wheels") if package.get(key) not in (None, [])]
    if not trees and not files:
        message = f"`{name}` has no source: none of vcs, directory, archive, sdist and wheels"
        findings.add("package-source-required", path, message, "Lock again; without a source it cannot be installed")
    elif len(trees) > 1 or (trees and files):
        message = f"`{name}` has more than one source: {', '.join(trees + files)}"
        findings.add("package-source-conflict", path, message, "Keep one; only sdist and wheels go together")


def _vcs(vcs: Mapping[str, Any], name: str, path: KeyPath, findings: Findings) -> None:
    what = f"The vcs source of `{name}`"
    require(findings, vcs, "type", "vcs-type-required", path, where=what)
    kind = string(findings, vcs, "type", "vcs-type-type", path)
    url = vcs.get("url")
    if isinstance(url, str) and _PREFIXED.match(url):
        string(findings, vcs, "path", "vcs-path-type", path)
        hint = f"Write `{_PREFIXED.sub('', url, count=1)}`" if "@" not in url else None
        findings.add(
            "vcs-url-prefix", (*path, "url"), "`url` has a prefix that version control systems do not accept", hint
        )
    else:
        check_location(vcs, "vcs", path, findings, what=what)
    string(findings, vcs, "requested-revision", "vcs-requested-revision-type", path)
    require(findings, vcs, "commit-id", "vcs-commit-id-required", path, where=what)
    commit = string(findings, vcs, "commit-id", "vcs-commit-id-type", path)
    if kind is not None and kind not in _REGISTERED:
        message = f"`{kind}` is not a registered version control system"
        findings.add("vcs-type-unregistered", (*path, "type"), message, "Registered are git, hg, bzr and svn")
    pattern = _COMMITS.get(kind or "")
    if commit is not None and pattern is not None and not pattern.fullmatch(commit):
        message = f"`{commit}` is not a full {kind} commit id, so its meaning may change"
        findings.add("vcs-commit-id-immutable", (*path, "commit-id"), message, "Write the full commit hash")
    _check_subdirectory(vcs, "vcs", path, findings)
    close_keys(findings, vcs, _VCS_KEYS, path, where="`vcs`")


def _directory(directory: Mapping[str, Any], name: str, path: KeyPath, findings: Findings) -> None:
    require(findings, directory, "path", "directory-path-required", path, where=f"The directory source of `{name}`")
    local = string(findings, directory, "path", "directory-path-type", path)
    if local:
        check_path(local, (*path, "path"), findings)
    boolean(findings, directory, "editable", "directory-editable-type", path)
    _check_subdirectory(directory, "directory", path, findings)
    close_keys(findings, directory, _DIRECTORY_KEYS, path, where="`directory`")


def _archive(archive: Mapping[str, Any], name: str, path: KeyPath, findings: Findings) -> None:
    what = f"The archive of `{name}`"
    check_location(archive, "archive", path, findings, what=what)
    _size_and_time(archive, "archive", path, findings)
    check_hashes(archive, "archive", path, findings, what=what)
    _check_subdirectory(archive, "archive", path, findings)
    close_keys(findings, archive, _ARCHIVE_KEYS, path, where="`archive`")


def _distribution(
    file: Mapping[str, Any], kind: str, path: KeyPath, package: Mapping[str, Any], findings: Findings
) -> NamedFile | None:
    if kind == "wheel" and _is_ordinary(file, package):
        return NamedFile(path, file["name"], file)
    file_name = check_name(file, kind, path, package, findings)
    what = f"`{file_name}`" if file_name else f"A {kind} of `{package.get('name', '?')}`"
    check_location(file, kind, path, findings, what=what)
    _size_and_time(file, kind, path, findings)
    check_hashes(file, kind, path, findings, what=what)
    if not file.keys() <= _FILE_KEYS:
        close_keys(findings, file, _FILE_KEYS, path, where=f"A {kind}")
    return NamedFile(path, file_name, file) if file_name else None


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


def _size_and_time(file: Mapping[str, Any], kind: str, path: KeyPath, findings: Findings) -> None:
    size = integer(findings, file, "size", f"{kind}-size-type", path)
    if size is not None and not 0 < size <= _LARGEST:
        findings.add("size-range", (*path, "size"), "`size` is out of range", "Omit it if it is not known")
    time = moment(findings, file, "upload-time", f"{kind}-upload-time-type", path)
    if time is None:
        return
    offset = time.utcoffset()
    if offset is None:
        message = "`upload-time` has no time zone, so UTC is only a guess"
        findings.add("upload-time-naive", (*path, "upload-time"), message, "Write `Z` at its end")
    elif offset:
        message = f"`upload-time` is not in UTC but at offset {time.strftime('%z')}"
        findings.add(f"{kind}-upload-time-utc", (*path, "upload-time"), message, "Write it in UTC, with `Z` at its end")


def check_location(source: Mapping[str, Any], kind: str, path: KeyPath, findings: Findings, *, what: str) -> None:
    """Check `url` and `path` of one source of `kind` (archive, sdist, wheel or vcs)."""
    url = string(findings, source, "url", f"{kind}-url-type", path)
    local = string(findings, source, "path", f"{kind}-path-type", path)
    if not source.get("url") and not source.get("path"):
        findings.add(f"{kind}-url-or-path", path, f"{what} has neither `url` nor `path`")
    if url:
        check_url(url, f"{kind}-url-valid", (*path, "url"), findings)
    if local:
        check_path(local, (*path, "path"), findings)
    if url and local and not url.endswith(f"/{local}"):
        names = (last_component(path=local, url=None), last_component(path=None, url=url))
        if names[0] != names[1] and all(names) and kind != "vcs":
            message = f"`path` ends in `{names[0]}`, `url` in `{names[1]}`"
            findings.add("path-and-url-differ", path, message, "Installers use `path`; remove one of them")


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


def _check_subdirectory(source: Mapping[str, Any], kind: str, path: KeyPath, findings: Findings) -> None:
    """Check the `subdirectory` of a source tree."""
    subdirectory = string(findings, source, "subdirectory", f"{kind}-subdirectory-type", path)
    if not subdirectory:
        return
    where = (*path, "subdirectory")
    if _is_absolute(subdirectory):
        findings.add(
            "subdirectory-relative", where, f"The subdirectory `{subdirectory}` is not relative to the source tree"
        )
    elif _leaves(subdirectory):
        findings.add("subdirectory-escapes", where, f"The subdirectory `{subdirectory}` leaves the source tree")


def _is_absolute(local: str) -> bool:
    return local.startswith(("/", "\\")) or _DRIVE.match(local) is not None


def _leaves(local: str) -> bool:
    normal = normpath(local.replace("\\", "/"))
    return normal == ".." or normal.startswith("../")


def check_hashes(source: Mapping[str, Any], kind: str, path: KeyPath, findings: Findings, *, what: str) -> None:
    """Check the `hashes` of one file of `kind` (archive, sdist or wheel)."""
    hashes = table(findings, source, "hashes", f"{kind}-hashes-type", path)
    if hashes is None:
        if "hashes" not in source:
            findings.add(f"{kind}-hashes-required", (*path, "hashes"), f"{what} has no `hashes`", _HINT)
        return
    if len(hashes) == 1:
        value = hashes.get("sha256")
        if isinstance(value, str) and SHA256.fullmatch(value):
            return  # the usual case
    below = (*path, "hashes")
    if not hashes:
        findings.add(f"{kind}-hashes-empty", below, f"{what} has an empty `hashes`", _HINT)
        return
    for algorithm, value in hashes.items():
        _check_one(algorithm, value, kind, (*below, algorithm), findings)
    _check_strength(hashes, below, findings, what)


def _check_one(algorithm: str, value: Any, kind: str, path: KeyPath, findings: Findings) -> None:
    folded = algorithm.lower()
    if folded != algorithm:
        message = f"The hash algorithm `{algorithm}` is not in lower case"
        findings.add("hash-algorithm-case", path, message, f"Write `{folded}`")
    if not isinstance(value, str):
        findings.add(
            f"{kind}-hash-value-type", path, f"The {algorithm} hash must be a string, not {toml_type_name(value)}"
        )
        return
    length = STRONG_ALGORITHMS.get(folded) or WEAK_ALGORITHMS.get(folded)
    if not _HEX.fullmatch(value):
        hint = "Leave out the name of the algorithm" if ":" in value or "=" in value else None
        findings.add("hash-value-hex", path, f"The {algorithm} hash `{value}` is not hexadecimal", hint)
    elif length is not None and len(value) != 2 * length:
        message = f"The {algorithm} hash has {len(value)} digits, but must have {2 * length}"
        findings.add("hash-value-length", path, message)


def _check_strength(hashes: Mapping[str, Any], path: KeyPath, findings: Findings, what: str) -> None:
    folded = {algorithm.lower() for algorithm in hashes}
    names = ", ".join(sorted(hashes))
    if not folded & {*STRONG_ALGORITHMS, *WEAK_ALGORITHMS}:
        findings.add("hash-algorithm-unknown", path, f"{what} has no hash that can be checked (only {names})", _HINT)
    elif not folded & STRONG_ALGORITHMS.keys():
        findings.add("hash-weak", path, f"{what} has only weak hashes ({names})", _HINT)


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


def check_name(
    source: Mapping[str, Any], kind: str, path: KeyPath, package: Mapping[str, Any], findings: Findings
) -> str | None:
    """Check the file name of a wheel or an sdist of `package`, and return it."""
    name = string(findings, source, "name", f"{kind}-name-type", path)
    if "name" in source and name is None:
        return None
    key, file_name = _file_name_of(source, name)
    where = (*path, key)
    if not file_name:
        if key != "name":
            message = f"The {kind} has no `name`, and its `{key}` does not end in a file name"
            findings.add(f"{kind}-name-required", (*path, "name"), message)
        return None
    if name:
        _agree_with_location(name, source, where, findings)
    parsed = _parse(file_name, kind, where, findings)
    if parsed is not None:
        _compare(parsed, kind, package, where, findings)
    return file_name


def _is_ordinary_name(name: str, package: Mapping[str, Any]) -> bool:
    """Whether `name` is certainly a valid wheel name of `package`; only false negatives are possible."""
    matched = _WHEEL.fullmatch(name)
    if matched is None or name.count(".") > _FEW_DOTS or excess(name) is not None:
        return False
    project, version = matched.group(1, 2)
    return (
        version == package.get("version")
        and project.replace("_", "-").replace(".", "-").lower() == package.get("name")
        and version_in_name(version) is not None
    )


def _file_name_of(source: Mapping[str, Any], name: str | None) -> tuple[str, str | None]:
    """The key with the file name, and the name: `name`, or the end of `path` or `url`."""
    if name:
        return "name", name
    for key in ("path", "url"):
        location = source.get(key)
        if location and isinstance(location, str):
            return key, last_component(**{"path": None, "url": None, key: location})
    return "name", None


def _agree_with_location(name: str, source: Mapping[str, Any], path: KeyPath, findings: Findings) -> None:
    """Check that `path` and `url` end in `name`, if they end in the name of a wheel or sdist."""
    for key in ("path", "url"):
        location = source.get(key)
        if not isinstance(location, str) or location.endswith(f"/{name}") or location == name:
            continue
        ending = last_component(**{"path": None, "url": None, key: location})
        if ending is None or not ending.endswith((".whl", ".tar.gz")):
            continue
        # Tools may write the project name with another case or other separators.
        if canonicalize_name(ending) != canonicalize_name(name):
            findings.add("file-name-mismatch", path, f"`name` is `{name}`, but `{key}` ends in `{ending}`")


def _parse(file_name: str, kind: str, path: KeyPath, findings: Findings) -> _FileName | None:
    """The parts of a file name; None, with a finding, if it is not valid."""
    if kind == "sdist":
        return _parse_sdist(file_name, path, findings)
    matched = _WHEEL.fullmatch(file_name) if excess(file_name) is None else None
    if matched is not None and tag_count(file_name) <= MAX_WHEEL_TAGS and version_in_name(matched[2]) is not None:
        return _FileName(file_name, matched[1], matched[2])
    reason = _wheel_problem(file_name)
    if reason is None:
        project, version = file_name.split("-", 2)[:2]
        return _FileName(file_name, project, version)
    findings.add("wheel-file-name", path, f"`{file_name}` is not a valid wheel file name: {reason}")
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


def _parse_sdist(file_name: str, path: KeyPath, findings: Findings) -> _FileName | None:
    matched = _SDIST.fullmatch(file_name) if excess(file_name) is None else None
    if matched is not None and version_in_name(matched[2]) is not None:
        return _FileName(file_name, matched[1], matched[2])
    try:
        read_sdist_name(file_name)
    except (dependency_specifiers.InvalidSdistFilename, ValueError):
        message = f"`{file_name}` is not a valid sdist file name"
        findings.add("sdist-file-name", path, message, "Write NAME-VERSION.tar.gz")
        return None
    if not file_name.endswith(".tar.gz"):
        findings.add("sdist-legacy-format", path, f"The sdist `{file_name}` is not a `.tar.gz`")
    project, version = file_name.removesuffix(".tar.gz").removesuffix(".zip").rsplit("-", 1)
    return _FileName(file_name, project, version)


def _divided_after(name: str, parsed: _FileName) -> tuple[str, str]:
    """Project and version in the file name of an old sdist of `name`, whose version may have a dash."""
    stem = parsed.text.removesuffix(".tar.gz").removesuffix(".zip")
    version = version_after_name(stem, canonicalize_name(name))
    is_version = version is not None and version_in_name(version) is not None
    return (name, version) if version is not None and is_version else (parsed.project, parsed.version)


def _compare(parsed: _FileName, kind: str, package: Mapping[str, Any], path: KeyPath, findings: Findings) -> None:
    """Check that the file name has the name and version of the package."""
    file_name, project, version = parsed
    name, locked = package.get("name"), package.get("version")
    if kind == "sdist" and isinstance(name, str) and canonicalize_name(project) != canonicalize_name(name):
        project, version = _divided_after(name, parsed)
    if isinstance(name, str) and project != name and canonicalize_name(project) != canonicalize_name(name):
        findings.add(f"{kind}-name-matches-package", path, f"`{file_name}` is not a file of `{name}`")
    if isinstance(locked, str) and version != locked:
        expected = version_in_name(locked)
        if expected is not None and version_in_name(version) != expected:
            message = f"`{file_name}` is not version {locked} of `{name}`"
            findings.add(f"{kind}-version-matches-package", path, message)
