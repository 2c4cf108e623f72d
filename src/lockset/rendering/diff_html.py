"""A comparison as one HTML file for a review."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.rendering.diff_words import field_changes, summary_of_review, version_text
from lockset.rendering.markup import (
    Html,
    card,
    card_row,
    element,
    html_page,
    joined,
    link,
    package_search,
    shown,
    size_text,
    table_region,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.lockfile.diff_review import DiffReview, ReviewedChange

__all__ = ["diff_html"]

_MOST_ROWS = 2_000
# Longer tables and lists are folded.
_LONG_TABLE, _LONG_LIST = 25, 4
_HEADS = ("Package", "Change", "Before", "After", "What else", "Where")
_STEPS = {
    "added": ("+ added", "good"),
    "removed": ("- removed", "poor"),
    "major": ("↑ major", "note"),
    "minor": ("↑ minor", "note"),
    "patch": ("↑ patch", ""),
    "older": ("↓ older", "bad"),
    "other": ("~ changed", ""),
}


def diff_html(review: DiffReview) -> str:
    """The page."""
    title = f"Changes of {shown(review.new_name)}"
    known = any(each.direct is not None for each in review.changes)
    direct = [each for each in review.changes if each.direct]
    others = [each for each in review.changes if not each.direct]
    sections = [
        _alerts(review),
        _top(review),
        _changes("direct", "Required by the project", direct),
        _changes("transitive", "Transitive" if known else "Packages", others),
        _effects(review),
    ]
    if review.diff.is_empty:
        sections = [element("section", element("p", "Both lock files install the same."), class_="card",
                            aria_label="Result")]  # fmt: skip
    find = package_search("tools", status_class="soft")
    names = f"{shown(review.old_name)} → {shown(review.new_name)} · {summary_of_review(review)}"
    header = element("div", element("h1", title), element("p", names, class_="soft"),
                     element("ul", *_tiles(review), class_="tiles"), find, class_="wrap")  # fmt: skip
    body = [
        element("header", header, class_="top"),
        element("main", *sections, class_="wrap"),
        element("footer", element("div", "Made by ", element("code", "lockset diff"), ".", class_="wrap")),
    ]
    return html_page(title, body, script="report.js")


def _tiles(review: DiffReview) -> Iterator[Html]:
    alerts = len(review.alerts)
    tiles = [
        (alerts, "to look at first", "bad" if alerts else "good"),
        (review.count("major", "minor", "patch"), "updated", ""),
        (review.count("older"), "to an older version", "poor" if review.count("older") else ""),
        (review.count("added"), "added", ""),
        (review.count("removed"), "removed", ""),
        (review.count("other"), "changed otherwise", ""),
    ]
    for count, label, mood in tiles:
        yield element("li", element("b", count), label, class_=f"tile {mood}")


def _alerts(review: DiffReview) -> Html | None:
    if not review.alerts:
        return None
    items = [
        element(
            "li", element("b", each.change.name), f": {shown(alert.text)}", class_="bad", data_name=each.change.name
        )
        for each, alert in review.alerts[:_MOST_ROWS]
    ]
    return card("alerts", "Check these before you merge", element("ul", *items, class_="concerns"))


def _top(review: DiffReview) -> Html | None:
    if not review.diff.top:
        return None
    head = element("thead", element("tr", *(element("th", each, scope="col") for each in ("Key", "Before", "After"))))
    rows = [
        element(
            "tr", element("th", key, scope="row"), element("td", _value(old, "del")), element("td", _value(new, "ins"))
        )
        for key, (old, new) in review.diff.top.items()
    ]
    return card("file", "The lock file as a whole", table_region("The lock file", head, element("tbody", *rows)))


def _changes(key: str, title: str, changes: Sequence[ReviewedChange]) -> Html | None:
    if not changes:
        return None
    head = element("thead", element("tr", *(element("th", each, scope="col") for each in _HEADS)))
    body = element("tbody", *map(_row, changes[:_MOST_ROWS]))
    table = table_region(title, head, body, class_="change pin cards", data_sortable=True)
    count = f"{len(changes)} package{'' if len(changes) == 1 else 's'}"
    cut = None
    if len(changes) > _MOST_ROWS:
        cut = element("p", f"The first {_MOST_ROWS:,} of {len(changes):,} are shown.")
    fold = element("details", element("summary", count), table, open=len(changes) <= _LONG_TABLE, data_search=True)
    return card(key, title, fold, cut)


def _row(each: ReviewedChange) -> Html:
    change = each.change
    word, mood = _STEPS[each.step]
    links: list[object] = []
    for title, url in each.links:
        links += [" ", link(title, url)]
    name = element("th", element("div", change.name), element("div", *links, class_="soft") if links else None,
                   scope="row")  # fmt: skip
    details = [element("div", element("b", f"! {shown(alert.text)}")) for alert in each.alerts]
    details += [element("div", f"{item.name}: ", _value(item.old, "del"), " → ", _value(item.new, "ins"))
                for item in field_changes(each)]  # fmt: skip
    if change.old is not None and change.new is not None:
        details += [
            _files(what, names)
            for what, names in (("added", change.files_added), ("removed", change.files_removed))
            if names and "version" not in change.kinds
        ]
    cells = [
        name,
        element("td", element("span", word, class_=f"chip {mood}")),
        element("td", "-" if change.old is None else version_text(change.old)),
        element("td", "-" if change.new is None else version_text(change.new)),
        element("td", *details),
        element("td", each.where or "-"),
    ]
    return card_row(_HEADS, cells, data_name=change.name, class_="bad" if each.alerts else None)


def _files(what: str, names: tuple[str, ...]) -> Html:
    listed = element("ul", *(element("li", element("code", name)) for name in names[:_MOST_ROWS]))
    return element("details", element("summary", f"{len(names)} file{'' if len(names) == 1 else 's'} {what}"), listed)


def _value(text: str | None, tag: str) -> Html:
    return element("span", "none", class_="soft") if text is None else element(tag, text, class_="mono")


def _effects(review: DiffReview) -> Html | None:
    if not review.effects:
        return None
    heads = ("Environment", "Added", "Removed", "Changed", "Download")
    head = element("thead", element("tr", *(element("th", each, scope="col") for each in heads)))
    rows = []
    for effect in review.effects:
        size = f"{size_text(effect.bytes_before)} → {size_text(effect.bytes_after)}" if effect.bytes_after else "-"
        lists = [element("td", _names(names)) for names in (effect.added, effect.removed, effect.changed)]
        rows.append(card_row(heads, [element("th", effect.environments, scope="row"), *lists, element("td", size)]))
    intro = element("p", "A default installation: no extras, the default groups.", class_="soft")
    table = table_region("Effect on environments", head, element("tbody", *rows), class_="change pin cards")
    return card("effects", "Effect on each environment", intro, table)


def _names(names: tuple[str, ...]) -> Html:
    pieces = [piece for name in names[:_MOST_ROWS] for piece in (", ", name)][1:]
    if len(names) <= _LONG_LIST:
        return joined(*(pieces or ["-"]))
    return element("details", element("summary", f"{len(names)} packages"), *pieces)
