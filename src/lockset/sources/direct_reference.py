"""Requirements that are a URL or a path: to `name @ url`, with hashes taken out of the fragment."""

from __future__ import annotations

import os.path
import re
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, unquote, urlsplit

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename

from lockset.dependency_specifiers import read_sdist_name, read_wheel_name
from lockset.errors import LocksetError
from lockset.sources.direct_url import egg_name, path_of
from lockset.sources.requirements.requirement_line import RequirementLine, parse_requirement
from lockset.url_secrets import plain_url, without_secrets

__all__ = ["ReferencedFiles", "is_remote", "is_url", "read_requirement", "shown_url"]

_URL_SCHEMES = frozenset({"http", "https", "file", "ftp"})
_VCS = ("git", "hg", "svn", "bzr")
_ARCHIVE = re.compile(r"\.(whl|zip|tar|tar\.(gz|bz2|xz|lzma)|tgz|tbz|txz|tlz)\Z", re.IGNORECASE)
# A part of a path that can be a project's name: a tag, branch or commit, and what forges put before them, cannot.
_PROJECT = re.compile(
    r"(?!v?\d)(?![0-9a-f]{7,}\Z)(?!(?:archive|refs|tags|heads|releases|download|tarball|zipball|zip|tree|get|main|master|trunk|develop|head)\Z)"
    r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?",
    re.IGNORECASE,
)
# No two stretches of blanks stand side by side: a long run of them must cost one pass.
_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^\]]*\]\s*)?@\s*(?P<target>\S+)")
_WITH_EXTRAS = re.compile(r"(?P<path>.+?)(?P<extras>\[[^\[\]]*\])\Z", re.DOTALL)
# An address of a server, also where nothing fetches from such a one: not a path, which then would not be found.
_ANY_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_LOCAL_URL = re.compile(r"file:(?!/)", re.IGNORECASE)


class ReferencedFiles(Protocol):
    """What a requirements file refers to outside itself. Paths are absolute; nothing is ever changed."""

    def read(self, path_or_url: str) -> bytes:
        """The content of another requirements file, by path or URL; LocksetError where it cannot be had."""

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""

    def project_name(self, path: str) -> str | None:
        """The project name of the source tree in the folder, or None where nothing but a build would tell it."""


def is_url(text: str) -> bool:
    """Whether the text begins with a scheme that installers fetch from."""
    scheme, colon, _ = text.partition(":")
    scheme = scheme.lower()
    return bool(colon) and (scheme in _URL_SCHEMES or scheme.partition("+")[0] in _VCS)


def is_remote(text: str) -> bool:
    """Whether the text is a URL that requirements files are fetched from."""
    return text.lower().startswith(("https://", "http://"))


def shown_url(url: str) -> str:
    """The URL as messages and origins name it: without user info, query and fragment, which may hold secrets."""
    return without_secrets(plain_url(path_of(url)))


def read_requirement(
    text: str, *, origin: str, folder: Path, surroundings: ReferencedFiles, editable: bool = False
) -> RequirementLine:
    """The requirement in any form an installer accepts; local paths are relative to `folder`.

    Raises:
        LocksetError: `requirement-syntax`, `requirement-name` where the project's name cannot be told,
            `path-missing`, `editable-form`, `hash-weak` or `hash-malformed`.
    """
    named = _NAMED.match(text)
    if _LOCAL_URL.match(text):
        line = _from_path(text, origin, folder, surroundings)
    elif is_url(text):
        line = _from_url(text, origin)
    elif named and not _looks_like_path(text.partition("@")[0]):
        line = _from_named(text, named["target"], origin, folder, surroundings)
    elif editable or _is_path(text):
        line = _from_path(text, origin, folder, surroundings)
    else:
        line = parse_requirement(text, origin=origin)
    if editable:
        _check_editable(line)
        line = replace(line, editable=True)
    return line


def _looks_like_path(text: str) -> bool:
    return "/" in text or "\\" in text or text.startswith(".")


def _is_path(text: str) -> bool:
    path = _split_extras(text.partition(";")[0].strip())[0]
    return _looks_like_path(path) or _ARCHIVE.search(path) is not None


def _split_extras(text: str) -> tuple[str, str]:
    """Path or name, and its extras in brackets (or nothing)."""
    match = _WITH_EXTRAS.match(text)
    return (match["path"].rstrip(), match["extras"]) if match else (text, "")


def _from_url(text: str, origin: str) -> RequirementLine:
    # A bare URL may hold semicolons: only one before a blank begins the marker.
    url, _, marker = text.partition("; ")
    url = url.strip()
    name = _project_of(url, origin)
    if name is None:
        raise _nameless(text, origin, url)
    return _build(text, name, url, marker, origin=origin)


def _from_named(text: str, target: str, origin: str, folder: Path, surroundings: ReferencedFiles) -> RequirementLine:
    if (is_url(target) and not _LOCAL_URL.match(target)) or _ANY_ADDRESS.match(target):
        return parse_requirement(text, origin=origin)
    before, _, after = text.partition("@")
    path, _, marker = after.partition(";")
    path, hash_sign, fragment = path.strip().partition("#")
    _, url = _local(_decoded(path), origin, folder, surroundings)
    return _build(text, before.strip(), url + hash_sign + fragment, marker, origin=origin)


def _from_path(text: str, origin: str, folder: Path, surroundings: ReferencedFiles) -> RequirementLine:
    written, _, marker = text.partition(";")
    path, extras = _split_extras(written.strip())
    # A fragment of a path (`./p#egg=name`) is one of the URL it stands for.
    path, hash_sign, fragment = path.partition("#")
    absolute, url = _local(_decoded(path), origin, folder, surroundings)
    url += hash_sign + fragment
    name = _project_of(url, origin) or surroundings.project_name(absolute)
    if name is None:
        raise _nameless(text, origin, url)
    return _build(text, name + extras, url, marker, origin=origin)


def _decoded(text: str) -> str:
    """The path: what a URL without a host writes in percent signs, a path alone has as it stands."""
    return unquote(text[len("file:") :]) if _LOCAL_URL.match(text) else text


def _local(path: str, origin: str, folder: Path, surroundings: ReferencedFiles) -> tuple[str, str]:
    """The absolute path and its URL."""
    absolute = os.path.normpath(folder / path.replace("\\", "/"))
    if not surroundings.exists(absolute):
        raise LocksetError(
            "path-missing",
            f"There is no file or folder `{path}`",
            location=origin,
            hint=f"Relative paths are looked up from {folder}",
        )
    return absolute, Path(absolute).as_uri()


def _build(text: str, name: str, url: str, marker: str, *, origin: str) -> RequirementLine:
    condition = f" ; {marker.strip()}" if marker.strip() else ""
    # A blank would end the URL within a requirement.
    line = parse_requirement(f"{name} @ {quote(url, safe='%/:=&?~#+!$,;@()*[]')}{condition}", origin=origin)
    return replace(line, text=text)


def _project_of(url: str, origin: str) -> str | None:
    """The project that a wheel's name, the fragment, or a source distribution's name tells, in this order.

    A wheel's name cannot be wrong. An archive's can look like that of a source distribution and not be one.
    """
    file_name = unquote(path_of(url).rstrip("/").rpartition("/")[2])
    try:
        if file_name.endswith(".whl"):
            return read_wheel_name(file_name)[0]
        return egg_name(url, location=origin) or read_sdist_name(file_name)[0]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


def _nameless(text: str, origin: str, url: str) -> LocksetError:
    path = urlsplit(path_of(url)).path
    parts = [_ARCHIVE.sub("", part.partition("@")[0].removesuffix(".git")) for part in path.split("/")]
    guess = next((part for part in reversed(parts) if _PROJECT.fullmatch(part)), "NAME")
    return LocksetError(
        "requirement-name",
        f"`{without_secrets(text)}` does not say which project it is",
        location=origin,
        hint=f"Write the name in front: `{guess} @ {without_secrets(url)}`",
    )


def _check_editable(line: RequirementLine) -> None:
    url = line.requirement.url or ""
    scheme = url.partition(":")[0].lower()
    path_is_file = _ARCHIVE.search(path_of(url)) is not None
    if scheme.partition("+")[0] in _VCS or (scheme == "file" and not path_is_file):
        return
    raise LocksetError(
        "editable-form",
        f"`{line.text}` cannot be editable: it is neither a folder nor a version control URL",
        location=line.origin,
        hint="Give the path of a source tree, or leave out `-e`",
    )
