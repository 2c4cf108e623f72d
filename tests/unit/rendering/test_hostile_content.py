"""No text of a lock file becomes markup, shows a secret, or turns the direction of a line."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from lockset.api.lock_files import graph
from lockset.api.render import render_graph, render_report, render_review
from lockset.api.report import report
from lockset.api.review import review
from lockset.composition.run_context import RunContext
from lockset.lockfile.read import read_document
from lockset.lockfile.report.environments import report_environments
from lockset.lockfile.report.options import ReportOptions
from lockset.lockfile.report.report import make_report
from lockset.rendering.markdown_text import MOST_CHARACTERS, bounded, code, escaped
from lockset.rendering.markup import element, html_page, link
from support.builders import make_lock

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.lockfile.report.report import LockReport

EVIL = "<script>alert(1)</script>"
BIDI = "\u202eevil\u2066"
SECRET = "hunter2"
A = "a" * 64


class Tags(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A lock file with markup, control characters and a password wherever text may stand."""
    url = f"http://user:{SECRET}@files.example.org/{EVIL}/a-1-py3-none-any.whl"
    packages: list[dict[str, Any]] = [
        {
            "name": "a",
            "version": "1",
            "index": f"https://user:{SECRET}@index.example.org/{EVIL}{BIDI}",
            "marker": f"platform_version == \"{EVIL}|`x`{BIDI}\" or 'b' in extras",
            "wheels": [{"name": "a-1-py3-none-any.whl", "url": url, "hashes": {EVIL: "x"}}],
            "dependencies": [{"name": "b"}],
        },
        {
            "name": "b",
            "vcs": {"type": EVIL, "url": f"https://t:{SECRET}@git.example.org/{EVIL}", "commit-id": "c" * 40},
        },
        {"name": "c", "directory": {"path": f"{EVIL}{BIDI}\x07"}},
        {"name": "d", "archive": {"path": '"><img src=x onerror=alert(1)>.zip', "hashes": {"md5": "d" * 32}}},
    ]
    roots = [f"a; platform_version == '{EVIL}'", f"b @ https://u:{SECRET}@example.org/b.zip"]
    lock = make_lock(
        packages, created_by=f"{EVIL}{BIDI}@team #1 [x](y)", extras=["b"], tool={"lockset": {"roots": roots}}
    )
    (tmp_path / "pylock.toml").write_text(lock, encoding="utf-8")
    return tmp_path / "pylock.toml"


def documents(path: Path) -> dict[str, str]:
    made = report(path, context=RunContext(now=datetime(2026, 1, 1, tzinfo=timezone.utc)))
    texts = {f"report {name}": render_report(made, name) for name in ("html", "markdown", "json")}
    drawn = graph(path)
    empty = path.with_name("pylock.empty.toml")
    empty.write_text(make_lock([]))
    for name, pair in {"added": (empty, path), "removed": (path, empty)}.items():
        changes = review(*pair)
        texts |= {f"diff {name} {form}": render_review(changes, form) for form in ("html", "markdown", "json")}
    return texts | {
        f"graph {name}": render_graph(drawn, name, name=f"{EVIL}.toml").text
        for name in ("mermaid", "dot", "svg", "html", "json")
    }


def test_markup_stays_text(hostile: Path) -> None:
    texts = documents(hostile)
    for name in ("report html", "graph html", "diff added html", "diff removed html"):
        tags = Tags(texts[name])
        assert tags.tags.count("script") == 1, name
        assert "img" not in tags.tags
        assert not [key for key, _ in tags.attributes if key.startswith("on")]
    for name in ("report html", "graph html", "graph svg", "diff added html", "diff removed html"):
        assert "alert(1)</" not in texts[name].replace("&lt;", "<lt>"), name
        assert EVIL not in texts[name], name
    assert EVIL not in texts["report markdown"]
    assert EVIL not in texts["diff added markdown"]
    assert EVIL not in texts["graph mermaid"]


def test_secrets_are_not_shown(hostile: Path) -> None:
    assert [name for name, text in documents(hostile).items() if SECRET in text] == []


def test_text_cannot_turn_the_direction(hostile: Path) -> None:
    shown = {name: text for name, text in documents(hostile).items() if "json" not in name}
    assert [name for name, text in shown.items() if re.search("[\u202a-\u202e\u2066-\u2069\x07]", text)] == []


def test_a_page_loads_nothing(hostile: Path) -> None:
    for name in ("report html", "graph html"):
        text = documents(hostile)[name]
        tags = Tags(text)
        assert not {"link", "iframe", "img", "object", "embed", "base"} & set(tags.tags)
        assert not [value for key, value in tags.attributes if key in {"src", "srcset", "data"}]
        assert "default-src 'none'" in text
        assert not re.search(r"@import|url\(", re.sub(r'marker-end="url\(#arrow\)"', "", text))


def test_only_web_addresses_become_links() -> None:
    assert link("a", "javascript:alert(1)") == "a"
    assert link("a", "https://example.org/\u202e") == "a"
    assert link("<", 'https://example.org/"><script>') == (
        '<a href="https://example.org/&quot;&gt;&lt;script&gt;" rel="noreferrer">&lt;</a>'
    )
    assert SECRET not in str(link("a", f"https://u:{SECRET}@example.org/"))


def test_text_and_attributes_are_escaped() -> None:
    assert element("p", EVIL, title='"<') == ('<p title="&quot;&lt;">&lt;script&gt;alert(1)&lt;/script&gt;</p>')
    assert EVIL not in html_page(EVIL, [EVIL])


def test_markdown_has_no_markup_mentions_or_table_signs() -> None:
    assert escaped("@team #1 a|b <b> *x* [y](z) `c`") == (r"\@team \#1 a\|b &lt;b> \*x\* \[y\](z) \`c\`")
    assert code("a`b") == r"a\`b"
    assert code("a|b") == r"a\|b"


def test_markdown_is_bounded() -> None:
    text = bounded([["kept"], ["x" * MOST_CHARACTERS], ["kept too"]], more="See the page.")
    assert text == "kept\nkept too\n\n_1 part left out for size. See the page._\n"


def test_a_page_of_very_many_packages_is_bounded(tmp_path: Path) -> None:
    packages = [{"name": f"p{number}", "directory": {"path": "x" * 3000}} for number in range(3000)]
    (tmp_path / "pylock.toml").write_text(make_lock(packages))
    made = report(tmp_path / "pylock.toml", options=ReportOptions(platforms=("linux",), pythons=("3.12",)))
    page = render_report(made, "html")
    assert len(page) < 5_000_000
    assert "The first 2,000 of 3,000 are shown" in page
    assert len(render_report(made, "markdown")) <= MOST_CHARACTERS + 200
    assert len(made.packages) == 3000


def test_reports_are_values() -> None:
    """The same arguments make the same text."""

    def made() -> LockReport:
        lock = read_document(make_lock([{"name": "a", "directory": {"path": "a"}}])).lock
        return make_report(
            lock,
            report_environments(lock, usual_pythons=("3.12",)),
            name="pylock.toml",
            now=datetime(2026, 1, 1, tzinfo=timezone.utc),
            issues=(),
            facts=None,
            default_index="https://index.example.org/simple",
            old_days=10,
        )

    assert render_report(made()) == render_report(made())
