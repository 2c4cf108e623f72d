"""The words of a comparison that its formats share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.lockfile.diff_review import DiffReview, ReviewedChange
    from lockset.lockfile.model import Package

__all__ = ["FIELDS", "FieldChange", "field_changes", "field_text", "source_text", "summary_of_review", "version_text"]

# Kinds of change that are shown as old and new value -> attribute of the package.
FIELDS = {"marker": "marker", "requires-python": "requires_python", "index": "index"}


class FieldChange(NamedTuple):
    """A changed property of a package; None where there is none."""

    name: str
    old: str | None
    new: str | None


def field_changes(reviewed: ReviewedChange) -> Iterator[FieldChange]:
    """The changes besides versions and files."""
    change = reviewed.change
    for kind in change.kinds:
        if kind == "marker":
            yield FieldChange(kind, *reviewed.markers)
        elif kind in FIELDS:
            yield FieldChange(kind, field_text(change.old, kind), field_text(change.new, kind))
        elif kind == "source":
            yield FieldChange("source", source_text(change.old), source_text(change.new))


def field_text(package: Package | None, kind: str) -> str | None:
    """A property of FIELDS as text."""
    value = None if package is None else getattr(package, FIELDS[kind])
    return None if value is None else str(value)


def source_text(package: Package | None) -> str | None:
    """Where the package comes from."""
    if package is None:
        return None
    if package.vcs is not None:
        return f"{package.vcs.type} {package.vcs.url or package.vcs.path} at {package.vcs.commit_id}"
    if package.directory is not None:
        return f"folder {package.directory.path}{' (editable)' if package.directory.editable else ''}"
    if package.archive is not None:
        return f"archive {package.archive.url or package.archive.path}"
    return "index"


def version_text(package: Package | None) -> str:
    """The version, or that there is none."""
    return "none" if package is None else "without version" if package.version is None else str(package.version)


def summary_of_review(review: DiffReview) -> str:
    """The counts in one line."""
    counts = {
        "updated": review.count("major", "minor", "patch"),
        "to an older version": review.count("older"),
        "added": review.count("added"),
        "removed": review.count("removed"),
        "changed otherwise": review.count("other"),
    }
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "no package changed"
