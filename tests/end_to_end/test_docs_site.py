"""The built documentation, as people see it in a browser: what a search finds, and how pages look on a phone."""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.browser import DESKTOP, PHONE, browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.browser import Browser, Page

ROOT = Path(__file__).parents[2]
# What people type, and a page that has to be among the first three.
SEARCHES = {
    "hash mismatch": "how-to/troubleshooting",
    "docker": "how-to/images",
    "kubernetes": "how-to/images",
    "upgrade one package": "how-to/upgrade",
    "outdated": "how-to/upgrade",
    "downgrade": "how-to/upgrade",
    "rollback": "how-to/upgrade",
    "renovate": "how-to/upgrade",
    "no wheel": "how-to/troubleshooting",
    "credentials": "how-to/private-indexes",
    "artifactory": "how-to/private-indexes",
    "private index": "how-to/private-indexes",
    "proxy": "how-to/private-indexes",
    "certificates": "how-to/private-indexes",
    "windows": "how-to/faq",
    "uninstall": "how-to/faq",
    "monorepo": "how-to/faq",
    "pip-tools": "how-to/migrate",
    "poetry": "how-to/migrate",
    "lambda": "how-to/targets",
    "air-gapped": "how-to/faq",
    "offline": "how-to/targets",
    "pre-commit": "how-to/ci",
    "github actions": "how-to/ci",
    "gitlab": "how-to/ci",
    "requirements.txt": "how-to/convert",
    "sbom": "how-to/convert",
    "vscode": "how-to/editors",
    "editable": "how-to/dependencies",
    "override": "how-to/dependencies",
    "git dependency": "how-to/dependencies",
    "merge conflict": "how-to/troubleshooting",
    "exclude-newer": "how-to/upgrade",
    "environment variables": "reference/variables",
    "exit code": "reference/output",
}
PICTURES = {
    "index": "overview",
    "explanation/lock": "lock-road",
    "explanation/sync": "sync-road",
    "explanation/resolver": "fork",
    "reference/pylock": "pylock",
}
RESULTS = """Array.from(document.querySelectorAll(".md-search-result__list > li > a, .md-search-result__item > a"))
.map(e => new URL(e.href).pathname.slice(1).replace(".html", ""))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the built documentation."""
    pytest.importorskip("material")
    folder = tmp_path_factory.mktemp("site")
    settings = str(ROOT / "docs" / "mkdocs.yml")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "-f", settings]
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run([*command, "--site-dir", str(folder)], env=environ, check=True, timeout=300)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


def search(page: Page, query: str) -> list[str]:
    """The pages that a search finds, best first."""
    page.evaluate("document.querySelector('.md-search-result__list').replaceChildren()")
    page.evaluate(
        f"""(() => {{
            const input = document.querySelector(".md-search__input");
            document.querySelector("#__search").checked = true;
            input.focus();
            input.value = {json.dumps(query)};
            input.dispatchEvent(new Event("input", {{bubbles: true}}));
            input.dispatchEvent(new KeyboardEvent("keyup", {{bubbles: true}}));
        }})()"""
    )
    result: list[str] = page.wait_for(f"(() => {{ const all = {RESULTS}; return all.length ? all : null }})()")
    return list(dict.fromkeys(result))


def test_a_search_finds_what_people_type(site: str, chromium: Browser) -> None:
    page = chromium.open(f"{site}/index.html", width=DESKTOP)
    missed = {}
    for query, expected in SEARCHES.items():
        result = search(page, query)[:3]
        if expected not in result:
            missed[query] = result
    assert missed == {}
    assert page.problems == []


def test_pages_of_rules_and_codes_stand_behind_guides(site: str, chromium: Browser) -> None:
    page = chromium.open(f"{site}/index.html", width=DESKTOP)
    assert search(page, "hash mismatch")[0].startswith("how-to/")
    assert "errors/hash-mismatch" in search(page, "hash-mismatch")[:3]


WIDE = """Array.from(document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset figure, .md-typeset dl"))
.filter(e => e.scrollWidth > e.clientWidth + 1).length"""
PAGES = (
    "index", "getting-started", "how-to/ci", "how-to/images", "how-to/migrate", "how-to/troubleshooting", "how-to/faq",
    "explanation/lock", "explanation/resolver", "explanation/security", "reference/commands", "reference/lock",
    "reference/sync", "reference/validate", "reference/pylock", "reference/variables", "compatibility/comparison",
    "rules/index", "rules/url-credentials", "errors/index", "errors/hash-mismatch", "reference/limits",
)  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_a_phone(name: str, site: str, chromium: Browser) -> None:
    page = chromium.open(f"{site}/{name}.html", width=PHONE)
    assert page.overflow == 0
    assert page.evaluate(WIDE) == 0
    assert page.problems == []
    page.close()


@pytest.mark.parametrize("name", ["reference/lock", "reference/sync", "reference/commands", "how-to/migrate"])
def test_tables_fit_on_a_desktop(name: str, site: str, chromium: Browser) -> None:
    page = chromium.open(f"{site}/{name}.html", width=DESKTOP)
    assert page.evaluate(WIDE) == 0
    page.close()


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("dark", [False, True])
def test_pictures_are_seen(name: str, *, dark: bool, site: str, chromium: Browser) -> None:
    page = chromium.open(f"{site}/{name}.html", width=DESKTOP, dark=dark)
    box = f"document.querySelector('#picture-{PICTURES[name]}').getBoundingClientRect()"
    assert page.evaluate(f"{box}.height") > 60
    assert page.evaluate(f"{box}.width") > 500
    assert page.evaluate("Array.from(document.images).every(image => image.naturalWidth > 0)")
    assert page.problems == []
    page.close()


def test_an_option_has_an_address_of_its_own(site: str, chromium: Browser) -> None:
    page = chromium.open(f"{site}/reference/commands.html#lock--exclude-newer", width=DESKTOP)
    assert page.evaluate("document.querySelector(':target').textContent").startswith("--exclude-newer DATE")
    assert page.evaluate("new Set(Array.from(document.querySelectorAll('[id]')).map(e => e.id)).size") == page.evaluate(
        "document.querySelectorAll('[id]').length"
    )
    page.close()


def test_the_tabs_lead_to_the_parts(site: str, chromium: Browser) -> None:
    page = chromium.open(f"{site}/index.html", width=DESKTOP)
    tabs = page.evaluate("Array.from(document.querySelectorAll('.md-tabs__link')).map(e => e.textContent.trim())")
    assert tabs == ["Guides", "Reference", "Rules", "Python API", "Compatibility", "Contributing"]
