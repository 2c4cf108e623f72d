"""Write a lock file as canonical text: equal lock files have equal bytes.

Keys are in the order of the specification. Packages are sorted by name, then version, wheels by file name, and sets by
their members. Wheels and dependencies have a line each, so that a change of one file changes one line. Other tools'
tables in `tool` are formatted by tomli-w, with sorted keys. Secrets are refused: lock files are shared.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timezone
from typing import TYPE_CHECKING, Any

import tomli_w
from packaging.version import Version

from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError
from lockset.lockfile.model import PackageArchive, PackageVcs, file_name
from lockset.lockfile.secrets import secret_in_address
from lockset.url_secrets import has_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from lockset.lockfile.model import File, Package, PackageDirectory, PackageSdist, PackageWheel, Pylock

__all__ = ["refuse_secrets", "write"]

_INDENT = "    "
_NO_VERSION = Version("0")
_BARE_KEY = lazy_pattern(r"[A-Za-z0-9_-]+", re.ASCII)
# Text that needs no escapes between double quotes.
_PLAIN = lazy_pattern(r'[^"\\\x00-\x08\x0a-\x1f\x7f]*')
# Text that can be written between single quotes where double quotes would need escapes, as in most markers.
_LITERAL = lazy_pattern(r"[^'\x00-\x08\x0a-\x1f\x7f]*")
_ESCAPED = lazy_pattern(r'["\\\x00-\x08\x0a-\x1f\x7f]')
_SHORT_ESCAPES = {"\b": "\\b", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def write(lock: Pylock) -> str:
    """The text of the lock file `lock`, with line feeds only and one at the end.

    Reading the text returns a lock equal to `lock`, except for the order of unordered arrays. Writing it again returns
    the same text.

    Raises:
        LocksetError: `lock-not-expressible`: `lock` has values that TOML cannot express, or tables nested too deeply.
    """
    try:
        parts = [_top(lock), *(text for *_, text in sorted(_sort_key(package) for package in lock.packages))]
        if lock.tool is not None:
            parts.append(_foreign({"tool": lock.tool}))
    except (TypeError, ValueError, RecursionError) as error:
        raise LocksetError(
            "lock-not-expressible",
            "The lock file has a value that TOML cannot express, or tables nested too deeply",
            context=(str(error),),
        ) from error
    return "\n".join(parts)


def refuse_secrets(lock: Pylock, *, location: str | None = None) -> None:
    """Refuse a lock that contains a secret.

    Raises:
        LocksetError: `secret-in-lock`, with the package and the masked address.
    """
    for package in lock.packages:
        for text in _texts_of(package):
            if has_secret(text):
                raise secret_in_address(f"a secret of `{package.name}`", text, location=location)
    for text in _texts(lock.tool):
        if has_secret(text):
            raise secret_in_address("a secret", text, location=location)


def _texts_of(package: Package) -> Iterator[str]:
    sources = (package.vcs, package.archive, package.sdist, *(package.wheels or ()))
    yield from (url for url in (package.index, *(getattr(source, "url", None) for source in sources)) if url)
    yield from _texts(package.tool)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)


def _top(lock: Pylock) -> str:
    lines = [f"lock-version = {_string(str(lock.lock_version))}"]
    if lock.environments is not None:
        lines.append(_multiline_array("environments", [_string(str(marker)) for marker in lock.environments]))
    if lock.requires_python is not None:
        lines.append(f"requires-python = {_string(str(lock.requires_python))}")
    for key, names in (
        ("extras", lock.extras),
        ("dependency-groups", lock.dependency_groups),
        ("default-groups", lock.default_groups),
    ):
        if names is not None:
            lines.append(f"{key} = [{', '.join(_string(name) for name in sorted(names))}]")
    lines.append(f"created-by = {_string(lock.created_by)}")
    if not lock.packages:
        lines.append("packages = []")
    return "".join(f"{line}\n" for line in lines)


def _sort_key(package: Package) -> tuple[str, bool, Version, str, str]:
    """The sort key of a package, with its text as the last criterion."""
    version = package.version
    return (
        package.name,
        version is not None,
        _NO_VERSION if version is None else version,
        str(package.marker or ""),
        _package(package),
    )


def _package(package: Package) -> str:
    lines = ["[[packages]]", f"name = {_string(package.name)}"]
    if package.version is not None:
        lines.append(f"version = {_string(str(package.version))}")
    if package.marker is not None:
        lines.append(f"marker = {_string(str(package.marker))}")
    if package.requires_python is not None:
        lines.append(f"requires-python = {_string(str(package.requires_python))}")
    if package.dependencies is not None:
        lines.append(_multiline_array("dependencies", sorted(_inline(table) for table in package.dependencies)))
    lines.extend(_sources(package))
    if package.attestation_identities is not None:
        rendered = sorted(_inline(identity, first="kind") for identity in package.attestation_identities)
        lines.append(_multiline_array("attestation-identities", rendered))
    text = "".join(f"{line}\n" for line in lines)
    return text if package.tool is None else f"{text}\n{_foreign({'packages': {'tool': package.tool}})}"


def _sources(package: Package) -> Iterable[str]:
    if package.vcs is not None:
        yield f"vcs = {_tree(package.vcs)}"
    if package.directory is not None:
        yield f"directory = {_tree(package.directory)}"
    if package.archive is not None:
        yield f"archive = {_file(package.archive)}"
    if package.index is not None:
        yield f"index = {_string(package.index)}"
    if package.sdist is not None:
        yield f"sdist = {_file(package.sdist)}"
    if package.wheels is not None:
        rendered = sorted((file_name(wheel) or "", _file(wheel)) for wheel in package.wheels)
        yield _multiline_array("wheels", [text for _, text in rendered])


def _tree(source: PackageVcs | PackageDirectory) -> str:
    if isinstance(source, PackageVcs):
        return _table(
            ("type", source.type),
            ("url", source.url),
            ("path", source.path),
            ("requested-revision", source.requested_revision),
            ("commit-id", source.commit_id),
            ("subdirectory", source.subdirectory),
        )
    return _table(("path", source.path), ("editable", source.editable), ("subdirectory", source.subdirectory))


def _file(file: File) -> str:
    """The inline table of a file; archives have other keys than sdists and wheels."""
    if isinstance(file, PackageArchive):
        return _table(
            ("url", file.url),
            ("path", file.path),
            ("size", file.size),
            ("upload-time", file.upload_time),
            ("hashes", file.hashes),
            ("subdirectory", file.subdirectory),
        )
    return _usual_file(file) or _any_file(file)


def _usual_file(file: PackageSdist | PackageWheel) -> str:
    """The table of a file as nearly all are, which are most of the text of a lock; empty for others."""
    name, time, url, size, hashes = file.name, file.upload_time, file.url, file.size, file.hashes
    digest = hashes.get("sha256") if len(hashes) == 1 else None
    types = (type(name), type(time), type(url), type(size), type(digest))
    if file.path is not None or time is None or types != (str, datetime, str, int, str):
        return ""
    if time.tzinfo is not timezone.utc or not _PLAIN.fullmatch(f"{name}{url}{digest}"):
        return ""
    moment = time.isoformat().removesuffix("+00:00")
    return (
        f'{{name = "{name}", upload-time = {moment}Z, url = "{url}", size = {size}, hashes = {{sha256 = "{digest}"}}}}'
    )


def _any_file(file: PackageSdist | PackageWheel) -> str:
    """The table of any sdist or wheel."""
    fields = [] if file.name is None else [f"name = {_value(file.name)}"]
    if file.upload_time is not None:
        fields.append(f"upload-time = {_value(file.upload_time)}")
    if file.url is not None:
        fields.append(f"url = {_value(file.url)}")
    if file.path is not None:
        fields.append(f"path = {_value(file.path)}")
    if file.size is not None:
        fields.append(f"size = {_value(file.size)}")
    fields.append(f"hashes = {_hashes(file.hashes)}")
    return "{" + ", ".join(fields) + "}"


def _hashes(hashes: Mapping[str, str]) -> str:
    if len(hashes) == 1:
        [(algorithm, digest)] = hashes.items()
        return "{" + f"{_key(algorithm)} = {_value(digest)}" + "}"
    return _inline(hashes)


def _table(*pairs: tuple[str, Any]) -> str:
    """An inline table with keys that are known to be bare; a value of None is left out."""
    return "{" + ", ".join([f"{key} = {_value(value)}" for key, value in pairs if value is not None]) + "}"


def _inline(table: Mapping[str, Any], *, first: str = "name") -> str:
    """An inline table with arbitrary keys: `first`, then `version`, then the others sorted."""
    keys = sorted(table, key=lambda key: (key != first, key != "version", key)) if len(table) > 1 else table
    return _table(*[(_key(key), table[key]) for key in keys])


def _multiline_array(key: str, rendered: Sequence[str]) -> str:
    """`key` as an array with one line per member."""
    if not rendered:
        return f"{key} = []"
    return "\n".join([f"{key} = [", *(f"{_INDENT}{text}," for text in rendered), "]"])


def _value(value: Any) -> str:
    usual = _USUAL.get(type(value))
    if usual is not None:
        return usual(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, datetime):
        return _datetime(value)
    if isinstance(value, int | float | date | time):
        return str(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if hasattr(value, "items"):
        return _inline(value)
    message = f"{type(value).__name__} cannot be expressed in TOML"
    raise TypeError(message)


def _datetime(moment: datetime) -> str:
    """`moment` in UTC with `Z`; a local datetime stays local."""
    return _utc(moment).isoformat().replace("+00:00", "Z")


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None or moment.tzinfo is timezone.utc:
        return moment
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:  # the first or last day that Python supports, in another time zone
        return moment


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _basic(key)


def _string(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    if _LITERAL.fullmatch(text):
        return f"'{text}'"
    return _basic(text)


def _basic(text: str) -> str:
    return '"' + _ESCAPED.sub(lambda match: _SHORT_ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}", text) + '"'


# The types of nearly all values, which a lock has by the thousand.
_USUAL: Mapping[type, Callable[[Any], str]] = {
    str: _string,
    bool: {True: "true", False: "false"}.__getitem__,
    int: str,
    datetime: _datetime,
    dict: _inline,
}


def _foreign(table: Mapping[str, Any]) -> str:
    return tomli_w.dumps(_sorted(table))


def _sorted(value: Any) -> Any:
    if hasattr(value, "items"):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    if isinstance(value, datetime):
        return _utc(value)
    return value
