"""What is read of specifiers without packaging is what packaging reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import Version

from lockset.dependency_specifiers import plain_clause, plain_release
from lockset.lockfile.validate.rules import keys
from lockset.markers.variables import fits_specifier, satisfies

OPERATORS = st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "~=", "===", "=", ""])
NUMBERS = st.lists(st.integers(0, 12).map(str) | st.sampled_from(["00", "03", "2147483648"]), min_size=1, max_size=5)
VERSIONS = NUMBERS.map(".".join) | st.sampled_from(
    [
        "3.*",
        "3.9.*",
        "03.*",
        "3.0.0.0.*",
        "1.2.3.4.5.*",
        "3.9rc1",
        "3.9.post1",
        "1!3",
        "3.9+local",
        "v3",
        "3.",
        "",
        " 3",
    ]
)
CLAUSES = st.builds(
    lambda operator, blanks, version: operator + blanks + version, OPERATORS, st.sampled_from(["", " "]), VERSIONS
)


@given(CLAUSES | st.text(max_size=6))
def test_a_plain_clause_is_one_with_the_same_parts(text: str) -> None:
    plain = plain_clause(text)
    if plain is not None:
        specifier = Specifier(text)
        assert plain == (specifier.operator, specifier.version)
        assert plain_release(plain[1].removesuffix(".*")) is not None


@given(VERSIONS)
def test_a_plain_release_is_a_final_one_with_these_numbers(text: str) -> None:
    numbers = plain_release(text)
    if numbers is not None:
        version = Version(text)
        assert (*version.release, 0, 0, 0)[:4] == numbers
        assert str(version) == ".".join(map(str, version.release)), "neither an epoch nor a suffix"


@given(
    st.sampled_from(["python_version", "python_full_version", "implementation_version"]), VERSIONS, OPERATORS, VERSIONS
)
def test_versions_are_compared_as_packaging_does(name: str, left: str, operator: str, right: str) -> None:
    try:
        specifier = Specifier(operator + right)
        expected = specifier.contains(left, prereleases=True)
    except ValueError:
        return  # compared as text
    assert satisfies(name, left, operator, right) == expected


@given(OPERATORS, VERSIONS)
def test_a_specifier_fits_where_packaging_reads_it(operator: str, literal: str) -> None:
    try:
        Specifier(operator + literal)
    except InvalidSpecifier:
        assert not fits_specifier(operator, literal)
    else:
        assert fits_specifier(operator, literal)


@given(st.lists(CLAUSES, min_size=1, max_size=3).map(",".join))
def test_a_range_has_the_meaning_that_packaging_gives(text: str) -> None:
    try:
        empty = SpecifierSet(text).is_unsatisfiable()
    except InvalidSpecifier:
        expected = keys._Specifier.NONE
    else:
        expected = keys._Specifier.EMPTY if empty else keys._Specifier.SOME
    assert keys._specifier(text) is expected


@pytest.mark.parametrize(
    ("text", "plain"), [(">=3.9", True), ("==3.9.*", True), (">=3.9, <4", True), (">=3,<3.0", False), ("~=3.9", False)]
)
def test_the_usual_ranges_need_no_packaging(text: str, *, plain: bool) -> None:
    assert keys._is_plain_range(text) is plain
