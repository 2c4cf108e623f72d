"""Draw the pictures of `pictures.toml` as HTML, in the colours of the page, readable on a phone and aloud."""  # noqa: INP001 - a hook, not a package

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

__all__ = ["annotated_text", "catalogue", "on_page_markdown", "picture"]

_SHADES = ("", " second", " third")


def catalogue() -> dict[str, dict[str, Any]]:
    """The pictures by name."""
    return tomli.loads(Path(__file__).with_name("pictures.toml").read_text("utf-8"))


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Replace each `<!-- picture: NAME -->` with its picture."""
    del page, config, files
    return re.sub(r"<!-- picture: ([\w-]+) -->", lambda match: picture(match[1]), markdown)


def picture(name: str) -> str:
    """The figure called `name`."""
    data = catalogue()[name]
    body = _road(data) if "steps" in data else _bands(data) if "rows" in data else _annotated(data)
    caption = f"<figcaption>{_with_code(data['caption'])}</figcaption>"
    return f'<figure class="picture" id="picture-{name}">\n{"".join(body)}\n{caption}\n</figure>\n'


def annotated_text(data: dict[str, Any]) -> str:
    """The file that an annotated picture shows."""
    return "\n".join(part["code"].strip("\n") + "\n" for part in data["parts"])


def _road(data: dict[str, Any]) -> Iterator[str]:
    yield '<ol class="road">'
    for title, text, *more in data["steps"]:
        kind = f' class="{more[0]}"' if more else ""
        yield f"<li{kind}><b>{_with_code(title)}</b> {_with_code(text)}</li>"
    yield "</ol>"


def _bands(data: dict[str, Any]) -> Iterator[str]:
    columns = data["columns"]
    yield f'<div class="bands" style="grid-template-columns: minmax(0, 1.3fr) repeat({len(columns)}, minmax(0, 1fr))">'
    yield '<div class="axis">Python</div>'
    yield from (f'<div class="axis">{escape(column)}</div>' for column in columns)
    for row in data["rows"]:
        yield f'<div class="name">{escape(row["name"])}</div>'
        first = 0
        for number, (version, width) in enumerate(row["bands"]):
            kind = f"band{_SHADES[number]}" if version else "band none"
            pythons = f"{columns[first]} to {columns[first + width - 1]}" if width > 1 else columns[first]
            title = f"{row['name']} {version or 'is not needed'} on Python {pythons}"
            shown = escape(version) or "not needed"
            yield f'<div class="{kind}" style="grid-column: span {width}" title="{escape(title)}">{shown}</div>'
            first += width
    yield "</div>"


def _annotated(data: dict[str, Any]) -> Iterator[str]:
    yield '<div class="annotated">'
    for part in data["parts"]:
        # A blank line would end the block of HTML.
        code = escape(part["code"].strip("\n"), quote=False)
        yield f"<pre><code>{code}</code></pre><p>{_with_code(part['text'])}</p>"
    yield "</div>"


def _with_code(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
