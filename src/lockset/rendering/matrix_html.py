"""The matrix of a report as an HTML table; neighbouring cells that say the same are one."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from lockset.rendering.markup import element, joined, table_region

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lockset.lockfile.report.matrix import Cell, Matrix, MatrixRow, Provision
    from lockset.rendering.markup import Html

__all__ = ["matrix_legend", "matrix_table", "system_spans", "uniform_list"]

_SIGNS = {"wheel": "✓", "sdist": "⚒", "source": "⌂", "nothing": "✗"}
_WORDS = {"wheel": "wheel", "sdist": "build", "source": "source", "nothing": "none"}
_LEGEND = {
    "wheel": "a wheel is ready",
    "sdist": "only an sdist: it is built",
    "source": "a repository, folder or archive",
    "nothing": "nothing to install",
}


def system_spans(matrix: Matrix) -> list[tuple[str, range]]:
    """Each platform with its columns."""
    spans: list[tuple[str, range]] = []
    for _, group in groupby(enumerate(matrix.environments), key=lambda each: each[1].platform):
        columns = list(group)
        spans.append((columns[0][1].system, range(columns[0][0], columns[-1][0] + 1)))
    return spans


def matrix_legend() -> Html:
    """A legend of the signs of the matrix."""
    return element(
        "ul",
        *(
            element("li", element("span", f"{_SIGNS[kind]} {_WORDS[kind]}", class_=f"cell {kind}"), f" {text}")
            for kind, text in _LEGEND.items()
        ),
        element("li", element("span", "-", class_="cell absent"), " not installed there"),
        element("li", element("span", "dashed", class_="cell optional"), " only with an extra or a group"),
        class_="legend",
    )


def matrix_table(matrix: Matrix, rows: Sequence[MatrixRow], label: str) -> Html:
    """The table of `rows`."""
    spans = system_spans(matrix)
    heads = [element("th", "Package", scope="col", rowspan=2, class_="corner")]
    heads += [element("th", system, scope="colgroup", colspan=len(columns)) for system, columns in spans]
    pythons = [
        element("th", element("span", "Python ", class_="sr"), env.python, scope="col", class_="py")
        for env in matrix.environments
    ]
    head = element("thead", element("tr", *heads), element("tr", *pythons))
    body = element("tbody", *(_row(row, spans, matrix) for row in rows))
    return table_region(label, head, body, class_="matrix")


def uniform_list(rows: Sequence[MatrixRow]) -> Html:
    """The packages that are the same in every environment."""
    items = []
    for row in rows:
        source = any(each.kind == "source" for cell in row.cells for each in cell)
        version = ", ".join(version for version in row.versions if version)
        where = element("span", "⌂ source", class_="cell source") if source else None
        items.append(element("li", element("b", row.name), f" {version} ", where, *_choices(row), data_name=row.name))
    return element("ul", *items, class_="names")


def _row(row: MatrixRow, spans: Sequence[tuple[str, range]], matrix: Matrix) -> Html:
    names_version = len(row.versions) > 1
    head = element("th", row.name, *_choices(row), scope="row")
    cells = [
        _cell(list(columns), cell, matrix, first=number == 0, names_version=names_version)
        for _, span in spans
        for number, (cell, columns) in enumerate(_merged(row, span, matrix))
    ]
    return element("tr", head, *cells, data_name=row.name)


def _merged(row: MatrixRow, span: range, matrix: Matrix) -> Iterable[tuple[Cell, Iterable[int]]]:
    def meaning(column: int) -> tuple[object, ...]:
        supported = matrix.environments[column].supported
        return supported, tuple((each.version, each.kind, each.by_default) for each in row.cells[column])

    for _, group in groupby(span, key=meaning):
        columns = list(group)
        yield row.cells[columns[0]], columns


def _choices(row: MatrixRow) -> list[Html]:
    """The extras and groups that decide whether the package is installed."""
    every = [each for cell in row.cells for each in cell]
    if not every or all(each.by_default for each in every):
        return []
    extras = dict.fromkeys(name for each in every for name in each.extras)
    groups = dict.fromkeys(name for each in every for name in each.groups)
    names = [f"extra {name}" for name in extras] + [f"group {name}" for name in groups]
    shown = [element("span", name, class_="chip") for name in names[:_MOST_CHOICES]]
    more = [element("span", f"{len(names) - _MOST_CHOICES} more", class_="chip")] if len(names) > _MOST_CHOICES else []
    return [joined(" ", *shown, *more)] if names else []


_MOST_CHOICES = 4


def _cell(columns: list[int], cell: Cell, matrix: Matrix, *, first: bool, names_version: bool) -> Html:
    colspan = len(columns) if len(columns) > 1 else None
    class_ = "first" if first else None
    if not cell:
        supported = matrix.environments[columns[0]].supported
        words = "not installed" if supported else "not supported by the lock file"
        content = element("span", element("span", "-" if supported else "·", aria_hidden="true"),
                          element("span", words, class_="sr"), class_="cell absent", title=words)  # fmt: skip
        return element("td", content, colspan=colspan, class_=class_)
    wide = len(columns) > 1
    return element(
        "td",
        *(_provision(each, names_version=names_version or len(cell) > 1, wide=wide) for each in cell),
        colspan=colspan,
        class_=class_,
    )


def _provision(each: Provision, *, names_version: bool, wide: bool) -> Html:
    word = _WORDS[each.kind]
    version = each.version or ""
    text = version if names_version and version else word if wide else ""
    title = f"{version} {each.reason or _LEGEND[each.kind]}".strip()
    hidden = element("span", f" {word}", class_="sr") if text != word else None
    return element(
        "span",
        element("span", _SIGNS[each.kind], aria_hidden="true"),
        f" {text}" if text else None,
        hidden,
        class_=f"cell {each.kind}{'' if each.by_default else ' optional'}",
        title=title,
    )
