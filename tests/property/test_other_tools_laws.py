"""Any value at any key of the tables of other tools: it is applied, left aside, or refused with the file and line."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import tomli_w
from hypothesis import example, given
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.sources.discover import read_sources, with_lines_of
from lockset.sources.other_tools.apply import apply_other_tools
from support.strategies.hostile_values import VALUES

KEYS: tuple[tuple[str, ...], ...] = tuple(
    (tool, *key.split("."))
    for tool, keys in {
        "uv": "sources sources.hull sources.hull.path sources.hull.marker sources.hull.index index index-url"
        " extra-index-url find-links no-index constraint-dependencies override-dependencies exclude-dependencies"
        " build-constraint-dependencies conflicts environments required-environments default-groups dev-dependencies"
        " dependency-groups dependency-groups.dev resolution prerelease fork-strategy exclude-newer"
        " exclude-newer-package workspace workspace.members managed package index-strategy no-binary no-build"
        " dependency-metadata config-settings",
        "poetry": "dependencies dependencies.hull dev-dependencies group group.dev group.dev.dependencies"
        " group.dev.dependencies.hull group.dev.optional extras source",
        "pdm": "dev-dependencies dev-dependencies.dev source resolution resolution.overrides resolution.excludes",
        "hatch": "version envs envs.default envs.default.dependencies metadata metadata.allow-direct-references",
    }.items()
    for key in keys.split()
)
SHAPED: tuple[Any, ...] = (
    {"hull": {"path": 1}}, {"hull": {"path": ".", "git": "x"}}, {"hull": [{"index": "nobody"}]}, {"hull": {}},
    {"hull": [1]}, {"hull": {"workspace": "yes"}}, {"hull": {"path": "a", "marker": "os_name"}}, [{"name": "x"}],
    [{"name": 1, "url": 2}], [{"url": "http://[::1"}], {"dev": {"dependencies": 1}}, {"dev": {"requires-python": "x"}},
    ["hull; bad"], ["hull", "hull>=1"], "hull>=1", {"hull": {"version": "^x", "python": "~y"}}, "\0", ["\0"],
)  # fmt: skip


def _read(key: tuple[str, ...], value: object) -> LocksetError | None:
    """The refusal of a project with `value` at the key; None if it is read."""
    document: dict[str, Any] = {"project": {"name": "app", "version": "1", "dependencies": ["hull"]}, "tool": {}}
    table = document["tool"]
    for part in key[:-1]:
        table = table.setdefault(part, {})
    table[key[-1]] = value
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        try:
            (folder / "pyproject.toml").write_text(tomli_w.dumps(document), encoding="utf-8")
        except (TypeError, AttributeError):
            return None  # TOML has no such value
        try:
            with with_lines_of(folder):
                apply_other_tools(read_sources(["pyproject.toml"], folder=folder, environ={}))
        except LocksetError as error:
            return error
    return None


@given(st.sampled_from(KEYS), st.sampled_from((*VALUES, *SHAPED)))
@example(("uv", "index-url"), "\0")
def test_any_value_is_read_or_refused_with_its_line(key: tuple[str, ...], value: object) -> None:
    refusal = _read(key, value)
    if refusal is not None:
        assert re.match(r"pyproject\.toml(:[1-9]\d*:[1-9]\d*| \[|: |\Z)", refusal.diagnostic.location or ""), refusal
        assert len(refusal.render()) < 5000


@given(st.sampled_from([1, True, [], [1], [{}], {"path": 1}, {"git": []}, {"index": 1}, {"path": "a", "url": "b"}, {}]))
def test_a_source_that_is_not_understood_is_never_taken_from_an_index(value: object) -> None:
    refusal = _read(("uv", "sources", "hull"), value)
    assert refusal is not None
    assert "tool.uv.sources.hull" in str(refusal)
    assert re.match(r"pyproject\.toml:\d+:\d+\Z", refusal.diagnostic.location or "")
