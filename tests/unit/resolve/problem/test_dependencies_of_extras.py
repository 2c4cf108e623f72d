"""Dependencies of extras are parsed on first use, which changes no result."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.resolve.problem.dependencies import Dependencies
from lockset.resolve.problem.requirement import of_extra, parse_dependency

NAMES = ("hull", "Some.Mast", "a", "x-1", "")
CLAUSES = (
    "",
    ">=1",
    " >= 1.2, <2",
    "(==1.*)",
    "==1.*.*",
    "~=1",
    "~=1.4",
    ">=1.*",
    ">1.2.3.4.5",
    "<1rc1",
    "=== x",
    ",",
    "@ x",
)
MARKERS = (
    'extra == "x"',
    " extra == 'Fast_Sail'",
    "extra == 'x'\t",
    "extra == \"x'",
    "extra == ''",
    "extra == 'a b'",
    "extra == 'a' or extra == 'b'",
    "extra == '-a'",
    "extra != 'x'",
    "'x' == extra",
    "python_version < '3' and extra == 'x'",
    "sys_platform == 'win32'",
)

texts = st.one_of(
    st.builds(
        "{}{}{};{}".format,
        st.sampled_from(NAMES),
        st.sampled_from(("", "[b]", " [B_c, d]", "[]")),
        st.sampled_from(CLAUSES),
        st.sampled_from(MARKERS),
    ),
    st.builds("{} ; extra == '{}'".format, st.text(max_size=12), st.text(max_size=6)),
    st.text(max_size=30),
)


@given(texts)
def test_a_text_that_belongs_to_an_extra_is_valid_and_applies_for_it_alone(text: str) -> None:
    extra = of_extra(text)
    if extra is not None:
        dependency = parse_dependency(text)
        assert dependency.marker is MarkerSet.metadata_extra(extra)
        assert dependency.condition_on_extra_alone
        assert dependency.url is None


@pytest.mark.parametrize(
    "text", ["hull ; extra == 'fast'", 'hull[x]>=1.2,<2;extra == "Fast"', "hull (>=1) ; extra == 'fast' "]
)
def test_the_usual_forms_belong_to_their_extra(text: str) -> None:
    assert of_extra(text) == "fast"


def test_dependencies_of_other_extras_are_not_parsed() -> None:
    dependencies = Dependencies([parse_dependency("hull"), ("fast", "not a requirement"), ("x", "mast ; extra == 'x'")])
    assert [d.name for d in dependencies.with_extras(())] == ["hull"]
    assert [d.name for d in dependencies.with_extras({"x": None})] == ["hull", "mast"]
    with pytest.raises(LocksetError, match="not a valid requirement"):
        tuple(dependencies)


def test_dependencies_stay_in_their_order() -> None:
    own = parse_dependency("hull")
    dependencies = Dependencies([("x", "mast ; extra == 'x'"), own])
    assert [d.name for d in dependencies] == ["mast", "hull"]
    assert dependencies[1] is own
    assert dependencies[:1] == (dependencies[0],)
    assert len(dependencies) == 2
    assert hash(dependencies) == hash(Dependencies(dependencies))
