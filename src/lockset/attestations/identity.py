"""The identity of a Trusted Publisher, as provenance objects (PEP 740) and lock files (PEP 751) write it."""

from __future__ import annotations

from lockset._dataclass import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

__all__ = ["KINDS", "PublisherIdentity", "identities_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherKind:
    """The keys of a kind of publisher.

    Attributes:
        required: Keys that the signing certificate proves. Two identities with equal ones are the same publisher.
        optional: Further keys. They differ from release to release, or are the index's word alone.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


# The kinds of Trusted Publishers of PyPI, and their keys.
KINDS: Mapping[str, PublisherKind] = {
    "GitHub": PublisherKind(required=("repository", "workflow"), optional=("environment",)),
    "GitLab": PublisherKind(required=("repository", "workflow_filepath"), optional=("environment",)),
    "Google": PublisherKind(required=("email",), optional=("sub",)),
    "ActiveState": PublisherKind(
        required=("organization", "project"), optional=("actor", "actor_id", "activestate_project_name")
    ),
    "CircleCI": PublisherKind(required=("project_id", "pipeline_definition_id"), optional=("vcs_origin", "vcs_ref")),
}
# Limit for a value; the longest real ones are addresses.
_LONGEST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherIdentity:
    """A Trusted Publisher.

    Attributes:
        kind: Such as `GitHub`.
        keys: The kind's own keys with their values, sorted. Of an unknown kind, every key whose value is a string.
    """

    kind: str
    keys: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> PublisherIdentity | None:
        """The identity that a publisher object or a table of a lock file describes; None if that has no kind.

        Values that are not strings are left out: an absent key and one without a value mean the same.
        """
        kind = table.get("kind")
        if not isinstance(kind, str) or not kind or len(kind) > _LONGEST:
            return None
        known = KINDS.get(kind)
        names = table.keys() if known is None else {*known.required, *known.optional} & table.keys()
        keys = [
            (name, value)
            for name in names
            if name != "kind" and isinstance(value := table[name], str) and value and len(value) <= _LONGEST
        ]
        return cls(kind=kind, keys=tuple(sorted(keys)))

    @property
    def table(self) -> dict[str, str]:
        """The table of a lock file's `attestation-identities`."""
        return {"kind": self.kind, **dict(self.keys)}

    @property
    def subject(self) -> tuple[object, ...]:
        """Equal for identities of the same publisher."""
        known = KINDS.get(self.kind)
        values = dict(self.keys)
        return (self.kind, *(values.get(name) for name in known.required)) if known else (self.kind, *self.keys)

    def matches(self, pattern: Mapping[str, str]) -> bool:
        """Whether every key of `pattern` has the same value here; those that it leaves out may have any."""
        table = self.table
        return all(table.get(key) == value for key, value in pattern.items())

    def __str__(self) -> str:
        values = dict(self.keys)
        known = KINDS.get(self.kind)
        main = [values.pop(name) for name in known.required if name in values] if known else []
        more = [] if known else [f"{name}={value}" for name, value in self.keys]
        return " ".join([self.kind, *main, *more])


def identities_of(tables: Iterable[Mapping[str, Any]]) -> tuple[PublisherIdentity, ...]:
    """The identities that tables describe, sorted, each once; tables without a kind are left out."""
    identities = {identity for table in tables if (identity := PublisherIdentity.of(table)) is not None}
    return tuple(sorted(identities, key=lambda identity: (identity.kind, identity.keys)))
