"""Requirements read quickly mean what packaging reads in them, and what packaging refuses is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import example, given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.resolve.problem.requirement import _ORDINARY, RequirementParts, split_requirement

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = st.sampled_from(["a", "A.b_c", "a-", "a--b", "-a", "9", "a_", "é", "zope.interface"])
SPACES = st.sampled_from(["", "", "", " ", "\t", "  ", "\n", "\u00a0"])
VERSIONS = st.sampled_from(["1", "1.0.*", "2!1.0", "1.0+local", "1.0a1", "*", "x", "1.0-1", "", "1.0 2.0", "1_0"])
OPERATORS = st.sampled_from(["==", ">=", "<", "!=", "~=", "===", ">", "<=", "=", "=>", ""])
MARKERS = st.sampled_from([
    "extra == 'x'", 'extra == "X_y"', "python_version < '3.9'", "os_name == 'nt' and extra == 'x'", "(extra == 'x')",
    "extra == 'x' or extra == 'y'", "", "nonsense", "python_version", "extra == 'x", "os_name == 'nt' # comment",
    "'linux' in sys_platform", "python_version ~= '3.8'", "extra == 'a;b'", "extra == 'a' ; extra == 'b'",
])  # fmt: skip


@st.composite
def requirements(draw: st.DrawFn) -> str:
    def gap() -> str:
        return draw(SPACES)

    text = gap() + draw(NAMES) + gap()
    if draw(st.booleans()):
        extras = draw(st.lists(NAMES, max_size=2))
        text += f"[{gap()}{(gap() + ',' + gap()).join(extras)}{gap()}]{gap()}"
    clauses = [f"{draw(OPERATORS)}{gap()}{draw(VERSIONS)}" for _ in range(draw(st.integers(0, 2)))]
    listed = (gap() + draw(st.sampled_from([",", ",", ",", ",,", " "])) + gap()).join(clauses)
    text += f"({gap()}{listed}{gap()}){gap()}" if draw(st.booleans()) else f"{listed}{gap()}"
    if draw(st.booleans()):
        text += f"{draw(st.sampled_from([';', ';', ';;']))}{gap()}{draw(MARKERS)}{gap()}"
    return text


def _outcome(read: Callable[[str], object], text: str) -> object:
    try:
        return read(text)
    except InvalidRequirement as error:
        return str(error)
    except LocksetError as error:
        return error.diagnostic.code


@given(text=requirements())
@example(text="a @ https://files.example.org/a.whl ; extra == 'x'")
@example(text="a[b] (>=1,<2) ; python_version < '3'")
@example(text="a>=1\n")
@example(text="a;")
def test_the_fast_path_agrees_with_packaging(text: str) -> None:
    expected, result = _outcome(Requirement, text), _outcome(split_requirement, text)
    if not isinstance(expected, Requirement):
        assert result == expected
        return
    if not isinstance(result, RequirementParts):
        assert result == "marker-syntax"  # stricter than packaging, on values that no environment has
        return
    assert result.name == canonicalize_name(expected.name)
    assert result.extras == {canonicalize_name(extra) for extra in expected.extras}
    assert result.specifiers == expected.specifier
    assert str(result.specifiers) == str(expected.specifier)
    assert result.url == expected.url
    assert str(result.condition.parsed or "") == str(expected.marker or "")
    wanted = MarkerSet.any() if expected.marker is None else MarkerSet.of_marker(expected.marker)
    assert result.condition.marker == wanted


def test_usual_metadata_take_the_fast_path() -> None:
    for text in (
        "numpy>=1.21.2; python_version >= '3.10'",
        "pytest ; extra == 'test'",
        "charset-normalizer <4,>=2",
        'importlib-metadata (>=1.0) ; python_version < "3.8"',
        "coverage[toml] >=7.5; extra == 'tests'",
        "six",
    ):
        assert _ORDINARY.fullmatch(text) is not None
