"""The status of a project on an index (PEP 792)."""

from __future__ import annotations

from lockset._dataclass import dataclass

__all__ = ["QUARANTINED", "STATUSES", "ProjectStatus", "one_line"]

# Status markers with a meaning for installers, besides `active`.
STATUSES = frozenset({"archived", "deprecated", "quarantined"})
# Limit for a reason in a message.
_LONGEST_REASON = 300
# Hint for a project that is quarantined.
QUARANTINED = "Read what the index says about the project, and do not use it until the quarantine ends"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectStatus:
    """The status of a project on its index (PEP 792).

    Attributes:
        project: Normalised name.
        status: `archived`, `deprecated` or `quarantined`.
        reason: The reason that the index gives, as one line, or None.
        index_url: Address of the index without credentials.
    """

    project: str
    status: str
    reason: str | None
    index_url: str

    @property
    def text(self) -> str:
        """The meaning of the status, as one sentence without a full stop."""
        meaning = {
            "archived": "is archived: no further releases are expected",
            "deprecated": "is deprecated: its authors advise against using it",
            "quarantined": f"is quarantined by the index {self.index_url}: it may be unsafe and is not used",
        }
        return f"{self.project} {meaning[self.status]}{f' ({self.reason})' if self.reason else ''}"


def one_line(reason: str | None) -> str | None:
    """A reason that an index gives, on one line of at most 300 characters; None where it is empty."""
    words = " ".join((reason or "")[: 4 * _LONGEST_REASON].split())
    return f"{words[: _LONGEST_REASON - 1]}…" if len(words) > _LONGEST_REASON else words or None
