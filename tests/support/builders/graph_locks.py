"""Lock files with a dependency graph, written shortly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.lockfile.read import read_document
from support.builders.locks import locked_package, make_lock

if TYPE_CHECKING:
    from lockset.lockfile.model import Pylock

_TREE = {"path": "./tree"}


def entry(name: str, version: str | None = "1", *, needs: tuple[str, ...] | None = (), **more: Any) -> dict[str, Any]:
    """A package that depends on `needs`, each `name` or `name==version`; with None nothing is recorded."""
    if needs is not None:
        tables = []
        for need in needs:
            needed, _, exact = need.partition("==")
            tables.append({"name": needed} | ({"version": exact} if exact else {}))
        more["dependencies"] = tables
    return locked_package(name, version, directory=_TREE, **more)


def lock_text(*entries: dict[str, Any], roots: list[str] | None = None, **top: Any) -> str:
    """A lock file with these packages, and the roots that lockset would record."""
    if roots is not None:
        top["tool"] = {"lockset": {"roots": roots}}
    return make_lock(entries, **top)


def lock_of(*entries: dict[str, Any], roots: list[str] | None = None, **top: Any) -> Pylock:
    """The same, read."""
    return read_document(lock_text(*entries, roots=roots, **top)).lock
