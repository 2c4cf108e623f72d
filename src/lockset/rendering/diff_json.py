"""A comparison as JSON values; `schemas/command-output.schema.json` describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.rendering.diff_words import FIELDS, field_text, source_text

if TYPE_CHECKING:
    from lockset.lockfile.diff_review import DiffReview
    from lockset.lockfile.model import Package

__all__ = ["diff_json"]


def diff_json(review: DiffReview) -> dict[str, Any]:
    """The changes, those of one name together."""
    order = {id(change): number for number, change in enumerate(review.diff.changes)}
    return {
        "same": review.diff.is_empty,
        "top": {key: {"old": old, "new": new} for key, (old, new) in review.diff.top.items()},
        "changes": [
            {
                "name": each.change.name,
                "kinds": list(each.change.kinds),
                "direct": each.direct,
                "alerts": [{"kind": alert.kind, "text": alert.text} for alert in each.alerts],
                "where": each.where,
                "old": _entry(each.change.old),
                "new": _entry(each.change.new),
                "files-added": list(each.change.files_added),
                "files-removed": list(each.change.files_removed),
                "files-changed": list(each.change.files_changed),
            }
            for each in sorted(review.changes, key=lambda reviewed: order[id(reviewed.change)])
        ],
        "publishers": [
            {
                "name": change.name,
                "kind": change.kind,
                "old": [identity.table for identity in change.old],
                "new": [identity.table for identity in change.new],
            }
            for change in review.diff.publishers
        ],
    }


def _entry(package: Package | None) -> dict[str, Any] | None:
    if package is None:
        return None
    fields = {kind: field_text(package, kind) for kind in FIELDS}
    version = None if package.version is None else str(package.version)
    return {"version": version, "source": source_text(package)} | fields
