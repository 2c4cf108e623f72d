"""Rules on the sources of a package: vcs, directory, archive, sdist, wheels."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from lockset._pattern import lazy_pattern
from lockset.lockfile.validate.rules.file_names import check_name, is_ordinary_name
from lockset.lockfile.validate.rules.hashes import SHA256, check_hashes
from lockset.lockfile.validate.rules.urls import check_location, check_path, check_subdirectory, is_ordinary_url
from lockset.lockfile.validate.typed_get import array_of, boolean, close_keys, integer, moment, require, string, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings

__all__ = ["NamedFile", "check_sources"]

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
    check_subdirectory(vcs, "vcs", path, findings)
    close_keys(findings, vcs, _VCS_KEYS, path, where="`vcs`")


def _directory(directory: Mapping[str, Any], name: str, path: KeyPath, findings: Findings) -> None:
    require(findings, directory, "path", "directory-path-required", path, where=f"The directory source of `{name}`")
    local = string(findings, directory, "path", "directory-path-type", path)
    if local:
        check_path(local, (*path, "path"), findings)
    boolean(findings, directory, "editable", "directory-editable-type", path)
    check_subdirectory(directory, "directory", path, findings)
    close_keys(findings, directory, _DIRECTORY_KEYS, path, where="`directory`")


def _archive(archive: Mapping[str, Any], name: str, path: KeyPath, findings: Findings) -> None:
    what = f"The archive of `{name}`"
    check_location(archive, "archive", path, findings, what=what)
    _size_and_time(archive, "archive", path, findings)
    check_hashes(archive, "archive", path, findings, what=what)
    check_subdirectory(archive, "archive", path, findings)
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
    if not (url.endswith(f"/{name}") and is_ordinary_url(url) and is_ordinary_name(name, package)):
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
