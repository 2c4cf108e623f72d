"""A comparison as Markdown, for the text or a comment of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.rendering.diff_words import field_changes, summary_of_review, version_text
from lockset.rendering.markdown_text import bounded, code, escaped, folded, markdown_table
from lockset.rendering.markup import size_text
from lockset.url_secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lockset.lockfile.diff_review import DiffReview, EnvironmentEffect, ReviewedChange

__all__ = ["diff_markdown"]

# Longer tables are folded, and end after so many rows.
_LONG_TABLE = 12
_MOST_ROWS = 200
# As many names as a cell lists.
_NAMED = 8
_HEADS = ("", "package", "before", "after", "what else", "where", "links")
_SIGNS = {"added": "🟢 new", "removed": "⚪ removed", "major": "🔵 major", "minor": "🔵 minor", "patch": "🔵 patch",
          "older": "🟠 **older**", "other": "🟣 changed"}  # fmt: skip


def diff_markdown(review: DiffReview) -> str:
    """The comparison, at most `markdown_text.MOST_CHARACTERS` long."""
    if review.diff.is_empty:
        return "Both lock files install the same.\n"
    known = any(each.direct is not None for each in review.changes)
    direct = [each for each in review.changes if each.direct]
    others = [each for each in review.changes if not each.direct]
    parts: list[Sequence[str]] = [
        [f"**{escaped(summary_of_review(review))}**", ""],
        _alerts(review),
        _top(review),
        _changes("Required by the project", direct),
        _changes("Transitive" if known else "Packages", others),
        _effects(review.effects),
    ]
    return bounded([part for part in parts if part], more="`lockset diff --format html` has everything.")


def _alerts(review: DiffReview) -> list[str]:
    if not review.alerts:
        return []
    lines = ["> [!CAUTION]", "> Check these before you merge:"]
    lines += [f"> - 🟥 **{escaped(each.change.name)}**: {escaped(alert.text)}" for each, alert in review.alerts]
    return [*lines, ""]


def _top(review: DiffReview) -> list[str]:
    if not review.diff.top:
        return []
    rows = [(code(key), _value(old), _value(new)) for key, (old, new) in review.diff.top.items()]
    return [*markdown_table(("lock file", "before", "after"), rows), ""]


def _changes(title: str, changes: Sequence[ReviewedChange]) -> list[str]:
    if not changes:
        return []
    lines = markdown_table(_HEADS, map(_row, changes[:_MOST_ROWS]))
    if len(changes) > _MOST_ROWS:
        lines.append(f"\n{len(changes) - _MOST_ROWS} more are not shown.")
    count = f"{len(changes)} package{'' if len(changes) == 1 else 's'}"
    if len(changes) > _LONG_TABLE:
        return folded(f"<b>{title}</b>: {count}", lines)
    return [f"#### {title}", "", *lines, ""]


def _row(each: ReviewedChange) -> tuple[str, ...]:
    change = each.change
    before = "" if change.old is None else escaped(version_text(change.old))
    after = "" if change.new is None else escaped(version_text(change.new))
    details = [f"🟥 **{escaped(alert.text)}**" for alert in each.alerts]
    details += [f"{item.name}: {_value(item.old)} → {_value(item.new)}" for item in field_changes(each)]
    if change.old is not None and change.new is not None and "version" not in change.kinds:
        details += [
            f"{len(names)} file{'' if len(names) == 1 else 's'} {what}"
            for what, names in (("added", change.files_added), ("removed", change.files_removed))
            if names
        ]
    links = ", ".join(f"[{title}](<{without_secrets(url)}>)" for title, url in each.links if _is_plain(url))
    where = "" if each.where in {None, "everywhere"} else escaped(each.where)
    return (_SIGNS[each.step], f"**{escaped(change.name)}**", before, after, "<br>".join(details), where, links)


def _is_plain(url: str) -> bool:
    return url.startswith(("https://", "http://")) and url.isprintable() and not set(url) & set("<>|` ")


def _value(text: str | None) -> str:
    return "_none_" if text is None else code(text)


def _effects(effects: Sequence[EnvironmentEffect]) -> list[str]:
    if not effects:
        return []
    rows = [
        (
            escaped(effect.environments),
            _names(effect.added),
            _names(effect.removed),
            _names(effect.changed),
            f"{size_text(effect.bytes_before)} → {size_text(effect.bytes_after)}" if effect.bytes_after else "",
        )
        for effect in effects[:_MOST_ROWS]
    ]
    heads = ("environment", "added", "removed", "another version", "download")
    return folded("Effect on each environment (a default installation)", markdown_table(heads, rows))


def _names(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return ", ".join(map(escaped, listed[:_NAMED])) + more
