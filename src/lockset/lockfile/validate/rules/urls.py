"""Rules on the locations of files and source trees: URLs, paths, subdirectories."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from posixpath import normpath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lockset._pattern import lazy_pattern
from lockset.lockfile.last_component import last_component
from lockset.lockfile.validate.typed_get import string
from lockset.url_secrets import has_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings

__all__ = ["check_location", "check_subdirectory", "check_url", "is_ordinary_url"]

# Nearly all URLs of lock files match this, and are valid.
_ORDINARY = lazy_pattern(
    r"(?:https://[A-Za-z0-9][A-Za-z0-9.-]*|http://127\.0\.0\.1)(?::[0-9]{1,4})?/[^\s?#@\\]*", re.ASCII
)
is_ordinary_url = _ORDINARY.fullmatch
_SCHEME = lazy_pattern(r"[A-Za-z][A-Za-z0-9+.-]+:", re.ASCII)
_INSECURE = frozenset({"http", "git", "ftp", "svn", "git+http", "svn+http", "hg+http", "bzr+http", "bzr+ftp"})
_WITH_HOST = frozenset({"http", "https", "ftp", "git", "ssh", "svn"})
# Schemes of files and of repositories; `data:`, `javascript:` and `s3:` are never fetched, `ftp:` by no installer.
_OF_FILES = frozenset({"http", "https", "file"})
_OF_REPOSITORIES = frozenset({*_OF_FILES, "ftp", "ssh", "git", "svn", "bzr", "sftp", "lp", "rsync"})
# git's scp-like form of an address, which is not a URL.
_SCP = lazy_pattern(r"(?P<user>[\w.-]+)@(?P<host>[\w.-]+):(?P<path>[^\s:@]+)", re.ASCII)
_DRIVE = lazy_pattern(r"[A-Za-z]:")


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
    if host is None or host == "localhost" or host.endswith(".localhost"):
        return True
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


def check_subdirectory(source: Mapping[str, Any], kind: str, path: KeyPath, findings: Findings) -> None:
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
