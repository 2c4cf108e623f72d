"""Dependency groups and script blocks against the reference implementations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from packaging.dependency_groups import DependencyGroupResolver

from lockset.errors import LocksetError
from lockset.lockfile.validate.finding import Findings
from lockset.sources.groups import read_groups
from lockset.sources.script import script_blocks
from lockset.sources.toml_table import SettingsTable
from lockset.sources.validate.groups import check_groups

if TYPE_CHECKING:
    from packaging.requirements import Requirement

group_names = st.sampled_from(["a", "b", "c", "d", "A", "b-c", "B_c"])
items = st.one_of(
    st.sampled_from(["x", "y>=1", "z ; os_name == 'nt'", "not a requirement"]),
    group_names.map(lambda name: {"include-group": name}),
)
tables = st.dictionaries(group_names, st.lists(items, max_size=4), max_size=5)


def reference(data: dict[str, list[str | dict[str, str]]]) -> dict[str, list[Requirement]] | None:
    """The groups as packaging resolves them; None where it refuses any."""
    try:
        resolver = DependencyGroupResolver(data)
        return {name: list(dict.fromkeys(resolver.resolve(name))) for name in resolver.dependency_groups}
    except Exception as error:
        # Python 3.10 has no groups of errors of its own.
        if type(error).__name__ != "ExceptionGroup":
            raise
        return None


@given(tables)
def test_groups_are_those_of_packaging_or_refused_by_both(data: dict[str, list[str | dict[str, str]]]) -> None:
    expected = reference(data)
    try:
        read = read_groups(SettingsTable(data, path="dependency-groups", location="pyproject.toml"))
    except LocksetError:
        read = None
    assert (read is None) == (expected is None)
    if read is None or expected is None:
        return
    results = {name: list(dict.fromkeys(line.requirement for line in lines)) for name, lines in read.items()}
    assert results == expected


@given(tables)
def test_validate_finds_a_fault_in_groups_where_packaging_refuses_one(
    data: dict[str, list[str | dict[str, str]]],
) -> None:
    findings = Findings()
    check_groups(data, findings)
    assert bool(findings) is (reference(data) is None)


# As the specification of inline script metadata gives it.
REFERENCE = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")
script_lines = st.sampled_from(["# /// script", "# ///", "#", "# x = 1", "#x", "", "print()", "# /// other", " # ///"])


@given(st.lists(script_lines, max_size=12))
def test_script_blocks_are_those_of_the_specification_s_expression(lines: list[str]) -> None:
    text = "\n".join(lines)
    expected = [
        "".join(line[2:] if line.startswith("# ") else line[1:] for line in match["content"].splitlines(keepends=True))
        for match in REFERENCE.finditer(text)
        if match["type"] == "script"
    ]
    assert [content for _, content in script_blocks(text)] == expected
