"""The browser of the tests sees what a person at a screen would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.browser import DESKTOP, PHONE, BrowserError, browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.browser import Browser

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>A page</title><input id="q"><button id="b" onclick="document.title += '!'">Go</button>
<details><summary>More</summary>folded</details><div id="wide"></div>"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    file = tmp_path / "page.html"
    file.write_text(_PAGE, encoding="utf-8")
    return file


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_the_viewport_has_the_requested_width(chromium: Browser, page_file: Path, width: int) -> None:
    page = chromium.open(page_file, width=width)
    assert page.evaluate("innerWidth") == width
    assert page.overflow == 0
    assert page.problems == []
    page.evaluate("wide.style.width = '2000px'; wide.style.height = '1px'")
    assert page.overflow == 2000 + page.evaluate("wide.getBoundingClientRect().x") - width


def test_clicks_and_keys_are_those_of_a_person(chromium: Browser, page_file: Path) -> None:
    page = chromium.open(page_file)
    page.click("#q")
    page.type("flask é")
    page.press("Backspace")
    assert page.evaluate("q.value") == "flask "
    page.press("Tab")
    page.press("Enter")
    page.click("#b")
    assert page.evaluate("document.title") == "A page!!"
    page.press("Tab")
    page.press(" ")
    assert page.evaluate("document.querySelector('details').open") is True
    with pytest.raises(BrowserError, match="#absent"):
        page.click("#absent")


def test_every_error_is_seen(chromium: Browser, page_file: Path) -> None:
    page = chromium.open(page_file)
    page.evaluate("console.error('one', 1); setTimeout(() => { throw new Error('two') })")
    page.evaluate("new Promise(done => setTimeout(done, 50))")
    page.evaluate("fetch('https://example.org/three').catch(() => 0)")
    first, second, third = page.problems
    assert first == "one 1"
    assert second.startswith("Error: two")
    assert "ERR_NAME_NOT_RESOLVED" in third
    with pytest.raises(BrowserError, match="absent is not defined"):
        page.evaluate("absent()")


def test_a_picture_shows_the_color_scheme(chromium: Browser, page_file: Path, tmp_path: Path) -> None:
    page = chromium.open(page_file, dark=True)
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is True
    assert page.screenshot(tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
    page.close()
