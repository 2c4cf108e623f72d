"""HTML from elements: text is escaped unless it is an `Html`, so that no text of a lock file becomes markup."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from lockset.url_secrets import plain, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "Html",
    "card",
    "card_row",
    "element",
    "html_page",
    "joined",
    "link",
    "package_search",
    "shown",
    "size_text",
    "table_region",
]

# Longest text from outside; what is beyond is cut.
_LONGEST = 300
_VOID = frozenset({"meta", "input", "br", "col"})
_SAFE_SCHEMES = ("https://", "http://")
_THOUSAND = 1000
# Larger numbers are shown without a decimal.
_WHOLE = 100


class Html(str):
    """A piece of markup; everything in it is escaped."""

    __slots__ = ()


def shown(text: object) -> str:
    """`text` as it is shown: without secrets, invisible and bidirectional control characters written out, cut."""
    clean = plain(str(text))
    return clean if len(clean) <= _LONGEST else f"{clean[: _LONGEST - 1]}…"


def element(name: str, /, *children: object, **attributes: object) -> Html:
    """An element. Children that are not `Html` are escaped; None and False are left out, True is an empty attribute.

    Underscores in names of attributes become hyphens; a trailing one is dropped (`class_`).
    """
    parts = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-")
        parts.append(attribute if value is True else f'{attribute}="{_escaped(value)}"')
    opening = f"<{' '.join(parts)}>"
    return Html(opening if name in _VOID else f"{opening}{joined(*children)}</{name}>")


def package_search(name: str, *, status_class: str) -> Html:
    """The search box of a page with the class `name`, hidden until report.js runs."""
    return element(
        "div",
        element("label", "Search packages", for_="find", class_="sr"),
        element("input", type="search", id="find", placeholder="Search packages ( / )", autocomplete="off"),
        element("span", id="find-status", role="status", class_=status_class),
        class_=name,
        hidden=True,
    )


def joined(*children: object) -> Html:
    """Pieces one after the other, as `element` has them."""
    return Html("".join(_escaped(child) for child in children if child is not None and child is not False))


def _escaped(value: object) -> str:
    return value if isinstance(value, Html) else escape(shown(value))


def link(text: object, url: str | None, /, **attributes: object) -> Html | str:
    """`text` as a link to `url`; without a usable URL, the text."""
    if url is None or not url.lower().startswith(_SAFE_SCHEMES) or not url.isprintable():
        return shown(text)
    return element("a", text, href=Html(escape(without_secrets(url))), rel="noreferrer", **attributes)


def table_region(label: str, *rows: object, **attributes: object) -> Html:
    """A table that scrolls within the page; the region can be scrolled with the keyboard."""
    table = element("table", element("caption", label, class_="sr"), *rows, **attributes)
    return element("div", table, class_="scroll", role="region", aria_label=label, tabindex="0")


def card(key: str, title: str, *content: object) -> Html:
    """A section of a page, with a title that links may name."""
    return element("section", element("h2", title, id=f"{key}-title"), *content,
                   class_="card", id=key, aria_labelledby=f"{key}-title")  # fmt: skip


def card_row(heads: Sequence[str], cells: Sequence[Html], **attributes: object) -> Html:
    """A row of a table of the class `cards`, which phones show as a card: each cell carries its heading."""
    labelled = [
        Html(cell.replace("<td", f'<td data-label="{_escaped(head)}"', 1)) if cell.startswith("<td") else cell
        for head, cell in zip(heads, cells, strict=True)
    ]
    return element("tr", *labelled, **attributes)


def html_page(title: str, body: Iterable[object], *, script: str | None = None) -> str:
    """A whole page in one file. It loads nothing: its policy allows only its own style and script.

    Args:
        title: Title of the page.
        body: The content of the body.
        script: Name of the script, a file of this package.
    """
    style = _resource("page.css")
    code = "" if script is None else _resource(script)
    digest = b64encode(sha256(code.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"
    head = [
        Html('<meta charset="utf-8">'),
        element("meta", http_equiv="Content-Security-Policy", content=Html(policy)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="generator", content="lockset"),
        element("title", title),
        Html(f"<style>{style}</style>"),
    ]
    end = Html(f"<script>{code}</script>") if code else None
    page = element("html", element("head", *head), element("body", *body, end), lang="en")
    return f"<!doctype html>\n{page}\n"


def _resource(name: str) -> str:
    return files("lockset.rendering").joinpath(name).read_text(encoding="utf-8")


def size_text(size: int) -> str:
    """A size for people, such as `2.4 MB` (of a million bytes)."""
    if size < _THOUSAND:
        return f"{size} bytes"
    value = size / _THOUSAND
    unit = "kB"
    for larger in ("MB", "GB", "TB"):
        if value < _THOUSAND:
            break
        value, unit = value / _THOUSAND, larger
    return f"{value:.0f} {unit}" if value >= _WHOLE else f"{value:.1f} {unit}"
