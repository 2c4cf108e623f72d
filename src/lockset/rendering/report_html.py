"""A report as one HTML file that loads nothing, for screens of every size, keyboards and screen readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.lockfile.report.concerns import CONCERNS
from lockset.rendering.graph_layout import MOST_DRAWN
from lockset.rendering.graph_model import drawing_of
from lockset.rendering.graph_svg import graph_legend, graph_svg
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
from lockset.rendering.matrix_html import matrix_legend, matrix_table, uniform_list
from lockset.rendering.report_words import age_text, concern_groups, files_text, heading, package_page, required_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.lockfile.report.health import PackageHealth
    from lockset.lockfile.report.matrix import EnvironmentSize
    from lockset.lockfile.report.report import LockReport

__all__ = ["report_html"]

# As many packages as a page shows; the JSON has all.
_MOST_ROWS = 2_000
# Longer lists are folded.
_LONG_LIST = 8
_LONG_TABLE = 15
_MOST_FINDINGS = 500
_SIGNS = {"bad": "✖", "poor": "▲", "note": "●"}
_GRAVITIES = {"bad": "serious", "poor": "weak", "note": "worth knowing"}


def report_html(report: LockReport) -> str:
    """The page."""
    sections = {
        "concerns": ("Concerns", _concerns(report)),
        "matrix": ("Matrix", _matrix(report)),
        "packages": ("Packages", _packages(report)),
        "environments": ("Environments", _environments(report)),
        "graph": ("Graph", _graph(report)),
        "findings": ("Findings", _findings(report)),
        "unchecked": ("Not checked", _unchecked(report)),
    }
    find = package_search("find", status_class="sr")
    links = [
        element("li", element("a", title, href=f"#{key}")) for key, (title, content) in sections.items() if content
    ]
    nav = element(
        "nav", element("div", element("ul", *links), find, class_="wrap"), class_="bar", aria_label="Sections"
    )
    body = [
        element("a", "Skip to the report", href="#concerns", class_="skip"),
        element("header", element("div", *_header(report), class_="wrap"), class_="top"),
        nav,
        element("main", *(content for _, content in sections.values()), class_="wrap"),
        element("footer", element("div", _footer(report), class_="wrap")),
    ]
    return html_page(f"Report on {shown(report.name)}", body, script="report.js")


def _header(report: LockReport) -> Iterator[Html]:
    yield element("h1", f"Report on {shown(report.name)}")
    yield element("p", heading(report), class_="soft")
    yield element("ul", *_tiles(report), class_="tiles")


def _tiles(report: LockReport) -> Iterator[Html]:
    names = len(report.matrix.rows)
    direct = sum(each.direct is True for each in report.packages)
    forked = sum(len(row.versions) > 1 for row in report.matrix.rows)
    entries = len(report.packages)
    yield _tile(str(names), "packages", f"{entries} entries, {direct} direct" if direct else f"{entries} entries")
    columns = [size for env, size in zip(report.matrix.environments, report.matrix.full_sizes, strict=True)
               if env.supported]  # fmt: skip
    complete = sum(not size.missing for size in columns)
    mood = "good" if columns and complete == len(columns) else "bad"
    yield _tile(f"{complete} / {len(columns)}", "complete environments", "every package can be installed", mood)
    bad, poor = (sum(CONCERNS[each.name].gravity == gravity for each in report.concerns) for gravity in ("bad", "poor"))
    mood = "bad" if bad else "poor" if poor else "good"
    yield _tile(str(bad + poor), "concern" if bad + poor == 1 else "concerns", f"{bad} serious, {poor} weak", mood)
    yield _tile(str(forked), "forked packages", "another version on some environment")
    yield _tile(_size_range(report), "to download", "a default installation")


def _tile(value: str, label: str, detail: str, mood: str = "") -> Html:
    return element(
        "li", element("b", value), label, element("br"), element("span", detail, class_="soft"), class_=f"tile {mood}"
    )


def _size_range(report: LockReport) -> str:
    sizes = [size for env, size in zip(report.matrix.environments, report.matrix.default_sizes, strict=True)
             if env.supported]  # fmt: skip
    known = [size.size for size in sizes if size.size]
    if not known:
        return "unknown"
    least, most = size_text(min(known)), size_text(max(known))
    if least.split()[-1] == most.split()[-1] and least != most:
        least = least.split()[0]  # the unit once
    text = least if least == most else f"{least} - {most}"
    return f"≥ {text}" if any(size.unknown for size in sizes) else text


def _concerns(report: LockReport) -> Html:
    items = []
    for kind, own in concern_groups(report):
        info = CONCERNS[kind]
        count = len({each.entry for each in own})
        unit = "file" if own[0].entry is None else "package" if count == 1 else "packages"
        sign = element("span", f"{_SIGNS[info.gravity]} ", aria_hidden="true")
        title = element("h3", sign, info.title, element("span", f" ({_GRAVITIES[info.gravity]})", class_="sr"), " ",
                        element("span", f"{count} {unit}", class_=f"chip {info.gravity}"))  # fmt: skip
        lines = [_concern_line(report, each.entry, each.detail) for each in own[:_MOST_ROWS]]
        listed = _folded(lines, f"{count} {unit}")
        name = element("p", *_with_code(info.meaning), " ", element("code", kind), class_="soft")
        items.append(element("li", title, name, listed, class_=info.gravity))
    if not items:
        return card("concerns", "Concerns", element("p", "None. See below what was not checked."))
    intro = element("p", "The code behind each explanation is its name for ", element("code", "--fail-on"), ".",
                    class_="soft")  # fmt: skip
    return card("concerns", "Concerns", intro, element("ul", *items, class_="concerns"))


def _concern_line(report: LockReport, entry: int | None, detail: str) -> Html:
    if entry is None:
        return element("li", detail)
    package = report.packages[entry]
    version = f" {package.version}" if package.version else ""
    return element(
        "li", element("b", package.name), f"{version}{': ' if detail else ''}{detail}", data_name=package.name
    )


def _folded(lines: list[Html], summary: str) -> Html:
    listed = element("ul", *lines)
    is_long = len(lines) > _LONG_LIST
    return element("details", element("summary", summary), listed, open=not is_long, data_search=True)


def _matrix(report: LockReport) -> Html:
    matrix = report.matrix
    rows = matrix.rows[:_MOST_ROWS]
    varied = [row for row in rows if not row.is_uniform]
    uniform = [row for row in rows if row.is_uniform]
    parts: list[object] = [
        element("p", "The file that each package has for each platform and Python. Where versions differ, "
                     "the cell names the version.", class_="soft"),
        matrix_legend(),
    ]  # fmt: skip
    if varied:
        parts.append(matrix_table(matrix, varied, "Packages that differ between environments"))
    if uniform:
        summary = f"{len(uniform)} packages are the same in every environment, ready to install"
        parts.append(element("details", element("summary", summary), uniform_list(uniform), data_search=True))
    parts += _cut(len(matrix.rows))
    return card("matrix", "Packages by platform and Python", *parts)


def _cut(count: int) -> list[Html]:
    if count <= _MOST_ROWS:
        return []
    text = f"The first {_MOST_ROWS:,} of {count:,} are shown; the JSON report has all."
    return [element("p", text)]


def _packages(report: LockReport) -> Html:
    recorded = any(each.direct is not None for each in report.packages)
    heads = ["Package", "Version", "Concerns", *(["Newest"] if report.online else []), "Uploaded", "Files", "Size"]
    heads += ["Required"] if recorded else []
    head = element(
        "thead", element("tr", *(element("th", each, scope="col", class_="num" if each == "Size" else None)
                                 for each in heads))
    )  # fmt: skip
    packages = sorted(report.packages, key=lambda each: (each.name, each.entry))
    body = element("tbody", *(_package(report, each, heads) for each in packages[:_MOST_ROWS]))
    table = table_region("Packages", head, body, class_="pin cards", data_sortable=True)
    fold = _wide_fold(f"{len(packages)} entries", table, count=len(packages))
    return card("packages", "Health of the packages", fold, *_cut(len(packages)))


def _wide_fold(summary: str, table: Html, *, count: int) -> Html:
    """A table that is folded if it is long, and opened by the script on wide screens."""
    is_long = count > _LONG_TABLE
    return element("details", element("summary", summary), table, open=not is_long, data_search=True, data_wide=is_long)


def _package(report: LockReport, package: PackageHealth, heads: list[str]) -> Html:
    where = element("div", element("code", package.marker), class_="soft") if package.marker else None
    kinds = [CONCERNS[name] for name in package.concerns]
    chips = [element("span", kind.title, class_=f"chip {kind.gravity}") for kind in kinds]
    cells = [
        element("th", link(package.name, package_page(report, package)), where, scope="row"),
        element("td", package.version or "-"),
        element("td", *chips),
    ]
    if report.online:
        behind = package.releases_behind
        newer = element("div", f"{behind} newer release{'' if behind == 1 else 's'}", class_="soft") if behind else None
        cells.append(element("td", package.newest or "-", newer))
    uploaded = package.uploaded.isoformat() if package.uploaded else "0"
    size = size_text(package.size) if package.size is not None else "-"
    cells += [
        element("td", *_age(package, report), data_sort=uploaded),
        element("td", files_text(package)),
        element("td", size, class_="num", data_sort=str(package.size or 0)),
    ]
    cells += [element("td", required_text(package))] if "Required" in heads else []
    return card_row(heads, cells, data_name=package.name)


def _age(package: PackageHealth, report: LockReport) -> tuple[object, ...]:
    if package.uploaded is None:
        return ("-",)
    age = element("div", f"{age_text(package.uploaded, report.made)} ago", class_="soft")
    return element("time", f"{package.uploaded:%Y-%m-%d}", datetime=package.uploaded.isoformat(), class_="date"), age


def _environments(report: LockReport) -> Html:
    heads = ("Environment", "Packages", "Download", "With all", "Download", "To build", "Missing")
    head = element(
        "thead",
        element("tr", *(element("th", each, scope="col", class_="num" if number else None)
                        for number, each in enumerate(heads))),
    )  # fmt: skip
    rows = []
    sizes = zip(report.matrix.environments, report.matrix.default_sizes, report.matrix.full_sizes, strict=True)
    for env, default, full in sizes:
        if not env.supported:
            text = element("td", "not supported by the lock file", colspan=len(heads) - 1, class_="soft")
            rows.append(element("tr", element("th", env.name, scope="row"), text))
            continue
        numbers = (default.packages, _download(default), full.packages, _download(full), full.builds, full.missing)
        cells = [element("td", each, class_="num") for each in numbers]
        head_cell = element("th", env.name, scope="row")
        rows.append(card_row(heads, [head_cell, *cells], class_="bad" if full.missing else None))
    intro = element("p", "First a default installation: no extras, the default groups. Then all extras and groups; "
                         "where they conflict, the largest version counts.", class_="soft")  # fmt: skip
    table = table_region("Environments", head, element("tbody", *rows), class_="pin cards")
    fold = _wide_fold(f"{len(rows)} environments", table, count=len(rows))
    return card("environments", "Packages and sizes by environment", intro, fold)


def _download(size: EnvironmentSize) -> str:
    if not size.packages:
        return "-"
    if not size.size:
        return "unknown"
    return f"{'≥ ' if size.unknown else ''}{size_text(size.size)}"


def _graph(report: LockReport) -> Html | None:
    graph = report.graph
    if not graph.recorded:
        return None
    if len(graph.entries) > MOST_DRAWN:
        text = joined(
            f"{len(graph.entries)} packages are too many for one drawing. Draw a part: ",
            element("code", "lockset graph --package NAME --depth 3 --format html -o graph.html"),
        )
        return card("graph", "Dependency graph", element("p", text))
    drawing = drawing_of(graph)
    picture = element("div", graph_svg(drawing), class_="scroll tall", role="region", tabindex="0",
                      aria_label="Drawing of the dependency graph")  # fmt: skip
    fold = element("details", element("summary", f"Show the graph of {len(graph.entries)} packages"), picture,
                   open=len(graph.entries) <= 30)  # fmt: skip
    return card("graph", "Dependency graph", graph_legend(), fold)


def _findings(report: LockReport) -> Html:
    if report.issues is None:
        return card("findings", "Findings of validate", element("p", "The text of the lock file was not checked."))
    if not report.issues:
        return card("findings", "Findings of validate", element("p", "None: the lock file is valid."))
    items = []
    for issue in report.issues[:_MOST_FINDINGS]:
        gravity = "bad" if issue.severity == "error" else "poor"
        hint = element("div", issue.hint, class_="soft") if issue.hint else None
        chip = element("span", issue.severity, class_=f"chip {gravity}")
        text = f" line {issue.line}: {shown(issue.message)}"
        items.append(element("li", chip, " ", element("code", issue.code), text, hint))
    listed = element("ul", *items, class_="findings")
    summary = f"{len(report.issues)} finding{'s' if len(report.issues) > 1 else ''}"
    fold = element("details", element("summary", summary), listed, open=len(items) <= _LONG_LIST)
    return card("findings", "Findings of validate", fold)


def _unchecked(report: LockReport) -> Html:
    items = [element("li", *_with_code(sentence)) for sentence in report.unchecked]
    return card("unchecked", "What this report does not say", element("ul", *items))


def _with_code(sentence: str) -> Iterator[object]:
    for number, part in enumerate(sentence.split("`")):
        yield element("code", part) if number % 2 else part


def _footer(report: LockReport) -> Html:
    return joined("Made by ", element("code", "lockset report"), f" on {report.made:%Y-%m-%d %H:%M} UTC.")
