"""Caches of the metadata of commits and folders, so that locking again neither clones nor builds what is unchanged."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from lockset._dataclass import fields
from lockset.files.tree_stamp import tree_stamp
from lockset.hashes import quick_sha256
from lockset.metadata.core import CoreMetadata
from lockset.resolve.problem.direct_source import SourceFacts
from lockset.sources.other_tools.facts import NamedSource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lockset.metadata.ports import BytesStore
    from lockset.resolve.problem.direct_source import DirectSource

__all__ = ["CommitMemory", "FolderMemory"]

# As for the metadata of releases, whose keys are others.
_KIND = "metadata"
# Increase it whenever the meaning of a stored record changes.
_FORMAT = 1
# Seconds for which the metadata of a folder are used: its build may have read something outside of it.
_LIFE = 24 * 3600
# What a project can read its metadata with.
_DESCRIBING = ("pyproject.toml", "setup.py", "setup.cfg")
# A path that leads out of the tree, as it is written in Python and TOML.
_OUTSIDE = ("../", "..\\", '".."', "'..'", "pardir", ".parent.parent", ".parents[")


class CommitMemory:
    """Facts of projects in commits of git repositories. A commit never changes.

    `build_key` takes the name of a project, and returns what the result of its builds depends on besides the commit: ""
    for nothing, None if it may not be stored. With `refresh`, stored facts are ignored.
    """

    def __init__(self, store: BytesStore, build_key: Callable[[str], str | None], *, refresh: bool) -> None:
        self._store = store
        self._build_key = build_key
        self._refresh = refresh

    def get(self, source: DirectSource, commit: str) -> SourceFacts | None:
        """The stored facts of the commit; None if it has to be fetched."""
        data = None if self._refresh else self._store.get(_KIND, _commit_key(source, commit))
        if data is None:
            return None
        try:
            record = json.loads(data)
            metadata = CoreMetadata.of_record(record)
            named = tuple(NamedSource(**values) for values in record["named"])
            key = record["key"]
        except (ValueError, KeyError, TypeError):
            return None
        if metadata.origin == "built" and key != self._build_key(metadata.name):
            return None
        return SourceFacts(metadata=metadata, commit=commit, named=named)

    def put(self, source: DirectSource, facts: SourceFacts) -> None:
        """Store the facts of a fetched commit."""
        # As it was built: without a name, there were no settings for the package.
        key = self._build_key(source.name)
        if facts.commit is None or (facts.metadata.origin == "built" and key is None):
            return
        record = {
            **facts.metadata.record(),
            "named": [_values(named) for named in facts.named],
            "key": key,
        }
        self._store.put(_KIND, _commit_key(source, facts.commit), json.dumps(record).encode())


class FolderMemory:
    """Metadata that builds of folders had, used while nothing changes that these builds could see.

    Metadata are stored for one day, since a build may read what is outside of its folder. Those of a project whose
    files name a path outside of it are not stored.

    Args:
        store: The cache.
        environ: The variables of the process, which builds see.
        fingerprint: A hash of interpreter and settings, "" if they are not known.
        build_key: As for `CommitMemory`.
        now: The current time, in seconds since the epoch.
        refresh: Ignore what is stored.
    """

    def __init__(
        self,
        store: BytesStore,
        *,
        environ: Mapping[str, str],
        fingerprint: Callable[[], str],
        build_key: Callable[[str], str | None],
        now: float,
        refresh: bool,
    ) -> None:
        self._store = store
        self._now = now
        self._environ = environ
        self._fingerprint = fingerprint
        self._build_key = build_key
        self._refresh = refresh

    def stamp(self, tree: Path, name: str) -> str | None:
        """The state of the tree and of all else that decides the result of its build; None if that is not known."""
        key, fingerprint = self._build_key(name), self._fingerprint()
        if key is None or not fingerprint or _leads_outside(tree):
            return None
        stamp = tree_stamp(str(tree), self._environ)
        return None if stamp is None else f"{stamp} {key} {fingerprint}"

    def get(self, tree: Path, stamp: str | None) -> CoreMetadata | None:
        """The metadata that the last build of the tree had, if it was made with this `stamp`."""
        data = None if stamp is None or self._refresh else self._store.get(_KIND, _folder_key(tree))
        if data is None:
            return None
        try:
            record = json.loads(data)
            is_current = record["stamp"] == stamp and 0 <= self._now - record["since"] < _LIFE
            return CoreMetadata.of_record(record) if is_current else None
        except (ValueError, KeyError, TypeError):
            return None

    def put(self, tree: Path, stamp: str | None, metadata: CoreMetadata) -> None:
        """Store the metadata of a build that began with this `stamp`."""
        if stamp is not None:
            record = {**metadata.record(), "since": self._now, "stamp": stamp}
            self._store.put(_KIND, _folder_key(tree), json.dumps(record).encode())


def _commit_key(source: DirectSource, commit: str) -> str:
    # Other credentials may give access to another repository; they are not stored.
    text = json.dumps([_FORMAT, source.fetched, commit, source.subdirectory])
    return f"commit {quick_sha256(text.encode()).hex()}"


def _folder_key(tree: Path) -> str:
    return json.dumps([_FORMAT, "folder", os.fspath(tree)])


def _values(named: NamedSource) -> dict[str, Any]:
    return {field.name: getattr(named, field.name) for field in fields(named)}


def _leads_outside(tree: Path) -> bool:
    """Whether the files that describe the project may read metadata from outside of its folder."""
    for name in _DESCRIBING:
        try:
            text = (tree / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if any(part in text for part in _OUTSIDE):
            return True
    return False
