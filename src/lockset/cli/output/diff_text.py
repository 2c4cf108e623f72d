"""A comparison of lock files for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.cli.output.streams import plain
from lockset.rendering.diff_words import field_changes, summary_of_review, version_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.cli.output.streams import Output
    from lockset.lockfile.diff import Change
    from lockset.lockfile.diff_review import DiffReview, ReviewedChange

__all__ = ["diff_lines", "diff_summary"]

_OLDER = " (older)"
# The most file names listed for one package, unless more is requested; further ones are counted.
_MOST_NAMES = 3


def diff_lines(review: DiffReview, out: Output) -> Iterator[str]:
    """The lines: changed keys of the file, then packages by name, each with its details."""
    for key, (old, new) in review.diff.top.items():
        yield f"{out.style('~', 'yellow', stdout=True)} {key}: {_arrow(old, new)}"
    order = {id(change): number for number, change in enumerate(review.diff.changes)}
    for reviewed in sorted(review.changes, key=lambda each: order[id(each.change)]):
        yield f"{_sign(reviewed.change, out)} {_headline(reviewed)}"
        for detail in _details(reviewed, out):
            yield f"    {detail}"


def diff_summary(review: DiffReview) -> str:
    """The counts in one line."""
    return "Both lock files install the same" if review.diff.is_empty else summary_of_review(review)


def _sign(change: Change, out: Output) -> str:
    sign, color = ("+", "green") if change.old is None else ("-", "red") if change.new is None else ("~", "yellow")
    return out.style(sign, color, stdout=True)


def _headline(reviewed: ReviewedChange) -> str:
    change = reviewed.change
    entry = change.new or change.old
    condition = reviewed.markers[0] if change.new is None else reviewed.markers[1]
    marker = f" ; {plain(condition)}" if condition is not None else ""
    changed = change.old is not None and change.new is not None and "version" in change.kinds
    return f"{plain(change.name)} {_versions(change) if changed else version_text(entry)}{marker}"


def _versions(change: Change) -> str:
    """Old and new version; a downgrade is marked, since it is rarely intended."""
    old, new = change.old, change.new
    text = f"{version_text(old)} → {version_text(new)}"
    if old is None or new is None or old.version is None or new.version is None:
        return text
    return f"{text}{_OLDER}" if new.version < old.version else text


def _details(reviewed: ReviewedChange, out: Output) -> Iterator[str]:
    """Changes besides the version, one line each."""
    change = reviewed.change
    for item in field_changes(reviewed):
        yield f"{item.name}: {_arrow(item.old, item.new)}"
    if change.old is None or change.new is None:
        return
    # A reviewer must not miss other bytes under the same name; a new version always has new file names.
    if change.files_changed:
        names = _names(change.files_changed, every=out.verbose)
        yield out.style(f"other hashes under the same name: {names}", "bold red", stdout=True)
    for alert in reviewed.alerts:
        if alert.kind == "publisher":
            yield out.style(plain(alert.text), "bold red", stdout=True)
    if "version" in change.kinds and not out.verbose:
        return
    for what, files in (("added", change.files_added), ("removed", change.files_removed)):
        if files:
            yield f"files {what}: {_names(files, every=True) if out.verbose else len(files)}"


def _names(names: tuple[str, ...], *, every: bool) -> str:
    most = len(names) if every else _MOST_NAMES
    shown = ", ".join(plain(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _arrow(old: str | None, new: str | None) -> str:
    return f"{plain(old) if old is not None else 'none'} → {plain(new) if new is not None else 'none'}"
