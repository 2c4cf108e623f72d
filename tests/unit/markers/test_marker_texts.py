"""Markers are read as packaging reads them, and written as short as can be."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet

from lockset.errors import LocksetError
from lockset.markers import MarkerSet, Universe, possible, without_upper_bounds

parse = MarkerSet.parse


@pytest.mark.parametrize(
    "text",
    [
        "",
        "python_version",
        "python_version >=",
        "python_version >= 3.9",
        "'a' == 'b'",
        "os_name == sys_platform",
        "nonsense == 'a'",
        "os_name == 'a' and",
        "(os_name == 'a'",
        "os_name == 'a')",
        "os_name == 'a' os_name == 'b'",
        "os_name ~= 'a'",
        "os_name === 'a'",
        "extras == 'a'",
        "extras in 'a'",
        "'a' == dependency_groups",
        "os_name == 'a\\'",
        "(" * 200 + "os_name == 'a'" + ")" * 200,
    ],
)
def test_invalid_markers_are_refused(text: str) -> None:
    with pytest.raises(LocksetError) as refused:
        parse(text)
    assert refused.value.diagnostic.code == "marker-syntax"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("python_version > '3.9'", "python_version >= '3.10'"),
        ("python_version == '3.9'", "python_full_version == '3.9.*'"),
        ("python_version >= '3.9.1'", "python_version >= '3.10'"),
        ("python_version in '3.8, 3.9'", "python_version == '3.8' or python_version == '3.9'"),
        ("python_version ~= '3.8'", "python_version >= '3.8' and python_version < '4'"),
        ("python_full_version > '3.9.1'", "python_full_version >= '3.9.2'"),
        ("'3.9' <= python_version", "python_version >= '3.9'"),
        ("python_full_version >= '3.12.0rc1'", "python_version >= '3.12'"),
        ("os.name == 'nt'", "os_name == 'nt'"),
        ("python_implementation == 'PyPy'", "platform_python_implementation == 'PyPy'"),
        ("extra == 'Foo_Bar'", "extra == 'foo-bar'"),
        ("'Foo.Bar' in extras", "'foo-bar' in extras"),
        ("os_name <= 'nt'", "os_name == 'nt'"),
        ("'linux' in sys_platform and sys_platform == 'linux'", "sys_platform == 'linux'"),
        ("sys_platform in 'linux win32' and sys_platform == 'linux'", "sys_platform == 'linux'"),
        ("platform_release >= '20' and platform_release < '20'", "os_name == 'a' and os_name == 'b'"),
        ("python_version not in '3.8'  or os_name == 'nt'", "os_name == 'nt' or not_38".replace(
            "not_38", "(python_version != '3.8')")),
    ],
)  # fmt: skip
def test_equal_markers_are_one_object(one: str, other: str) -> None:
    assert parse(one) is parse(other)


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("python_full_version >= '3.10' and sys_platform == 'win32'", "python_version >= '3.10'",
         "sys_platform == 'win32'"),
        ("python_version >= '3.8'", "python_version >= '3.9'", None),
        ("python_version != '3.9'", "python_version >= '3.9'", "python_version >= '3.10'"),
        ("python_version == '3.9'", "python_version >= '3.9' and python_version < '3.11'", "python_version < '3.10'"),
        ("python_version >= '3.9' and python_version < '3.12'", "python_version >= '3.9'", "python_version < '3.12'"),
        ("sys_platform == 'win32' or sys_platform != 'win32' and os_name == 'nt'", None,
         "sys_platform == 'win32' or os_name == 'nt'"),
        ("(python_version >= '3.9' and os_name == 'nt') or (python_version < '3.9' and os_name == 'nt')", None,
         "os_name == 'nt'"),
        ("(os_name == 'nt' and 'a' in extras) or (os_name == 'nt' and 'b' in extras)", None,
         "os_name == 'nt' and ('a' in extras or 'b' in extras)"),
        ("sys_platform != 'linux' and sys_platform != 'win32'",
         "sys_platform == 'linux' or sys_platform == 'win32' or sys_platform == 'darwin'", "sys_platform == 'darwin'"),
        ("python_full_version >= '3.9.1'", None, "python_full_version >= '3.9.1'"),
        ("python_full_version == '3.9.1'", None, "python_full_version == '3.9.1'"),
        ("python_version < '3.9' or python_version >= '3.10'", None, "python_version != '3.9'"),
        ("os_name == \"it's\"", None, "os_name == \"it's\""),
        ("extra == 'x' and python_version < '3.11'", None, "python_version < '3.11' and extra == 'x'"),
    ],
)  # fmt: skip
def test_texts_are_short(text: str, given: str | None, expected: str | None) -> None:
    assert parse(text).text(None if given is None else parse(given)) == expected


def test_values_that_exclude_one_another_shorten_texts_and_empty_sets() -> None:
    universe = Universe.of(requires_python=">=3.9").region
    assert parse("sys_platform == 'win32' and os_name == 'posix'").is_disjoint(universe)
    assert parse("sys_platform == 'win32' and os_name == 'nt'").text(universe) == "sys_platform == 'win32'"
    assert parse("platform_system != 'Windows' or os_name == 'posix'").text(universe) == "sys_platform != 'win32'"
    assert not parse("sys_platform == 'plan9' and os_name == 'posix'").is_disjoint(possible())


def test_the_empty_set_has_no_text() -> None:
    with pytest.raises(ValueError, match="empty"):
        parse("os_name == 'nt'").text(parse("os_name == 'posix'"))


def test_many_extras_stay_readable_and_cheap() -> None:
    united = MarkerSet.none()
    for number in range(150):
        united |= MarkerSet.extra(f"e{number:03}") & parse("python_version >= '3.9'")
    text = united.text()
    assert text is not None
    assert text.count("python_version") == 1
    assert text.count(" in extras") == 150


@pytest.mark.parametrize(
    "parts",
    [
        [f"('e{n}' in extras and 'g{n}' in dependency_groups)" for n in range(40)],
        [f"'e{n}' in extras" for n in range(2000)],
    ],
)
def test_markers_made_to_exhaust_the_reader_are_refused(parts: list[str]) -> None:
    with pytest.raises(LocksetError) as refused:
        parse(" or ".join(parts))
    assert refused.value.diagnostic.code == "marker-syntax"
    assert len(refused.value.diagnostic.message) < 400


def test_sets_of_many_paths_have_a_text() -> None:
    pairs = " or ".join(f"('e{n}' in extras and 'g{n}' in dependency_groups)" for n in range(8))
    text = parse(pairs).text()
    assert text is not None
    assert parse(text) is parse(pairs)
    assert text.count(" in ") <= 24


def test_metadata_extras_are_fixed_one_at_a_time() -> None:
    marker = parse("extra == 'a' and os_name == 'nt' or extra != 'a' and extra != 'b' and os_name == 'posix'")
    assert marker.metadata_extras() == {"a", "b"}
    assert marker.with_metadata_extra("A") is parse("os_name == 'nt'")
    assert marker.with_metadata_extra("b").is_empty
    assert marker.with_metadata_extra(None) is parse("os_name == 'posix'")
    assert (MarkerSet.metadata_extra("a") & MarkerSet.metadata_extra("b")).is_empty


def test_requires_python_is_read_as_for_final_releases() -> None:
    assert MarkerSet.of_python(">=3.9,<4,!=3.10.*") is parse(
        "python_version >= '3.9' and python_version < '4' and python_version != '3.10'"
    )
    assert MarkerSet.of_python("").is_full
    assert MarkerSet.of_python(SpecifierSet(">=3.9")).python_minimum() == (3, 9, 0)
    assert MarkerSet.of_python(">=3.9").python_is_open_above()
    assert not MarkerSet.of_python("~=3.9").python_is_open_above()
    assert MarkerSet.of_python("~=3.9").without_python_cap() is MarkerSet.of_python(">=3.9")
    with pytest.raises(LocksetError) as refused:
        MarkerSet.of_python(">=three")
    assert refused.value.diagnostic.code == "requires-python-invalid"


def test_upper_bounds_can_be_left_out() -> None:
    assert without_upper_bounds(SpecifierSet(">=3.8,<4,!=3.9.1")) == SpecifierSet(">=3.8,!=3.9.1")
    assert without_upper_bounds(SpecifierSet("~=3.8")) == SpecifierSet(">=3.8")
    assert without_upper_bounds(SpecifierSet("==3.*")) == SpecifierSet(">=3")


def test_pre_releases_stand_where_their_release_stands() -> None:
    rc = {"python_full_version": "3.14.0rc1", "python_version": "3.14"}
    assert parse("python_full_version >= '3.14'").evaluate(rc)
    assert parse("python_version >= '3.14'").evaluate(rc)
    assert not parse("python_full_version < '3.14'").evaluate(rc)
    assert parse("python_version >= '3.14'").evaluate({"python_full_version": "3.14.0+"})


def test_examples_are_common_interpreters() -> None:
    result = parse("python_version >= '3.9'").example()
    assert result is not None
    assert result.known
    assert result.environment["sys_platform"] == "linux"
    windows = parse("python_version < '3.9' and os_name == 'nt' and 'x' in extras").example()
    assert windows is not None
    assert windows.known
    assert windows.extras == {"x"}
    assert windows.environment["python_version"] == "3.8"
    odd = parse("sys_platform == 'plan9'").example()
    assert odd is not None
    assert not odd.known


def test_handles_are_made_by_class_methods_only() -> None:
    with pytest.raises(TypeError):
        MarkerSet()
    assert str(MarkerSet.any()) == "always"
    assert str(MarkerSet.none()) == "never"
    assert repr(parse("os_name=='nt'")) == "<MarkerSet os_name == 'nt'>"
