"""Strategies for markers, and the grid of environments on which they are compared with packaging."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from packaging.markers import Marker

from lockset.markers import Environment, MarkerSet

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

Point = tuple[dict[str, str], frozenset[str], frozenset[str]]

PYTHONS = ("2.7.18", "3.8.0", "3.9.0", "3.9.1", "3.9.2", "3.10.4", "3.11.0", "3.12.7", "4.0.0")
PLATFORMS = ("linux_x86_64", "linux_aarch64", "macos_arm64", "win_amd64", "win32")
CHOICES = (
    (frozenset[str](), frozenset[str]()),
    (frozenset({"a"}), frozenset[str]()),
    (frozenset({"a", "b-c"}), frozenset({"dev"})),
    (frozenset({"b-c"}), frozenset({"dev", "test"})),
)


def _odd_environments() -> list[dict[str, str]]:
    """Values that no comparison of the strategies names, and releases that are no versions."""
    plain = Environment.of_platform("linux", "3.11.3").as_dict()
    return [
        {**plain, "sys_platform": "freebsd14", "platform_system": "FreeBSD", "platform_release": "14.0"},
        {**plain, "platform_release": "20.1.0", "platform_version": "#1 SMP"},
        {**plain, "sys_platform": "", "os_name": "", "platform_machine": ""},
        {**plain, "sys_platform": "win", "platform_release": "19"},
    ]


def grid() -> list[Point]:
    environments = [
        Environment.of_platform(platform, python, implementation).as_dict()
        for platform, python in itertools.product(PLATFORMS, PYTHONS)
        for implementation in (("cpython", "pypy") if python == "3.10.4" else ("cpython",))
    ] + _odd_environments()
    return [(environment, *CHOICES[i % len(CHOICES)]) for i, environment in enumerate(environments)] + [
        (environment, *choice) for environment in environments[::9] for choice in CHOICES
    ]


GRID = grid()

_VERSION_LITERALS = (
    "3.8", "3.9", "3.10", "3.9.1", "3.9.0", "3", "3.9.1.5", "3.10a1", "3.9.2rc1", "3.9.post1", "3.11.*", "4", "2.7",
    "3.9.0+local", "1!3.9", "nonsense", "3.*",
)  # fmt: skip
_ORDERED = ("==", "!=", "<", "<=", ">", ">=")
_TEXTS = {
    "sys_platform": ("linux", "win32", "darwin", "win", "", "linux darwin", "in"),
    "platform_system": ("Linux", "Windows", "Darwin"),
    "os_name": ("posix", "nt", "p"),
    "platform_machine": ("x86_64", "aarch64", "64"),
    "platform_python_implementation": ("CPython", "PyPy", "Py"),
    "implementation_name": ("cpython", "pypy"),
    "platform_version": ("#1 SMP", "10"),
}


@st.composite
def version_comparisons(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(("python_version", "python_full_version")))
    literal = draw(st.sampled_from(_VERSION_LITERALS))
    operator = draw(st.sampled_from((*_ORDERED, *_ORDERED, "~=", "===", "in", "not in")))
    if operator == "~=" and (not literal[0].isdigit() or "." not in literal or "+" in literal or "*" in literal):
        operator = ">="
    if operator == "===" and "*" in literal:
        operator = "=="
    if operator in {"in", "not in"}:
        literal = draw(st.sampled_from(("3.8, 3.9", "3.10.4 3.9.1", "13.100", "3.9", "", "x3.8.0.1")))
    if draw(st.integers(0, 9)) == 0 and operator not in {"~=", "==="}:
        return f"'{literal}' {operator} {name}"
    return f"{name} {operator} '{literal}'"


@st.composite
def text_comparisons(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(sorted(_TEXTS)))
    literal = draw(st.sampled_from(_TEXTS[name]))
    operator = draw(st.sampled_from(("==", "==", "!=", "in", "not in", "<", "<=", ">", ">=")))
    if draw(st.booleans()):
        return f'"{literal}" {operator} {name}'
    return f'{name} {operator} "{literal}"'


CHOICE_COMPARISONS = st.sampled_from(
    (
        "'a' in extras",
        "'B_c' in extras",
        "'a' not in extras",
        "'dev' in dependency_groups",
        "'test' not in dependency_groups",
    )
)


@st.composite
def combined(draw: st.DrawFn, comparisons: st.SearchStrategy[str]) -> str:
    """Up to six comparisons, joined in any shape."""
    parts = draw(st.lists(comparisons, min_size=1, max_size=6))
    while len(parts) > 1:
        location = draw(st.integers(0, len(parts) - 2))
        word = draw(st.sampled_from(("and", "or")))
        parts[location : location + 2] = [f"({parts[location]}) {word} ({parts[location + 1]})"]
    return parts[0]


marker_texts = combined(st.one_of(version_comparisons(), text_comparisons(), text_comparisons(), CHOICE_COMPARISONS))

# Comparisons that packaging and the diagrams read alike, without opaque parts: for laws that need every point decided.
_PLAIN = st.sampled_from(
    (
        "python_version >= '3.9'",
        "python_version < '3.11'",
        "python_version == '3.10'",
        "python_full_version >= '3.9.1'",
        "python_full_version != '3.9.1'",
        "sys_platform == 'win32'",
        "sys_platform == 'linux'",
        "sys_platform != 'darwin'",
        "os_name == 'nt'",
        "platform_machine == 'aarch64'",
        "platform_python_implementation == 'PyPy'",
        "'a' in extras",
        "'dev' in dependency_groups",
        "'win' in sys_platform",
        "platform_machine in 'x86_64 aarch64'",
    )
)
plain_texts = combined(_PLAIN)
marker_sets = plain_texts.map(MarkerSet.parse)


def packaging_says(text: str, point: Point) -> bool:
    environment, extras, groups = point
    values: dict[str, str | AbstractSet[str]] = {**environment, "extras": extras, "dependency_groups": groups}
    return Marker(text).evaluate(values, context="lock_file")


def holds(marker_set: MarkerSet, point: Point) -> bool:
    environment, extras, groups = point
    return marker_set.evaluate(environment, extras=extras, groups=groups)
