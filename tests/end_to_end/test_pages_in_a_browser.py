"""The pages of report and graph in a browser: at the widths of a phone and a desk, by mouse and by keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import lockset
from support.browser import DESKTOP, PHONE, browser
from support.builders import make_lock
from support.builders.graph_locks import entry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.browser import Browser, Page

WIDTHS = pytest.mark.parametrize("width", [PHONE, DESKTOP])
SCHEMES = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
# Contrast of each text with what is behind it (WCAG 2.2, 1.4.3), for elements with text of their own.
CONTRAST = """(() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const channel = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.closest("svg, script, style") || !element.getClientRects().length) continue;
    const [one, other] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) low.push(`${element.tagName}.${element.className} ${element.textContent.slice(0, 30)} ${ratio}`);
  }
  return low;
})()"""
# Landmarks and names that a screen reader needs.
ACCESS = """(() => {
  const wrong = [];
  const need = (is, what) => is || wrong.push(what);
  need(document.documentElement.lang, "language");
  need(document.title, "title");
  need(document.querySelectorAll("main").length === 1, "one main");
  need(document.querySelectorAll("h1").length === 1, "one h1");
  for (const table of document.querySelectorAll("table")) {
    need(table.caption, "caption");
    for (const head of table.querySelectorAll("th")) need(head.scope, `scope of ${head.textContent}`);
  }
  for (const field of document.querySelectorAll("input")) need(field.labels.length, "label");
  for (const section of document.querySelectorAll("section, [role=region]"))
    need(section.ariaLabel || document.getElementById(section.getAttribute("aria-labelledby")), "name of a section");
  for (const button of document.querySelectorAll("button"))
    need(button.textContent.trim() || button.getAttribute("aria-label"), "name of a button");
  const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
  need(new Set(ids).size === ids.length, "ids are unique");
  for (const anchor of document.querySelectorAll("a[href^='#']"))
    need(document.getElementById(anchor.getAttribute("href").slice(1)), `target of ${anchor.getAttribute("href")}`);
  return wrong;
})()"""
A = "a" * 64


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def lock_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lock file with everything that a report shows."""

    def files(name: str, *tags: str, version: str = "1.0", **more: object) -> dict[str, object]:
        stem = f"https://files.example.org/{name.replace('-', '_')}-{version}"
        wheels = [{"url": f"{stem}-{tag}.whl", "size": 12_345, "hashes": {"sha256": A}} for tag in tags]
        return {"name": name, "version": version, **({"wheels": wheels} if wheels else {}), **more}

    sdist = {"url": "http://files.example.org/plain-1.0.tar.gz", "hashes": {"md5": "b" * 32}}
    packages = [
        files("numpy", "cp310-cp310-manylinux_2_17_x86_64", marker="python_version < '3.12'"),
        files("numpy", "py3-none-any", version="2.0", marker="python_version >= '3.12'"),
        files("plain", sdist=sdist),
        files("pytest", "py3-none-any", marker="'dev' in dependency_groups"),
        files("charts", "py3-none-any", marker="'charts' in extras", dependencies=[{"name": "numpy"}]),
        files("winonly", "py3-none-any", marker="sys_platform == 'win32'"),
        entry("tree", needs=("numpy", "winonly", "leaf-0")),
        *(files(f"leaf-{n}", "py3-none-any", dependencies=[{"name": f"leaf-{n + 1}"}]) for n in range(40)),
        files("leaf-40", "py3-none-any"),
    ]
    path = tmp_path_factory.mktemp("pages") / "pylock.toml"
    path.write_text(
        make_lock(
            packages,
            requires_python=">=3.10",
            extras=["charts"],
            dependency_groups=["dev"],
            tool={"lockset": {"roots": ["tree", "plain", "pytest", "charts"]}},
        )
    )
    return path


@pytest.fixture(scope="module")
def report_page(lock_file: Path) -> Path:
    page = lock_file.with_name("report.html")
    page.write_text(lockset.render_report(lockset.report(lock_file)), encoding="utf-8")
    return page


@pytest.fixture(scope="module")
def graph_page(lock_file: Path) -> Path:
    page = lock_file.with_name("graph.html")
    page.write_text(lockset.render_graph(lockset.graph(lock_file), "html").text, encoding="utf-8")
    return page


@pytest.fixture(scope="module")
def diff_page(lock_file: Path) -> Path:
    """The lock file after an upgrade that a reviewer has to look at: another hash, and other versions."""
    text = lock_file.read_text()
    old = lock_file.with_name("pylock.old.toml")
    text = text.replace(A, "c" * 64, 1).replace("'3.12'", "'3.11'").replace("leaf_7-1.0", "leaf_7-0.9")
    old.write_text(text.replace('name = "leaf-7"\nversion = "1.0"', 'name = "leaf-7"\nversion = "0.9"'))
    page = lock_file.with_name("diff.html")
    page.write_text(lockset.render_review(lockset.review(old, lock_file), "html"), encoding="utf-8")
    return page


def assert_sound(page: Page) -> None:
    assert page.overflow == 0
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert page.overflow == 0
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(ACCESS) == []
    assert page.problems == []


@WIDTHS
@SCHEMES
def test_a_report_fits_and_can_be_read(chromium: Browser, report_page: Path, width: int, *, dark: bool) -> None:
    assert_sound(chromium.open(report_page, width=width, dark=dark))


@WIDTHS
@SCHEMES
def test_a_graph_fits_and_can_be_read(chromium: Browser, graph_page: Path, width: int, *, dark: bool) -> None:
    assert_sound(chromium.open(graph_page, width=width, dark=dark))


@WIDTHS
@SCHEMES
def test_a_comparison_fits_and_can_be_read(chromium: Browser, diff_page: Path, width: int, *, dark: bool) -> None:
    page = chromium.open(diff_page, width=width, dark=dark)
    assert page.evaluate("document.querySelectorAll('tr.bad').length") == 1
    assert_sound(page)


def test_the_search_of_a_comparison_opens_folded_tables(chromium: Browser, diff_page: Path) -> None:
    page = chromium.open(diff_page)
    page.type("/")
    page.type("numpy")
    shown = "[...document.querySelectorAll('tr[data-name]')].filter(e => e.checkVisibility()).map(e => e.dataset.name)"
    assert page.evaluate(shown) == ["numpy", "numpy"]


@WIDTHS
def test_the_search_of_a_report_shows_matches_and_opens_folded_lists(
    chromium: Browser, report_page: Path, width: int
) -> None:
    page = chromium.open(report_page, width=width)
    items = "[...document.querySelectorAll('#matrix [data-name]')]"
    shown = f"{items}.filter(e => e.checkVisibility()).map(e => e.dataset.name)"
    assert "leaf-7" not in page.evaluate(shown)
    page.press("Tab")
    page.type("/")
    page.type("leaf-7")
    assert page.evaluate(shown) == ["leaf-7"]
    assert page.evaluate("document.getElementById('find-status').textContent") == "1 package"
    page.press("Escape")
    assert "leaf-7" not in page.evaluate(shown)
    assert "numpy" in page.evaluate(shown)


def test_tables_are_sorted_by_their_headings(chromium: Browser, report_page: Path) -> None:
    page = chromium.open(report_page)
    names = "[...document.querySelectorAll('#packages tbody th')].map(e => e.firstChild.textContent).slice(0, 2)"
    page.click("#packages thead th:nth-child(1) button")
    page.click("#packages thead th:nth-child(1) button")
    assert page.evaluate(names) == ["winonly", "tree"]
    assert page.evaluate("document.querySelector('#packages th').getAttribute('aria-sort')") == "descending"


def test_folding_works_by_keyboard(chromium: Browser, report_page: Path) -> None:
    page = chromium.open(report_page)
    page.evaluate("document.querySelector('#matrix summary').focus()")
    page.press("Enter")
    assert page.evaluate("document.querySelector('#matrix details').open") is True
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_everything_is_reached_by_tab(chromium: Browser, report_page: Path) -> None:
    page = chromium.open(report_page)
    reached = set()
    for _ in range(150):
        page.press("Tab")
        reached.add(page.evaluate("document.activeElement.closest('section, nav, body').id || 'nav'"))
    assert {"matrix", "packages", "environments"} <= reached


@WIDTHS
def test_a_click_on_a_package_says_why_it_is_locked(chromium: Browser, graph_page: Path, width: int) -> None:
    page = chromium.open(graph_page, width=width)
    page.click("a[data-name=winonly] rect")
    text = page.evaluate("document.getElementById('panel').innerText")
    assert "tree 1 → winonly 1.0" in text
    assert "sys_platform == 'win32'" in text
    assert page.evaluate("document.querySelectorAll('svg .node.on').length") == 2
    page.press("Escape")
    assert page.evaluate("document.getElementById('panel').hidden") is True


def test_packages_of_a_graph_are_links_for_the_keyboard(chromium: Browser, graph_page: Path) -> None:
    page = chromium.open(graph_page)
    page.evaluate("document.querySelector('a[data-name=plain]').focus()")
    page.press("Enter")
    assert page.evaluate("document.querySelector('#panel h3').textContent").startswith("plain 1.0")


def test_the_search_of_a_graph_highlights_matches(chromium: Browser, graph_page: Path) -> None:
    page = chromium.open(graph_page)
    page.click("#find")
    page.type("leaf-3")
    assert page.evaluate("document.getElementById('find-status').textContent") == "11 packages"
    assert page.evaluate("document.querySelectorAll('svg .node.on').length") == 11
    page.press("Enter")
    assert page.evaluate("document.querySelector('#panel h3').textContent").startswith("leaf-3 ")


def test_the_drawing_is_fitted_to_the_page(chromium: Browser, graph_page: Path) -> None:
    page = chromium.open(graph_page)
    assert page.evaluate("picture.scrollWidth > picture.clientWidth")
    page.click("#fit")
    assert page.evaluate("picture.scrollWidth <= picture.clientWidth")
    page.click("#larger")
    assert page.problems == []
