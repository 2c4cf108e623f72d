"""A requirement in any form that installers accept, with its origin; URLs and paths become `name @ url`."""

from __future__ import annotations

import os.path
import re
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename

from lockset._dataclass import dataclass, replace
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import read_dependency, read_sdist_name, read_wheel_name
from lockset.errors import LocksetError, RequirementSyntaxError
from lockset.hashes import quick_sha256
from lockset.package_names import canonicalize_name
from lockset.sources.direct_url import egg_name, path_of, split_hashes
from lockset.url_secrets import plain_url, without_secrets

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.utils import NormalizedName

    from lockset.hashes import Digest

__all__ = [
    "ReferencedFiles",
    "RequirementLine",
    "is_remote",
    "is_url",
    "missing_name_error",
    "parse_requirement",
    "read_requirement",
    "shown_url",
]

_LONE_EQUALS = lazy_pattern(r"(?<![=!<>~])=(?!=)")
# The most digits of a number. Longer ones are not versions, and Python refuses to convert them.
_DIGITS = 1_000
_NUMBER = lazy_pattern(f"[0-9]{{{_DIGITS}}}")
# The deepest parentheses in a marker, below the limit of every release of packaging. Real markers have two.
_MAX_NESTING = 100
_POETRY_BOUND = lazy_pattern(r"[\^]|~\s*\d")
_URL_SCHEMES = frozenset({"http", "https", "file", "ftp"})
_VCS = ("git", "hg", "svn", "bzr")
_ARCHIVE = lazy_pattern(r"\.(whl|zip|tar|tar\.(gz|bz2|xz|lzma)|tgz|tbz|txz|tlz)\Z", re.IGNORECASE)
# A part of a path that can be a project name. A tag, branch or commit, and what forges put before them, cannot.
_PROJECT = lazy_pattern(
    r"(?!v?\d)(?![0-9a-f]{7,}\Z)(?!(?:archive|refs|tags|heads|releases|download|tarball|zipball|zip|tree|get|main|master|trunk|develop|head)\Z)"
    r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?",
    re.IGNORECASE,
)
# No two runs of blanks are adjacent in the pattern, so that a long run of them costs one pass.
_NAMED = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^\]]*\]\s*)?@\s*(?P<target>\S+)")
_WITH_EXTRAS = lazy_pattern(r"(?P<path>.+?)(?P<extras>\[[^\[\]]*\])\Z", re.DOTALL)
# A URL with any scheme, even one that cannot be fetched, so that it is not mistaken for a path.
_ANY_ADDRESS = lazy_pattern(r"[A-Za-z][A-Za-z0-9+.-]+://")
# Names that stand for unknown ones begin so, and end with so many digits of a hash of the URL.
_STAND_IN, _STAND_IN_DIGITS = "unnamed-project-", 16
_LOCAL_URL = lazy_pattern(r"file:(?!/)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementLine:
    """A requirement and where it comes from.

    Attributes:
        text: The requirement as written, without options, comments and hashes.
        requirement: The same, parsed. A path or bare URL becomes `name @ url`; local paths become absolute
            `file:` URLs. The URL has no hash and no `egg` fragment.
        origin: For messages and annotations: `pyproject.toml [project.dependencies]`, `requirements.in:3`.
        hashes: Digests of which the file must match one; empty for none.
        editable: Whether to install the source tree as editable.
        config_settings: Pairs for the build backend, in the order written.
        is_named: Whether the name of the project is known. Otherwise only its source shows the name, and `requirement`
            has a stand-in, which no real project has: see `nameless`.
    """

    text: str
    requirement: Requirement
    origin: str
    hashes: tuple[Digest, ...] = ()
    editable: bool = False
    config_settings: tuple[tuple[str, str], ...] = ()
    is_named: bool = True

    @property
    def name(self) -> NormalizedName:
        """The normalized project name."""
        return canonicalize_name(self.requirement.name)

    @property
    def extras(self) -> frozenset[NormalizedName]:
        """The normalized extras."""
        return frozenset(canonicalize_name(extra) for extra in self.requirement.extras)

    def where(self, marker: Marker | None, *, through: str) -> RequirementLine:
        """The same requirement restricted to `marker`, with an origin that names `through`."""
        origin = f"{self.origin} (through {through})"
        if marker is None:
            return replace(self, origin=origin)
        narrowed = read_dependency(str(self.requirement))
        narrowed.marker = marker if narrowed.marker is None else marker & narrowed.marker
        return replace(self, text=str(narrowed), requirement=narrowed, origin=origin)

    def with_name(self, name: str) -> RequirementLine:
        """The same requirement, on the project `name` that its source contains."""
        named = read_dependency(str(self.requirement))
        named.name = name
        return replace(self, requirement=named, is_named=True)


def parse_requirement(text: str, *, origin: str, location: str | None = None) -> RequirementLine:
    """Parse a dependency specifier (PEP 508).

    Raises:
        LocksetError: `requirement-syntax`, with the invalid part marked below the message; `hash-weak` and
            `hash-malformed` for hashes in a URL.
    """
    if text.count("(") > _MAX_NESTING and _nesting(text) > _MAX_NESTING:
        raise RequirementSyntaxError("The marker is nested too deeply", location=location or origin)
    try:
        requirement = read_dependency(text)
    except InvalidRequirement as error:
        reason, *marked = str(error).split("\n")
        raise RequirementSyntaxError(
            f"`{without_secrets(text)}` is not a requirement: {reason}",
            location=location or origin,
            # With credentials masked, the mark would point to the wrong part.
            context=tuple(line for line in marked if line.strip()) if without_secrets(text) == text else (),
            hint=_hint(text),
        ) from error
    try:
        urlsplit(requirement.url or "")
    except ValueError as error:
        raise RequirementSyntaxError(
            f"`{without_secrets(text)}` does not have a valid URL", location=location or origin
        ) from error
    if len(text) > _DIGITS and _NUMBER.search(text):
        raise RequirementSyntaxError(
            f"A number in the requirement has more than {_DIGITS} digits",
            location=location or origin,
        )
    hashes: tuple[Digest, ...] = ()
    if requirement.url is not None:
        requirement.url, hashes = split_hashes(requirement.url, location=location or origin)
    return RequirementLine(text=text.strip(), requirement=requirement, origin=origin, hashes=hashes)


def _nesting(text: str) -> int:
    """The depth of the parentheses in `text`."""
    return max(accumulate({"(": 1, ")": -1}.get(sign, 0) for sign in text), default=0)


def _hint(text: str) -> str | None:
    # Look at the version part only: a marker or URL may contain the same characters.
    version_part = text.partition(";")[0]
    if "@" in version_part or "://" in version_part:
        return "Write a direct reference as `name @ URL`, with a blank before any `;`"
    if _POETRY_BOUND.search(version_part):
        return "Write versions in the standard form, such as `>=1.2,<2` or `~=1.2`"
    if _LONE_EQUALS.search(version_part):
        return "Write `==` for an exact version"
    return None


class ReferencedFiles(Protocol):
    """The files that a requirements file refers to. Paths are absolute. Read-only."""

    def read(self, path_or_url: str) -> bytes:
        """The content of another requirements file, by path or URL; LocksetError if it cannot be read."""

    def exists(self, path: str) -> bool:
        """Whether a file or folder exists."""

    def project_name(self, path: str) -> str | None:
        """The project name of the source tree in a folder; None if only a build would tell it."""


def is_url(text: str) -> bool:
    """Whether the text begins with a scheme that installers support."""
    scheme, colon, _ = text.partition(":")
    scheme = scheme.lower()
    return bool(colon) and (scheme in _URL_SCHEMES or scheme.partition("+")[0] in _VCS)


def is_remote(text: str) -> bool:
    """Whether the text is a URL from which requirements files can be fetched."""
    return text.lower().startswith(("https://", "http://"))


def shown_url(url: str) -> str:
    """The URL for messages and origins: without user info, query and fragment, which may contain secrets."""
    return without_secrets(plain_url(path_of(url)))


def read_requirement(
    text: str,
    *,
    origin: str,
    folder: Path,
    surroundings: ReferencedFiles,
    editable: bool = False,
    nameless: bool = False,
) -> RequirementLine:
    """Read a requirement in any form that installers accept. Local paths are relative to `folder`.

    With `nameless`, a source that does not state its name is accepted where fetching or building it shows the name: see
    `RequirementLine.is_named`.

    Raises:
        LocksetError: `requirement-syntax`, `requirement-name` if the project's name is not known,
            `path-missing`, `editable-form`, `hash-weak` or `hash-malformed`.
    """
    named = _NAMED.match(text)
    if _LOCAL_URL.match(text):
        line = _from_path(text, origin, folder, surroundings, nameless=nameless)
    elif is_url(text):
        line = _from_url(text, origin, nameless=nameless)
    elif named and not _looks_like_path(text.partition("@")[0]):
        line = _from_named(text, named["target"], origin, folder, surroundings)
    elif editable or _is_path(text):
        line = _from_path(text, origin, folder, surroundings, nameless=nameless)
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
    """The path or name, and its extras in brackets (or an empty string)."""
    match = _WITH_EXTRAS.match(text)
    return (match["path"].rstrip(), match["extras"]) if match else (text, "")


def _from_url(text: str, origin: str, *, nameless: bool) -> RequirementLine:
    # A bare URL may contain semicolons: only one before a blank begins the marker.
    url, _, marker = text.partition("; ")
    url = url.strip()
    name = _project_of(url, origin)
    if name is None and nameless and _can_show_name(url):
        return _build_nameless(text, "", url, marker, origin=origin)
    if name is None:
        raise missing_name_error(text, origin, url)
    return _build(text, name, url, marker, origin=origin)


def _from_named(text: str, target: str, origin: str, folder: Path, surroundings: ReferencedFiles) -> RequirementLine:
    if (is_url(target) and not _LOCAL_URL.match(target)) or _ANY_ADDRESS.match(target):
        return parse_requirement(text, origin=origin)
    before, _, after = text.partition("@")
    path, _, marker = after.partition(";")
    path, hash_sign, fragment = path.strip().partition("#")
    _, url = _local(_decode_local_url(path), origin, folder, surroundings)
    return _build(text, before.strip(), url + hash_sign + fragment, marker, origin=origin)


def _from_path(
    text: str, origin: str, folder: Path, surroundings: ReferencedFiles, *, nameless: bool
) -> RequirementLine:
    written, _, marker = text.partition(";")
    path, extras = _split_extras(written.strip())
    # The fragment of a path (`./p#egg=name`) belongs to its URL.
    path, hash_sign, fragment = path.partition("#")
    absolute, url = _local(_decode_local_url(path), origin, folder, surroundings)
    url += hash_sign + fragment
    name = _project_of(url, origin) or surroundings.project_name(absolute)
    lack = "" if name is not None else _lack(absolute, surroundings)
    if name is None and nameless and not lack and not absolute.endswith(".whl"):
        return _build_nameless(text, extras, url, marker, origin=origin)
    if name is None:
        raise missing_name_error(text, origin, url, lack=lack)
    return _build(text, name + extras, url, marker, origin=origin)


def _decode_local_url(text: str) -> str:
    """The path of a `file:` URL without a host, percent-decoded; any other text as it is."""
    return unquote(text[len("file:") :]) if _LOCAL_URL.match(text) else text


def _local(path: str, origin: str, folder: Path, surroundings: ReferencedFiles) -> tuple[str, str]:
    """The absolute path, and its URL."""
    absolute = os.path.normpath(folder / path.replace("\\", "/"))
    if not surroundings.exists(absolute):
        raise LocksetError(
            "path-missing",
            f"There is no file or folder `{path}`",
            location=origin,
            hint=f"Paths are relative to {folder}",
        )
    return absolute, Path(absolute).as_uri()


def _build(text: str, name: str, url: str, marker: str, *, origin: str) -> RequirementLine:
    condition = f" ; {marker.strip()}" if marker.strip() else ""
    # A blank would end the URL in a requirement.
    line = parse_requirement(f"{name} @ {quote(url, safe='%/:=&?~#+!$,;@()*[]')}{condition}", origin=origin)
    return replace(line, text=text)


def _build_nameless(text: str, extras: str, url: str, marker: str, *, origin: str) -> RequirementLine:
    """A requirement whose name is a stand-in, the same for the same URL."""
    stand_in = f"{_STAND_IN}{quick_sha256(url.encode()).hex()[:_STAND_IN_DIGITS]}"
    return replace(_build(text, stand_in + extras, url, marker, origin=origin), is_named=False)


def _can_show_name(url: str) -> bool:
    """Whether the URL is that of a git repository or an archive of sources, which contain the name of the project."""
    path = path_of(url)
    return url.lower().startswith("git+") or (_ARCHIVE.search(path) is not None and not path.endswith(".whl"))


def _project_of(url: str, origin: str) -> str | None:
    """The project name from the name of a wheel, the fragment, or the name of a source distribution, in this order.

    The name of a wheel is certain. An archive may be named like a source distribution without being one.
    """
    file_name = unquote(path_of(url).rstrip("/").rpartition("/")[2])
    try:
        if file_name.endswith(".whl"):
            return read_wheel_name(file_name)[0]
        return egg_name(url, location=origin) or read_sdist_name(file_name)[0]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


def _lack(folder: str, surroundings: ReferencedFiles) -> str:
    """What a local source tree lacks, as the end of a sentence; "" if only a build can tell its name."""
    files = ("pyproject.toml", "setup.py", "setup.cfg")
    if _ARCHIVE.search(folder) or any(surroundings.exists(f"{folder}/{name}") for name in files):
        return ""
    return f": `{folder}` has neither a pyproject.toml nor a setup.py"


def missing_name_error(text: str, origin: str, url: str, *, lack: str = "") -> LocksetError:
    """The error for a requirement whose project is not known; `lack` says what its folder lacks."""
    if lack:
        return LocksetError(
            "requirement-name",
            f"`{without_secrets(text)}` is not a project{lack}",
            location=origin,
            hint="Name the folder of a project, or remove the line",
        )
    path = urlsplit(path_of(url)).path
    parts = [_ARCHIVE.sub("", part.partition("@")[0].removesuffix(".git")) for part in path.split("/")]
    guess = next((part for part in reversed(parts) if _PROJECT.fullmatch(part)), "NAME")
    return LocksetError(
        "requirement-name",
        f"`{without_secrets(text)}` does not name its project",
        location=origin,
        hint=f"Add the name: `{guess} @ {without_secrets(url)}`",
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
        hint="Name the folder of a source tree, or remove `-e`",
    )
