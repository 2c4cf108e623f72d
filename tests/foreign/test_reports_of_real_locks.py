"""Reports and graphs of real lock files, of every tool."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

import lockset
from support.corpus import pylock_files
from support.output_schema import check_output

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.corpus
# More than the largest of them needs.
MOST_BYTES = 1_500_000


@pytest.mark.parametrize("path", pylock_files(), ids=lambda path: path.stem)
def test_a_real_lock_file_has_a_report_and_a_graph(path: Path) -> None:
    try:
        lock = lockset.read(path)
    except lockset.LocksetError:
        with pytest.raises(lockset.LocksetError):
            lockset.report(path)
        return
    made = lockset.report(path)
    assert {row.name for row in made.matrix.rows} == {package.name for package in lock.packages}
    check_output(lockset.render_report(made, "json"), "report")
    page = lockset.render_report(made)
    assert len(page.encode()) < MOST_BYTES
    assert len(lockset.render_report(made, "markdown")) < 65_000
    graph = lockset.graph(path)
    assert len(lockset.render_graph(graph).text) <= 50_000
    ET.fromstring(lockset.render_graph(graph, "svg").text)
    assert lockset.render_graph(graph, "html").nodes == min(len(graph.entries), 150)
