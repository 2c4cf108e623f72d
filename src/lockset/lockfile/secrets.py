"""Secrets of a lock file: removed where installers can get them elsewhere, and refused otherwise when it is written.

User info is removed: installers read it from their own settings. The value of a query parameter is part of the address,
and cannot be removed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset._dataclass import replace
from lockset.errors import LocksetError
from lockset.url_secrets import plain_url, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.lockfile.model import Package, Pylock

__all__ = ["secret_in_address", "without_user_info"]

_HINT = (
    "Lock files are shared. Give the secret as user info (`https://USER:PASSWORD@HOST/...`), in a netrc file or in "
    "LOCKSET_INDEX_<NAME>_PASSWORD: lockset uses it and does not write it"
)


def without_user_info(lock: Pylock, *, parameters: bool = False) -> tuple[Pylock, tuple[str, ...]]:
    """`lock` without user info in addresses and secrets in `tool` tables, and the names of the packages that had them.

    With `parameters`, the values of secret query parameters are masked too, for output that only shows the addresses.
    """
    plain = _mask_all if parameters else plain_url
    packages = [_plain_package(package, plain) for package in lock.packages]
    changed = [str(a.name) for a, b in zip(lock.packages, packages, strict=True) if a != b]
    tool = lock.tool if lock.tool is None else _plain_value(lock.tool)
    if not changed and tool == lock.tool:
        return lock, ()
    names = tuple(dict.fromkeys([*changed, *(["`tool`"] if tool != lock.tool else [])]))
    return replace(lock, packages=packages, tool=tool), names


def _plain_package(package: Package, plain: Callable[[str], str]) -> Package:
    return replace(
        package,
        index=None if package.index is None else plain(package.index),
        vcs=_plain_source(package.vcs, plain),
        archive=_plain_source(package.archive, plain),
        sdist=_plain_source(package.sdist, plain),
        wheels=None if package.wheels is None else [_plain_source(wheel, plain) for wheel in package.wheels],
        tool=None if package.tool is None else _plain_value(package.tool),
    )


def _plain_source(source: Any, plain: Callable[[str], str]) -> Any:
    if source is None or source.url is None or plain(source.url) == source.url:
        return source
    return replace(source, url=plain(source.url))


def _mask_all(url: str) -> str:
    return without_secrets(plain_url(url))


def _plain_value(value: Any) -> Any:
    """`value` without secrets in any string."""
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {key: _plain_value(inner) for key, inner in value.items()}
    return [_plain_value(inner) for inner in value] if isinstance(value, list) else value


def secret_in_address(what: str, text: str, *, location: str | None) -> LocksetError:
    """The error for an address that cannot be written; `what` names the secret."""
    message = f"`{without_secrets(text)}` contains {what}, which would be written to the lock file"
    return LocksetError("secret-in-lock", message, location=location, hint=_HINT)
